"""Thresholds and calibration, fitted on validation patients and on nobody else."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, optimize

from training.figures import Scored, measure


@dataclass
class Predicted:
    """What a model says of one set: maps float16 [N, H, W], slice logits [N, 6], and the truth."""

    patient: np.ndarray
    number: np.ndarray  # int [N]: place of the slice in its head
    labels: np.ndarray
    mask_known: np.ndarray
    truth: np.ndarray  # bool [N, H, W]; all false where unknown
    maps: np.ndarray
    slice_logits: np.ndarray
    evidence: np.ndarray  # float [N]: what the slice tells its neighbours (training.chain)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.asarray(logits, np.float64)))


def grid_px(predicted: Predicted) -> int:
    """Pixels of the network grid, also where no slice was predicted."""
    return int(np.prod(predicted.truth.shape[1:]))


def find_mask(probabilities: np.ndarray, threshold: float, min_lesion_px: int) -> np.ndarray:
    """bool [H, W]: at least `threshold`, without 8-connected components below `min_lesion_px`."""
    mask = probabilities >= threshold
    if min_lesion_px > 1 and mask.any():
        parts, _ = ndimage.label(mask, np.ones((3, 3)))
        keep = np.bincount(parts.ravel()) >= min_lesion_px
        keep[0] = False
        mask = keep[parts]
    return mask


def score(predicted: Predicted, post: dict) -> Scored:
    """Count pixels and lesions after the whole of postprocessing, the slice gate included."""
    any_probability = sigmoid(predicted.slice_logits[:, 0])
    overlap, found, hit, lesions = [], [], [], []
    for number, probabilities in enumerate(predicted.maps):
        mask = find_mask(probabilities, post["threshold"], post["min_lesion_px"])
        mask &= any_probability[number] >= post["slice_threshold"]
        truth = predicted.truth[number]
        found.append(mask.sum())
        overlap.append((mask & truth).sum())
        parts, count = ndimage.label(truth, np.ones((3, 3))) if truth.any() else (None, 0)
        lesions.append(count)
        hit.append(len(set(parts[mask]) - {0}) if count else 0)
    return Scored(
        predicted.patient, predicted.number, predicted.labels, sigmoid(predicted.slice_logits),
        predicted.evidence, predicted.mask_known, np.array(overlap, int), np.array(found, int),
        predicted.truth.sum(axis=(1, 2)), np.full(len(found), grid_px(predicted)),
        np.array(lesions, int), np.array(hit, int),
    )  # fmt: skip


def quality(scored: list[Scored]) -> float:
    """Patient-wise Dice and half the share of positive slices outlined, less that of negative ones.

    Each is the mean over the sets. Dice alone is deaf to the bleeds that were never drawn.
    """
    figures = [measure(one) for one in scored]

    def mean(name: str) -> float:
        return float(np.nanmean([one[name] for one in figures]))

    return mean("dice_patients") + mean("slice_sensitivity") / 2 - mean("false_positive_rate")


# Coarse, because few patients decide it.
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
# Of the grid: 61 px of 320x320. Not searched: smaller ones gain on these patients, but outline specks along
# the bone of a scanner that none of them was seen by (EARLIER.md).
SMALLEST_SHARE = 0.0006
GATES = (0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7)


def score_grid(predicted: list[Predicted]) -> dict[tuple, list[Scored]]:
    """{(threshold, min_lesion_px): scores of each set} with the slice gate open."""
    smallest = max(1, round(SMALLEST_SHARE * grid_px(predicted[0])))
    return {
        (threshold, smallest): [
            score(one, opened({"threshold": threshold, "min_lesion_px": smallest}))
            for one in predicted
        ]
        for threshold in THRESHOLDS
    }


def choose(grid: dict[tuple, list[Scored]]) -> dict:
    """The postprocessing of best quality on a grid of scores."""
    gates = {key: best_gate(scored) for key, scored in grid.items()}
    best = max(gates, key=lambda key: quality([close_gate(one, gates[key]) for one in grid[key]]))
    return {"threshold": best[0], "min_lesion_px": best[1], "slice_threshold": gates[best]}


def best_gate(scored: list[Scored]) -> float:
    """The slice gate of best quality; the lowest of equals."""
    return max(GATES, key=lambda gate: quality([close_gate(one, gate) for one in scored]))


def opened(post: dict) -> dict:
    """Postprocessing that lets the mask of every slice through."""
    return post | {"slice_threshold": 0.0}


def fit_postprocessing(validation: list[Predicted]) -> dict:
    """Threshold and slice gate of best quality."""
    return choose(score_grid(validation))


def close_gate(scored: Scored, gate: float) -> Scored:
    """Empty the masks of the slices whose probability of any hemorrhage is below `gate`."""
    stays = scored.slice_probabilities[:, 0] >= gate
    closed = {name: getattr(scored, name) * stays for name in ("overlap", "found", "lesions_hit")}
    return Scored(**{**vars(scored), **closed})


def fit_platt(logits: np.ndarray, labels: np.ndarray) -> dict:
    """Slope and intercept of least log loss (Platt 1999), with his smoothed targets."""
    count, others = (labels == 1).sum(), (labels == 0).sum()
    targets = np.where(labels == 1, (count + 1) / (count + 2), 1 / (others + 2))

    def loss(parameters):
        scores = parameters[0] * logits + parameters[1]
        return np.mean(np.logaddexp(0, scores) - targets * scores)

    slope, intercept = optimize.minimize(loss, [1.0, 0.0], method="Nelder-Mead").x
    # A falling curve would turn the head's meaning round: then no calibration is better.
    if slope <= 0:
        return {"method": "platt", "slope": 1.0, "intercept": 0.0}
    return {"method": "platt", "slope": round(float(slope), 4), "intercept": round(float(intercept), 4)}


def fit_calibration(predicted: list[Predicted]) -> dict:
    """`fit_platt` of any hemorrhage, over all slices of these sets."""
    logits = np.concatenate([one.slice_logits[:, 0] for one in predicted])
    return fit_platt(logits, np.concatenate([one.labels[:, 0] for one in predicted]))


def calibrated(scored: Scored, platt: dict) -> Scored:
    """With the calibrated probability of any hemorrhage, as the service reports it."""
    # As far as numbers go: a fitted head can be very sure, and equal probabilities would share a rank.
    some = np.clip(scored.slice_probabilities, 1e-300, 1 - 1e-16)
    logits = np.log(some[:, 0] / (1 - some[:, 0]))
    some[:, 0] = sigmoid(platt["slope"] * logits + platt["intercept"])
    return Scored(**{**vars(scored), "slice_probabilities": some})
