"""Drawn bleeds are inside the skull, and the mask has their place."""

import cv2
import numpy as np

from training import synthetic


def head(side=128):
    """An elliptical skull of bone around grey tissue."""
    grey = np.zeros((side, side), np.float32)
    middle = (side // 2, side // 2)
    cv2.ellipse(grey, middle, (52, 60), 0, 0, 360, 1.0, -1)
    cv2.ellipse(grey, middle, (46, 54), 0, 0, 360, 0.45, -1)
    return grey


def test_the_inside_is_enclosed_by_the_skull():
    inside = synthetic.intracranial(head())
    assert inside[64, 64] and not inside[5, 5] and not inside[64, 14]
    assert abs(inside.sum() - np.pi * 46 * 54) < 600
    assert synthetic.intracranial(np.zeros((64, 64), np.float32)) is None


def test_lesions_are_inside_and_brighter_and_change_nothing_else():
    grey, none, labels = head(), np.zeros((128, 128), np.uint8), np.zeros(6, np.float32)
    inside, rng, drawn = synthetic.intracranial(grey), np.random.default_rng(0), 0
    for _ in range(40):
        result = synthetic.add_lesion(grey, none, labels, rng)
        if result is None:
            continue
        drawn += 1
        with_blood, mask, told = result
        assert mask.any() and not (mask.astype(bool) & ~inside).any()
        assert with_blood[mask > 0].mean() > grey[mask > 0].mean() + 0.03
        far = cv2.dilate(mask, np.ones((13, 13), np.uint8)) == 0
        assert np.array_equal(with_blood[far], grey[far])
        assert (told == -1).all(), "a drawn bleed trains the mask only"
    assert drawn > 30 and not labels.any() and not none.any()


def test_each_shape_is_at_its_place():
    inside, rng = synthetic.intracranial(head()), np.random.default_rng(2)
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    for shape in ("lens", "crescent"):
        reach = [depth[lesion].min() for _ in range(10) if (lesion := synthetic.draw_shape(shape, inside, rng)).any()]
        assert len(reach) > 7 and max(reach) <= 2, "an extra-axial bleed touches the inner table"


def test_bright_lesions_are_as_bright_as_bone():
    grey, none, labels = head(), np.zeros((128, 128), np.uint8), np.zeros(6, np.float32)

    def brightest(bright):
        rng = np.random.default_rng(3)
        made = [synthetic.add_lesion(grey, none, labels, rng, bright) for _ in range(20)]
        return np.median([one[0][one[1] > 0].max() for one in made if one is not None])

    assert brightest(0.0) < 0.85 < brightest(1.0)
