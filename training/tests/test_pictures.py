"""Changes that imitate pictures from elsewhere: each makes the change in its name, and keeps the inside of the skull."""

import numpy as np
import pytest

from training import pictures, transforms

SIDE = 100


@pytest.fixture
def head():
    """Black air, a skull of one pixel, and brain with a gradient."""
    grey, inside = np.zeros((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.uint8)
    inside[20:80, 30:70] = 1
    grey[20:80, 30:70] = np.linspace(0.3, 0.7, 40)
    grey[50:52, 50:52] = 0
    return grey, inside


def test_a_cut_picture_fills_the_grid_except_the_margin():
    cut = pictures.PictureCut(0.0, 0.1, 1.0, 0.6)
    shown = cut.visible_mask(SIDE)
    rows, columns = np.nonzero(shown)
    margin = round(pictures.MARGIN * SIDE)
    assert (columns.min(), columns.max()) == (margin, SIDE - 1 - margin)
    assert np.ptp(rows) + 1 == round((SIDE - 2 * margin) * 0.5) and rows.min() + rows.max() == SIDE - 1
    plane = np.zeros((SIDE, SIDE), np.uint8)
    plane[10:60] = 1
    moved = transforms.warp(plane, cut.matrix(), SIDE)
    assert (moved[shown] == 1).mean() > 0.99, "the visible part is the part that was kept"


def test_a_cut_of_depth_zero_does_not_move_the_head():
    cut = pictures.PictureCut(pictures.MARGIN, pictures.MARGIN, 1 - pictures.MARGIN, 1 - pictures.MARGIN)
    assert np.allclose(cut.matrix(), np.eye(3))


def test_cuts_are_not_deeper_than_the_limit():
    rng = np.random.default_rng(0)
    cuts = [pictures.draw_cut(0.1, rng) for _ in range(200)]
    sides = np.array([[cut.left, cut.top, 1 - cut.right, 1 - cut.bottom] for cut in cuts])
    assert sides.max() <= pictures.MARGIN + 0.1 and 0.35 < (sides == 0).mean() < 0.65


def test_ground_and_letters_do_not_change_the_inside_of_the_skull(head):
    grey, inside = head
    rng = np.random.default_rng(1)
    ground = pictures.add_ground(grey, inside, 0.2, rng)
    assert ground[0, 0] > pictures.DARK and np.array_equal(ground[inside == 1], grey[inside == 1])
    lettered = [pictures.add_letters(grey, inside, rng) for _ in range(10)]
    assert all(np.array_equal(one[inside == 1], grey[inside == 1]) for one in lettered)
    assert max(one[inside == 0].max() for one in lettered) > 0.4


def test_few_pixels_and_jpeg_lose_detail_and_keep_the_grey_level():
    grey = np.random.default_rng(2).uniform(0.3, 0.7, (SIDE, SIDE)).astype(np.float32)
    for changed in (pictures.reduce_pixels(grey, 25), pictures.compress_jpeg(grey, 20)):
        assert changed.shape == grey.shape and abs(changed.mean() - grey.mean()) < 0.01
        assert np.abs(changed - grey).mean() > 0.02
    assert np.abs(pictures.compress_jpeg(grey, 100) - grey).mean() < 0.01


def test_probability_zero_changes_nothing(head):
    grey, inside = head
    assert np.array_equal(pictures.vary_picture(grey, inside, {}, np.random.default_rng(0)), grey)


def test_random_windows_can_make_blood_white_but_never_brain():
    amounts, rng = {"width_hu": [50, 200], "off_center": 0.1}, np.random.default_rng(3)
    hu = np.array([22, 32, 37, 75, 100], np.float32)
    shown = np.array([
        transforms.other_window((hu + 20) / 120, *transforms.draw_window(amounts, rng)) for _ in range(500)
    ])  # fmt: skip
    assert (shown[:, 3] == 1).mean() > 0.2, "blood is as white as bone in narrow windows"
    assert shown[:, :3].max() < 0.75 and shown[:, 0].min() > 0 and (shown[:, 4] == 1).all()
