"""Types of lesions are fitted from features that `ichor evaluate` wrote."""

import csv
import json

import numpy as np
import pytest

from training import lesion_types

NAMES = ["log_area", "depth_median", "inside_share"]


def lesions(count: int = 200, informative: bool = True) -> lesion_types.Lesions:
    """Lesions of all types, four per patient; the first feature shows the type if `informative`."""
    random = np.random.default_rng(3)
    types = np.arange(count) % 5
    features = random.normal(size=(count, 2))
    features[:, 0] += 6 * types * informative
    patients = np.array([f"p{number // 20}" for number in range(count)])
    return lesion_types.Lesions(
        sets=np.full(count, "ct-ich-types"),
        patients=patients,
        slices=np.arange(count).astype(str),
        own=np.full(count, True),
        types=types,
        area_px=np.full(count, 500),
        in_first_window=np.full(count, True),
        features=features,
        names=NAMES[:2],
    )


def test_a_type_that_the_features_show_is_found_in_patients_that_were_left_out():
    some = lesions()
    scores = lesion_types.cross_validate(some, lesion_types.fit_linear)
    assert lesion_types.figures_of(some, scores)["five_types"]["low"] > 0.3, "0.2 by chance"
    built = lesion_types.build(some)
    assert built["classes"][0]["assessed"] and built["classes"][4]["assessed"]


def test_a_type_that_the_features_do_not_show_is_not_assessed():
    built = lesion_types.build(lesions(informative=False))
    assert not all(of_class["assessed"] for of_class in built["classes"])


def test_no_patient_is_scored_by_a_model_that_was_fitted_on_this_patient():
    some, seen = lesions(), []

    def fit(part):
        seen.append(set(part.patients))
        return lambda features: np.zeros((len(features), 5))

    lesion_types.cross_validate(some, fit)
    assert all(len(part) == len(set(some.patients)) - 1 for part in seen)


def test_the_deep_part_is_that_of_one_set_and_type():
    some = lesions(20)
    some.features[:, 1] = np.where(np.arange(20) < 10, lesion_types.DEEP, lesion_types.DEEP - 0.01)
    deep = lesion_types.deep_part(some, "ct-ich-types", "EDH")
    assert (deep["value"], deep["lesions"]) == (0.5, 4)
    assert lesion_types.deep_part(some, "phe-sich-types", "IPH")["value"] is None


def test_every_type_weighs_the_same():
    some = lesions().select(np.arange(200) > 90)
    weights = lesion_types.weigh(some)
    assert np.allclose([weights[some.types == number].sum() for number in range(5)], 0.2)


def write(path, rows):
    path.parent.mkdir(parents=True)
    columns = "patient,slice,image,outline,area_px,type,type_share,overlap,slice_types".split(",") + NAMES
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(dict(dict.fromkeys(columns, 0), **row) for row in rows)


def test_lesions_without_a_clear_type_are_left_out(tmp_path):
    row = {"patient": 1, "image": "i.png", "outline": "own", "type": "IVH", "type_share": 1, "overlap": 0.5}
    unclear = [{"type": ""}, {"type_share": 0.5}, {"overlap": 0.05}]
    write(tmp_path / "ct-ich-types" / "lesions.csv", [row, row | {"overlap": ""}, *(row | other for other in unclear)])
    some = lesion_types.read(tmp_path)
    assert some.types.tolist() == [4, 4] and some.names == NAMES[:2], "inside_share names the hospital"


def test_of_phe_sich_only_the_largest_lesion_of_a_slice_is_taken(tmp_path):
    row = {"patient": 1, "slice": 3, "image": "i.png", "outline": "own", "type": "IPH", "type_share": 1, "overlap": 1}
    write(tmp_path / "phe-sich-types" / "lesions.csv", [row | {"area_px": 900}, row | {"area_px": 200}])
    assert lesion_types.read(tmp_path).area_px.tolist() == [900]


def test_types_are_added_to_a_model_and_replace_earlier_ones(tmp_path):
    (tmp_path / "model.json").write_text(json.dumps({"name": "m", "lesion_types": 0, "metrics": {}}))
    lesion_types.add({"temperature": 1}, tmp_path)
    spec = json.loads((tmp_path / "model.json").read_text())
    assert list(spec) == ["name", "lesion_types", "metrics"] and spec["lesion_types"] == {"temperature": 1}


def test_probabilities_add_up_to_one():
    assert lesion_types.softmax(np.array([[1.0, 2, 3, 4, 900]])).sum() == pytest.approx(1)


def test_fits_are_compared_by_the_features_that_they_use():
    some = lesions()
    some.names = ["inside_share", "depth_median"]
    table = lesion_types.compare(some)
    assert table["all features, ridge 1"]["five_types"] > table["without inside_share, ridge 1"]["five_types"]
