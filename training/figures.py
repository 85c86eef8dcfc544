"""Figures of one set of slices: Dice, AUC, sensitivity, calibration.

Everything is counted on the network grid. `ichor evaluate` scores the exported model at the image's own resolution and
gives slightly different figures.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata


# Limits between small, medium and large bleeds: 400 and 1,500 px of a grid of 256x256. Half of the outlined slices of
# ct-ich are below the first.
MEDIUM_SHARE, LARGE_SHARE = 0.006, 0.023


@dataclass
class Scored:
    """Counts and probabilities with one entry per slice; every field is an array of the same length."""

    patient: np.ndarray  # str
    number: np.ndarray  # int: place of the slice in its head
    labels: np.ndarray  # float [N, 6], -1 where unknown; column 0 is any hemorrhage
    slice_probabilities: np.ndarray  # float [N, 6]
    evidence: np.ndarray  # float: the evidence of the slice in the series chain
    mask_known: np.ndarray  # bool
    overlap: np.ndarray  # pixels in both masks
    found: np.ndarray  # pixels in the predicted mask
    truth: np.ndarray  # pixels in the true mask, 0 where unknown
    grid: np.ndarray  # pixels of the whole slice
    lesions: np.ndarray  # regions of the true mask
    lesions_hit: np.ndarray  # those of them that the prediction touches

    def take(self, index: np.ndarray) -> "Scored":
        """The entries at `index`, integers or booleans."""
        return Scored(*(values[index] for values in vars(self).values()))


def join(parts: list):
    """Concatenate several Scored, or other dataclasses of arrays, field by field."""
    fields = zip(*(vars(part).values() for part in parts))
    return type(parts[0])(*(np.concatenate(values) for values in fields))


def auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve by ranks (ties count half); nan with one class only."""
    positive = labels == 1
    count, others = positive.sum(), (~positive).sum()
    if count == 0 or others == 0:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * others))


def sensitivity_at(labels: np.ndarray, scores: np.ndarray, specificity: float) -> float:
    """Sensitivity at the cut-off that has this specificity; nan with one class only."""
    positive = labels == 1
    if positive.all() or not positive.any():
        return float("nan")
    level = np.quantile(scores[~positive], specificity, method="higher")
    return float((scores[positive] > level).mean())


def reliability(labels: np.ndarray, probabilities: np.ndarray, bins: int = 10) -> list[dict]:
    """Points of the reliability diagram, for each bin of equal width that is not empty.

    Each has "from" (lower limit), "slices" (count), "probability" (mean) and "observed" (share that bleeds).
    """
    at = np.minimum((probabilities * bins).astype(int), bins - 1)
    return [
        {
            "from": number / bins,
            "slices": int((at == number).sum()),
            "probability": float(probabilities[at == number].mean()),
            "observed": float(labels[at == number].mean()),
        }
        for number in np.unique(at)
    ]


def calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error (Naeini 2015): |share that bleeds - mean probability|, weighted by slices."""
    if not len(labels):
        return float("nan")
    points = reliability(labels, probabilities, bins)
    gaps = [point["slices"] * abs(point["observed"] - point["probability"]) for point in points]
    return float(np.sum(gaps)) / len(labels)


def mean_or_nan(values) -> float:
    """Mean; nan without values."""
    return float(np.mean(values)) if len(values) else float("nan")


def ratio_or_nan(above: float, below: float) -> float:
    """above / below; nan if `below` is 0."""
    return float(above / below) if below else float("nan")


def measure(scored: Scored) -> dict[str, float]:
    """All figures of a set; nan for a figure without slices."""
    outlined = scored.mask_known & (scored.labels[:, 0] == 1)
    negative = scored.labels[:, 0] == 0
    subset = scored.take(outlined)
    dice = 2 * subset.overlap / np.maximum(1, subset.found + subset.truth)
    patients = [dice[subset.patient == name].mean() for name in np.unique(subset.patient)]
    # Precision counts the false pixels of negative slices too.
    known = scored.take(outlined | negative)
    overlap, found, truth = known.overlap.sum(), known.found.sum(), known.truth.sum()
    share = subset.truth / subset.grid
    small, large = share < MEDIUM_SHARE, share >= LARGE_SHARE
    return {
        "dice_slices": mean_or_nan(dice),
        "dice_patients": mean_or_nan(patients),
        "dice_small": mean_or_nan(dice[small]),
        "dice_medium": mean_or_nan(dice[~small & ~large]),
        "dice_large": mean_or_nan(dice[large]),
        "iou_slices": mean_or_nan(subset.overlap / np.maximum(1, subset.found + subset.truth - subset.overlap)),
        "area_error": mean_or_nan(np.abs(subset.found - subset.truth) / np.maximum(1, subset.truth)),
        "lesion_sensitivity": ratio_or_nan(subset.lesions_hit.sum(), subset.lesions.sum()),
        "dice_pooled": ratio_or_nan(2 * overlap, found + truth),
        "iou_pooled": ratio_or_nan(overlap, found + truth - overlap),
        "precision": ratio_or_nan(overlap, found),
        "recall": ratio_or_nan(overlap, truth),
        "slice_auc": auc(scored.labels[:, 0], scored.slice_probabilities[:, 0]),
        "sensitivity_at_90_specificity": sensitivity_at(
            scored.labels[:, 0], scored.slice_probabilities[:, 0], 0.9
        ),
        "calibration_error": calibration_error(
            scored.labels[:, 0], scored.slice_probabilities[:, 0]
        ),
        "slice_sensitivity": ratio_or_nan((scored.found[~negative] > 0).sum(), (~negative).sum()),
        "false_positive_rate": ratio_or_nan((scored.found[negative] > 0).sum(), negative.sum()),
    }


def subtype_auc(scored: Scored, column: int) -> float:
    """AUC of one label over the slices with this label."""
    known = scored.labels[:, column] >= 0
    return auc(scored.labels[known, column], scored.slice_probabilities[known, column])
