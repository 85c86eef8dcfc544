"""Processes of the tests: on loopback, on a free port, stopped by their own handle."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Of a busy machine; an idle one takes one.
START_SECONDS = 60.0


def free_port() -> int:
    """A port that was free a moment ago; the caller's server binds it next."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(
    command: list[str], port: int, log: Path, start_seconds: float = START_SECONDS, **popen
) -> Iterator[subprocess.Popen]:
    """Runs `command` until the block ends; enters it once `port` accepts connections.

    Raises RuntimeError with the process's own words if it exits first or never listens.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **popen)
    try:
        deadline = time.monotonic() + start_seconds
        while not _accepts(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not listen on {port}:\n{log.read_text()}")
            time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
    except OSError:
        return False
    return True
