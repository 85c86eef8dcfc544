"""A series on one core and on two: a whole request, with the server pinned to the cores."""

import os
import statistics
import time

import services


def measure(binary, models, volume: bytes, slices: int, repeats: int, model: str = "deeplabv3") -> dict:
    """Medians: seconds on one core and on two, and their ratio in each turn.

    `alone_ms` is the time of the stages that run on a single thread, from the report.
    """
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        return {"slices": slices, "speedup": None}
    one = services.ichor(binary, models, 1, {cores[0]})
    two = services.ichor(binary, models, 2, set(cores))
    with one, two:
        for service in (one, two):
            request_s(service, model, volume)
        turns = [(request_s(one, model, volume), request_s(two, model, volume)) for _ in range(repeats)]
        alone = [two.segment(model, volume, "application/gzip")["timings_ms"] for _ in range(repeats)]
    return {
        "slices": slices,
        "one_core_s": round(statistics.median(a for a, _ in turns), 3),
        "two_cores_s": round(statistics.median(b for _, b in turns), 3),
        "alone_ms": {part: round(statistics.median(ms[part] for ms in alone), 1) for part in ("decode", "encode")},
        "speedup": round(statistics.median(a / b for a, b in turns), 3),
    }


def request_s(service: services.Service, model: str, volume: bytes) -> float:
    begin = time.perf_counter()
    service.segment(model, volume, "application/gzip")
    return time.perf_counter() - begin
