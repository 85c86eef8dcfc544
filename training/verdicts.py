"""Three answers in place of two: a slice is `likely`, `uncertain` or `unlikely` to bleed, by bands of its probability.

The bands are chosen on all sets together, so that at most MISSED of the bleeding slices are called unlikely and at most
FALSE of the others likely, every set weighing the same. What each set and each head gets is told beside (`errors`).
"""

import numpy as np

from training import chain, figures

MAX_MISSED_SHARE, MAX_FALSE_SHARE = 0.05, 0.05
VERDICTS = ("unlikely", "uncertain", "likely")


def weighed(sets: list[figures.Scored], label: int) -> tuple[np.ndarray, np.ndarray]:
    """Ascending probabilities of the slices with this label, and the share that each stands for; sets weigh the same."""
    parts = [one.slice_probabilities[one.labels[:, 0] == label, 0] for one in sets]
    parts = [part for part in parts if len(part)]
    probabilities = np.concatenate(parts) if parts else np.zeros(0)
    shares = (
        np.concatenate([np.full(len(part), 1 / (len(part) * len(parts))) for part in parts]) if parts else np.zeros(0)
    )
    order = np.argsort(probabilities, kind="stable")
    return probabilities[order], shares[order]


def choose(sets: list[figures.Scored], missed: float = MAX_MISSED_SHARE, false: float = MAX_FALSE_SHARE) -> dict | None:
    """{"unlikely_below", "likely_from"}, four digits; None without slices of both kinds.

    Where the two kinds are so far apart that the bands would cross, they meet in the middle.
    """
    positive, positive_share = weighed(sets, 1)
    negative, negative_share = weighed(sets, 0)
    if not len(positive) or not len(negative):
        return None
    # The first positive slice that may no longer be missed, and the last negative one that may not be called likely.
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
    """Of the bleeding and of the other ones: how many, and the share of each verdict."""
    result = {}
    for name, label in (("bleeding", 1), ("other", 0)):
        some = verdicts[labels == label]
        result[name] = {"count": len(some)} | {
            verdict: float((some == number).mean()) if len(some) else None for number, verdict in enumerate(VERDICTS)
        }
    return result


def errors(parts: list[tuple[figures.Scored, dict]]) -> dict:
    """{"slices", "heads"} of one set, of which each part is read by bands of its own.

    A head bleeds if a slice does, and its verdict is that of its most suspect slice.
    """
    whole = figures.join([one for one, _ in parts])
    verdicts = np.concatenate([verdict_of(one.slice_probabilities[:, 0], bands) for one, bands in parts])
    labels, heads = whole.labels[:, 0], chain.heads(whole)
    of_heads = np.array([verdicts[rows].max() for rows in heads], int)
    return {
        "slices": shares(verdicts, labels),
        "heads": shares(of_heads, np.array([labels[rows].max() for rows in heads])),
    }
