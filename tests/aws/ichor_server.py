"""`ichor serve` on a free port of loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loopback import bare_environment, free_port, running

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class IchorServer:
    """A running server."""

    url: str
    pid: int
    log: Path

    def resident_mb(self) -> float:
        """Resident memory of the process."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024 / 1e6


@contextmanager
def ichor_server(binary: Path, folder: Path, *options: str) -> Iterator[IchorServer]:
    """Starts the server with the models and the page of the repository; its log is written to `folder`."""
    port = free_port()
    command = [str(binary), "serve", "--port", str(port), *options]
    inherited = bare_environment()
    with running(command, port, folder / "serve.log", cwd=ROOT, env=inherited) as process:
        yield IchorServer(f"http://127.0.0.1:{port}", process.pid, folder / "serve.log")
