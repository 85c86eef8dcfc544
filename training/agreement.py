"""Compare the answers of the released file with the checkpoint: `ichor evaluate --grid` against PyTorch.

`python -m training.agreement RUN --models DIR --ichor FILE --data DIR --prepared DIR`, where RUN holds the released
checkpoint, compares a whole data set slice by slice:

1. The logits of the released file with those of PyTorch. They may differ by the rounding of sums in another order.
2. The masks, probabilities and figures that ichor made from these logits with the same steps in Python. A mask may differ
   only in pixels at the threshold, a figure only in its last digits.

Neither comparison depends on the accuracy of the model, on the CPU or on its threads. Training patients are among the
slices: the figures show agreement, not accuracy.
"""

import argparse
import csv
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from training import chain, dataset, export, figures, fit
from training.evaluate import slice_numbers
from training.skull import apply_skull, highest_cell_mean

# Of a logit, relative to 1 + its size: float32 sums of about a thousand terms in another order, layer after layer.
LOGIT_TOLERANCE = 2e-3
# Probabilities of one pixel by PyTorch and by ichor that differ by less may be on either side of the threshold.
PROBABILITY_TOLERANCE = 1e-3
# Rounding of a probability between float32 and float64, and of probabilities computed along a series.
PIXEL_ROUNDING, SLICE_ROUNDING = 1e-6, 1e-5
# Largest share of slices in which rounding may decide about a pixel; in all others the masks must be equal.
MAX_UNSURE_SHARE = 0.25
# Of a figure computed from the same counts and probabilities.
FIGURE_TOLERANCE = 1e-4
# Bins of the slice probabilities in crates/ichor-evaluation/src/metrics.rs.
RANK_BINS = 1_000_000
# Names of each figure in training.figures and in the output of `ichor evaluate`.
FIGURE_NAMES = {
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
# Number of slices whose maps are in memory at a time.
BATCH = 64


@dataclass
class Answers:
    """Output of `ichor evaluate --grid --output`, in the order of the prepared rows."""

    mask_logits: np.ndarray  # float32 [N, H, W], before postprocessing
    slice_logits: np.ndarray  # float32 [N, K]
    rows: list[dict]  # of answers.csv
    figures: dict[str, float]  # by the names of training.figures


@dataclass
class Agreement:
    """The largest differences between PyTorch and ichor."""

    logit: float = 0.0
    probability: float = 0.0
    mask_px: int = 0  # pixels that only one of the two thresholded maps has
    found_px: int = 0  # pixels of all masks of ichor; empty masks would agree with any network
    figure: float = 0.0


def run_evaluate(ichor: Path, models: Path, name: str, data: Path, how: str, rows: list[dict]) -> Answers:
    """Run `ichor evaluate` on the data set and load its output; `how` is "alone" or "series"."""
    with tempfile.TemporaryDirectory() as folder:
        command = [ichor, "evaluate", data, "--models", models, "--model", name, "--grid", "--json"]
        command += ["--output", folder, *(["--alone"] if how == "alone" else [])]
        done = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
        with open(Path(folder) / "answers.csv", newline="") as file:
            written = list(csv.DictReader(file))
        place = {(row["patient"], row["slice"]): at for at, row in enumerate(written)}
        order = [place[row["patient"], row["slice"]] for row in rows]
        masks, slices = (np.load(Path(folder) / f"{kind}_logits.npy")[order] for kind in ("mask", "slice"))
    printed = json.loads(done.stdout)
    flat = printed | printed["classes"]["hemorrhage"]
    measured = {ours: np.nan if flat[theirs] is None else flat[theirs] for ours, theirs in FIGURE_NAMES.items()}
    return Answers(masks, slices, [written[at] for at in order], measured)


def compare_logits(model: torch.nn.Module, spec: dict, prepared: dataset.PreparedSet, answers: Answers) -> Agreement:
    """Compare the logits of ichor with PyTorch. Raises ValueError above LOGIT_TOLERANCE or PROBABILITY_TOLERANCE."""
    found, threshold = Agreement(), spec["postprocessing"]["threshold"]
    for row, (masks, slices) in enumerate(zip(answers.mask_logits, answers.slice_logits)):
        with torch.no_grad():
            ours = model(torch.from_numpy(np.array(prepared.images[row : row + 1])))
        expected = [logits[0].numpy().squeeze() for logits in ours]
        for torch_logits, ichor_logits in zip(expected, (masks, slices)):
            difference = np.abs(torch_logits - ichor_logits)
            found.logit = max(found.logit, float((difference / (1 + np.abs(torch_logits))).max()))
            difference = np.abs(fit.sigmoid(torch_logits) - fit.sigmoid(ichor_logits))
            found.probability = max(found.probability, float(difference.max()))
        torch_map, ichor_map = fit.sigmoid(expected[0]), fit.sigmoid(masks)
        crossed = (torch_map >= threshold) != (ichor_map >= threshold)
        found.mask_px += int(crossed.sum())
        beyond = crossed & (np.abs(torch_map - threshold) > PROBABILITY_TOLERANCE)
        where = f"{prepared.rows[row]['patient']}, slice {prepared.rows[row]['slice']}"
        if found.logit > LOGIT_TOLERANCE or found.probability > PROBABILITY_TOLERANCE or beyond.any():
            raise ValueError(
                f"{where}: PyTorch and ichor differ by {found.logit:.5f} in a logit ({LOGIT_TOLERANCE} of 1 + its size "
                f"is allowed), {found.probability:.5f} in a probability ({PROBABILITY_TOLERANCE}), and in "
                f"{int(beyond.sum())} pixels of the mask that are not at the threshold"
            )
    return found


@dataclass
class PythonAnswer:
    """Scores that Python computes from the logits, and the slices in which rounding may decide."""

    scored: figures.Scored
    unsure: np.ndarray  # bool [N]


def postprocess(spec: dict, prepared: dataset.PreparedSet, answers: Answers, how: str) -> PythonAnswer:
    """All steps after the network in Python, on ichor's logits; with the series chain if `how` is "series"."""
    post = spec["postprocessing"]
    ways = {"alone": post, "opened": fit.open_gate(post), "faint": chain.fallback_postprocessing(post)}
    scored, unsure, logits = {way: [] for way in ways}, [], []
    for first in range(0, len(prepared.rows), BATCH):
        predicted = predict_from_logits(spec, prepared, answers, range(first, min(first + BATCH, len(prepared.rows))))
        for way, by in ways.items():
            scored[way].append(fit.score(predicted, by))
        logits.append(predicted.slice_logits[:, 0])
        levels = [post["threshold"]] + ([ways["faint"]["threshold"]] if how == "series" else [])
        at_level = [np.abs(predicted.maps - level) <= PIXEL_ROUNDING for level in levels]
        unsure.append(np.any(at_level, axis=(0, 2, 3)))
    joined = {way: figures.join(parts) for way, parts in scored.items()}
    alone, unsure = calibrate_as_served(joined["alone"], np.concatenate(logits), spec["calibration"]), np.concatenate(unsure)
    if how == "alone":
        return PythonAnswer(alone, unsure | near_gate(joined["alone"], post["slice_threshold"]))
    series = spec["series"]
    in_series = chain.in_series(joined["opened"], joined["faint"], alone, series)
    for level in (series["slice_threshold"], max(chain.LIKELY, series["slice_threshold"])):
        unsure |= near_gate(in_series, level)
    return PythonAnswer(in_series, unsure)


def calibrate_as_served(scored: figures.Scored, logits: np.ndarray, platt: dict) -> figures.Scored:
    """Calibrated probabilities of `any` from its logits [N]: in float64 all logits above 37 have the probability 1."""
    probabilities = np.array(scored.slice_probabilities)
    probabilities[:, 0] = fit.sigmoid(platt["slope"] * logits.astype(np.float64) + platt["intercept"])
    return figures.Scored(**{**vars(scored), "slice_probabilities": probabilities})


def near_gate(scored: figures.Scored, level: float) -> np.ndarray:
    """bool [N]: slices in which rounding may decide whether the mask passes; a gate of 0 passes every mask."""
    return (level > 0) & (np.abs(scored.slice_probabilities[:, 0] - level) <= SLICE_ROUNDING)


def predict_from_logits(spec: dict, prepared: dataset.PreparedSet, answers: Answers, rows: range) -> fit.Predicted:
    """Predictions from ichor's logits of these rows, as `evaluate.predict` makes them from a checkpoint."""
    share = spec.get("series", {}).get("cell")
    maps, logits, evidence = [], [], []
    for row in rows:
        masks, slices = apply_skull(spec, answers.mask_logits[row], answers.slice_logits[row], prepared.inside(row))
        maps.append(fit.sigmoid(masks))
        logits.append(slices)
        evidence.append(slices[0] + share["weight"] * highest_cell_mean(masks, share["side_px"]) if share else 0.0)
    order = slice_numbers(prepared.rows)
    return fit.Predicted(
        patient=np.array([prepared.rows[row]["patient"] for row in rows]),
        number=order[list(rows)],
        labels=np.stack([prepared.labels(row) for row in rows]),
        mask_known=np.array([prepared.kind(row) != "weak" for row in rows]),
        truth=np.stack([prepared.masks[row] == 1 for row in rows]),
        maps=np.stack(maps),
        slice_logits=np.stack(logits),
        evidence=np.array(evidence),
    )


def compare_slices(read: PythonAnswer, prepared: dataset.PreparedSet, answers: Answers, how: str) -> float:
    """Compare every slice and then the figures; returns the largest difference of a figure.

    Raises ValueError if a slice or a figure differs.
    """
    scored = read.scored
    if read.unsure.mean() > MAX_UNSURE_SHARE:
        raise ValueError(f"{how}: {read.unsure.mean():.0%} of the slices are at a threshold, so that too little was compared")
    for at, row in enumerate(answers.rows):
        where = f"{how}: {row['patient']}, slice {row['slice']}"
        difference = abs(float(row["probability"]) - scored.slice_probabilities[at, 0])
        if difference > PROBABILITY_TOLERANCE:
            raise ValueError(f"{where}: the probability of the slice differs by {difference:.5f}")
        if read.unsure[at]:
            continue
        ours = {"mask_px": scored.found[at]}
        if scored.mask_known[at]:
            ours |= {"overlap_px": scored.overlap[at], "true_px": scored.truth[at]}
            ours |= {"lesions": scored.lesions[at], "lesions_hit": scored.lesions_hit[at]}
        for name, value in ours.items():
            if int(row[name]) != value:
                raise ValueError(f"{where}: {name} is {value} in Python and {row[name]} in ichor")
    return compare_figures(with_ichor_counts(scored, answers), answers, how)


def with_ichor_counts(scored: figures.Scored, answers: Answers) -> figures.Scored:
    """`scored` with the counts and probabilities of ichor, to compute the figures from the same numbers."""
    counts = {"found": "mask_px", "overlap": "overlap_px", "lesions_hit": "lesions_hit"}
    columns = {ours: np.array([int(row[theirs] or 0) for row in answers.rows]) for ours, theirs in counts.items()}
    probabilities = np.array(scored.slice_probabilities)
    # ichor ranks slices by these bins, in which ties count half, and multiplies in float32.
    scaled = np.array([row["probability"] for row in answers.rows], np.float32) * np.float32(RANK_BINS)
    probabilities[:, 0] = np.floor(scaled.astype(np.float64) + 0.5) / RANK_BINS
    return figures.Scored(**{**vars(scored), **columns, "slice_probabilities": probabilities})


def compare_figures(scored: figures.Scored, answers: Answers, how: str) -> float:
    """The largest difference of a figure from the same counts. Raises ValueError above FIGURE_TOLERANCE."""
    worst, measured = 0.0, figures.measure(scored)
    for figure, value in answers.figures.items():
        print(f"{how:<7} {figure:<30} Python {measured[figure]:7.4f}  ichor {value:7.4f}")
        if np.isnan(measured[figure]) != np.isnan(value):
            raise ValueError(f"{how}: {figure} is defined on one side only")
        difference = float(np.nan_to_num(abs(measured[figure] - value)))
        if difference > FIGURE_TOLERANCE:
            raise ValueError(f"{how}: {figure} differs by {difference:.5f}, {FIGURE_TOLERANCE} is allowed")
        worst = max(worst, difference)
    return worst


def compare(run: Path, models: Path, ichor: Path, data: Path, prepared: dataset.PreparedSet) -> Agreement:
    """Both comparisons for single slices and series; prints the figures. Raises ValueError at a difference."""
    model, saved = export.load_model(run / "checkpoint.pt")
    model, name = export.as_stored(model), saved["config"]["name"]
    spec = json.loads((models / name / "model.json").read_text())
    found = Agreement()
    for how in ("alone", "series") if "series" in spec else ("alone",):
        answers = run_evaluate(ichor, models, name, data, how, prepared.rows)
        # The logits are the same in series.
        if how == "alone":
            found = compare_logits(model, spec, prepared, answers)
            found.found_px = sum(int(row["mask_px"]) for row in answers.rows)
        read = postprocess(spec, prepared, answers, how)
        found.figure = max(found.figure, compare_slices(read, prepared, answers, how))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    for name in ("models", "ichor", "data", "prepared"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(2)
    print(compare(options.run, options.models, options.ichor, options.data, dataset.load(options.prepared)))


if __name__ == "__main__":
    main()
