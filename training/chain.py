"""What the slices of one head say of each other: a hidden Markov chain; in serving it is src/model_spec/chain.rs.

A slice bleeds or does not, as its neighbours do. Forward and backward (Rabiner 1989) gives each slice its
probability in the light of all: the end of a bleed that nobody would call on its slice alone is known by the
slice beside it, and a bright speck that neither neighbour has is less likely one.
"""

import numpy as np

from training import figures, fit

# What the evidence of a slice adds to its logit, in mask shares of the slice head: chosen on cross-validation
# (RESULTS.md). Alone the head does better with less of the mask, which is sure of itself where it is wrong.
CELL_SHARE = 2.5
# Between slices of consecutive numbers, mm: ct-ich's and PHE-SICH's are 5 mm thick (data sheets).
SLICE_SPACING_MM = 5.0
# Of heads, from which a set counts as one of consecutive patients: half of ct-ich's do not bleed, one in 95 of PHE-SICH's.
HEALTHY_SHARE = 0.1
# A slice that bleeds more likely than not in the light of its neighbours, and outlines nothing, is looked at once
# more at this share of the threshold.
LIKELY, FAINT_SHARE = 0.5, 0.5
# Furthest that one slice's evidence moves the others, in log odds.
MOST_EVIDENCE = 30.0
# Numbers of two slices of one series differ by less.
NEIGHBORS = 100


def heads(scored: figures.Scored) -> list[np.ndarray]:
    """Rows of each patient, in the order of their numbers."""
    rows = (np.flatnonzero(scored.patient == name) for name in np.unique(scored.patient))
    return [one[np.argsort(scored.number[one], kind="stable")] for one in rows]


def has_neighbors(scored: figures.Scored) -> bool:
    """Whether the heads of a set are series, rather than slices from here and there."""
    return any((np.diff(scored.number[rows]) < NEIGHBORS).any() for rows in heads(scored))


def rates(sets: list[figures.Scored]) -> tuple[float, float] | None:
    """(onset, end): how often a slice bleeds beside one that does not, and the other way round.

    Counted on consecutive numbers, with one more of each kind (Laplace), in the sets that have HEALTHY_SHARE of
    heads without a bleed: where nearly every head bleeds, slices were chosen. None where no slices are neighbours.
    """
    whole = [
        one for one in sets
        if np.mean([(one.labels[rows, 0] == 0).all() for rows in heads(one)]) >= HEALTHY_SHARE
    ]  # fmt: skip
    counts = np.zeros((2, 2))
    for one in whole or sets:
        for rows in heads(one):
            bleeds, beside = (one.labels[rows, 0] == 1).astype(int), np.diff(one.number[rows]) == 1
            np.add.at(counts, (bleeds[:-1][beside], bleeds[1:][beside]), 1)
    if not counts.sum():
        return None
    return (counts[0, 1] + 1) / (counts[0].sum() + 2), (counts[1, 0] + 1) / (counts[1].sum() + 2)


def log_odds(chain: dict, evidence: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Of any hemorrhage on each slice of one head in the light of all; float [N], in the order of their numbers."""
    onset, end, platt = chain["onset"], chain["end"], chain["calibration"]
    prior, kept = onset / (onset + end), max(0.0, 1 - onset - end)
    before = np.log(prior / (1 - prior))
    alone = platt["slope"] * np.asarray(evidence, np.float64) + platt["intercept"]
    own, steps = np.clip(alone - before, -MOST_EVIDENCE, MOST_EVIDENCE), np.diff(numbers).astype(np.float64)

    def expected(own: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Log odds of each slice by all that come before it."""
        odds = [before]
        for evidence, step in zip(own, steps):
            now = prior + kept**step * (fit.sigmoid(odds[-1] + evidence * min(1.0, step)) - prior)
            now = np.clip(now, np.finfo(float).eps, 1 - np.finfo(float).eps)
            odds.append(np.log(now / (1 - now)))
        return np.array(odds)

    return own + expected(own, steps) + expected(own[::-1], steps[::-1])[::-1] - before


def informed(scored: figures.Scored, chain: dict) -> figures.Scored:
    """With the probability of any hemorrhage in the light of the other slices of the head; masks as they are."""
    some = np.array(scored.slice_probabilities)
    for rows in heads(scored):
        some[rows, 0] = fit.sigmoid(log_odds(chain, scored.evidence[rows], scored.number[rows]))
    return figures.Scored(**{**vars(scored), "slice_probabilities": some})


def in_series(opened: figures.Scored, faint: figures.Scored, alone: figures.Scored, chain: dict) -> figures.Scored:
    """As series are served: probabilities in the light of the neighbours, and masks that they let through.

    `opened` is scored with the slice gate open, `faint` at the faint threshold as well, `alone` as single slices
    are served, which a head of one slice stays.
    """
    seen = informed(opened, chain)
    joined = vars(fit.close_gate(seen, chain["slice_threshold"]))
    likely = seen.slice_probabilities[:, 0] >= max(LIKELY, chain["slice_threshold"])
    second_look = likely & (opened.found == 0)
    single = [rows[0] for rows in heads(opened) if len(rows) == 1]
    for name in ("overlap", "found", "lesions_hit"):
        joined[name] = np.where(second_look, getattr(faint, name), joined[name])
        joined[name][single] = getattr(alone, name)[single]
    joined["slice_probabilities"][single] = alone.slice_probabilities[single]
    return figures.Scored(**joined)


def faint(post: dict) -> dict:
    """Postprocessing of the second look, with the slice gate open."""
    return fit.opened(post) | {"threshold": FAINT_SHARE * post["threshold"]}


def learn(scored: list[figures.Scored], post: dict) -> dict | None:
    """The chain of these sets, scored by `post` with the gate open; None where no slices are neighbours."""
    scored = [one for one in scored if has_neighbors(one)]
    labels = np.concatenate([one.labels[:, 0] for one in scored]) if scored else np.zeros(0)
    if not (labels == 0).any() or not (labels == 1).any() or (found := rates(scored)) is None:
        return None
    evidence = np.concatenate([one.evidence for one in scored])
    chain = {
        "onset": round(float(found[0]), 4),
        "end": round(float(found[1]), 4),
        "slice_spacing_mm": SLICE_SPACING_MM,
        "calibration": fit.fit_platt(evidence, labels),
    }
    gate = fit.best_gate([informed(one, chain) for one in scored])
    return chain | {"slice_threshold": gate, "faint_threshold": faint(post)["threshold"]}


def of_model(chain: dict, strongest_cell: dict) -> dict:
    """The ModelSpec's `series` of a model that takes `strongest_cell` from its mask."""
    cell = strongest_cell | {"weight": round(CELL_SHARE * strongest_cell["weight"], 5)}
    return {**chain, "cell": cell}
