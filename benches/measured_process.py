"""A child process whose CPU time and memory are read from outside, the same way for every engine. Linux only."""

import os
import subprocess
import time
from functools import partial
from pathlib import Path


def cpu_s(pid: int) -> float:
    """CPU time of a process since its start, of all threads, ended ones included; exact to the nanosecond."""
    # The clock id that clock_getcpuclockid(3) returns: the inverted process id and CPUCLOCK_SCHED.
    return time.clock_gettime((~pid << 3) | 2)


def memory_mb(pid: int, field: str = "VmHWM") -> float:
    """Resident memory: its peak (`VmHWM`) or its present value (`VmRSS`)."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024 / 1e6


def environment(threads: int) -> dict[str, str]:
    """The environment of this process without settings of AWS and Ichor, with thread pools of one size."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ICHOR_"))}
    pools = ("RAYON_NUM_THREADS", "RTEN_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return inherited | dict.fromkeys(pools, str(threads))


class MeasuredProcess:
    """A process that prints one line when it is ready and one line after each command; a context manager."""

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
            preexec_fn=partial(os.sched_setaffinity, 0, self.cores) if self.cores else None,
        )
        assert self.process.stdin and self.process.stdout
        self.commands, self.answers = self.process.stdin, self.process.stdout
        self.ready_line = self.answers.readline()
        if not self.ready_line:
            self.process.wait()
            raise RuntimeError(f"{self.command[0]} did not start")
        self.ready_s = time.perf_counter() - self.begin
        return self

    def __exit__(self, *_):
        self.commands.close()
        self.process.terminate()
        self.process.wait()

    @property
    def pid(self) -> int:
        return self.process.pid

    def ask(self, line: str) -> tuple[float, float]:
        """CPU seconds and wall seconds of one command."""
        cpu, wall = cpu_s(self.pid), time.perf_counter()
        self.commands.write(line + "\n")
        self.commands.flush()
        if self.answers.readline().strip() != "done":
            raise RuntimeError(f"{self.command[0]} failed at '{line}'")
        return cpu_s(self.pid) - cpu, time.perf_counter() - wall
