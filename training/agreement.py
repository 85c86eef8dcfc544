"""Does the shipped file score as the checkpoint does: `ichor evaluate --grid` against PyTorch.

`python -m training.agreement RUN --models DIR --ichor FILE --data DIR --prepared DIR`, RUN holding the
checkpoint that was released, scores a whole data set both ways, with the thresholds and calibration of the shipped model.json, and prints the
figures side by side; it fails where two differ by more than `allowed`. Patients of the training are
among them: the figures show agreement, not accuracy.
"""

import argparse
import json
import subprocess
from pathlib import Path

import numpy as np
import torch

from training import chain, dataset, export, figures, fit
from training.evaluate import predict

# Weights are rounded to f16 in the file, and PyTorch and tract sum in another order: a pixel or two
# at the threshold may fall on the other side, and phantoms hold only some hundred pixels of blood.
TOLERANCE = 5e-3
# One slice that falls on the other side of a limit moves a share by one slice of its kind, and the
# calibration error by at most twice that, as it leaves one bin and enters another.
ONE_SLICE_MOVES = {
    "slice_sensitivity": (1, "1"),
    "sensitivity_at_90_specificity": (1, "1"),
    "false_positive_rate": (1, "0"),
    "calibration_error": (2, None),
}
# Names of the same figure: training.figures against ichor evaluate.
SAME = {
    "dice_slices": "dice_mean_over_slices",
    "dice_patients": "dice_mean_over_patients",
    "dice_small": "dice_small",
    "dice_medium": "dice_medium",
    "dice_large": "dice_large",
    "iou_slices": "iou_mean_over_slices",
    "area_error": "area_error",
    "lesion_sensitivity": "lesion_sensitivity",
    "precision": "precision",
    "recall": "recall",
    "iou_pooled": "iou",
    "slice_auc": "slice_auc",
    "sensitivity_at_90_specificity": "sensitivity_at_90_specificity",
    "calibration_error": "calibration_error",
    "slice_sensitivity": "slice_sensitivity",
    "false_positive_rate": "negative_slices_with_mask",
}


def allowed(figure: str, rows: list[dict]) -> float:
    """How far the two may lie apart on these slices: TOLERANCE, or what one slice moves if that is more."""
    slices, hemorrhage = ONE_SLICE_MOVES.get(figure, (0, None))
    counted = sum(hemorrhage in (None, row["hemorrhage"]) for row in rows)
    return max(TOLERANCE, 1.01 * slices / max(1, counted))


def by_pytorch(model: torch.nn.Module, spec: dict, prepared: dataset.Prepared) -> dict[str, dict[str, float]]:
    """Figures of the model on every slice of the set, alone and in series; nan where not defined."""
    everybody = sorted({row["patient"] for row in prepared.rows})
    predicted, post = predict(model, prepared, everybody), spec["postprocessing"]
    found = {"alone": fit.calibrated(fit.score(predicted, post), spec["calibration"])}
    if "series" in spec:
        opened, faint = (fit.score(predicted, by) for by in (fit.opened(post), chain.faint(post)))
        found["series"] = chain.in_series(opened, faint, found["alone"], spec["series"])
    return {how: figures.measure(scored) for how, scored in found.items()}


def by_ichor(ichor: Path, models: Path, name: str, data: Path, how: str) -> dict[str, float]:
    """The same figures as `ichor evaluate --grid --json` prints them; `how` is "alone" or "series"."""
    command = [ichor, "evaluate", data, "--models", models, "--model", name, "--grid", "--json"]
    command += ["--alone"] if how == "alone" else []
    done = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    printed = json.loads(done.stdout)
    flat = printed | printed["classes"]["hemorrhage"]
    return {ours: np.nan if flat[theirs] is None else flat[theirs] for ours, theirs in SAME.items()}


def compare(run: Path, models: Path, ichor: Path, data: Path, prepared: dataset.Prepared) -> float:
    """Print both columns; returns the largest difference. Raises ValueError above `allowed`."""
    model, saved = export.load_model(run / "checkpoint.pt")
    name = saved["config"]["name"]
    spec = json.loads((models / name / "model.json").read_text())
    worst = 0.0
    for how, pytorch in by_pytorch(model, spec, prepared).items():
        for figure, value in by_ichor(ichor, models, name, data, how).items():
            print(f"{how:<7} {figure:<30} PyTorch {pytorch[figure]:7.4f}  ichor {value:7.4f}")
            if np.isnan(pytorch[figure]) != np.isnan(value):
                raise ValueError(f"{how}: {figure} is defined on one side only")
            difference = float(np.nan_to_num(abs(pytorch[figure] - value)))
            if difference > (limit := allowed(figure, prepared.rows)):
                raise ValueError(f"{how}: {figure} differs by {difference:.4f}, {limit:.4f} is allowed")
            worst = max(worst, difference)
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    for name in ("models", "ichor", "data", "prepared"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    prepared = dataset.load(given.prepared)
    torch.set_num_threads(2)
    worst = compare(given.run, given.models, given.ichor, given.data, prepared)
    print(f"largest difference {worst:.5f}")


if __name__ == "__main__":
    main()
