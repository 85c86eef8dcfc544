"""No patient is in two parts, and the same seed gives the same parts."""

import numpy as np

from training import dataset, split, train


def rows(patients=50):
    made = []
    for patient in range(patients):
        kind = ("masked", "positive", "negative")[patient % 3]
        for number in range(4):
            bleeds = kind != "negative" and number == 2
            made.append(
                {
                    "patient": f"{patient:03d}",
                    "slice": str(number),
                    "hemorrhage": "1" if bleeds else "0",
                    "mask_known": "0" if bleeds and kind == "positive" else "1",
                }
            )
    return made


def test_no_patient_is_in_two_parts():
    parts = split.split_by_patient(rows(), seed=0)
    together = [name for part in split.PARTS for name in parts[part]]
    assert len(together) == len(set(together)) == 50


def test_parts_are_80_20_and_80_20_of_every_stratum():
    given = rows(60)
    parts = split.split_by_patient(given, seed=3)
    assert [len(parts[part]) for part in split.PARTS] == [39, 9, 12]
    for remainder in range(3):
        share = [sum(int(name) % 3 == remainder for name in parts[part]) for part in split.PARTS]
        assert share == [13, 3, 4]


def test_the_split_depends_on_the_seed_and_not_on_the_order_of_rows():
    assert split.split_by_patient(rows(), 5) == split.split_by_patient(rows()[::-1], 5)
    assert split.split_by_patient(rows(), 5) != split.split_by_patient(rows(), 6)


def test_slice_wise_split_warns_of_the_leak(capsys):
    given = rows()
    parts = split.split_by_slice(given, seed=0)
    assert "leak" in split.LEAK or "inflated" in split.LEAK
    assert split.LEAK in capsys.readouterr().err
    assert sorted(sum(parts.values(), [])) == sorted(split.slice_key(row) for row in given)
    sides = [{key.split("/")[0] for key in parts[part]} for part in ("train", "test")]
    assert sides[0] & sides[1], "the warning would be wrong if no patient crossed"


def test_with_folds_all_patients_train_the_released_model():
    sets = [dataset.PreparedSet("phantoms", np.zeros(0), np.zeros(0), rows())]
    parts = train.split_sets(sets, {"split_seed": 0, "split": "folds"})["phantoms"]
    assert parts["train"] == sorted({row["patient"] for row in rows()})
    assert not parts["validation"] and not parts["test"]


def test_the_configuration_chooses_the_split(capsys):
    sets = [dataset.PreparedSet("phantoms", np.zeros(0), np.zeros(0), rows())]
    for choice, leaks in [({}, False), ({"split": "patient"}, False), ({"split": "slice"}, True)]:
        parts = train.split_sets(sets, {"split_seed": 0} | choice)["phantoms"]
        assert (split.LEAK in capsys.readouterr().err) == leaks
        numbers = [sets[0].rows_of(parts[part]) for part in split.PARTS]
        assert sorted(sum(numbers, [])) == list(range(len(sets[0].rows)))
        patients = [{sets[0].rows[row]["patient"] for row in part} for part in numbers]
        assert bool(patients[0] & patients[2]) == leaks


def test_choosing_keeps_a_share_of_every_stratum_and_held_out_all():
    parts = split.choosing_part(rows(), 0)
    assert not set(parts["train"]) & set(parts["validation"])
    assert set(parts["train"]) | set(parts["validation"]) == set(split.rows_by_patient(rows()))
    strata = {name: split.stratum(some) for name, some in split.rows_by_patient(rows()).items()}
    for kind in set(strata.values()):
        names = [name for name in strata if strata[name] == kind]
        assert sum(name in parts["validation"] for name in names) == round(0.4 * len(names))
    assert split.hold_out_all(rows(), 0)["train"] == []


def test_each_set_can_have_its_own_split():
    sets = [dataset.PreparedSet(name, np.zeros(0), np.zeros(0), rows()) for name in ("one", "other")]
    parts = train.split_sets(sets, {"split": {"one": "everybody", "*": "held_out"}, "split_seed": 0})
    assert parts["one"]["train"] == parts["other"]["validation"] != []
