"""Figures of merit of one set of slices.

Everything is counted on the network grid. `ichor evaluate` scores the exported model at the
image's own resolution and gives slightly other figures.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata


# Bounds between small, medium and large bleeds: 400 and 1,500 px of a grid of 256x256. Half of ct-ich's
# outlined slices lie below the first.
MEDIUM_SHARE, LARGE_SHARE = 0.006, 0.023


@dataclass
class Scored:
    """One entry a slice; every field is an array of the same length."""

    patient: np.ndarray  # str
    number: np.ndarray  # int: place of the slice in its head
    labels: np.ndarray  # float [N, 6], -1 where unknown; column 0 is any hemorrhage
    slice_probabilities: np.ndarray  # float [N, 6]
    evidence: np.ndarray  # float: what the slice tells its neighbours (training.chain)
    mask_known: np.ndarray  # bool
    overlap: np.ndarray  # pixels in both masks
    found: np.ndarray  # pixels in the predicted mask
    truth: np.ndarray  # pixels in the true mask, 0 where unknown
    grid: np.ndarray  # pixels of the whole slice
    lesions: np.ndarray  # regions of the true mask
    lesions_hit: np.ndarray  # those of them that the prediction touches

    def take(self, index: np.ndarray) -> "Scored":
        return Scored(*(values[index] for values in vars(self).values()))


def join(parts: list):
    """One Scored (or another dataclass of arrays) out of several, entry after entry."""
    fields = zip(*(vars(one).values() for one in parts))
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
    """Share of positives above the score that `specificity` of the negatives stay below or at."""
    positive = labels == 1
    if positive.all() or not positive.any():
        return float("nan")
    level = np.quantile(scores[~positive], specificity, method="higher")
    return float((scores[positive] > level).mean())


def reliability(labels: np.ndarray, probabilities: np.ndarray, bins: int = 10) -> list[dict]:
    """The reliability diagram's points: slices of each bin of equal width that holds any, their mean
    probability, and the share of them that bleeds."""
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
    """Expected calibration error (Naeini 2015): |share that bleeds - mean probability|, weighed by slices."""
    if not len(labels):
        return float("nan")
    points = reliability(labels, probabilities, bins)
    gaps = [one["slices"] * abs(one["observed"] - one["probability"]) for one in points]
    return float(np.sum(gaps)) / len(labels)


def mean(values) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def ratio(above: float, below: float) -> float:
    return float(above / below) if below else float("nan")


def measure(scored: Scored) -> dict[str, float]:
    """All figures of a set; nan where nothing is there to measure."""
    outlined = scored.mask_known & (scored.labels[:, 0] == 1)
    negative = scored.labels[:, 0] == 0
    one = scored.take(outlined)
    dice = 2 * one.overlap / np.maximum(1, one.found + one.truth)
    patients = [dice[one.patient == name].mean() for name in np.unique(one.patient)]
    # Precision counts the false pixels of negative slices too.
    known = scored.take(outlined | negative)
    overlap, found, truth = known.overlap.sum(), known.found.sum(), known.truth.sum()
    share = one.truth / one.grid
    small, large = share < MEDIUM_SHARE, share >= LARGE_SHARE
    return {
        "dice_slices": mean(dice),
        "dice_patients": mean(patients),
        "dice_small": mean(dice[small]),
        "dice_medium": mean(dice[~small & ~large]),
        "dice_large": mean(dice[large]),
        "iou_slices": mean(one.overlap / np.maximum(1, one.found + one.truth - one.overlap)),
        "area_error": mean(np.abs(one.found - one.truth) / np.maximum(1, one.truth)),
        "lesion_sensitivity": ratio(one.lesions_hit.sum(), one.lesions.sum()),
        "dice_pooled": ratio(2 * overlap, found + truth),
        "iou_pooled": ratio(overlap, found + truth - overlap),
        "precision": ratio(overlap, found),
        "recall": ratio(overlap, truth),
        "slice_auc": auc(scored.labels[:, 0], scored.slice_probabilities[:, 0]),
        "sensitivity_at_90_specificity": sensitivity_at(
            scored.labels[:, 0], scored.slice_probabilities[:, 0], 0.9
        ),
        "calibration_error": calibration_error(
            scored.labels[:, 0], scored.slice_probabilities[:, 0]
        ),
        "slice_sensitivity": ratio((scored.found[~negative] > 0).sum(), (~negative).sum()),
        "false_positive_rate": ratio((scored.found[negative] > 0).sum(), negative.sum()),
    }


def subtype_auc(scored: Scored, column: int) -> float:
    """AUC of one label over the slices where it is known."""
    known = scored.labels[:, column] >= 0
    return auc(scored.labels[known, column], scored.slice_probabilities[known, column])
