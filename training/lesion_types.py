"""The type of a lesion from its features: `lesion_types` of model.json.

`python -m training.lesion_types LAYOUT --ichor ICHOR --model models/deeplabv3 --output DIR [--add]`

LAYOUT is what `training.layout` wrote. `ichor evaluate --grid --alone --output` measures the lesions of the sets with types
there, those of the true masks and those that the model outlines; no feature is computed here. A multinomial logistic
regression is fitted, cross-validated by patient, and written to DIR/lesion_types.json; with --add also to model.json.
"""

import argparse
import csv
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from training import spec
from training.bootstrap import resample_patients
from training.figures import auc

# Those of the slice head after "any".
TYPES, NAMES = zip(*spec.CLASSES[1:])
EXTRA_AXIAL = (0, 1, 2)
SETS = ("rsna-masks", "ct-ich-types", "phe-sich-types", "rsna", "synthetic")
# Columns of lesions.csv before the features.
FACTS = 9
# A lesion of the model has the type of the labels that it overlaps, if these parts of it agree.
MIN_TYPE_SHARE, MIN_OVERLAP = 0.6, 0.1
# Figures are for lesions of at least this area, pixels of the grid.
MIN_AREA_PX = 100
# Weight of the lesions of a set. PHE-SICH has one kind of bleed, from many patients.
SET_WEIGHTS = {"phe-sich-types": 0.05}
# A slice of `rsna-masks` is shown in several windows; the first is that of the network.
FIRST_WINDOW = "_40_120.png"
RIDGE = 3.0
# How much of the grid the head fills differs between hospitals: with it, a fit names the hospital.
EXCLUDED = ("inside_share",)
FOLDS, REPEATS, SAMPLES = 10, 3, 1000
# Smallest median depth of a lesion that is reported as deep, as in crates/ichor-core/src/lesion/location.rs.
DEEP = 0.35
MAX_DEVIATION = 4.0


@dataclass
class Lesions:
    """N lesions; `features` is [N, F]."""

    sets: np.ndarray
    patients: np.ndarray
    slices: np.ndarray
    own: np.ndarray
    types: np.ndarray
    area_px: np.ndarray
    in_first_window: np.ndarray
    features: np.ndarray
    names: list[str]

    def select(self, chosen: np.ndarray) -> "Lesions":
        """Those where `chosen` is true."""
        kept = {name: value[chosen] for name, value in vars(self).items() if name != "names"}
        return Lesions(**kept, names=self.names)


def measure(layout: Path, ichor: Path, model: Path, output: Path) -> None:
    """Write output/<set>/lesions.csv for every set with types in `layout`."""
    for name in SETS:
        if (layout / name).is_dir():
            command = [ichor, "evaluate", layout / name, "--models", model.parent, "--model", model.name]
            options = ["--grid", "--alone", "--json", "--output", output / name]
            subprocess.run(list(map(str, command + options)), check=True, stdout=subprocess.DEVNULL)


def has_known_type(row: dict) -> bool:
    """Whether the type of a lesion can be taken from its labels."""
    is_clear = row["type"] != "" and float(row["type_share"]) >= MIN_TYPE_SHARE
    return is_clear and (row["overlap"] == "" or float(row["overlap"]) >= MIN_OVERLAP)


def read(folder: Path, excluded: tuple = EXCLUDED) -> Lesions:
    """The lesions of known type of all sets in `folder`.

    Of PHE-SICH the largest lesion of a slice: others may lie in a ventricle. Of a slice shown in several windows, all.
    """
    rows, features, names = [], [], []
    for path in (folder / name / "lesions.csv" for name in SETS):
        if not path.exists():
            continue
        with open(path, newline="") as file:
            reader = csv.DictReader(file)
            names = list(reader.fieldnames or [])[FACTS:]
            seen = set()
            for row in reader:
                key = row["slice"], row["patient"], row["outline"]
                is_repeated = path.parent.name == "phe-sich-types" and key in seen
                seen.add(key)
                if has_known_type(row) and not is_repeated:
                    rows.append((path.parent.name, row))
                    features.append([float(row[name]) for name in names])

    def of(value) -> np.ndarray:
        return np.array([value(name, row) for name, row in rows])

    columns = [number for number, name in enumerate(names) if name not in excluded]
    return Lesions(
        sets=of(lambda name, row: name),
        patients=of(lambda name, row: f"{name}/{row['patient']}"),
        slices=of(lambda name, row: f"{name}/{row['image'].rsplit('_', 2)[0] if name == 'rsna-masks' else row['image']}"),
        own=of(lambda name, row: row["outline"] == "own"),
        types=of(lambda name, row: TYPES.index(row["type"])),
        area_px=of(lambda name, row: int(row["area_px"])),
        in_first_window=of(lambda name, row: name != "rsna-masks" or row["image"].endswith(FIRST_WINDOW)),
        features=np.array(features)[:, columns],
        names=[names[number] for number in columns],
    )


def weigh(lesions: Lesions) -> np.ndarray:
    """[N] weights: the lesions of one slice share a weight that grows with the root of their number; then every type the same."""
    _, slice_of, count = np.unique(lesions.slices, return_inverse=True, return_counts=True)
    weights = np.array([SET_WEIGHTS.get(name, 1.0) for name in lesions.sets]) / np.sqrt(count[slice_of])
    for number in range(len(TYPES)):
        chosen = lesions.types == number
        if chosen.any():
            weights[chosen] /= weights[chosen].sum()
    return weights / weights.sum()


def fit_logistic(features: np.ndarray, types: np.ndarray, weights: np.ndarray, ridge: float) -> dict:
    """Means, scales, intercepts [5] and coefficients [5, F] that minimize the weighted log loss plus the ridge."""
    mean = weights @ features
    scale = np.sqrt(weights @ (features - mean) ** 2) + 1e-6
    x = np.clip((features - mean) / scale, -MAX_DEVIATION, MAX_DEVIATION)
    target = np.eye(len(TYPES))[types]

    def loss(flat: np.ndarray):
        values = flat.reshape(len(TYPES), -1)
        logits = x @ values[:, 1:].T + values[:, 0]
        logits -= logits.max(1, keepdims=True)
        total = np.log(np.exp(logits).sum(1))
        probabilities = np.exp(logits - total[:, None])
        gap = weights[:, None] * (probabilities - target)
        gradient = np.concatenate([gap.sum(0)[:, None], gap.T @ x + ridge * values[:, 1:] / x.shape[1]], axis=1)
        cost = weights @ (total - (target * logits).sum(1)) + ridge / 2 * (values[:, 1:] ** 2).sum() / x.shape[1]
        return cost, gradient.ravel()

    start = np.zeros(len(TYPES) * (x.shape[1] + 1))
    values = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000}).x.reshape(len(TYPES), -1)
    return {"mean": mean, "scale": scale, "intercept": values[:, 0], "coefficients": values[:, 1:]}


def logits_of(model: dict, features: np.ndarray) -> np.ndarray:
    """[N, 5]."""
    x = np.clip((features - model["mean"]) / model["scale"], -MAX_DEVIATION, MAX_DEVIATION)
    return x @ model["coefficients"].T + model["intercept"]


def softmax(logits: np.ndarray) -> np.ndarray:
    """[N, 5] probabilities."""
    parts = np.exp(logits - logits.max(1, keepdims=True))
    return parts / parts.sum(1, keepdims=True)


def fit_temperature(logits: np.ndarray, types: np.ndarray, weights: np.ndarray) -> float:
    """The divisor of the logits with the smallest log loss."""
    grid = np.exp(np.linspace(np.log(0.5), np.log(4), 60))
    cost = [-(weights @ np.log(softmax(logits / t)[np.arange(len(types)), types] + 1e-9)) for t in grid]
    return float(grid[int(np.argmin(cost))])


def cross_validate(lesions: Lesions, fit, seed: int = 0) -> np.ndarray:
    """[N, 5] scores of each lesion, by a model fitted without its patient; `fit(lesions)` returns a function of features."""
    patients = np.unique(lesions.patients)
    fold_of = dict(zip(np.random.default_rng(seed).permutation(patients), np.arange(len(patients)) % FOLDS))
    folds = np.array([fold_of[patient] for patient in lesions.patients])
    scores = np.zeros((len(lesions.types), len(TYPES)))
    for fold in range(FOLDS):
        held_out = folds == fold
        if held_out.any():
            scores[held_out] = fit(lesions.select(~held_out))(lesions.features[held_out])
    return scores


def with_interval(values: np.ndarray, patients: np.ndarray, seed: int = 0) -> dict:
    """Mean of values per lesion, and its 95 % interval by bootstrap over patients."""
    if not len(values):
        return {"value": None, "low": None, "high": None, "lesions": 0, "patients": 0}
    _, patient_of = np.unique(patients, return_inverse=True)
    sums, counts = np.bincount(patient_of, values), np.bincount(patient_of)
    drawn = np.random.default_rng(seed).integers(len(counts), size=(SAMPLES, len(counts)))
    low, high = np.quantile(sums[drawn].sum(1) / counts[drawn].sum(1), (0.025, 0.975))
    figures = {"value": values.mean(), "low": low, "high": high}
    return {name: round(float(value), 3) for name, value in figures.items()} | {
        "lesions": len(values),
        "patients": len(counts),
    }


def figures_of(lesions: Lesions, scores: np.ndarray) -> dict:
    """Accuracy over five types, outside the brain or not, and the share of each type that is named right."""
    named = scores.argmax(1)
    outside = softmax(scores)[:, EXTRA_AXIAL].sum(1) > 0.5
    is_outside = np.isin(lesions.types, EXTRA_AXIAL)
    figures = {
        "five_types": with_interval(named == lesions.types, lesions.patients),
        "extra_axial": with_interval(outside == is_outside, lesions.patients),
    }
    for number, code in enumerate(TYPES):
        chosen = lesions.types == number
        figures[code] = with_interval((named == number)[chosen], lesions.patients[chosen])
        called = named == number
        figures[f"{code}_precision"] = with_interval((lesions.types == number)[called], lesions.patients[called])
    return figures


def choose_measured(lesions: Lesions, own: bool, sets: tuple = SETS) -> np.ndarray:
    """Which lesions figures are computed from: of one outline and these sets, large enough, in one window per slice."""
    is_large = lesions.area_px >= MIN_AREA_PX
    return (lesions.own == own) & is_large & lesions.in_first_window & np.isin(lesions.sets, sets)


def curve_with_interval(is_type: np.ndarray, scores: np.ndarray, patients: np.ndarray, seed: int = 0) -> dict:
    """Area under the ROC curve, and its 95 % interval by bootstrap over patients."""
    drawn = [auc(is_type[chosen], scores[chosen]) for chosen in resample_patients(patients, SAMPLES // 4, seed)]
    known = np.array(drawn)[~np.isnan(drawn)]
    low, high = np.quantile(known, (0.025, 0.975)) if len(known) else (0.0, 1.0)
    value = auc(is_type, scores)
    value = 0.0 if np.isnan(value) else value
    return {"value": round(value, 3), "low": round(float(low), 3), "high": round(float(high), 3)}


def fit_linear(lesions: Lesions):
    """The fit of the shipped types, for `cross_validate`."""
    model = fit_logistic(lesions.features, lesions.types, weigh(lesions), RIDGE)
    return lambda features: logits_of(model, features)


# Groups of lesions that figures are given for. PHE-SICH has one type only, from one kind of patient: that a bleed is named
# right there says little about the others.
MEASURED = {
    "own_all_sets": (True, SETS),
    "own_without_phe_sich": (True, tuple(name for name in SETS if name != "phe-sich-types")),
    "true_without_phe_sich": (False, tuple(name for name in SETS if name != "phe-sich-types")),
}


# Lesions whose depth is known from their type: of PHE-SICH all are of the basal ganglia or near them.
MEASURED_DEPTHS = (("phe-sich-types", "IPH"), ("ct-ich-types", "EDH"), ("ct-ich-types", "SDH"))


def deep_part(lesions: Lesions, name: str, code: str) -> dict:
    """The part of the lesions of one set and type that is reported as deep, with its interval."""
    chosen = (lesions.sets == name) & (lesions.types == TYPES.index(code))
    depth = lesions.features[chosen, lesions.names.index("depth_median")]
    return with_interval((depth >= DEEP).astype(float), lesions.patients[chosen])


def build(lesions: Lesions) -> dict:
    """`lesion_types` of model.json, with its cross-validated figures.

    A type is assessed if the interval of its area under the ROC curve, on the model's own lesions outside PHE-SICH, lies
    above 0.5.
    """
    runs = [cross_validate(lesions, fit_linear, seed) for seed in range(REPEATS)]
    scores = np.mean(runs, axis=0)
    weights = weigh(lesions) * lesions.own
    temperature = fit_temperature(scores, lesions.types, weights / weights.sum())
    figures = {}
    for name, (own, sets) in MEASURED.items():
        chosen = choose_measured(lesions, own, sets)
        figures[name] = figures_of(lesions.select(chosen), scores[chosen])
    chosen = choose_measured(lesions, *MEASURED["own_without_phe_sich"])
    some, probabilities = lesions.select(chosen), softmax(scores[chosen] / temperature)
    curves = {
        code: curve_with_interval(some.types == number, probabilities[:, number], some.patients)
        for number, code in enumerate(TYPES)
    }
    is_outside, outside = np.isin(some.types, EXTRA_AXIAL), probabilities[:, EXTRA_AXIAL].sum(1)
    curves["extra_axial"] = curve_with_interval(is_outside, outside, some.patients)
    measured = lesions.select(choose_measured(lesions, own=True))
    figures["deep"] = {f"{name}_{code}": deep_part(measured, name, code) for name, code in MEASURED_DEPTHS}
    model = fit_logistic(lesions.features, lesions.types, weigh(lesions), RIDGE)
    rounded = lambda value: float(f"{value:.6g}")  # noqa: E731
    return {
        "features": [
            {"name": name, "mean": rounded(mean), "scale": rounded(scale)}
            for name, mean, scale in zip(lesions.names, model["mean"], model["scale"])
        ],
        "classes": [
            {
                "code": code,
                "name": NAMES[number],
                "intercept": rounded(model["intercept"][number]),
                "coefficients": [rounded(value) for value in model["coefficients"][number]],
                "assessed": curves[code]["low"] > 0.5,
            }
            for number, code in enumerate(TYPES)
        ],
        "temperature": rounded(temperature),
        "extra_axial_assessed": curves["extra_axial"]["low"] > 0.5,
        "figures": {"auc_own_without_phe_sich": curves, **figures},
    }


# What is compared: features that are left out, and the ridge.
OF_SLICE = ("inside_share", "inside_shape", "area_part", "other_lesions")
VARIANTS = {
    "all features, ridge 1": ((), 1.0),
    "all features, ridge 3": ((), 3.0),
    "without inside_share, ridge 1": (("inside_share",), 1.0),
    "without inside_share, ridge 3": (("inside_share",), 3.0),
    "without inside_share, area_part, other_lesions, ridge 1": (("inside_share", "area_part", "other_lesions"), 1.0),
    "without features of the slice, ridge 1": (OF_SLICE, 1.0),
    "without features of the slice and grey level, ridge 1": ((*OF_SLICE, "grey_mean", "grey_sd"), 1.0),
}


def compare(lesions: Lesions) -> dict:
    """{variant: figures}: five types, extra-axial or not, and mean over types, on own lesions outside PHE-SICH.

    `only_<set>` are five types and extra-axial or not on the own and the true lesions of one set, by a fit without this set.
    """
    own, sets = MEASURED["own_without_phe_sich"]
    table = {}
    for name, (left_out, ridge) in VARIANTS.items():
        columns = [number for number, feature in enumerate(lesions.names) if feature not in left_out]

        def fit(part: Lesions, columns=columns, ridge=ridge):
            model = fit_logistic(part.features[:, columns], part.types, weigh(part), ridge)
            return lambda features: logits_of(model, features[:, columns])

        scores = np.mean([cross_validate(lesions, fit, seed) for seed in range(REPEATS)], axis=0)
        chosen = choose_measured(lesions, own, sets)
        figures = figures_of(lesions.select(chosen), scores[chosen])
        row = {key: figures[key]["value"] for key in ("five_types", "extra_axial")}
        known = [figures[code]["value"] for code in TYPES if figures[code]["value"] is not None]
        row["mean_over_types"] = round(float(np.mean(known)), 3)
        for other in ("rsna-masks", "ct-ich-types"):
            chosen = choose_measured(lesions, True, (other,)) | choose_measured(lesions, False, (other,))
            if chosen.any() and (lesions.sets != other).any():
                some, scores_of_set = lesions.select(chosen), fit(lesions.select(lesions.sets != other))
                of_set = figures_of(some, scores_of_set(some.features))
                row[f"only_{other}"] = [of_set[key]["value"] for key in ("five_types", "extra_axial")]
        table[name] = row
    return table


def add(types: dict, model: Path) -> None:
    """Write `types` into the model.json of a released folder, before its metrics."""
    path = model / "model.json"
    released = json.loads(path.read_text())
    released.pop("lesion_types", None)
    items = list(released.items())
    place = [name for name, _ in items].index("metrics")
    items.insert(place, ("lesion_types", types))
    path.write_text(json.dumps(dict(items), indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("layout", type=Path)
    parser.add_argument("--ichor", type=Path, help="the program; without it, DIR holds lesions that it measured before")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--add", action="store_true", help="write lesion_types into model.json of --model")
    parser.add_argument("--compare", action="store_true", help="print what other fits reach, and write nothing")
    options = parser.parse_args()
    if options.ichor:
        measure(options.layout, options.ichor, options.model, options.output)
    if options.compare:
        for name, row in compare(read(options.output, ())).items():
            print(f"{name:<55} {row}")
        return
    types = build(read(options.output))
    (options.output / "lesion_types.json").write_text(json.dumps(types, indent=2) + "\n")
    if options.add:
        add(types, options.model)
    for name, of in types["figures"].items():
        for figure, value in of.items():
            print(f"{name:<26} {figure:<14} {value['value']} [{value['low']}, {value['high']}] {value.get('lesions', '')}")


if __name__ == "__main__":
    main()
