"""Processes whose clocks are read from outside, the same way for every engine. Linux only."""

import os
import subprocess
import time
from pathlib import Path

# Of a busy machine.
START_SECONDS = 60.0


def cpu_s(pid: int) -> float:
    """Processor time of all threads of a process since its start, those that ended among them, ns precise."""
    # The clock that clock_getcpuclockid(3) gives: the process's number inverted, and CPUCLOCK_SCHED.
    return time.clock_gettime((~pid << 3) | 2)


def memory_mb(pid: int, field: str = "VmHWM") -> float:
    """`VmHWM`, the peak of the resident memory, or `VmRSS`, what is resident now."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024 / 1e6


def environment(threads: int) -> dict[str, str]:
    """This process's own, without the tester's settings, with thread pools of one size."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ICHOR_"))}
    pools = ("RAYON_NUM_THREADS", "RTEN_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return inherited | dict.fromkeys(pools, str(threads))


class Watched:
    """A process that says a line when it is ready and a line after each command; a context manager."""

    def __init__(self, command: list, threads: int = 1, cores: set[int] | None = None):
        self.command = [str(part) for part in command]
        self.threads, self.cores = threads, cores

    def __enter__(self):
        self.begin = time.perf_counter()
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if "PYTEST_CURRENT_TEST" in os.environ else None,
            text=True,
            env=environment(self.threads),
            preexec_fn=(lambda: os.sched_setaffinity(0, self.cores)) if self.cores else None,
        )
        self.ready_line = self.process.stdout.readline()
        if not self.ready_line:
            self.process.wait()
            raise RuntimeError(f"{self.command[0]} did not start")
        self.ready_s = time.perf_counter() - self.begin
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()

    @property
    def pid(self) -> int:
        return self.process.pid

    def ask(self, line: str) -> tuple[float, float]:
        """Processor and wall seconds that a command took."""
        cpu, wall = cpu_s(self.pid), time.perf_counter()
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        if self.process.stdout.readline().strip() != "done":
            raise RuntimeError(f"{self.command[0]} failed at '{line}'")
        return cpu_s(self.pid) - cpu, time.perf_counter() - wall
