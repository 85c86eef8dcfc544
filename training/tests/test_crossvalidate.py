"""Folds by patient, and the figures over all folds."""

import copy

import numpy as np
import pytest

from training import crossvalidate, figures, fit, split
from training.tests.test_split import rows


def test_every_patient_is_in_one_fold():
    given = rows(57)
    held = split.folds(given, seed=0)
    assert sorted(sum(held, [])) == sorted({row["patient"] for row in given})
    for number in range(5):
        parts = split.split_by_fold(given, 0, number)
        assert not set(parts["train"]) & set(parts["validation"])
        assert sorted(parts["train"] + parts["validation"]) == sorted(sum(held, []))


def test_folds_have_equal_parts_of_each_stratum_and_type():
    given = rows(60)
    for row in given:
        if row["hemorrhage"] == "1":
            row["epidural" if int(row["patient"]) % 2 else "subdural"] = "1"
    for fold in split.folds(given, seed=1):
        assert len(fold) == 12
        for remainder in range(6):  # negative, and both types of masked and of positive
            assert abs(sum(int(name) % 6 == remainder for name in fold) - 2) <= 1


def predicted(seed: int, patients: range, skill: float) -> fit.Predicted:
    """Predictions for slices of 32x32 whose maps are right in proportion to `skill`."""
    rng = np.random.default_rng(seed)
    count = 8 * len(patients)
    truth = np.zeros((count, 32, 32), bool)
    truth[np.arange(count) % 8 < 4, 8:16, 8:20] = True
    maps = 0.2 + skill * truth + rng.normal(0, 0.05, truth.shape)
    labels = np.full((count, 6), -1.0)
    labels[:, 0] = truth.any(axis=(1, 2))
    logits = np.zeros((count, 6))
    logits[:, 0] = 2 * (labels[:, 0] - 0.5) + rng.normal(0, 1, count)
    names = np.repeat([f"{one:02d}" for one in patients], 8)
    known = np.ones(count, bool)
    numbers, maps = np.tile(np.arange(8), len(patients)), maps.clip(0, 1).astype(np.float16)
    return fit.Predicted(names, numbers, labels, known, truth, maps, logits, logits[:, 0])


def test_summary_joins_the_folds_and_chooses_on_the_others():
    folds = [[predicted(n, range(4 * n, 4 * n + 4), 0.6)] for n in range(5)]
    results = crossvalidate.summarise(["phantom"], folds)
    measured = results["figures"]["phantom cross-validation"]
    assert results["counts"]["phantom cross-validation"]["patients"] == 20
    assert results["folds"] == {"scored": 5, "of": 5}
    assert measured["dice_patients"]["value"] > 0.95
    assert measured["lesion_sensitivity"]["value"] == 1.0
    joined = results["figures"]["phantom cross-validation, in series"]
    assert joined["slice_auc"]["value"] > measured["slice_auc"]["value"] + 0.01
    assert results["series"]["end"] == pytest.approx(21 / 82, abs=1e-4)

    # A fold whose maps are twisted must not drag its own thresholds to where it looks good.
    twisted = copy.deepcopy(folds)
    twisted[0][0].maps[:] = 1 - twisted[0][0].maps
    worse = crossvalidate.summarise(["phantom"], twisted)["figures"]["phantom cross-validation"]
    assert worse["dice_patients"]["value"] < 0.85


def test_calibration_error_and_sensitivity_of_a_small_case():
    labels = np.array([0, 0, 1, 1])
    assert figures.calibration_error(labels, np.array([0.0, 0.0, 1.0, 1.0])) == 0
    assert figures.calibration_error(labels, np.array([0.5] * 4)) == 0
    assert figures.calibration_error(labels, np.array([0.9] * 4)) == pytest.approx(0.4)
    assert figures.reliability(np.array([0, 1, 1]), np.array([0.22, 0.28, 1.0])) == [
        {"from": 0.2, "slices": 2, "probability": pytest.approx(0.25), "observed": 0.5},
        {"from": 0.9, "slices": 1, "probability": 1.0, "observed": 1.0},
    ]
    scores = np.array([0.1, 0.4, 0.3, 0.9])
    assert figures.sensitivity_at(labels, scores, 0.9) == 0.5


def test_few_patients_leave_folds_empty_and_single_slices_have_no_series():
    folds = [[predicted(n, range(4 * n, 4 * n + 4), 0.6), predicted(n, range(int(n == 1)), 0.6)] for n in range(5)]
    for fold in folds:
        fold[1].number = 1000 * fold[1].number
    results = crossvalidate.summarise(["phantom", "single"], folds)
    assert results["counts"]["single cross-validation"]["patients"] == 1
    assert "phantom cross-validation, in series" in results["figures"]
    assert "single cross-validation, in series" not in results["figures"]
    errors = results["verdicts"]["errors"]["phantom cross-validation, in series"]
    assert errors["heads"]["bleeding"]["count"] == 20 and errors["slices"]["bleeding"]["unlikely"] <= 0.1
