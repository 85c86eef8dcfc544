"""Each augmentation step moves a marked pixel as its name says."""

import numpy as np
import pytest

from training import transforms

SIDE = 41


def dot(x, y):
    plane = np.zeros((SIDE, SIDE), np.uint8)
    plane[y - 1 : y + 2, x - 1 : x + 2] = 1
    return plane


def centre_of(plane):
    ys, xs = np.nonzero(plane)
    return round(xs.mean()), round(ys.mean())


@pytest.mark.parametrize(
    ("matrix", "where"),
    [
        (np.eye(3), (30, 10)),
        (transforms.horizontal_flip(), (10, 10)),
        (transforms.rotation(90), (30, 30)),
        (transforms.quarter_turn(1), (30, 30)),
        (transforms.quarter_turn(2), (10, 30)),
        (transforms.shift(5 / SIDE, 0), (35, 10)),
        (transforms.shift(0, 5 / SIDE), (30, 15)),
        (transforms.zoom(0.5, 1), (25, 10)),
        (transforms.zoom(1, 0.5), (30, 15)),
        (transforms.shear(45), (20, 10)),
    ],
)
def test_step_moves_the_mark(matrix, where):
    assert centre_of(transforms.warp(dot(30, 10), matrix, SIDE)) == where


def test_outside_the_image_the_edge_is_repeated():
    plane = np.full((SIDE, SIDE), 0.2, np.float32)
    plane[:, 0] = 0.9
    moved = transforms.warp(plane, transforms.shift(0.5, 0), SIDE)
    assert np.allclose(moved[:, :15], 0.9)


def test_identity_at_half_the_size_keeps_the_place():
    plane = np.zeros((64, 64), np.float32)
    plane[16:32, 32:48] = 1
    half = transforms.warp(plane, np.eye(3), 32)
    assert half[8:16, 16:24].mean() > 0.9 and half.sum() < 80


def test_amount_zero_turns_every_step_off():
    rng = np.random.default_rng(0)
    assert np.allclose(transforms.draw_geometry({}, rng), np.eye(3))
    grey = np.linspace(0, 1, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)
    assert np.array_equal(transforms.vary_intensity(grey, {}, rng), grey)


@pytest.mark.parametrize(
    "name",
    ["rotation_degrees", "width_shift", "height_shift", "shear_degrees", "zoom", "horizontal_flip"],
)
def test_every_geometric_step_has_an_effect(name):
    rng = np.random.default_rng(1)
    assert not np.allclose(transforms.draw_geometry({name: 1.0}, rng), np.eye(3))


@pytest.mark.parametrize("amounts", [{"gain": 0.3}, {"bias": 0.2}, {"gamma": 0.5}, {"noise": 0.1},
                                     {"blur_share": 1.0, "blur_sigma": 2.0}])  # fmt: skip
def test_every_intensity_step_has_an_effect_and_stays_in_range(amounts):
    rng = np.random.default_rng(2)
    grey = rng.uniform(0, 1, (SIDE, SIDE)).astype(np.float32)
    varied = transforms.vary_intensity(grey, amounts, rng)
    assert not np.allclose(varied, grey)
    assert varied.dtype == np.float32 and varied.min() >= 0 and varied.max() <= 1


def test_a_pasted_lesion_changes_only_its_place():
    head, donor = (np.full((SIDE, SIDE), grey, np.float32) for grey in (0.4, 0.7))
    lesion = np.zeros((SIDE, SIDE), np.uint8)
    lesion[10:20, 10:20] = 1
    grey, mask = transforms.paste_lesion(head, np.zeros_like(lesion), donor, lesion)
    assert np.array_equal(mask, lesion)
    assert grey[15, 15] == pytest.approx(0.7, abs=0.01) and grey[35, 35] == pytest.approx(0.4)


def test_a_lesion_on_bone_is_refused():
    bone, donor = (np.full((SIDE, SIDE), grey, np.float32) for grey in (1.0, 0.7))
    assert transforms.paste_lesion(bone, dot(5, 5) * 0, donor, dot(20, 20)) is None


def test_other_window_keeps_hounsfield_units_and_black():
    hu = np.array([-20, 0, 40, 80, 100], np.float32)
    grey = (hu + 20) / 120
    assert np.allclose(transforms.other_window(grey, 40, 80), [0, 0, 0.5, 1, 1], atol=1e-6)
    assert np.allclose(transforms.other_window(grey, 40, 120), grey, atol=1e-6)
    assert transforms.other_window(np.zeros(3, np.float32), 30, 130).max() == 0


def test_the_rim_is_on_soft_tissue_and_decreases_from_bone():
    grey = np.full((64, 64), 0.5, np.float32)
    grey[:, :4], grey[:, -8:] = 1.0, 0.0  # bone on the left, air on the right
    rim = transforms.bright_rim(grey, 0.08, np.random.default_rng(0))
    assert not rim[:, :4].any() and not rim[:, -8:].any()
    assert 0.04 < rim[32, 4] <= 0.08 and np.all(np.diff(rim[32, 4:40]) < 0)


def test_grain_has_the_requested_deviation_and_is_correlated():
    grain = transforms.grain((64, 64), 0.1, np.random.default_rng(0))
    assert grain.std() == pytest.approx(0.1)
    assert np.corrcoef(grain[:, :-1].ravel(), grain[:, 1:].ravel())[0, 1] > 0.3
