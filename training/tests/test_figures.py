"""Figures of small cases with known results."""

import numpy as np
import pytest

from training import bootstrap, figures, fit


def scored(**changes):
    values = {
        "patient": np.array(["a", "a", "b", "b"]),
        "number": np.array([1, 2, 1, 2]),
        "labels": np.array([[1.0], [0], [1], [0]]),
        "slice_probabilities": np.array([[0.9], [0.1], [0.8], [0.2]]),
        "evidence": np.array([2.0, -2, 1, -1]),
        "mask_known": np.array([True, True, True, True]),
        "overlap": np.array([10, 0, 0, 0]),
        "found": np.array([10, 0, 0, 5]),
        "truth": np.array([10, 0, 20, 0]),
        "grid": np.full(4, 1000),
        "lesions": np.array([1, 0, 2, 0]),
        "lesions_hit": np.array([1, 0, 0, 0]),
    }
    return figures.Scored(**(values | changes))


def test_figures_of_a_small_case():
    measured = figures.measure(scored())
    assert measured["dice_slices"] == measured["dice_patients"] == 0.5
    assert measured["dice_pooled"] == pytest.approx(20 / 45)
    assert measured["iou_pooled"] == pytest.approx(10 / 35)
    assert measured["precision"] == pytest.approx(10 / 15)
    assert measured["recall"] == pytest.approx(10 / 30)
    assert measured["false_positive_rate"] == 0.5 and measured["slice_sensitivity"] == 0.5
    assert measured["slice_auc"] == 1.0
    assert measured["lesion_sensitivity"] == pytest.approx(1 / 3)
    assert measured["area_error"] == 0.5 and measured["iou_slices"] == 0.5
    # 1.0 and 2.0 % of the slice: both medium. On a grid of a quarter of the pixels both are large.
    assert measured["dice_medium"] == 0.5 and np.isnan(measured["dice_large"])
    assert figures.measure(scored(grid=np.full(4, 250)))["dice_large"] == 0.5


def test_positive_without_a_mask_counts_for_detection_only():
    known = np.array([True, True, False, True])
    measured = figures.measure(scored(mask_known=known, truth=np.array([10, 0, 0, 0])))
    assert measured["dice_slices"] == 1.0 and measured["slice_sensitivity"] == 0.5


def test_auc_gives_ties_one_half():
    assert figures.auc(np.array([1, 0]), np.array([0.5, 0.5])) == 0.5


def test_the_interval_contains_the_figure_and_is_reproducible():
    first, again = (bootstrap.intervals(scored(), figures.measure, 50) for _ in range(2))
    assert first["dice_patients"] == again["dice_patients"]
    assert first["dice_patients"]["low"] <= 0.5 <= first["dice_patients"]["high"]


def test_both_models_of_a_difference_have_the_same_resamples():
    half = scored(overlap=np.array([5, 0, 0, 0]))
    apart = bootstrap.differences(scored(), half, figures.measure, 50)["dice_patients"]
    # Of patient b neither found anything, of patient a one found half as much: drawn 0, 1 or 2 of 2 times.
    assert apart["value"] == pytest.approx(0.25)
    assert apart["low"] == pytest.approx(0) and apart["high"] == pytest.approx(0.5)
    same = bootstrap.differences(half, half, figures.measure, 50)["slice_auc"]
    assert same == {"value": 0, "low": 0, "high": 0}
    with pytest.raises(ValueError, match="same order"):
        bootstrap.differences(scored(), half.take(np.array([1, 0, 2, 3])), figures.measure)


def test_small_components_are_dropped_and_large_ones_stay():
    probabilities = np.zeros((20, 20))
    probabilities[1:3, 1:3] = 0.9
    probabilities[10:15, 10:15] = 0.9
    assert fit.find_mask(probabilities, 0.5, 12).sum() == 25
    assert fit.find_mask(probabilities, 0.5, 4).sum() == 29


def test_calibration_finds_a_known_curve_and_refuses_a_negative_slope():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 4000)
    labels = (rng.uniform(size=4000) < fit.sigmoid(0.5 * logits - 1)).astype(float)
    found = fit.fit_platt(logits, labels)
    assert found["slope"] == pytest.approx(0.5, abs=0.1)
    assert found["intercept"] == pytest.approx(-1, abs=0.15)
    assert fit.fit_platt(-logits, labels)["slope"] == 1.0
