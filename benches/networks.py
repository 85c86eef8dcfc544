"""The network alone: every engine on the same ONNX files, in turns."""

import statistics
import sys
from contextlib import ExitStack
from pathlib import Path

from measured_process import MeasuredProcess

PEERS = Path(__file__).resolve().parent / "peers"
REFERENCE = "onnxruntime"


def engines(probe: Path, rten: Path | None, models: Path, slice_file: Path, threads: int) -> dict[str, MeasuredProcess]:
    """One process per engine, all with the same number of threads."""
    script = [sys.executable, PEERS / "other_engines.py"]
    started = {
        "ichor": MeasuredProcess([probe, models, slice_file], threads),
        REFERENCE: MeasuredProcess([*script, "onnxruntime", models, threads], threads),
        "openvino": MeasuredProcess([*script, "openvino", models, threads], threads),
    }
    if rten:
        started["rten"] = MeasuredProcess([rten, models, threads], threads)
    return started


def measure(started: dict[str, MeasuredProcess], models: list[str], threads: int, repeats: int, runs: int) -> dict:
    """Median CPU and wall ms per run, and the median of the ratio to the reference in each turn."""
    figures: dict = {}
    with ExitStack() as stack:
        running = {}
        for name, process in started.items():
            try:
                running[name] = stack.enter_context(process)
            except RuntimeError:
                figures.setdefault("did_not_load", []).append(name)
        for model in models:
            for process in running.values():
                process.ask(f"network {model} 2 {threads}")
            turns = [
                {name: process.ask(f"network {model} {runs} {threads}") for name, process in running.items()}
                for _ in range(repeats)
            ]
            figures[model] = {name: summary(name, turns, runs) for name in running}
    return figures


def summary(name: str, turns: list[dict], runs: int) -> dict:
    def median(value) -> float:
        return statistics.median(value(turn) for turn in turns)

    return {
        "cpu_ms": round(median(lambda t: t[name][0] * 1e3 / runs), 2),
        "wall_ms": round(median(lambda t: t[name][1] * 1e3 / runs), 2),
        "cpu_ratio": round(median(lambda t: t[name][0] / t[REFERENCE][0]), 3),
        "wall_ratio": round(median(lambda t: t[name][1] / t[REFERENCE][1]), 3),
    }
