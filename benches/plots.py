"""The curves of growth.py as SVG."""

from pathlib import Path

import matplotlib

matplotlib.use("svg")
# The same figures give the same file.
matplotlib.rcParams |= {"svg.hashsalt": "ichor", "svg.fonttype": "none", "font.size": 9}
import matplotlib.pyplot as plt

COLORS = {"ichor": "#0072B2", "flask": "#D55E00"}


def draw(growth: dict, folder: Path) -> list[Path]:
    """One picture per curve."""
    rows = growth["slices"]
    figure, (left, right) = panels("slices")
    left.loglog([r["slices"] for r in rows], [r["wall_s"] for r in rows], "o-", label="wall")
    left.loglog([r["slices"] for r in rows], [r["cpu_s"] for r in rows], "s--", label="CPU")
    left.set_ylabel("seconds per series")
    right.semilogx([r["slices"] for r in rows], [r["peak_mb"] for r in rows], "o-", label="peak")
    right.semilogx([r["slices"] for r in rows], [r["idle_mb"] for r in rows], ":", label="before")
    paths = [save(figure, folder / "slices.svg")]

    rows = growth["side"]
    figure, (left, right) = panels("image side, px")
    for name, color in COLORS.items():
        sides = [r["side"] for r in rows]
        left.loglog(sides, [r[name]["cpu_ms"] for r in rows], "o-", color=color, label=name)
        right.loglog(sides, [r[name]["peak_mb"] for r in rows], "o-", color=color, label=name)
    left.set_ylabel("CPU ms per slice")
    paths.append(save(figure, folder / "side.svg"))

    rows = growth["clients"]
    figure, (left, right) = panels("concurrent clients")
    for name, color in COLORS.items():
        clients = [r["clients"] for r in rows]
        left.loglog(clients, [r[name]["median_ms"] for r in rows], "o-", color=color, label=f"{name}, median")
        left.loglog(clients, [r[name]["p95_ms"] for r in rows], "s--", color=color, label=f"{name}, 95th percentile")
        right.semilogx(clients, [r[name]["peak_mb"] for r in rows], "o-", color=color, label=name)
    left.set_ylabel("ms to the answer")
    paths.append(save(figure, folder / "clients.svg"))
    return paths


def panels(axis: str):
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for panel in axes:
        panel.set_xlabel(axis)
        panel.grid(True, which="major", alpha=0.3)
    axes[1].set_ylabel("peak memory, MB")
    return figure, axes


def save(figure, path: Path) -> Path:
    for panel in figure.axes:
        panel.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path
