"""The series chain: a hidden Markov model over the slices of a head; in Rust crates/ichor-core/src/model_spec/chain.rs.

The state of a slice is whether it bleeds. The forward-backward algorithm (Rabiner 1989) gives each slice its probability
from the evidence of all slices. It finds the ends of a bleed by their neighbours, and lowers the probability of a bright
speck on a single slice.
"""

import numpy as np

from training import figures, fit

# Added to the logit as evidence, in mask shares of the slice head; chosen on cross-validation (RESULTS.md). A single
# slice is ranked better with less of the mask, which can be certain and wrong.
CELL_SHARE = 2.5
# Between slices of consecutive numbers, mm: ct-ich's and PHE-SICH's are 5 mm thick (data sheets).
SLICE_SPACING_MM = 5.0
# Share of heads without a bleed from which a set counts as consecutive patients: half in ct-ich, 1 of 95 in PHE-SICH.
HEALTHY_SHARE = 0.1
# A slice with at least the probability LIKELY in the series and no outline gets this share of the threshold.
LIKELY, FALLBACK_SHARE = 0.5, 0.5
# Largest effect of one slice's evidence on the others, log odds.
MAX_EVIDENCE = 30.0
# Numbers of two slices of one series differ by less than this.
NEIGHBORS = 100


def heads(scored: figures.Scored) -> list[np.ndarray]:
    """Rows of each patient, in the order of their slice numbers."""
    rows = (np.flatnonzero(scored.patient == name) for name in np.unique(scored.patient))
    return [head[np.argsort(scored.number[head], kind="stable")] for head in rows]


def has_neighbors(scored: figures.Scored) -> bool:
    """Whether the heads of a set are series, rather than single slices."""
    return any((np.diff(scored.number[rows]) < NEIGHBORS).any() for rows in heads(scored))


def transition_rates(sets: list[figures.Scored]) -> tuple[float, float] | None:
    """(onset, end): share of slices that bleed beside one that does not, and that do not beside one that does.

    Counted on consecutive numbers, with one added to each count (Laplace), in the sets with HEALTHY_SHARE of heads
    without a bleed: where nearly every head bleeds, the slices were selected. None if no slices are neighbours.
    """
    whole = [
        part for part in sets
        if np.mean([(part.labels[rows, 0] == 0).all() for rows in heads(part)]) >= HEALTHY_SHARE
    ]  # fmt: skip
    counts = np.zeros((2, 2))
    for part in whole or sets:
        for rows in heads(part):
            bleeds, beside = (part.labels[rows, 0] == 1).astype(int), np.diff(part.number[rows]) == 1
            np.add.at(counts, (bleeds[:-1][beside], bleeds[1:][beside]), 1)
    if not counts.sum():
        return None
    return (counts[0, 1] + 1) / (counts[0].sum() + 2), (counts[1, 0] + 1) / (counts[1].sum() + 2)


def log_odds(chain: dict, evidence: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Log odds of any hemorrhage on each slice of one head, from all its slices; float [N], in the order of `numbers`."""
    onset, end, platt = chain["onset"], chain["end"], chain["calibration"]
    prior, kept = onset / (onset + end), max(0.0, 1 - onset - end)
    before = np.log(prior / (1 - prior))
    alone = platt["slope"] * np.asarray(evidence, np.float64) + platt["intercept"]
    own, steps = np.clip(alone - before, -MAX_EVIDENCE, MAX_EVIDENCE), np.diff(numbers).astype(np.float64)

    def expected(own: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Log odds of each slice from all slices before it."""
        odds = [before]
        for evidence, step in zip(own, steps):
            now = prior + kept**step * (fit.sigmoid(odds[-1] + evidence * min(1.0, step)) - prior)
            now = np.clip(now, np.finfo(float).eps, 1 - np.finfo(float).eps)
            odds.append(np.log(now / (1 - now)))
        return np.array(odds)

    return own + expected(own, steps) + expected(own[::-1], steps[::-1])[::-1] - before


def apply_chain(scored: figures.Scored, chain: dict) -> figures.Scored:
    """`scored` with the probability of any hemorrhage from all slices of the head; the masks do not change."""
    probabilities = np.array(scored.slice_probabilities)
    for rows in heads(scored):
        probabilities[rows, 0] = fit.sigmoid(log_odds(chain, scored.evidence[rows], scored.number[rows]))
    return figures.Scored(**{**vars(scored), "slice_probabilities": probabilities})


def in_series(opened: figures.Scored, fallback: figures.Scored, alone: figures.Scored, chain: dict) -> figures.Scored:
    """Scores with the series chain: probabilities from all slices of a head, and the masks that pass its gate.

    `opened` is scored with the slice gate open, `fallback` with `fallback_postprocessing`, `alone` as single slices; a
    head of one slice keeps the latter.
    """
    informed = apply_chain(opened, chain)
    joined = vars(fit.close_gate(informed, chain["slice_threshold"]))
    likely = informed.slice_probabilities[:, 0] >= max(LIKELY, chain["slice_threshold"])
    use_fallback = likely & (opened.found == 0)
    single = [rows[0] for rows in heads(opened) if len(rows) == 1]
    for name in ("overlap", "found", "lesions_hit"):
        joined[name] = np.where(use_fallback, getattr(fallback, name), joined[name])
        joined[name][single] = getattr(alone, name)[single]
    joined["slice_probabilities"][single] = alone.slice_probabilities[single]
    return figures.Scored(**joined)


def fallback_postprocessing(post: dict) -> dict:
    """Postprocessing at the fallback threshold, with the slice gate open."""
    return fit.open_gate(post) | {"threshold": FALLBACK_SHARE * post["threshold"]}


def fit_chain(scored: list[figures.Scored], post: dict) -> dict | None:
    """Fit the chain on these sets, scored by `post` with the gate open; None if no slices are neighbours."""
    scored = [part for part in scored if has_neighbors(part)]
    labels = np.concatenate([part.labels[:, 0] for part in scored]) if scored else np.zeros(0)
    if not (labels == 0).any() or not (labels == 1).any() or (found := transition_rates(scored)) is None:
        return None
    evidence = np.concatenate([part.evidence for part in scored])
    chain = {
        "onset": round(float(found[0]), 4),
        "end": round(float(found[1]), 4),
        "slice_spacing_mm": SLICE_SPACING_MM,
        "calibration": fit.fit_platt(evidence, labels),
    }
    gate = fit.best_gate([apply_chain(part, chain) for part in scored])
    return chain | {"slice_threshold": gate, "faint_threshold": fallback_postprocessing(post)["threshold"]}


def series_spec(chain: dict, strongest_cell: dict) -> dict:
    """`series` of `model.json` for a model whose slice logit uses `strongest_cell` of its mask."""
    cell = strongest_cell | {"weight": round(CELL_SHARE * strongest_cell["weight"], 5)}
    return {**chain, "cell": cell}
