"""Plot of the curves of a training run."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend must be chosen first)


def plot_curves(history: list[dict], path: Path) -> None:
    """Plot the loss of every step and the validation figures of every set to `path`."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    left.plot([entry["step"] for entry in history], [entry["loss"] for entry in history], lw=0.6)
    left.set(xlabel="step", ylabel="training loss")
    scored = [entry for entry in history if "validation" in entry]
    for name in sorted({name for entry in scored for name in entry["validation"]}):
        points = [(e["step"], e["validation"][name]) for e in scored if name in e["validation"]]
        right.plot(*zip(*points), marker="o", label=name)
    right.set(xlabel="step", ylabel="validation Dice over patients", ylim=(0, 1))
    if scored:
        right.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)
