"""Resident memory of another process. Linux only."""

from pathlib import Path


def resident_bytes(pid: int, field: str = "VmHWM") -> int:
    """Resident memory: its peak (`VmHWM`) or its present value (`VmRSS`)."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024
