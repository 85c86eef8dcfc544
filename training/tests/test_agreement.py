"""Differences between the released file and the checkpoint that are accepted, and those that are not; ichor is simulated."""

import numpy as np
import pytest
import torch

from training import agreement, figures, fit

SPEC = {
    "postprocessing": {"threshold": 0.5, "slice_threshold": 0.1, "min_lesion_px": 4},
    "calibration": {"method": "platt", "slope": 1.0, "intercept": 0.0},
    "outputs": {"slice": {}},
}


class Bright(torch.nn.Module):
    """Blood where it is bright, and on a slice that has a bright pixel."""

    def forward(self, image):
        logits = 4 * image[:, :1] - 6
        return logits, logits.amax(dim=(1, 2, 3))[:, None].repeat(1, 6)


def answers(prepared, model=Bright(), shift=0.0):
    """The output of ichor for `model` on the tensors, with `shift` added to these."""
    with torch.no_grad():
        masks, slices = model(torch.from_numpy(np.array(prepared.images) + np.float32(shift)))
    given = agreement.Answers(masks[:, 0].numpy(), slices.numpy(), [], {})
    given.rows = [{}] * len(prepared.rows)
    scored = agreement.postprocess(SPEC, prepared, given, "alone").scored
    given.rows = [
        {
            **{key: prepared.rows[at][key] for key in ("patient", "slice")},
            "probability": str(np.float32(scored.slice_probabilities[at, 0])),
            "mask_px": str(scored.found[at]),
            **dict.fromkeys(("overlap_px", "true_px", "lesions", "lesions_hit"), ""),
        }
        for at in range(len(prepared.rows))
    ]
    for at in np.flatnonzero(scored.mask_known):
        given.rows[at] |= {"overlap_px": str(scored.overlap[at]), "true_px": str(scored.truth[at])}
        given.rows[at] |= {"lesions": str(scored.lesions[at]), "lesions_hit": str(scored.lesions_hit[at])}
    measured = figures.measure(agreement.with_ichor_counts(scored, given))
    given.figures = {name: measured[name] for name in agreement.FIGURE_NAMES}
    return given


def agree(prepared, given):
    found = agreement.compare_logits(Bright(), SPEC, prepared, given)
    read = agreement.postprocess(SPEC, prepared, given, "alone")
    found.figure = agreement.compare_slices(read, prepared, given, "alone")
    return found


def test_the_same_network_agrees(prepared):
    given = answers(prepared)
    assert sum(int(row["mask_px"]) for row in given.rows) > 100
    found = agree(prepared, given)
    assert found.mask_px == 0 and found.logit < 1e-6 and found.figure < 1e-9


def test_other_preprocessing_is_refused(prepared):
    with pytest.raises(ValueError, match="in a logit"):
        agree(prepared, answers(prepared, shift=0.008 / 0.25))


def test_pixels_at_the_threshold_may_differ(prepared):
    images = np.array(prepared.images)
    # Blood begins at 1.5, the value of a square of pixels.
    images[0, 0, 40:44, 40:44] = 1.5
    prepared.images = images
    one, other = answers(prepared, shift=1e-6), answers(prepared, shift=-1e-6)
    px = [int(given.rows[0]["mask_px"]) for given in (one, other)]
    assert px == [16, 0], "the mask depends on rounding here"
    found = [agree(prepared, given) for given in (one, other)]
    assert sorted(each.mask_px for each in found) == [0, 16]


def test_a_different_mask_is_found(prepared):
    given = answers(prepared)
    row = next(row for row in given.rows if int(row["mask_px"]) > 4)
    row["mask_px"] = str(int(row["mask_px"]) - 1)
    with pytest.raises(ValueError, match="mask_px is"):
        agree(prepared, given)


def test_a_different_figure_is_found(prepared):
    given = answers(prepared)
    given.figures["dice_slices"] += 0.001
    with pytest.raises(ValueError, match="dice_slices differs by 0.00100"):
        agree(prepared, given)


def test_slices_that_are_all_at_a_threshold_are_refused(prepared):
    given = answers(prepared)
    read = agreement.postprocess(SPEC, prepared, given, "alone")
    read.unsure[:] = True
    with pytest.raises(ValueError, match="100% of the slices"):
        agreement.compare_slices(read, prepared, given, "alone")


def test_a_different_calibration_is_found(prepared):
    given = answers(prepared)
    other = SPEC | {"calibration": {"method": "platt", "slope": 1.1, "intercept": 0.0}}
    read = agreement.postprocess(other, prepared, given, "alone")
    assert not np.allclose(read.scored.slice_probabilities[:, 0], fit.sigmoid(given.slice_logits[:, 0]))
    with pytest.raises(ValueError, match="the probability of the slice differs"):
        agreement.compare_slices(read, prepared, given, "alone")
