"""Start to first answer by turns, with the files in the page cache and without."""

import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import services
import sizes


def measure(binary: Path, models: Path, cache: Path, s3, names: list[str], image: bytes, starts: int) -> dict:
    """Medians over several starts: wall and CPU ms to the first answer of the default model."""
    ichor = partial(start_times, partial(services.ichor, binary, models), image)
    flask = partial(start_times, partial(services.flask, models), image)
    on_lambda = partial(first_event, cache, s3, names, image)
    networks = [path for path in models.rglob("*") if path.is_file()]
    files = {
        "ichor": (ichor, [binary, *networks]),
        "flask": (flask, [Path(sys.executable).resolve(), *sizes.shipped_files(), *networks]),
        "lambda": (on_lambda, [cache / "lambda" / "api" / "bootstrap"]),
    }
    return {
        "warm": in_turns({name: start for name, (start, _) in files.items()}, starts),
        "from_disk": in_turns({name: without_page_cache(*files[name]) for name in ("ichor", "flask")}, starts),
    }


def in_turns(ways: dict[str, Callable[[], dict]], starts: int) -> dict:
    turns = [{name: start() for name, start in ways.items()} for _ in range(starts)]
    figures = {}
    for name in ways:
        fields = turns[0][name]
        figures[name] = {f: round(statistics.median(turn[name][f] for turn in turns), 1) for f in fields}
        ratios = [turn[name]["wall_ms"] / turn["flask"]["wall_ms"] for turn in turns]
        figures[name]["wall_ratio"] = round(statistics.median(ratios), 4)
    return figures


def start_times(start: Callable[[], services.Service], image: bytes) -> dict:
    """One start until the first answer, and another until all models are loaded."""
    with start() as service:
        first = services.first_answer(service, "deeplabv3", image, service.begin)
    with start() as service:
        service.wait_until_ready()
        ready = {"ready_ms": (time.perf_counter() - service.begin) * 1e3, "ready_cpu_ms": service.cpu_s() * 1e3}
    return ready | first


def first_event(cache: Path, s3, names: list[str], image: bytes) -> dict:
    """One first event of the function: the emulator runs already, and the event starts the process."""
    with services.function(cache, s3, names) as function:
        return services.first_answer(function, "deeplabv3", image, time.perf_counter())


def without_page_cache(start: Callable[[], dict], paths: list[Path]) -> Callable[[], dict]:
    """The same start after the files were dropped from the page cache, as on a machine that has just booted."""

    def run() -> dict:
        for path in paths:
            drop(path)
        return start()

    return run


def drop(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)
