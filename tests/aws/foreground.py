"""For programs that run in a terminal: all their child processes end with them.

This holds when the program ends, and for Ctrl-C, SIGTERM and a closed terminal. Linux only.
"""

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from loopback import LOOPBACK, accepts, free_port

SAMPLE = "frontend/samples/066_38y_epidural_130kV_710mA.png"
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
# Time between SIGTERM and SIGKILL; enough to stop a container.
STOP_SECONDS = 20.0


@contextmanager
def ending_with_its_children() -> Iterator[None]:
    """Runs the block; SIGINT, SIGTERM and SIGHUP end it. No descendant process outlives it."""
    # A process whose parent ends becomes a child of this process, so that it can be found and stopped.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        end_children()


def leave(number: int, _frame) -> None:
    # Ignored from now on, so that the cleanup of the block is not interrupted.
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)


def children_of(pid: int) -> list[int]:
    """Process ids of the children of a process; empty if there is no such process."""
    found = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def descendants_of(pid: int) -> list[int]:
    """Process ids of its children and of all their descendants."""
    found = children_of(pid)
    for child in list(found):
        found += descendants_of(child)
    return found


def end_children() -> None:
    """Sends SIGTERM to the remaining children, and SIGKILL to those that do not end."""
    deadline = time.monotonic() + STOP_SECONDS
    signalled = set()
    while children := children_of(os.getpid()):
        for child in children:
            with suppress(OSError):
                if time.monotonic() > deadline:
                    os.kill(child, signal.SIGKILL)
                elif child not in signalled:
                    os.kill(child, signal.SIGTERM)
                    signalled.add(child)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.05)


def port_or_free(wanted: int) -> int:
    """`wanted`, or a free port if another process listens on it."""
    return free_port() if accepts(wanted) else wanted


def show_request(port: int) -> None:
    """Prints a command that sends a sample; it works in the folder of the repository."""
    address = f"http://{LOOPBACK}:{port}/v1/segment"
    print(f"\ncurl --data-binary @{SAMPLE} -H 'content-type: image/png' {address}\n", flush=True)
