"""A patient must never be on two sides, and the same seed must deal the same cards."""

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


def test_no_patient_crosses_the_split():
    parts = split.by_patient(rows(), seed=0)
    together = [name for part in split.PARTS for name in parts[part]]
    assert len(together) == len(set(together)) == 50


def test_parts_are_80_20_and_80_20_of_every_stratum():
    given = rows(60)
    parts = split.by_patient(given, seed=3)
    assert [len(parts[part]) for part in split.PARTS] == [39, 9, 12]
    for remainder in range(3):
        share = [sum(int(name) % 3 == remainder for name in parts[part]) for part in split.PARTS]
        assert share == [13, 3, 4]


def test_same_seed_same_split_whatever_the_order_of_rows():
    assert split.by_patient(rows(), 5) == split.by_patient(rows()[::-1], 5)
    assert split.by_patient(rows(), 5) != split.by_patient(rows(), 6)


def test_slice_wise_split_warns_of_the_leak(capsys):
    given = rows()
    parts = split.by_slice(given, seed=0)
    assert "leak" in split.LEAK or "inflated" in split.LEAK
    assert split.LEAK in capsys.readouterr().err
    assert sorted(sum(parts.values(), [])) == sorted(split.slice_key(row) for row in given)
    sides = [{key.split("/")[0] for key in parts[part]} for part in ("train", "test")]
    assert sides[0] & sides[1], "the warning would be wrong if no patient crossed"


def test_with_folds_everybody_trains_the_model_that_ships():
    sets = [dataset.Prepared("phantoms", np.zeros(0), np.zeros(0), rows())]
    parts = train.parts_of(sets, {"split_seed": 0, "split": "folds"})["phantoms"]
    assert parts["train"] == sorted({row["patient"] for row in rows()})
    assert not parts["validation"] and not parts["test"]


def test_the_configuration_chooses_the_split(capsys):
    sets = [dataset.Prepared("phantoms", np.zeros(0), np.zeros(0), rows())]
    for choice, leaks in [({}, False), ({"split": "patient"}, False), ({"split": "slice"}, True)]:
        parts = train.parts_of(sets, {"split_seed": 0} | choice)["phantoms"]
        assert (split.LEAK in capsys.readouterr().err) == leaks
        numbers = [sets[0].rows_of(parts[part]) for part in split.PARTS]
        assert sorted(sum(numbers, [])) == list(range(len(sets[0].rows)))
        patients = [{sets[0].rows[row]["patient"] for row in part} for part in numbers]
        assert bool(patients[0] & patients[2]) == leaks


def test_choosing_keeps_a_share_of_every_stratum_and_held_out_everybody():
    parts = split.choosing(rows(), 0)
    assert not set(parts["train"]) & set(parts["validation"])
    assert set(parts["train"]) | set(parts["validation"]) == set(split.by_name(rows()))
    strata = {name: split.stratum(some) for name, some in split.by_name(rows()).items()}
    for kind in set(strata.values()):
        names = [name for name in strata if strata[name] == kind]
        assert sum(name in parts["validation"] for name in names) == round(0.4 * len(names))
    assert split.held_out(rows(), 0)["train"] == []


def test_each_set_can_have_a_split_of_its_own():
    sets = [dataset.Prepared(name, np.zeros(0), np.zeros(0), rows()) for name in ("one", "other")]
    parts = train.parts_of(sets, {"split": {"one": "everybody", "*": "held_out"}, "split_seed": 0})
    assert parts["one"]["train"] == parts["other"]["validation"] != []
