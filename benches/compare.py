"""Two builds of Ichor compared turn by turn, so that a busy machine slows both alike.

    python benches/compare.py BEFORE AFTER [--turns N] [--most RATIO]

BEFORE and AFTER are folders of cargo's output with `ichor` and `examples/probe`. Prints CPU time (or memory) of AFTER
as a ratio to BEFORE: the median over the turns and its 95 % interval by resampling them. Exit status 1 if a median is
above --most. Linux only.
"""

import argparse
import random
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts")]

import phantoms
import services
from measured_process import MeasuredProcess

MODELS = ROOT / "models"
# A way of measuring one build: returns its cost in one turn.
Cost = Callable[[], float]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--most", type=float, default=1.03, help="largest ratio that passes")
    return parser.parse_args()


def costs(folder: Path, images: list[Path], series: bytes, stack: ExitStack) -> dict[str, Cost]:
    """The figures of one build, each as a function that measures it once."""
    binary = folder / "ichor"
    probe = stack.enter_context(MeasuredProcess([folder / "examples" / "probe", MODELS, images[0]]))
    service = stack.enter_context(services.ichor(binary, MODELS))
    service.wait_until_ready()
    pictures = [image.read_bytes() for image in images]

    def ask(line: str) -> Cost:
        return lambda: probe.ask(line)[0]

    def over_http(model: str) -> Cost:
        def cost() -> float:
            begin = service.cpu_s()
            for picture in pictures:
                service.segment(model, picture)
            return service.cpu_s() - begin

        return cost

    def start() -> float:
        with services.ichor(binary, MODELS) as started:
            started.wait_until_ready()
            return started.cpu_s()

    def whole_series() -> float:
        begin = service.cpu_s()
        service.segment("deeplabv3", series, "application/gzip")
        return service.cpu_s() - begin

    per_model = {}
    for model in sorted(path.parent.name for path in MODELS.glob("*/model.json")):
        per_model[f"network, {model}"] = ask(f"network {model} 4 1")
        per_model[f"library, bytes to JSON, {model}"] = ask(f"slice {model} 4")
        per_model[f"slice over HTTP, {model}"] = over_http(model)
    return {
        "input assessment": ask("assess 100"),
        **per_model,
        "start to ready": start,
        "series of 10 slices over HTTP": whole_series,
        "peak memory of the server": service.peak_mb,
    }


def turns(before: dict[str, Cost], after: dict[str, Cost], count: int) -> Iterator[dict[str, float]]:
    """The ratios of each turn. The build that goes first changes with every turn."""
    for number in range(count):
        ratios = {}
        for name in before:
            pair = [before[name], after[name]]
            first, second = (cost() for cost in (pair if number % 2 == 0 else reversed(pair)))
            ratios[name] = second / first if number % 2 == 0 else first / second
        yield ratios


def interval(ratios: list[float]) -> tuple[float, float]:
    """95 % interval of the median, from 1,000 resamples of the turns."""
    chance = random.Random(0)
    medians = sorted(statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(1000))
    return medians[25], medians[974]


def main() -> None:
    args = arguments()
    images = sorted((ROOT / "frontend" / "samples").glob("*.png"))[:4]
    with ExitStack() as stack:
        series = phantoms.packed_nifti(10)
        before, after = (costs(folder, images, series, stack) for folder in (args.before, args.after))
        measured = list(turns(before, after, args.turns))
    worst = 0.0
    for name in measured[0]:
        ratios = [turn[name] for turn in measured]
        low, high = interval(ratios)
        worst = max(worst, middle := statistics.median(ratios))
        print(f"{name:40} {middle:.3f}  ({low:.3f} to {high:.3f})")
    print(f"largest ratio {worst:.3f}, {args.most} at most, {args.turns} turns")
    sys.exit(worst > args.most)


if __name__ == "__main__":
    main()
