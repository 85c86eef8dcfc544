"""One slice of 512 x 512 px end to end by turns: the library, HTTP, the Lambda function, Flask."""

import base64
import io
import statistics
import time
from contextlib import ExitStack

import numpy as np
from measured_process import MeasuredProcess
from PIL import Image

PEER = "flask"


def measure(services: dict, probe: MeasuredProcess, models: list[str], images: list[bytes], repeats: int) -> dict:
    """Per service: median CPU and wall ms per slice, the ratio to Flask in each turn, and peak memory.

    `agreement` compares the masks of Ichor with those of the reference engine behind Flask.
    """
    figures: dict = {}
    with ExitStack() as stack:
        running = {name: stack.enter_context(service) for name, service in services.items()}
        stack.enter_context(probe)
        for model in models:
            answers = {name: [running[name].segment(model, image) for image in images] for name in running}
            turns = [turn(running, probe, model, images) for _ in range(repeats)]
            figures[model] = {name: summary(name, turns) for name in turns[0]}
            around = [1 - turn["network"][0] / turn["ichor"][0] for turn in turns]
            figures[model]["around_network_and_http"] = round(statistics.median(around), 3)
            figures[model]["stages_ms"] = spent = stages(answers["ichor"])
            figures[model]["around_network"] = round(1 - spent["inference"] / spent["total"], 3)
            figures[model]["agreement"] = agreement(answers["ichor"], answers[PEER])
        figures["peak_mb"] = {name: round(service.peak_mb(), 1) for name, service in running.items()}
    return figures


def turn(running: dict, probe: MeasuredProcess, model: str, images: list[bytes]) -> dict[str, tuple[float, float]]:
    """CPU and wall ms per slice."""
    took = {}
    for name, service in running.items():
        cpu, wall = service.cpu_s(), time.perf_counter()
        for image in images:
            service.segment(model, image)
        took[name] = (service.cpu_s() - cpu) / len(images) * 1e3, (time.perf_counter() - wall) / len(images) * 1e3
    for name, command in (("library", f"slice {model} {len(images)}"), ("network", f"network {model} {len(images)} 1")):
        cpu, wall = probe.ask(command)
        took[name] = cpu / len(images) * 1e3, wall / len(images) * 1e3
    return took


def summary(name: str, turns: list[dict]) -> dict:
    return {
        "cpu_ms": round(statistics.median(turn[name][0] for turn in turns), 2),
        "wall_ms": round(statistics.median(turn[name][1] for turn in turns), 2),
        "cpu_ratio": round(statistics.median(turn[name][0] / turn[PEER][0] for turn in turns), 3),
    }


def stages(answers: list[dict]) -> dict:
    """Median ms of each stage, from the reports of the service."""
    timings = [answer["timings_ms"] for answer in answers]
    return {stage: round(statistics.median(t[stage] for t in timings), 2) for stage in timings[0]}


def agreement(ours: list[dict], theirs: list[dict]) -> dict:
    """Dice of the masks over all pixels of all images, and the lowest Dice of one image; 1 where both are empty."""
    pairs = [(mask(a), mask(b)) for a, b in zip(ours, theirs, strict=True)]
    both = sum(int((a & b).sum()) for a, b in pairs)
    return {
        "dice": 2 * both / max(1, sum(int(a.sum() + b.sum()) for a, b in pairs)) if both else None,
        "lowest_dice": min(dice(a, b) for a, b in pairs),
        "images": len(pairs),
        "masks": sum(bool(b.any()) for _, b in pairs),
    }


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * int((a & b).sum()) / int(a.sum() + b.sum()) if a.any() or b.any() else 1.0


def mask(answer: dict) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["mask"]["base64"])))) > 127
