"""Verdicts: a slice is `likely`, `uncertain` or `unlikely` to bleed, by bands of its probability.

The bands are chosen on all sets together, each weighing the same. At most MAX_MISSED_SHARE of the bleeding slices are called
unlikely, and at most MAX_FALSE_SHARE of the others likely. `measure_verdict_shares` gives the verdicts of each set.
"""

import numpy as np

from training import chain, figures

MAX_MISSED_SHARE, MAX_FALSE_SHARE = 0.05, 0.05
VERDICTS = ("unlikely", "uncertain", "likely")


def weighted_probabilities(sets: list[figures.Scored], label: int) -> tuple[np.ndarray, np.ndarray]:
    """Ascending probabilities of the slices with this label, and the weight of each; every set has the same weight."""
    parts = [part.slice_probabilities[part.labels[:, 0] == label, 0] for part in sets]
    parts = [part for part in parts if len(part)]
    probabilities = np.concatenate(parts) if parts else np.zeros(0)
    shares = (
        np.concatenate([np.full(len(part), 1 / (len(part) * len(parts))) for part in parts]) if parts else np.zeros(0)
    )
    order = np.argsort(probabilities, kind="stable")
    return probabilities[order], shares[order]


def choose_bands(sets: list[figures.Scored], missed: float = MAX_MISSED_SHARE, false: float = MAX_FALSE_SHARE) -> dict | None:
    """{"unlikely_below", "likely_from"}, four digits; None without slices of both kinds.

    If the two kinds are so far apart that the bands would cross, both are in the middle.
    """
    positive, positive_share = weighted_probabilities(sets, 1)
    negative, negative_share = weighted_probabilities(sets, 0)
    if not len(positive) or not len(negative):
        return None
    # The first positive slice that must not be missed, and the last negative one that must not be called likely.
    at = int(np.searchsorted(np.cumsum(positive_share), missed + 1e-9, side="right"))
    below = positive[min(at, len(positive) - 1)]
    above = np.cumsum(negative_share[::-1])
    at = int(np.searchsorted(above, false + 1e-9, side="right"))
    last = negative[::-1][min(at, len(negative) - 1)]
    likely = np.nextafter(last, 1)
    if below > likely:
        below = likely = (below + likely) / 2
    return {"unlikely_below": float(np.floor(below * 1e4) / 1e4), "likely_from": float(np.ceil(likely * 1e4) / 1e4)}


def verdict_of(probabilities: np.ndarray, bands: dict) -> np.ndarray:
    """int: 0 unlikely, 1 uncertain, 2 likely."""
    probabilities = np.asarray(probabilities)
    return (probabilities >= bands["unlikely_below"]).astype(int) + (probabilities >= bands["likely_from"]).astype(int)


def shares(verdicts: np.ndarray, labels: np.ndarray) -> dict:
    """{"bleeding", "other"}: number of slices or heads, and share of each verdict."""
    result = {}
    for name, label in (("bleeding", 1), ("other", 0)):
        some = verdicts[labels == label]
        result[name] = {"count": len(some)} | {
            verdict: float((some == number).mean()) if len(some) else None for number, verdict in enumerate(VERDICTS)
        }
    return result


def measure_verdict_shares(parts: list[tuple[figures.Scored, dict]]) -> dict:
    """{"slices", "heads"}: verdict shares of one set, each part with its own bands.

    A head bleeds if a slice does, and has the verdict of its most suspect slice.
    """
    whole = figures.join([part for part, _ in parts])
    verdicts = np.concatenate([verdict_of(part.slice_probabilities[:, 0], bands) for part, bands in parts])
    labels, heads = whole.labels[:, 0], chain.heads(whole)
    of_heads = np.array([verdicts[rows].max() for rows in heads], int)
    return {
        "slices": shares(verdicts, labels),
        "heads": shares(of_heads, np.array([labels[rows].max() for rows in heads])),
    }
