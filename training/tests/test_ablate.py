"""Every variant makes the change in its name; so do the teacher and the steps on slice labels."""

import copy
import json
import shutil
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch

from training import ablate, losses, pipeline, split, train, variants
from training.batches import Batches
from training.teacher import Teacher, reduce_batch

CONFIG = json.loads((Path(pipeline.HERE) / "config" / "unet.json").read_text())


@pytest.mark.parametrize("name", variants.VARIANTS)
def test_ablation_keeps_the_steps_in_order(name):
    variant = variants.VARIANTS[name]
    changed = variants.apply_variant(CONFIG, variant, 128, 5)
    steps = [one["step"] for one in changed["preprocessing"]]
    if added := variant.get("add"):
        assert steps.pop(steps.index("resize") - 1) == added["step"]
    assert steps == [one["step"] for one in CONFIG["preprocessing"] if one["step"] != variant.get("drop")]
    # The unet never had ImageNet weights.
    same = changed == variants.apply_variant(CONFIG, {}, 128, 5)
    assert same == (name in (variants.REFERENCE, "without ImageNet weights"))


def test_a_split_by_slice_leaks_and_a_split_by_patient_does_not(prepared, capsys):
    def crossing(kind):
        parts = ablate.split_fold(prepared, {"split": kind, "split_seed": 0}, 0, 2)
        sides = [{prepared.rows[row]["patient"] for row in prepared.rows_of(parts[one])} for one in ("train", "validation")]
        return sides[0] & sides[1]

    assert not crossing("patient") and split.LEAK not in capsys.readouterr().err
    assert crossing("slice") and split.LEAK in capsys.readouterr().err


@pytest.fixture
def short(prepared, tmp_path, monkeypatch):
    """A configuration, and the arguments of runs of two steps on the prepared phantoms."""
    monkeypatch.setattr(ablate, "prepare", lambda ichor, data, config, folder: shutil.copytree(data, folder))
    config = pipeline.smoke_config(CONFIG)
    config["augment"]["offline"] = None
    return config, Namespace(
        data=[tmp_path / "phantom"], output=tmp_path / "out", ichor=None,
        folds=2, only_folds=None, side=64, steps=2, first=0, teachers=None,
    )  # fmt: skip


def test_variants_continue_from_the_shared_first_steps(prepared, short, tmp_path, monkeypatch):
    config, given = short
    given.first = 3
    trained, original = [], train.train
    monkeypatch.setattr(train, "train", lambda *args: trained.append(args[0]) or original(*args))
    ablate.scores_of("as shipped", config, given)
    ablate.scores_of("without the weak loss", config, given)
    stages = [one["recipe"]["stages"] for one in trained]
    assert stages == [[[3, 64]], [[5, 64]]] * 2 + [[[5, 64]]] * 2, "the first steps of each half run once"
    assert {one["recipe"]["loss"]["weak"] for one in trained[:4]} == {CONFIG["recipe"]["loss"]["weak"]}
    assert trained[4]["recipe"]["loss"]["weak"] == 0
    half = {"at_step": 3, "learning_rate": config["recipe"]["learning_rate"] / 2}
    assert trained[4]["recipe"]["restarts"] == [half] and trained[4]["recipe"]["pseudo_labels"]["at_steps"] == [3]
    saved = tmp_path / "out" / "first-3" / "fold-0" / "checkpoint.pt"
    assert torch.load(saved, weights_only=False)["step"] == 3


def test_a_table_of_two_variants_scores_every_patient_once(prepared, short, tmp_path, monkeypatch):
    config, given = short
    scored = {name: ablate.scores_of(name, config, given) for name in ("as shipped", "without averaged weights")}
    for one in scored.values():
        assert [f"{patient}/{number}" for patient, number in zip(one["phantom"].patient, one["phantom"].number)] == [
            split.slice_key(row) for row in prepared.rows
        ]
    assert len(list((tmp_path / "out" / "prepared").iterdir())) == 1, "the same steps are prepared once"
    monkeypatch.setattr(ablate, "run_folds", None)
    again = ablate.scores_of("as shipped", config, given)["phantom"]
    assert np.array_equal(again.found, scored["as shipped"]["phantom"].found), "results of an earlier run are read back"
    lines = ablate.table(scored, "as shipped").splitlines()
    assert len(lines) == 4 and lines[0].count("|") == 5 and "[" in lines[2] and ": +" in lines[3] or ": -" in lines[3]


class Bright(torch.nn.Module):
    """Predicts blood in bright pixels."""

    def forward(self, image):
        return 10 * (image - 1), image.amax(dim=(2, 3)).expand(-1, 6)


def test_the_teacher_answers_for_the_view_of_the_student(prepared):
    config = pipeline.smoke_config(CONFIG)
    batches = Batches([prepared], train.split_sets([prepared], config), config, 0)
    teacher = Teacher(Bright(), [prepared], {"mask": 1.0, "labels": 1.0})
    batch = teacher.next_batch(batches, 32)
    assert batch["image"].shape == batch["mask"].shape == batch["teacher_mask"].shape == (6, 1, 32, 32)
    bright = batch["image"] > 1.2
    assert bright.any() and batch["teacher_mask"][bright].mean() > 0.8 > batch["teacher_mask"][~bright].mean()
    agreed = torch.logit(batch["teacher_mask"], 1e-4), torch.logit(batch["teacher_labels"], 1e-4)
    assert teacher.loss(agreed, batch) < 0.5 * teacher.loss((-agreed[0], -agreed[1]), batch)
    silent = Teacher(None, [prepared], {}).next_batch(Batches([prepared], train.split_sets([prepared], config), config, 0), 32)
    assert torch.equal(silent["image"], batch["image"]) and "teacher_mask" not in silent
    half = reduce_batch({"image": batch["image"], "mask": batch["mask"], "inside": batch["inside"]}, 16)
    assert half["inside"].dtype == torch.bool and set(half["mask"].unique().tolist()) <= {0.0, 1.0, 255.0}


def test_first_steps_on_slice_labels_do_not_use_the_mask_loss(prepared, tmp_path):
    config = pipeline.smoke_config(CONFIG)
    config["recipe"] |= {"stages": [[2, 32]], "validate_every": 2, "label_steps": 2}
    parts = train.split_sets([prepared], config)
    calls = []
    original = losses.mask_loss
    try:
        losses.mask_loss = lambda *given: calls.append(1) or original(*given)
        train.train(copy.deepcopy(config), [prepared], parts, tmp_path / "labels")
        assert not calls
        train.train(config | {"recipe": config["recipe"] | {"label_steps": 1}}, [prepared], parts, tmp_path / "both")
        assert len(calls) == 1
    finally:
        losses.mask_loss = original
