import numpy as np

from training import skull

# As in src/segmenter/within.rs: a strong cell on the left, a weaker one on the right.
MASK = np.full((4, 6), -5, np.float32)
MASK[:2, :2], MASK[2, 4:] = 4, 2
CELL = {"side_px": 2, "weight": 0.5}


def test_the_strongest_cell_is_found_as_written_out():
    assert skull.strongest(MASK, 2) == 4
    assert skull.strongest(MASK, 4) == (4 * 4 - 5 * 12) / 16


def test_outside_counts_neither_in_the_mask_nor_in_the_slice():
    inside = np.arange(24).reshape(4, 6) % 6 >= 3
    mask, slices = skull.keep_within(MASK, np.array([1, 0.5], np.float32), inside, CELL)
    assert (mask[~inside] == skull.IMPOSSIBLE).all() and (mask[inside] == MASK[inside]).all()
    assert slices.tolist() == [1 + 0.5 * (-1.5 - 4), 0.5]


def test_where_everything_is_inside_nothing_changes():
    before = np.array([1, 0.5], np.float32)
    mask, slices = skull.keep_within(MASK, before, np.ones((4, 6), bool), CELL)
    assert (mask == MASK).all() and (slices == before).all()
    outside = np.zeros((4, 6), bool)
    assert (skull.keep_within(MASK, before, outside, None)[1] == before).all()
