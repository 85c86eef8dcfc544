"""The series chain against Bayes' rule written out, and how it is fitted."""

import itertools

import numpy as np
import pytest

from training import chain, fit
from training.evaluate import slice_numbers
from training.tests.test_figures import scored

LINKS = {
    "onset": 0.03, "end": 0.2, "slice_spacing_mm": 5.0, "slice_threshold": 0.3, "faint_threshold": 0.15,
    "calibration": {"method": "platt", "slope": 1.0, "intercept": -1.0},
}  # fmt: skip


def test_probabilities_follow_bayes_rule():
    evidence = np.array([-3.0, 4.0, 1.0, -0.5, 2.0])
    prior = LINKS["onset"] / (LINKS["onset"] + LINKS["end"])
    alone = np.exp(evidence - 1) / (prior / (1 - prior))
    step = np.array([[1 - LINKS["onset"], LINKS["onset"]], [LINKS["end"], 1 - LINKS["end"]]])
    sums, total = np.zeros(5), 0.0
    for states in itertools.product((0, 1), repeat=5):
        weight = (1 - prior, prior)[states[0]] * np.prod([step[pair] for pair in itertools.pairwise(states)])
        weight *= np.prod(alone[np.array(states) == 1])
        total += weight
        sums += weight * np.array(states)
    found = fit.sigmoid(chain.log_odds(LINKS, evidence, np.arange(5)))
    assert found == pytest.approx(sums / total)


def test_only_slices_with_names_instead_of_numbers_are_numbered_by_order():
    names = [("a", "7"), ("b", "top"), ("a", "12"), ("b", "base"), ("c", "3")]
    rows = [{"patient": patient, "slice": name} for patient, name in names]
    assert slice_numbers(rows).tolist() == [7, 0, 12, 1, 3]


def test_distant_slices_have_no_effect_on_each_other():
    evidence = np.array([5.0, -2.0, 1.0])
    assert chain.log_odds(LINKS, evidence, np.array([0, 1000, 2000])) == pytest.approx(evidence - 1)


def test_neighbours_keep_the_mask_of_a_slice_and_clear_a_single_one():
    evidence = np.array([4.0, -0.5, 4.0, -6.0, -0.5, -6.0, 2.0])
    opened = scored(
        patient=np.array(["a"] * 3 + ["b"] * 3 + ["c"]), number=np.array([3, 4, 5, 3, 4, 5, 9]), evidence=evidence,
        labels=np.ones((7, 1)), slice_probabilities=np.full((7, 1), 0.5), mask_known=np.ones(7, bool),
        overlap=np.ones(7), found=np.ones(7), truth=np.ones(7), grid=np.full(7, 100), lesions=np.ones(7),
        lesions_hit=np.ones(7),
    )  # fmt: skip
    alone = scored(**{**vars(opened), "slice_probabilities": np.full((7, 1), 0.25), "found": np.full(7, 3)})
    faint = scored(**{**vars(opened), "found": np.full(7, 2)})
    joined = chain.in_series(opened, faint, alone, LINKS)
    assert joined.found.tolist() == [1, 1, 1, 0, 0, 0, 3]
    assert joined.slice_probabilities[1, 0] > 0.5 and joined.slice_probabilities[4, 0] < 0.05
    assert joined.slice_probabilities[6, 0] == 0.25, "a slice without neighbours stays as it was alone"
    blank = scored(**{**vars(opened), "found": np.zeros(7)})
    joined = chain.in_series(blank, faint, alone, LINKS)
    assert joined.found.tolist() == [2, 2, 2, 0, 0, 0, 3], "slices that are probably bleeding get the fallback threshold"


def test_rates_come_from_neighbours_in_sets_with_heads_without_blood():
    labels = np.array([[0.0], [1], [1], [0], [0], [0]])
    names, places = np.array(["a"] * 4 + ["b"] * 2), np.array([4, 2, 3, 1, 1, 3])
    some = scored(patient=names, number=places, labels=labels)
    # Of a in order: 0 to 1, 1 to 1, 1 to 0; b has a gap. One more of each is counted.
    assert chain.transition_rates([some]) == pytest.approx((2 / 3, 2 / 4))
    # Where nearly every head bleeds, slices were chosen: such a set does not count.
    ill = scored(patient=names, number=places, labels=np.ones_like(labels))
    assert chain.transition_rates([some, ill]) == chain.transition_rates([some])
    assert chain.transition_rates([scored(number=np.array([1, 3, 1, 3]))]) is None
