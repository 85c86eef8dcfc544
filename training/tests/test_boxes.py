"""Masks from boxes: blood inside, none outside, unsure without contrast."""

import numpy as np

from training import boxes, dataset

SIDE = 64


def slice_with(lesion, level):
    grey = np.full((SIDE, SIDE), 0.45, np.float32)
    grey[lesion] = level
    return grey, np.ones((SIDE, SIDE), np.uint8)


def test_only_the_bright_region_of_a_box_is_blood():
    lesion = np.s_[20:34, 20:34]
    grey, inside = slice_with(lesion, 0.7)
    grey[50:60, 50:60] = 0.7  # as bright, without a box
    box = np.zeros((SIDE, SIDE), np.uint8)
    box[15:40, 15:40] = 1
    mask = boxes.mask_from_boxes(grey, box, inside)
    assert (mask[22:32, 22:32] == 1).all() and (mask[box == 0] == 0).all() and mask[16, 16] == 0
    assert (mask == boxes.UNSURE).any(), "the edge is unsure"


def test_a_box_without_contrast_is_unsure():
    grey, inside = slice_with(np.s_[0:0, 0:0], 0.45)
    box = np.zeros((SIDE, SIDE), np.uint8)
    box[15:40, 15:40] = 1
    mask = boxes.mask_from_boxes(grey, box, inside)
    assert (mask[box == 1] == boxes.UNSURE).all() and (mask[box == 0] == 0).all()


def test_the_region_of_the_network_is_preferred():
    grey, inside = slice_with(np.s_[20:24, 20:34], 0.7)
    box = np.zeros((SIDE, SIDE), np.uint8)
    box[15:40, 15:40] = 1
    probabilities = np.zeros((SIDE, SIDE), np.float32)
    probabilities[28:36, 20:34], probabilities[50:60, 50:60] = 0.3, 0.9
    mask = boxes.mask_from_boxes(grey, box, inside, probabilities)
    assert (mask[30:34, 22:32] == 1).all() and (mask[20:24, 20:34] == 0).all() and (mask[50:60, 50:60] == 0).all()


def test_boxes_join_the_set_that_they_were_drawn_on():
    rows = [{"patient": "p", "slice": str(number), "hemorrhage": "1", "mask_known": "0"} | dict.fromkeys(dataset.SUBTYPES, "0")
            for number in (1, 2)]  # fmt: skip
    planes = np.zeros((2, 1, 8, 8), np.float32)
    base = dataset.PreparedSet("heads", planes, np.full((2, 8, 8), 255, np.uint8), [dict(row) for row in rows])
    typed = rows[1] | {"epidural": "1", "mask_known": "1"}
    drawn = dataset.PreparedSet("heads-boxes", planes[:1], np.ones((1, 8, 8), np.uint8), [typed])
    (joined,) = dataset.join_boxes([base, drawn])
    assert joined is base and list(base.boxes) == [1] and base.boxes[1].all()
    assert base.labels(1)[1] == 1 and base.labels(0)[1] == 0
    assert base.kind(1) == "weak", "a box is no drawn mask"
