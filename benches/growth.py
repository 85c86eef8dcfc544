"""Time and memory by number of slices, image side and concurrency, on phantoms. Each point has its own server, so that
its peak memory belongs to that point alone."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import services
from measured_process import memory_mb
from phantoms import packed_nifti, planes, windowed

SLICES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
SIDES = (256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096)
CLIENTS = (1, 2, 4, 8, 16, 32, 64)
MODEL = "deeplabv3"


def picture(side: int) -> bytes:
    (plane,) = planes(1, side)
    return cv2.imencode(".png", windowed(plane))[1].tobytes()


def measure(binary: Path, models: Path, threads: int, smoke: bool) -> dict:
    """The points of each curve; with `smoke` only the first two."""
    points = 2 if smoke else None
    requests = 4 if smoke else 64
    ichor = partial(services.ichor, binary, models, threads)
    flask = partial(services.flask, models, threads)
    return {
        "slices": [series_point(ichor(), n) for n in SLICES[:points]],
        "side": [
            {"side": side, "ichor": side_point(ichor(), side), "flask": side_point(flask(), side)}
            for side in SIDES[:points]
        ],
        "clients": [
            {"clients": n, "ichor": clients_point(ichor(), n, requests), "flask": clients_point(flask(), n, requests)}
            for n in CLIENTS[:points]
        ],
    }


def series_point(service: services.Service, slices: int) -> dict:
    volume = packed_nifti(slices)
    with service:
        service.segment(MODEL, picture(512))
        idle, cpu, begin = memory_mb(service.pid, "VmRSS"), service.cpu_s(), time.perf_counter()
        service.segment(MODEL, volume, "application/gzip")
        return {
            "slices": slices,
            "wall_s": round(time.perf_counter() - begin, 3),
            "cpu_s": round(service.cpu_s() - cpu, 3),
            "peak_mb": round(service.peak_mb(), 1),
            "idle_mb": round(idle, 1),
            "body_mb": round(len(volume) / 1e6, 2),
        }


def side_point(service: services.Service, side: int, repeats: int = 3) -> dict:
    image = picture(side)
    with service:
        service.segment(MODEL, image)
        cpu, begin = service.cpu_s(), time.perf_counter()
        for _ in range(repeats):
            service.segment(MODEL, image)
        return {
            "wall_ms": round((time.perf_counter() - begin) / repeats * 1e3, 1),
            "cpu_ms": round((service.cpu_s() - cpu) / repeats * 1e3, 1),
            "peak_mb": round(service.peak_mb(), 1),
        }


def clients_point(service: services.Service, clients: int, requests: int) -> dict:
    """Concurrent clients, each of which sends its next request as soon as it has an answer.

    They share the cores with the service.
    """
    image = picture(512)
    with service:
        service.segment(MODEL, image)
        cpu, begin = service.cpu_s(), time.perf_counter()
        each = max(2, requests // clients)
        with ThreadPoolExecutor(clients) as pool:
            waits = [wait for part in pool.map(lambda _: client(service, image, each), range(clients)) for wait in part]
        wall, answered = time.perf_counter() - begin, [seconds for status, seconds in waits if status == 200]
        refused = sum(status == 503 for status, _ in waits)
        if len(answered) + refused < len(waits) or not answered:
            raise RuntimeError(f"{clients} clients met {sorted({status for status, _ in waits})}")
        ordered = sorted(answered)
        return {
            "slices_per_second": round(len(answered) / wall, 2),
            "cpu_ms": round((service.cpu_s() - cpu) / len(answered) * 1e3, 1),
            "median_ms": round(statistics.median(ordered) * 1e3, 1),
            "p95_ms": round(ordered[int(0.95 * (len(ordered) - 1))] * 1e3, 1),
            "refused": round(refused / len(waits), 3),
            "peak_mb": round(service.peak_mb(), 1),
        }


def client(service: services.Service, image: bytes, requests: int) -> list[tuple[int, float]]:
    connection, waits = service.connect(), []
    for _ in range(requests):
        begin = time.perf_counter()
        status, _ = service.post(MODEL, image, "image/png", connection)
        waits.append((status, time.perf_counter() - begin))
    connection.close()
    return waits
