"""The README's table, between two markers."""

from pathlib import Path

BEGIN, END = "<!-- written by make bench: begin -->", "<!-- end -->"
WAYS = {
    "library": "Ichor, library call",
    "ichor": "Ichor, HTTP",
    "lambda": "Ichor, Lambda binary under AWS's emulator",
    "flask": "onnxruntime behind Flask",
}
ENGINES = {"ichor": "Ichor", "onnxruntime": "onnxruntime", "openvino": "OpenVINO", "rten": "rten"}


def lines(figures: dict, bars: list) -> list[str]:
    machine, models = figures["machine"], figures["models"]
    peers = machine["peers"]
    busy = machine["load_before"] > machine["cores"] / 2
    out = [
        f"On {machine['cores']} cores of {machine['processor']} ({', '.join(machine['instructions'])}); medians of"
        f" runs in turns; onnxruntime {peers['onnxruntime']}, OpenVINO {peers['openvino']}. The masks of Ichor and"
        " of onnxruntime agree at a Dice of "
        + ", ".join(f"{figures['slices'][m]['agreement']['dice']:.5f} ({m})" for m in models)
        + "."
        + (" **Other work ran beside: wall times are too long, processor times hold.**" if busy else ""),
        "",
        f"| processor ms a slice of 512x512 | {' | '.join(models)} |",
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
                told = "1 thread" if threads == "1" else f"wall, {threads} threads"
                cells = [f"{part[m][name][field]:.1f}" for m in models]
                out.append(f"| network alone, {told}: {title} | {' | '.join(cells)} |")
    warm, disk, sizes = figures["starts"]["warm"], figures["starts"]["from_disk"], figures["sizes"]
    peak, series, usd = figures["slices"]["peak_mb"], figures["series"], figures["usd_1000_slices"]
    out += [
        "",
        "| | Ichor | Lambda binary | Flask |",
        "|---|---|---|---|",
        f"| start to first answer, ms | {warm['ichor']['wall_ms']:.0f} | {warm['lambda']['wall_ms']:.0f} |"
        f" {warm['flask']['wall_ms']:.0f} |",
        f"| the same, files read from disk, ms | {disk['ichor']['wall_ms']:.0f} | | {disk['flask']['wall_ms']:.0f} |",
        f"| ready, processor ms | {warm['ichor']['ready_cpu_ms']:.0f} | | {warm['flask']['ready_cpu_ms']:.0f} |",
        f"| peak memory, MB | {peak['ichor']:.0f} | {peak.get('lambda', 0):.0f} | {peak['flask']:.0f} |",
        f"| to ship, MB without models | {sizes['ichor']} | {sizes['lambda_zip']} (zip) | {sizes['flask_packages']}"
        " and Python |",
        f"| 1,000 slices on Lambda, USD | | {usd['ichor']:.3f} | {usd['flask']:.3f} |",
        "",
        f"A series of {series['slices']} slices: {series['one_core_s']:.2f} s on one core, {series['two_cores_s']:.2f}"
        f" s on two ({series['speedup']:.2f} times).",
        "",
        "Bars missed: " + ("; ".join(f"{b.name}: {b.value}" for b in bars if not b.met) or "none") + ".",
    ]
    return out


def write(readme: Path, text: list[str]) -> None:
    """Replaces what stands between the markers."""
    before, rest = readme.read_text().split(BEGIN)
    _, after = rest.split(END)
    readme.write_text(before + BEGIN + "\n" + "\n".join(text) + "\n" + END + after)
