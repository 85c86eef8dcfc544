"""Bands keep the requested errors, with the same weight for every set."""

import numpy as np

from training import figures, verdicts


def scored(positive, negative, patient="p"):
    probabilities = np.concatenate([positive, negative])
    count = len(probabilities)
    labels = np.full((count, 6), -1.0)
    labels[:, 0] = np.r_[np.ones(len(positive)), np.zeros(len(negative))]
    zeros = np.zeros(count, int)
    return figures.Scored(
        np.array([f"{patient}{number // 10}" for number in range(count)]), np.arange(count), labels,
        np.repeat(probabilities[:, None], 6, 1), probabilities, zeros == 0, zeros, zeros, zeros, zeros + 1, zeros, zeros,
    )  # fmt: skip


def test_each_band_keeps_its_error_below_the_limit():
    rng = np.random.default_rng(0)
    one = scored(rng.beta(5, 2, 400), rng.beta(2, 5, 600))
    bands = verdicts.choose_bands([one])
    shares = verdicts.measure_verdict_shares([(one, bands)])["slices"]
    assert 0.03 < shares["bleeding"]["unlikely"] <= 0.05 and 0.03 < shares["other"]["likely"] <= 0.05
    assert bands["unlikely_below"] < bands["likely_from"]
    assert sum(shares["other"][name] for name in verdicts.VERDICTS) == 1


def test_a_small_set_weighs_as_much_as_a_large_one():
    rng = np.random.default_rng(1)
    large, small = scored(rng.beta(5, 2, 900), rng.beta(2, 9, 900)), scored(rng.beta(5, 2, 30), rng.beta(7, 3, 30))
    alone, both = verdicts.choose_bands([large]), verdicts.choose_bands([large, small])
    assert both["likely_from"] > alone["likely_from"] + 0.1


def test_bands_that_would_cross_become_equal():
    bands = verdicts.choose_bands([scored(np.linspace(0.8, 0.9, 50), np.linspace(0.1, 0.2, 50))])
    assert 0.2 < bands["unlikely_below"] <= bands["likely_from"] < 0.8


def test_a_head_has_the_verdict_of_its_most_suspect_slice():
    one = scored([0.9, *9 * [0.1]], 20 * [0.1])
    heads = verdicts.measure_verdict_shares([(one, {"unlikely_below": 0.3, "likely_from": 0.6})])["heads"]
    assert heads["bleeding"] == {"count": 1, "unlikely": 0.0, "uncertain": 0.0, "likely": 1.0}
    assert heads["other"]["count"] == 2 and heads["other"]["unlikely"] == 1.0


def test_without_both_kinds_there_are_no_bands():
    assert verdicts.choose_bands([scored([], [0.1, 0.2])]) is None


def test_each_part_has_its_own_bands():
    part = scored([0.5], [0.5])
    low, high = {"unlikely_below": 0.1, "likely_from": 0.2}, {"unlikely_below": 0.8, "likely_from": 0.9}
    slices = verdicts.measure_verdict_shares([(part, low), (part, high)])["slices"]
    assert slices["bleeding"]["likely"] == slices["bleeding"]["unlikely"] == 0.5
