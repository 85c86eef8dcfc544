"""Who trains, who validates, who tests, by patient: folds, 80/20 and 80/20 of the rest, or all train.

A patient's neighbouring slices are near-copies. A slice-wise split therefore scores memory, not
skill; `by_slice` exists only to show what that leak is worth, and warns.
"""

import sys

import numpy as np

PARTS = ("train", "validation", "test")
SUBTYPES = ("epidural", "subdural", "subarachnoid", "intraparenchymal", "intraventricular")
FOLDS = 5
LEAK = "warning: slice-wise split: slices of one patient fall on both sides; figures are inflated"


def by_name(rows: list[dict]) -> dict[str, list[dict]]:
    """The rows of every patient."""
    patients: dict[str, list[dict]] = {}
    for row in rows:
        patients.setdefault(row["patient"], []).append(row)
    return patients


def stratum(rows: list[dict]) -> str:
    """Of one patient: masked, positive (label without mask) or negative."""
    positive = [row for row in rows if row["hemorrhage"] == "1"]
    if any(row["mask_known"] == "1" for row in positive):
        return "masked"
    return "positive" if positive else "negative"


def deal(names: list, rng: np.random.Generator, share: float = 0.2) -> dict[str, list]:
    """Shuffle and cut: `share` of all for the test, then `share` of the rest for validation."""
    names = list(rng.permutation(sorted(names)))
    test = round(len(names) * share)
    validation = round((len(names) - test) * share)
    return {
        "test": sorted(names[:test]),
        "validation": sorted(names[test : test + validation]),
        "train": sorted(names[test + validation :]),
    }


def by_patient(rows: list[dict], seed: int) -> dict[str, list[str]]:
    """Patient names of each part, each stratum dealt apart, the same for the same seed."""
    strata: dict[str, list[str]] = {}
    for name, of_patient in by_name(rows).items():
        strata.setdefault(stratum(of_patient), []).append(name)
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    for number, key in enumerate(sorted(strata)):
        dealt = deal(strata[key], np.random.default_rng([seed, number]))
        for part in PARTS:
            parts[part] += dealt[part]
    return {part: sorted(map(str, names)) for part, names in parts.items()}


def subtype(rows: list[dict]) -> str:
    """Of one patient: the hemorrhage type of most of its slices; empty where none is labelled."""
    counts = {name: sum(row.get(name) == "1" for row in rows) for name in SUBTYPES}
    most = max(counts, key=counts.get)
    return most if counts[most] else ""


def folds(rows: list[dict], seed: int, count: int = FOLDS) -> list[list[str]]:
    """Patients of each fold. Every stratum and type is dealt round the table in turn.

    The dealing goes on where the last stratum stopped, so that the folds stay equally large.
    """
    strata: dict[tuple, list[str]] = {}
    for name, of_patient in by_name(rows).items():
        strata.setdefault((stratum(of_patient), subtype(of_patient)), []).append(name)
    rng, dealt = np.random.default_rng(seed), []
    for key in sorted(strata):
        dealt += list(map(str, rng.permutation(sorted(strata[key]))))
    return [sorted(dealt[number::count]) for number in range(count)]


def by_fold(rows: list[dict], seed: int, number: int, count: int = FOLDS) -> dict[str, list[str]]:
    """Fold `number` of `count` validates, the others train, nobody tests."""
    held = folds(rows, seed, count)
    validation = held.pop(number)
    return {"train": sorted(sum(held, [])), "validation": validation, "test": []}


def held_out(rows: list[dict], seed: int) -> dict[str, list[str]]:
    """Nobody trains: a set to choose by."""
    return {"train": [], "validation": sorted(by_name(rows)), "test": []}


def choosing(rows: list[dict], seed: int, share: float = 0.4) -> dict[str, list[str]]:
    """`share` of the patients of each stratum validates, the others train: for sets too small to spare a test part."""
    strata: dict[str, list[str]] = {}
    for name, of_patient in by_name(rows).items():
        strata.setdefault(stratum(of_patient), []).append(name)
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    for number, key in enumerate(sorted(strata)):
        names = list(map(str, np.random.default_rng([seed, number]).permutation(sorted(strata[key]))))
        count = round(len(names) * share)
        parts["validation"] += names[:count]
        parts["train"] += names[count:]
    return {part: sorted(names) for part, names in parts.items()}


def everybody(rows: list[dict], seed: int) -> dict[str, list[str]]:
    """All train: the model that ships once the folds have told what its recipe is worth."""
    return {"train": sorted(by_name(rows)), "validation": [], "test": []}


def slice_key(row: dict) -> str:
    """Name of one slice in a slice-wise split; no patient name holds the slash."""
    return f"{row['patient']}/{row['slice']}"


def apart(rows: list[dict]) -> list[dict]:
    """The rows as if every slice were a patient of its own: whatever deals them now leaks, and warns."""
    print(LEAK, file=sys.stderr)
    return [row | {"patient": slice_key(row)} for row in rows]


def by_slice(rows: list[dict], seed: int) -> dict[str, list[str]]:
    """Slice keys of each part, patients mixed. Prints the leakage warning to stderr."""
    dealt = deal([row["patient"] for row in apart(rows)], np.random.default_rng(seed))
    return {part: list(map(str, dealt[part])) for part in PARTS}


# What the configuration's "split" names.
SPLITS = {
    "folds": everybody, "patient": by_patient, "slice": by_slice,
    "everybody": everybody, "choosing": choosing, "held_out": held_out,
}  # fmt: skip
