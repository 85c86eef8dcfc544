"""Server processes of the tests: on a free port, stopped through their own handle, never left running."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOPBACK = "127.0.0.1"
# For a busy machine; an idle one takes about a second.
START_SECONDS = 180.0
STOP_SECONDS = 5.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def free_port(host: str = LOOPBACK) -> int:
    """A free port, for a server that the caller starts next."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def bare_environment() -> dict[str, str]:
    """The environment without settings of AWS and Ichor, except `ICHOR_KERNELS`, which simulates another CPU."""
    return {
        key: value
        for key, value in os.environ.items()
        if key == "ICHOR_KERNELS" or not key.startswith(("AWS_", "ICHOR_"))
    }


def end_with_parent() -> None:
    """Runs in a new child process: Linux then sends it SIGTERM when its parent ends in any way."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def running(
    command: list[str],
    port: int,
    log: Path | None,
    start_seconds: float = START_SECONDS,
    stop_seconds: float = STOP_SECONDS,
    host: str = LOOPBACK,
    **popen,
) -> Iterator[subprocess.Popen]:
    """Runs `command` until the block ends; the block starts when `port` accepts connections.

    Output goes to `log`, or to the terminal if that is None. Raises RuntimeError with the output of the process if it
    exits before it listens, or does not listen in time.
    """
    output = log.open("wb") if log else None
    process = subprocess.Popen(
        command, stdout=output, stderr=output and subprocess.STDOUT, preexec_fn=end_with_parent, **popen
    )
    if output:
        output.close()
    try:
        deadline = time.monotonic() + start_seconds
        while not accepts(port, host):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not listen on {port}:\n{log.read_text() if log else ''}")
            time.sleep(0.02)
        yield process
    finally:
        stop(process, stop_seconds)


def stop(process: subprocess.Popen, seconds: float) -> None:
    """Sends SIGTERM, and SIGKILL if the process has not ended after `seconds`."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def accepts(port: int, host: str = LOOPBACK) -> bool:
    """Whether a process listens there."""
    try:
        socket.create_connection((host, port), timeout=0.2).close()
    except OSError:
        return False
    return True
