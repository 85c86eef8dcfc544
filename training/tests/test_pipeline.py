"""Batches, offline expansion, continued runs and `model.json`, on generated tensors."""

import copy
import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from training import dataset, phantom, pipeline, pseudo, spec, train
from training.batches import Batches

CONFIG = json.loads((Path(pipeline.HERE) / "config" / "unet.json").read_text())


def test_a_batch_has_all_kinds_and_no_mask_for_weak_slices(prepared):
    config = pipeline.smoke_config(CONFIG)
    batch = Batches([prepared], train.split_sets([prepared], config), config, 0).next_batch(64)
    assert batch["image"].shape == (6, 1, 64, 64) and batch["labels"].shape == (6, 6)
    assert batch["mask_known"].tolist() == [1, 1, 1, 0, 1, 1]
    assert batch["mask"][:3].sum(dim=(1, 2, 3)).min() > 0 and batch["mask"][3].sum() == 0
    assert (batch["labels"][:, 1:] == dataset.UNKNOWN).all()


def test_the_skull_turns_with_the_slice(prepared):
    config = pipeline.smoke_config(CONFIG)
    config["augment"] |= {"copy_paste": 0, "synthetic_lesions": 0}
    prepared.within = prepared.masks[:]
    batches = Batches([prepared], train.split_sets([prepared], config), config, 0)
    outlined = [row for row in batches.training_rows("phantom") if prepared.kind(row) == "masked"]
    for row in outlined:
        moved = batches.vary("phantom", batches.read("phantom", row), 48)
        assert moved.mask.any() and np.array_equal(moved.inside == 1, moved.mask == 1)
    batch = batches.next_batch(64)
    assert torch.equal(batch["inside"][:3], batch["mask"][:3] == 1)


def test_offline_expansion_uses_training_patients_only(prepared):
    config = pipeline.smoke_config(CONFIG)
    parts = train.split_sets([prepared], config)
    copies = Batches([prepared], parts, config, 0).offline
    patients = {prepared.rows[row]["patient"] for _, row in copies}
    assert copies and patients <= set(parts["phantom"]["train"])
    assert all(len(made) == 1 for made in copies.values())
    config["augment"]["offline"] = None
    assert Batches([prepared], parts, config, 0).offline == {}


def test_same_seed_draws_the_same_batch(prepared):
    config = pipeline.smoke_config(CONFIG)
    parts = train.split_sets([prepared], config)
    first, again = (Batches([prepared], parts, config, 7).next_batch(32) for _ in range(2))
    assert torch.equal(first["image"], again["image"])


def test_hard_negatives_are_drawn_more_often(prepared):
    config = pipeline.smoke_config(CONFIG)
    config["augment"] |= {"copy_paste": 0, "synthetic_lesions": 0}
    batches = Batches([prepared], train.split_sets([prepared], config), config, 0)
    patients = batches.groups["phantom", "negative"]
    name, rows = next((name, rows) for name, rows in sorted(patients.items()) if len(rows) == 3)
    batches.groups["phantom", "negative"] = {name: rows}
    for _ in range(8):
        batches.update_hardness([("phantom", rows[0]), None, ("phantom", rows[1])], np.array([1.0, 1.0, 0.0]))
    drawn = [batches.draw("phantom", "negative").origin[1] for _ in range(300)]
    assert drawn.count(rows[0]) > 3 * drawn.count(rows[1])


class Outliner(torch.nn.Module):
    """Certain of blood in bright pixels, unsure in a band beside them."""

    def forward(self, image):
        logits = torch.where(image > 1.0, 5.0, -5.0)
        logits[..., 40:44, 40:44] = 0.0
        return logits, torch.zeros(len(image), 6)


def test_only_weak_slices_of_training_patients_get_pseudo_labels(prepared):
    config = pipeline.smoke_config(CONFIG)
    parts = train.split_sets([prepared], config)
    batches = Batches([prepared], parts, config, 0)
    weak = batches.weak_rows()
    assert {prepared.rows[row]["patient"] for _, row in weak} <= set(parts["phantom"]["train"])
    images = np.array(prepared.images)
    images[weak[0][1], 0, 20:30, 20:30] = 3.0
    batches.sets["phantom"] = dataset.PreparedSet("phantom", images, prepared.masks, prepared.rows)
    limits = {"sure": 0.6, "unsure": 0.15, "smallest": 20}
    outlined = pseudo.outline(Outliner(), batches, 64, limits)
    assert list(outlined) == [weak[0]], "without a sure core a slice stays weak"
    mask = outlined[weak[0]]
    assert mask[22:28, 22:28].all() and mask[41, 41] == 255 and mask[5, 5] == 0
    inside = np.ones_like(prepared.masks)
    inside[weak[0][1], 26:, 26:] = 0
    batches.sets["phantom"] = dataset.PreparedSet("phantom", images, prepared.masks, prepared.rows, inside)
    within = pseudo.outline(Outliner(), batches, 64, limits)[weak[0]]
    assert within[22:25, 22:25].all() and not within[26:, 26:].any(), "nor outside the skull"
    batches.pseudo = outlined
    drawn = batches.read(*weak[0])
    assert drawn.mask_known and np.array_equal(drawn.mask, mask)


def test_files_of_unequal_length_are_refused(prepared, tmp_path):
    np.save(tmp_path / "phantom" / "masks.npy", np.zeros((1, 64, 64), np.uint8))
    with pytest.raises(ValueError, match="90 images, 1 masks"):
        dataset.load(tmp_path / "phantom")


def test_a_stopped_run_continues_from_its_checkpoint(prepared, tmp_path):
    config = pipeline.smoke_config(CONFIG)
    config["recipe"] |= {"stages": [[4, 32]], "validate_every": 2}
    parts = train.split_sets([prepared], config)
    train.train(config, [prepared], parts, tmp_path / "run")
    longer = copy.deepcopy(config)
    longer["recipe"]["stages"] = [[6, 32]]
    train.train(longer, [prepared], parts, tmp_path / "run")
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    assert [entry["step"] for entry in history] == list(range(6))
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=False)["hardness"], "what was hard is kept"
    assert (tmp_path / "run" / "curves.png").stat().st_size > 1000


def test_learning_rate_rises_then_falls():
    recipe = {"learning_rate": 1.0, "warmup_steps": 10}
    rates = [train.learning_rate(step, recipe, 100) for step in range(100)]
    assert rates[0] == 0.1 and max(rates) == 1.0 and rates[-1] < 0.03
    again = recipe | {"restarts": [{"at_step": 60, "learning_rate": 0.5}]}
    rates = [train.learning_rate(step, again, 100) for step in range(100)]
    assert max(rates[:60]) == 1.0 and rates[59] < 0.03 and rates[60] == 0.5 == max(rates[60:]) and rates[-1] < 0.03
    twice = recipe | {"restarts": [*again["restarts"], {"at_step": 80, "learning_rate": 0.7}]}
    rates = [train.learning_rate(step, twice, 100) for step in range(100)]
    assert rates[60] == 0.5 and rates[79] < 0.03 and rates[80] == 0.7 == max(rates[60:]) and rates[-1] < 0.03
    assert [train.side_at(step, [[2, 64], [3, 128]]) for step in range(5)] == [64, 64, 128, 128, 128]


def test_spec_marks_unproven_classes_experimental():
    results = {"subtypes": {"any": {"experimental": False}}, "parts": {"ct-ich": {}}}
    built = spec.build_spec(CONFIG, results, "ab")
    flags = {one["code"]: one["experimental"] for one in built["outputs"]["slice"]["classes"]}
    assert not flags.pop("any") and all(flags.values())
    assert built["input"]["shape"] == [1, 1, 256, 256]
    assert spec.round_figure(float("nan")) is None


def test_phantoms_have_the_lesions_of_their_csv(tmp_path):
    phantom.write_phantoms(tmp_path, patients=3)
    rows = list(csv.DictReader(open(tmp_path / "slices.csv")))
    assert len(rows) == 18 and sum(row["hemorrhage"] == "1" for row in rows) == 8
    assert sum(bool(row["mask"]) for row in rows) == 6
    assert all((tmp_path / row["image"]).exists() for row in rows)


def test_an_interrupted_write_keeps_the_checkpoint_before_it(prepared, tmp_path, monkeypatch):
    config = pipeline.smoke_config(CONFIG)
    config["recipe"] |= {"stages": [[2, 32]], "validate_every": 1, "pseudo_labels": {}}
    monkeypatch.setattr(train.slice_head, "fit", lambda *_, **__: None)
    parts, whole, saves = train.split_sets([prepared], config), torch.save, []

    def interrupted(state, path):
        saves.append(path)
        if len(saves) == 2:
            Path(path).write_bytes(b"half a file")
            raise KeyboardInterrupt
        whole(state, path)

    monkeypatch.setattr(torch, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train.train(config, [prepared], parts, tmp_path / "run")
    saved = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=False)
    assert saved["step"] == 1
    monkeypatch.setattr(torch, "save", whole)
    train.train(config, [prepared], parts, tmp_path / "run")
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=False)["step"] == 2


def test_fractional_counts_hold_on_average(prepared):
    config = pipeline.smoke_config(CONFIG)
    batches = Batches([prepared], train.split_sets([prepared], config), config, 0)
    drawn = [batches.round_randomly(1.3) for _ in range(400)]
    assert set(drawn) == {1, 2} and 1.2 < np.mean(drawn) < 1.4 and batches.round_randomly(3) == 3


def test_masks_of_a_coarser_tier_weigh_less(prepared):
    config = pipeline.smoke_config(CONFIG) | {"mask_weights": {"C": 0.5}}
    row = next(number for number in range(len(prepared.rows)) if prepared.kind(number) == "masked")
    again = dataclasses.replace(prepared, rows=[dict(one) for one in prepared.rows])
    again.rows[row]["mask_tier"] = "C"
    batches = Batches([again], train.split_sets([again], config), config, 0)
    assert batches.read("phantom", row).weight == 0.5
    other = next(number for number in range(row + 1, len(again.rows)) if again.kind(number) == "masked")
    assert batches.read("phantom", other).weight == 1.0


def test_mask_and_skull_end_at_the_cut(prepared):
    config = pipeline.smoke_config(CONFIG)
    config["augment"]["picture"] = {"cut_share": 1.0, "cut": 0.3}
    batches = Batches([prepared], train.split_sets([prepared], config), config, 0)
    row = next(number for number in range(len(prepared.rows)) if prepared.kind(number) == "masked")
    inside = [batches.vary("phantom", batches.read("phantom", row), 64).inside for _ in range(20)]
    assert 0.3 < np.mean(inside) < 0.98, "all of the phantom is inside, until it is cut"
