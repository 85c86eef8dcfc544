"""Memory of another process, as Linux counts it."""

from pathlib import Path


def resident_bytes(pid: int, field: str = "VmHWM") -> int:
    """`VmHWM`, the peak of what is resident, or `VmRSS`, what is resident now."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024
