import numpy as np

from training import skull

# As in crates/ichor-core/src/segmenter/skull_mask.rs: a strong cell on the left, a weaker one on the right.
MASK = np.full((4, 6), -5, np.float32)
MASK[:2, :2], MASK[2, 4:] = 4, 2
CELL = {"side_px": 2, "weight": 0.5}


def test_the_highest_cell_mean_equals_the_written_sum():
    assert skull.highest_cell_mean(MASK, 2) == 4
    assert skull.highest_cell_mean(MASK, 4) == (4 * 4 - 5 * 12) / 16


def test_outside_has_no_effect_on_mask_and_slice():
    inside = np.arange(24).reshape(4, 6) % 6 >= 3
    mask, slices = skull.mask_outside_skull(MASK, np.array([1, 0.5], np.float32), inside, CELL)
    assert (mask[~inside] == skull.IMPOSSIBLE).all() and (mask[inside] == MASK[inside]).all()
    assert slices.tolist() == [1 + 0.5 * (-1.5 - 4), 0.5]


def test_nothing_changes_if_everything_is_inside():
    before = np.array([1, 0.5], np.float32)
    mask, slices = skull.mask_outside_skull(MASK, before, np.ones((4, 6), bool), CELL)
    assert (mask == MASK).all() and (slices == before).all()
    outside = np.zeros((4, 6), bool)
    assert (skull.mask_outside_skull(MASK, before, outside, None)[1] == before).all()
