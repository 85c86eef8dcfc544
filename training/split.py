"""Training, validation and test patients: folds, 80/20 and again 80/20, or all in training.

Neighbouring slices of a patient are nearly equal. A split by slice therefore scores memory; `split_by_slice` exists only
to measure the effect of this leak, and prints a warning.
"""

import sys

import numpy as np

PARTS = ("train", "validation", "test")
SUBTYPES = ("epidural", "subdural", "subarachnoid", "intraparenchymal", "intraventricular")
FOLDS = 5
LEAK = "warning: slice-wise split: slices of one patient fall on both sides; figures are inflated"


def rows_by_patient(rows: list[dict]) -> dict[str, list[dict]]:
    """{patient: its rows}."""
    patients: dict[str, list[dict]] = {}
    for row in rows:
        patients.setdefault(row["patient"], []).append(row)
    return patients


def stratum(rows: list[dict]) -> str:
    """The stratum of one patient: "masked", "positive" (label without mask) or "negative"."""
    positive = [row for row in rows if row["hemorrhage"] == "1"]
    if any(row["mask_known"] == "1" for row in positive):
        return "masked"
    return "positive" if positive else "negative"


def split_names(names: list, rng: np.random.Generator, share: float = 0.2) -> dict[str, list]:
    """Shuffle and divide: `share` of all for test, then `share` of the rest for validation."""
    names = list(rng.permutation(sorted(names)))
    test = round(len(names) * share)
    validation = round((len(names) - test) * share)
    return {
        "test": sorted(names[:test]),
        "validation": sorted(names[test : test + validation]),
        "train": sorted(names[test + validation :]),
    }


def split_by_patient(rows: list[dict], seed: int) -> dict[str, list[str]]:
    """Patients of each part, divided by stratum; equal for the same seed."""
    strata: dict[str, list[str]] = {}
    for name, of_patient in rows_by_patient(rows).items():
        strata.setdefault(stratum(of_patient), []).append(name)
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    for number, key in enumerate(sorted(strata)):
        dealt = split_names(strata[key], np.random.default_rng([seed, number]))
        for part in PARTS:
            parts[part] += dealt[part]
    return {part: sorted(map(str, names)) for part, names in parts.items()}


def subtype(rows: list[dict]) -> str:
    """The hemorrhage type of most slices of one patient; empty without labels."""
    counts = {name: sum(row.get(name) == "1" for row in rows) for name in SUBTYPES}
    most = max(counts, key=counts.get)
    return most if counts[most] else ""


def folds(rows: list[dict], seed: int, count: int = FOLDS) -> list[list[str]]:
    """Patients of each fold, distributed in turn by stratum and type.

    Each stratum continues where the last one stopped, so that the folds have equal sizes.
    """
    strata: dict[tuple, list[str]] = {}
    for name, of_patient in rows_by_patient(rows).items():
        strata.setdefault((stratum(of_patient), subtype(of_patient)), []).append(name)
    rng, dealt = np.random.default_rng(seed), []
    for key in sorted(strata):
        dealt += list(map(str, rng.permutation(sorted(strata[key]))))
    return [sorted(dealt[number::count]) for number in range(count)]


def split_by_fold(rows: list[dict], seed: int, number: int, count: int = FOLDS) -> dict[str, list[str]]:
    """Fold `number` of `count` is validation, the others are training; no test part."""
    held = folds(rows, seed, count)
    validation = held.pop(number)
    return {"train": sorted(sum(held, [])), "validation": validation, "test": []}


def hold_out_all(rows: list[dict], seed: int) -> dict[str, list[str]]:
    """All patients are validation: a set to choose by."""
    return {"train": [], "validation": sorted(rows_by_patient(rows)), "test": []}


def choosing_part(rows: list[dict], seed: int, share: float = 0.4) -> dict[str, list[str]]:
    """`share` of the patients of each stratum is validation, the rest training; for sets too small for a test part."""
    strata: dict[str, list[str]] = {}
    for name, of_patient in rows_by_patient(rows).items():
        strata.setdefault(stratum(of_patient), []).append(name)
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    for number, key in enumerate(sorted(strata)):
        names = list(map(str, np.random.default_rng([seed, number]).permutation(sorted(strata[key]))))
        count = round(len(names) * share)
        parts["validation"] += names[:count]
        parts["train"] += names[count:]
    return {part: sorted(names) for part, names in parts.items()}


def train_all(rows: list[dict], seed: int) -> dict[str, list[str]]:
    """All patients are training: for the released model, whose recipe the folds have measured."""
    return {"train": sorted(rows_by_patient(rows)), "validation": [], "test": []}


def slice_key(row: dict) -> str:
    """Name of one slice in a split by slice; no patient name has a slash."""
    return f"{row['patient']}/{row['slice']}"


def slices_as_patients(rows: list[dict]) -> list[dict]:
    """The rows with every slice as its own patient; prints the warning that a split of them leaks."""
    print(LEAK, file=sys.stderr)
    return [row | {"patient": slice_key(row)} for row in rows]


def split_by_slice(rows: list[dict], seed: int) -> dict[str, list[str]]:
    """Slice keys of each part, with patients in several parts; prints the warning to standard error."""
    dealt = split_names([row["patient"] for row in slices_as_patients(rows)], np.random.default_rng(seed))
    return {part: list(map(str, dealt[part])) for part in PARTS}


# Values of "split" in a configuration.
SPLITS = {
    "folds": train_all, "patient": split_by_patient, "slice": split_by_slice,
    "everybody": train_all, "choosing": choosing_part, "held_out": hold_out_all,
}  # fmt: skip
