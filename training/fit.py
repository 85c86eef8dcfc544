"""Thresholds and calibration, chosen on validation patients only."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, optimize

from training.figures import Scored, measure


@dataclass
class Predicted:
    """Predictions for one set: maps float16 [N, H, W], slice logits [N, 6], and the truth."""

    patient: np.ndarray
    number: np.ndarray  # int [N]: place of the slice in its head
    labels: np.ndarray
    mask_known: np.ndarray
    truth: np.ndarray  # bool [N, H, W]; all false where unknown
    maps: np.ndarray
    slice_logits: np.ndarray
    evidence: np.ndarray  # float [N]: the evidence of the slice in the series chain


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-logits)), float64."""
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
    """Count pixels and lesions after all of postprocessing, including the slice gate."""
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
    """Dice over patients, plus half the share of positive slices outlined, minus the share of negative ones.

    Each is the mean over the sets. Dice alone does not count bleeds without a drawn mask.
    """
    figures = [measure(part) for part in scored]

    def mean(name: str) -> float:
        return float(np.nanmean([part[name] for part in figures]))

    return mean("dice_patients") + mean("slice_sensitivity") / 2 - mean("false_positive_rate")


# Few, because few patients decide between them.
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
# Smallest lesion as a share of the grid: 61 px of 320x320. Not searched: smaller ones gain on these patients, but outline
# specks along the bone of another scanner (EARLIER.md).
MIN_LESION_SHARE = 0.0006
GATES = (0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7)


def score_grid(predicted: list[Predicted]) -> dict[tuple, list[Scored]]:
    """{(threshold, min_lesion_px): scores of each set}, with the slice gate open."""
    smallest = max(1, round(MIN_LESION_SHARE * grid_px(predicted[0])))
    return {
        (threshold, smallest): [
            score(part, open_gate({"threshold": threshold, "min_lesion_px": smallest}))
            for part in predicted
        ]
        for threshold in THRESHOLDS
    }


def choose_postprocessing(grid: dict[tuple, list[Scored]]) -> dict:
    """The postprocessing of best quality among those of `grid`."""
    gates = {key: best_gate(scored) for key, scored in grid.items()}
    best = max(gates, key=lambda key: quality([close_gate(part, gates[key]) for part in grid[key]]))
    return {"threshold": best[0], "min_lesion_px": best[1], "slice_threshold": gates[best]}


def best_gate(scored: list[Scored]) -> float:
    """The slice gate of best quality; of equal ones the lowest."""
    return max(GATES, key=lambda gate: quality([close_gate(part, gate) for part in scored]))


def open_gate(post: dict) -> dict:
    """The postprocessing with a slice gate that passes every mask."""
    return post | {"slice_threshold": 0.0}


def fit_postprocessing(validation: list[Predicted]) -> dict:
    """Threshold and slice gate of best quality."""
    return choose_postprocessing(score_grid(validation))


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
    slope = round(float(slope), 4)
    # A negative slope would invert the slice head, and one of 0 would ignore it; no calibration is better.
    if slope <= 0:
        return {"method": "platt", "slope": 1.0, "intercept": 0.0}
    return {"method": "platt", "slope": slope, "intercept": round(float(intercept), 4)}


def fit_calibration(predicted: list[Predicted]) -> dict:
    """`fit_platt` of any hemorrhage, over all slices of these sets."""
    logits = np.concatenate([part.slice_logits[:, 0] for part in predicted])
    return fit_platt(logits, np.concatenate([part.labels[:, 0] for part in predicted]))


def calibrate(scored: Scored, platt: dict) -> Scored:
    """`scored` with the calibrated probability of any hemorrhage, as in the report."""
    # Clipped at the limits of float64 only, because equal probabilities would share a rank.
    probabilities = np.clip(scored.slice_probabilities, 1e-300, 1 - 1e-16)
    logits = np.log(probabilities[:, 0] / (1 - probabilities[:, 0]))
    probabilities[:, 0] = sigmoid(platt["slope"] * logits + platt["intercept"])
    return Scored(**{**vars(scored), "slice_probabilities": probabilities})
