"""The table of the README, between two markers.

python benches/table.py    # writes it again from benches/results/latest.json
"""

import json
from pathlib import Path

import bars

BEGIN, END = "<!-- written by make bench: begin -->", "<!-- end -->"
WAYS = {
    "library": "Ichor, library call",
    "ichor": "Ichor, HTTP",
    "lambda": "Ichor, Lambda binary under AWS's emulator",
    "flask": "onnxruntime behind Flask",
}
ENGINES = {"ichor": "Ichor", "onnxruntime": "onnxruntime", "openvino": "OpenVINO", "rten": "rten"}


def lines(figures: dict, results: list[bars.Bar]) -> list[str]:
    machine, models = figures["machine"], figures["models"]
    peers = machine["peers"]
    busy = machine["load_before"] > machine["cores"] / 2
    out = [
        f"On {machine['cores']} cores of {machine['cpu']} ({', '.join(machine['instructions'])}); medians of"
        f" runs by turns; onnxruntime {peers['onnxruntime']}, OpenVINO {peers['openvino']}. The masks of Ichor and"
        " of onnxruntime agree at a Dice of "
        + ", ".join(f"{figures['slices'][m]['agreement']['dice']:.5f} ({m})" for m in models)
        + "."
        + (" **The machine had other work: wall times are too long, CPU times hold.**" if busy else ""),
        "",
        f"| CPU ms per slice of 512x512 | {' | '.join(models)} |",
        f"|---|{'---|' * len(models)}",
    ]
    for name, title in WAYS.items():
        if name in figures["slices"][models[0]]:
            cells = [f"{figures['slices'][m][name]['cpu_ms']:.1f}" for m in models]
            out.append(f"| {title} | {' | '.join(cells)} |")
    for threads, part in figures["networks"].items():
        for name, title in ENGINES.items():
            if name in part[models[0]]:
                field = "cpu_ms" if threads == "1" else "wall_ms"
                label = "1 thread" if threads == "1" else f"wall, {threads} threads"
                cells = [f"{part[m][name][field]:.1f}" for m in models]
                out.append(f"| network alone, {label}: {title} | {' | '.join(cells)} |")
    warm, disk, sizes = figures["starts"]["warm"], figures["starts"]["from_disk"], figures["sizes"]
    peak, series, usd = figures["slices"]["peak_mb"], figures["series"], figures["usd_1000_slices"]
    out += [
        "",
        "| | Ichor | Lambda binary | Flask |",
        "|---|---|---|---|",
        f"| start to first answer, ms | {warm['ichor']['wall_ms']:.0f} | {warm['lambda']['wall_ms']:.0f} |"
        f" {warm['flask']['wall_ms']:.0f} |",
        f"| start to first answer, files read from disk, ms | {disk['ichor']['wall_ms']:.0f} | |"
        f" {disk['flask']['wall_ms']:.0f} |",
        f"| start to ready, CPU ms | {warm['ichor']['ready_cpu_ms']:.0f} | | {warm['flask']['ready_cpu_ms']:.0f} |",
        f"| peak memory, MB | {peak['ichor']:.0f} | {peak.get('lambda', 0):.0f} | {peak['flask']:.0f} |",
        f"| shipped size without models, MB | {sizes['ichor']} | {sizes['lambda_zip']} (zip) |"
        f" {sizes['flask_packages']} and Python |",
        f"| 1,000 slices on Lambda, USD | | {usd['ichor']:.3f} | {usd['flask']:.3f} |",
        "",
        f"A series of {series['slices']} slices: {series['one_core_s']:.2f} s on one core, {series['two_cores_s']:.2f}"
        f" s on two ({series['speedup']:.2f} times).",
        "",
        "Bars missed: " + ("; ".join(f"{b.name}: {b.value}" for b in results if not b.met) or "none") + ".",
    ]
    return out


def write(readme: Path, text: list[str]) -> None:
    """Replaces the text between the markers."""
    before, rest = readme.read_text().split(BEGIN)
    _, after = rest.split(END)
    readme.write_text(before + BEGIN + "\n" + "\n".join(text) + "\n" + END + after)


def main() -> None:
    root = Path(__file__).resolve().parents[1]
    latest = root / "benches" / "results" / "latest.json"
    figures = json.loads(latest.read_text())
    results = bars.from_figures(figures)
    figures["bars"] = [bar.as_json() for bar in results]
    latest.write_text(json.dumps(figures, indent=1) + "\n")
    write(root / "README.md", lines(figures, results))


if __name__ == "__main__":
    main()
