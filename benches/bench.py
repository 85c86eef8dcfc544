"""Ichor compared with what a user would otherwise pick, on the same ONNX files and images, in one run.

    python benches/bench.py --probe PATH --binary PATH --cache PATH [--rten PATH] [--parts ...] [--smoke]

Prints the bars. When all parts were measured, writes benches/results/ and the table in README.md. With --smoke every
part runs once and nothing in the repository is written. Linux only.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "infra")]

import bars
import cost
import growth
import machine
import networks
import phantoms
import plots
import series
import services
import sizes
import slices
import starts
import table
from measured_process import MeasuredProcess

PARTS = ("assessment", "networks", "slices", "starts", "series", "sizes", "growth")
SERIES_SLICES = 40


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probe", type=Path, required=True, help="the binary of the example `probe`")
    parser.add_argument("--binary", type=Path, required=True, help="the binary of the command line")
    parser.add_argument("--cache", type=Path, required=True, help="the folder of installed tools and Lambda binaries")
    parser.add_argument("--rten", type=Path, help="the binary of the probe of rten")
    parser.add_argument("--models", type=Path, default=ROOT / "models")
    parser.add_argument("--results", type=Path, default=ROOT / "benches" / "results")
    parser.add_argument("--measured", type=Path, help="file that infra/cost.py reads")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--smoke", action="store_true", help="one repeat, the shortest curves, nothing is kept")
    return parser.parse_args()


def measure(args: argparse.Namespace) -> dict:
    """The figures of all requested parts; prints the duration of each to stderr."""
    # The short run takes two samples that have a mask, so that their agreement can be computed.
    images = sorted((ROOT / "frontend" / "samples").glob("0[79][04]_*.png" if args.smoke else "*.png"))
    pictures, models = (
        [path.read_bytes() for path in images],
        sorted(p.parent.name for p in args.models.glob("*/model.json")),
    )
    repeats = 1 if args.smoke else args.repeats
    threads = sorted({1, min(2, len(os.sched_getaffinity(0)))})
    with services.bucket(args.cache, args.models) as (s3, names):

        def alone() -> dict:
            return {
                str(n): networks.measure(
                    networks.engines(args.probe, args.rten, args.models, images[0], n), models, n, repeats, 4
                )
                for n in threads
            }

        def end_to_end() -> dict:
            ways = {
                "ichor": services.ichor(args.binary, args.models),
                "flask": services.flask(args.models),
                "lambda": services.function(args.cache, s3, names),
            }
            return slices.measure(
                ways, MeasuredProcess([args.probe, args.models, images[0]]), models, pictures, repeats
            )

        def assessment() -> dict:
            runs = 200
            with MeasuredProcess([args.probe, args.models, images[0]]) as probe:
                probe.ask("assess 20")
                turns = sorted(probe.ask(f"assess {runs}")[0] / runs * 1e3 for _ in range(repeats))
            return {"cpu_ms": turns[len(turns) // 2]}

        todo = {
            "assessment": assessment,
            "networks": alone,
            "slices": end_to_end,
            "starts": lambda: starts.measure(
                args.binary, args.models, args.cache, s3, names, pictures[0], 1 if args.smoke else 7
            ),
            "series": lambda: series.measure(
                args.binary,
                args.models,
                phantoms.packed_nifti(4 if args.smoke else SERIES_SLICES),
                4 if args.smoke else SERIES_SLICES,
                1 if args.smoke else 3,
            ),
            "sizes": lambda: sizes.measure(args.binary, args.cache),
            "growth": lambda: growth.measure(args.binary, args.models, threads[-1], args.smoke),
        }
        figures = {"machine": machine.facts(), "models": models}
        for part in args.parts:
            begin = time.monotonic()
            figures[part] = todo[part]()
            print(f"{part}: {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    return figures


def for_cost(figures: dict, way: str) -> dict:
    """The figures that infra/cost.py reads."""
    models, warm = figures["models"], figures["starts"]["warm"]
    per_slice = {model: {"cpu_ms": figures["slices"][model][way]["cpu_ms"]} for model in models}
    return {"slice_512x512": per_slice, "ready_cpu_ms": warm[way]["ready_cpu_ms"]}


def slice_usd(figures: dict, way: str) -> float:
    """The price of one slice on Lambda with one full core."""
    return cost.slice_usd(for_cost(figures, way), "deeplabv3", cost.FULL_CORE_MB, "x86_64")


def main() -> None:
    args = arguments()
    figures = measure(args)
    if {"slices", "starts"} <= figures.keys():
        figures["usd_1000_slices"] = {way: round(1000 * slice_usd(figures, way), 4) for way in ("ichor", "flask")}
        if args.measured and not args.smoke:
            args.measured.write_text(json.dumps(for_cost(figures, "ichor"), indent=2))
    results = bars.from_figures(figures)
    figures["bars"] = [bar.as_json() for bar in results]
    complete = set(PARTS) <= figures.keys()
    if complete:
        lines = table.lines(figures, results)
        args.results.mkdir(parents=True, exist_ok=True)
        (args.results / "latest.json").write_text(json.dumps(figures, indent=1) + "\n")
        plots.draw(figures["growth"], args.results)
        if not args.smoke:
            table.write(ROOT / "README.md", lines)
    else:
        print(json.dumps(figures, indent=1))
    print("\n".join(bar.line() for bar in results))


if __name__ == "__main__":
    main()
