"""Does the shipped file answer as the checkpoint does: `ichor evaluate --grid` against PyTorch.

`python -m training.agreement RUN --models DIR --ichor FILE --data DIR --prepared DIR`, RUN holding the checkpoint that
was released, compares a whole data set, slice by slice:

1. The logits that the served network gave with those of PyTorch: they may differ by what sums in another order make.
2. What was read from these very logits (masks, probabilities, figures) with the same steps in Python: a mask may differ
   in pixels at the threshold alone, a figure in its last digits.

Neither depends on how good the model is, on the processor or on its threads: a figure of two networks, such as a mean
Dice, moves by a pixel at the threshold, and a small bleed has few. Patients of the training are among the slices: the
figures show agreement, not accuracy.
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
from training.evaluate import numbers
from training.skull import as_served, strongest

# Of logits, beside their own size: float32 sums of some thousand terms in another order, layer after layer.
LOGIT_TOLERANCE = 2e-3
# Two pixels of a map that differ by less, in probability, may lie on either side of a threshold: PyTorch's and ichor's.
PROBABILITY_TOLERANCE = 1e-3
# The same logit made into a probability by float32 and by float64; and the same logits summed along a head.
PIXEL_ROUNDING, SLICE_ROUNDING = 1e-6, 1e-5
# Of the slices, that rounding may decide on: of the others the masks must be equal.
MOST_UNSURE = 0.25
# Of figures computed from the same counts and probabilities.
FIGURE_TOLERANCE = 1e-4
# Of the slice probabilities, in src/metrics.rs.
RANK_BINS = 1_000_000
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
# Slices of which maps are held at a time.
BATCH = 64


@dataclass
class Answers:
    """What `ichor evaluate --grid --output` wrote, in the order of the prepared rows."""

    mask_logits: np.ndarray  # float32 [N, H, W], as the network gave them
    slice_logits: np.ndarray  # float32 [N, K]
    rows: list[dict]  # of answers.csv
    figures: dict[str, float]  # by the names of training.figures


@dataclass
class Agreement:
    """The largest differences that were found."""

    logit: float = 0.0
    probability: float = 0.0
    mask_px: int = 0  # pixels of the thresholded maps on the two sides of the threshold
    found_px: int = 0  # pixels of the masks that ichor drew: nothing found would agree with anything
    figure: float = 0.0


def answers_of(ichor: Path, models: Path, name: str, data: Path, how: str, rows: list[dict]) -> Answers:
    """Runs `ichor evaluate` on the data set; `how` is "alone" or "series". The arrays are loaded."""
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
    measured = {ours: np.nan if flat[theirs] is None else flat[theirs] for ours, theirs in SAME.items()}
    return Answers(masks, slices, [written[at] for at in order], measured)


def compare_logits(model: torch.nn.Module, spec: dict, prepared: dataset.Prepared, answers: Answers) -> Agreement:
    """The served network against PyTorch. Raises ValueError above LOGIT_TOLERANCE or PROBABILITY_TOLERANCE."""
    found, threshold = Agreement(), spec["postprocessing"]["threshold"]
    for row, (masks, slices) in enumerate(zip(answers.mask_logits, answers.slice_logits)):
        with torch.no_grad():
            ours = model(torch.from_numpy(np.array(prepared.images[row : row + 1])))
        expected = [logits[0].numpy().squeeze() for logits in ours]
        for one, other in zip(expected, (masks, slices)):
            apart = np.abs(one - other)
            found.logit = max(found.logit, float((apart / (1 + np.abs(one))).max()))
            found.probability = max(found.probability, float(np.abs(fit.sigmoid(one) - fit.sigmoid(other)).max()))
        one, other = fit.sigmoid(expected[0]), fit.sigmoid(masks)
        crossed = (one >= threshold) != (other >= threshold)
        found.mask_px += int(crossed.sum())
        beyond = crossed & (np.abs(one - threshold) > PROBABILITY_TOLERANCE)
        where = f"{prepared.rows[row]['patient']}, slice {prepared.rows[row]['slice']}"
        if found.logit > LOGIT_TOLERANCE or found.probability > PROBABILITY_TOLERANCE or beyond.any():
            raise ValueError(
                f"{where}: PyTorch and ichor differ by {found.logit:.5f} in a logit ({LOGIT_TOLERANCE} of 1 + its size "
                f"is allowed), {found.probability:.5f} in a probability ({PROBABILITY_TOLERANCE}), and in "
                f"{int(beyond.sum())} pixels of the mask that are not at the threshold"
            )
    return found


@dataclass
class ReadOut:
    """What Python reads from the logits, slice by slice, and where rounding may decide otherwise."""

    scored: figures.Scored
    unsure: np.ndarray  # bool [N]


def read_out(spec: dict, prepared: dataset.Prepared, answers: Answers, how: str) -> ReadOut:
    """The steps after the network, on the logits that ichor read from: calibrated, and joined for "series"."""
    post = spec["postprocessing"]
    ways = {"alone": post, "opened": fit.opened(post), "faint": chain.faint(post)}
    scored, unsure, logits = {way: [] for way in ways}, [], []
    for first in range(0, len(prepared.rows), BATCH):
        predicted = predicted_of(spec, prepared, answers, range(first, min(first + BATCH, len(prepared.rows))))
        for way, by in ways.items():
            scored[way].append(fit.score(predicted, by))
        logits.append(predicted.slice_logits[:, 0])
        levels = [post["threshold"]] + ([ways["faint"]["threshold"]] if how == "series" else [])
        near = [np.abs(predicted.maps - level) <= PIXEL_ROUNDING for level in levels]
        unsure.append(np.any(near, axis=(0, 2, 3)))
    joined = {way: figures.join(parts) for way, parts in scored.items()}
    alone, unsure = calibrated(joined["alone"], np.concatenate(logits), spec["calibration"]), np.concatenate(unsure)
    if how == "alone":
        return ReadOut(alone, unsure | at_gate(joined["alone"], post["slice_threshold"]))
    series = spec["series"]
    whole = chain.in_series(joined["opened"], joined["faint"], alone, series)
    for level in (series["slice_threshold"], max(chain.LIKELY, series["slice_threshold"])):
        unsure |= at_gate(whole, level)
    return ReadOut(whole, unsure)


def calibrated(scored: figures.Scored, logits: np.ndarray, platt: dict) -> figures.Scored:
    """Probabilities of `any` from its logits [N], as in serving: a probability of 1 no longer tells logits above 37 apart."""
    probabilities = np.array(scored.slice_probabilities)
    probabilities[:, 0] = fit.sigmoid(platt["slope"] * logits.astype(np.float64) + platt["intercept"])
    return figures.Scored(**{**vars(scored), "slice_probabilities": probabilities})


def at_gate(scored: figures.Scored, level: float) -> np.ndarray:
    """bool [N]: where rounding may decide whether a mask passes; a gate of 0 lets everything pass."""
    return (level > 0) & (np.abs(scored.slice_probabilities[:, 0] - level) <= SLICE_ROUNDING)


def predicted_of(spec: dict, prepared: dataset.Prepared, answers: Answers, rows: range) -> fit.Predicted:
    """What these rows' logits say, as `evaluate.predict` gathers it of a checkpoint."""
    share = spec.get("series", {}).get("cell")
    maps, logits, evidence = [], [], []
    for row in rows:
        masks, slices = as_served(spec, answers.mask_logits[row], answers.slice_logits[row], prepared.inside(row))
        maps.append(fit.sigmoid(masks))
        logits.append(slices)
        evidence.append(slices[0] + share["weight"] * strongest(masks, share["side_px"]) if share else 0.0)
    every = numbers(prepared.rows)
    return fit.Predicted(
        patient=np.array([prepared.rows[row]["patient"] for row in rows]),
        number=every[list(rows)],
        labels=np.stack([prepared.labels(row) for row in rows]),
        mask_known=np.array([prepared.kind(row) != "weak" for row in rows]),
        truth=np.stack([prepared.masks[row] == 1 for row in rows]),
        maps=np.stack(maps),
        slice_logits=np.stack(logits),
        evidence=np.array(evidence),
    )


def compare_read_out(read: ReadOut, prepared: dataset.Prepared, answers: Answers, how: str) -> float:
    """Slice by slice, then the figures; gives the largest difference of one. Raises ValueError where they differ."""
    scored = read.scored
    if read.unsure.mean() > MOST_UNSURE:
        raise ValueError(f"{how}: {read.unsure.mean():.0%} of the slices lie at a threshold, so little was compared")
    for at, row in enumerate(answers.rows):
        where = f"{how}: {row['patient']}, slice {row['slice']}"
        apart = abs(float(row["probability"]) - scored.slice_probabilities[at, 0])
        if apart > PROBABILITY_TOLERANCE:
            raise ValueError(f"{where}: the probability of the slice differs by {apart:.5f}")
        if read.unsure[at]:
            continue
        ours = {"mask_px": scored.found[at]}
        if scored.mask_known[at]:
            ours |= {"overlap_px": scored.overlap[at], "true_px": scored.truth[at]}
            ours |= {"lesions": scored.lesions[at], "lesions_hit": scored.lesions_hit[at]}
        for name, value in ours.items():
            if int(row[name]) != value:
                raise ValueError(f"{where}: {name} is {value} in Python and {row[name]} in ichor")
    return compare_figures(counted_by_ichor(scored, answers), answers, how)


def counted_by_ichor(scored: figures.Scored, answers: Answers) -> figures.Scored:
    """Ichor's own counts and probabilities, for the figures that Python makes of them."""
    counts = {"found": "mask_px", "overlap": "overlap_px", "lesions_hit": "lesions_hit"}
    columns = {ours: np.array([int(row[theirs] or 0) for row in answers.rows]) for ours, theirs in counts.items()}
    probabilities = np.array(scored.slice_probabilities)
    # ichor ranks slices by these bins, in which ties count half; its product is of float32.
    scaled = np.array([row["probability"] for row in answers.rows], np.float32) * np.float32(RANK_BINS)
    probabilities[:, 0] = np.floor(scaled.astype(np.float64) + 0.5) / RANK_BINS
    return figures.Scored(**{**vars(scored), **columns, "slice_probabilities": probabilities})


def compare_figures(scored: figures.Scored, answers: Answers, how: str) -> float:
    """The largest difference of a figure made of the same counts. Raises ValueError above FIGURE_TOLERANCE."""
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


def compare(run: Path, models: Path, ichor: Path, data: Path, prepared: dataset.Prepared) -> Agreement:
    """Everything above; prints the figures. Raises ValueError with what does not agree."""
    model, saved = export.load_model(run / "checkpoint.pt")
    model, name = export.as_stored(model), saved["config"]["name"]
    spec = json.loads((models / name / "model.json").read_text())
    found = Agreement()
    for how in ("alone", "series") if "series" in spec else ("alone",):
        answers = answers_of(ichor, models, name, data, how, prepared.rows)
        # In series the network is asked the same: once is enough.
        if how == "alone":
            found = compare_logits(model, spec, prepared, answers)
            found.found_px = sum(int(row["mask_px"]) for row in answers.rows)
        read = read_out(spec, prepared, answers, how)
        found.figure = max(found.figure, compare_read_out(read, prepared, answers, how))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    for name in ("models", "ichor", "data", "prepared"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(2)
    print(compare(given.run, given.models, given.ichor, given.data, dataset.load(given.prepared)))


if __name__ == "__main__":
    main()
