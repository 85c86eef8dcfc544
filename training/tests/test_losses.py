"""Unknown masks and labels do not train."""

import functools

import torch

from training import losses

WEIGHTS = {"bce": 1.0, "labels": 1.0, "weak": 1.0}


def test_missing_mask_is_never_background():
    logits = torch.full((1, 1, 8, 8), 3.0, requires_grad=True)
    loss = losses.mask_loss(logits, torch.zeros(1, 1, 8, 8), torch.zeros(1), 1.0)
    loss.backward()
    assert loss.item() == 0 and logits.grad.abs().sum() == 0


def test_a_weak_slice_raises_the_highest_logits():
    logits = torch.full((1, 1, 8, 8), -3.0, requires_grad=True)
    losses.weak_loss(logits, torch.ones(1, 6), torch.zeros(1)).backward()
    assert logits.grad.sum() < 0, "descending must raise the map"


def test_false_alarms_are_counted_in_slices_without_blood_only():
    logits = torch.full((3, 1, 40, 40), -5.0)
    logits[:, :, 3, 3:5] = 4.0
    logits.requires_grad_(True)
    masks = torch.zeros(3, 1, 40, 40)
    masks[1, :, 20:30, 20:30] = 1  # blood elsewhere in this one
    losses.false_alarm_loss(logits, masks, torch.tensor([1.0, 1.0, 0.0])).backward()
    assert logits.grad[0, 0, 3, 3] > 0, "descending must lower the map"
    assert logits.grad[0].sum() == logits.grad.sum(), "blood, or an unknown mask, is no false alarm"
    assert losses.false_alarm_loss(logits, masks, torch.zeros(3)) == 0


def test_unknown_labels_are_left_out():
    labels = torch.tensor([[1.0, -1.0]])
    assert losses.label_loss(torch.tensor([[0.0, 9.0]]), labels) == losses.label_loss(
        torch.tensor([[0.0, -9.0]]), labels
    )


def test_a_perfect_mask_has_a_small_loss_and_its_inverse_a_large_one():
    masks = torch.zeros(2, 1, 16, 16)
    masks[0, 0, 4:8, 4:8] = 1
    logits = (masks * 2 - 1) * 20
    known = torch.ones(2)
    assert losses.mask_loss(logits, masks, known, 1.0) < 0.01
    assert losses.mask_loss(-logits, masks, known, 1.0) > 5


def test_focal_tversky_weighs_a_missed_pixel_more_than_a_false_one():
    masks = torch.zeros(1, 1, 16, 16)
    masks[..., 4:8, 4:8] = 1
    perfect, missed, false = (masks * 40 - 20).repeat(3, 1, 1, 1).split(1)
    missed, false = missed.clone(), false.clone()
    missed[..., 4:6, 4:8] = -20
    false[..., 8:10, 4:8] = 20
    cost = functools.partial(losses.overlap_loss, kind="focal_tversky")
    assert cost(perfect, masks) < 0.01 < cost(false, masks) < cost(missed, masks)
    perfect.requires_grad_(True)
    cost(perfect, masks).backward()
    assert torch.isfinite(perfect.grad).all()
    assert cost(missed, masks * 0) == 0


def test_the_total_is_finite_without_masks_and_labels():
    batch = {
        "mask": torch.zeros(1, 1, 8, 8),
        "inside": torch.ones(1, 1, 8, 8, dtype=torch.bool),
        "mask_known": torch.zeros(1),
        "labels": torch.tensor([[1.0, -1, -1, -1, -1, -1]]),
    }
    outputs = torch.zeros(1, 1, 8, 8), torch.zeros(1, 6)
    assert torch.isfinite(losses.total_loss(outputs, batch, WEIGHTS))


def test_pixels_outside_the_skull_have_no_gradient():
    logits = torch.zeros(3, 1, 40, 40, requires_grad=True)
    masks = torch.zeros(3, 1, 40, 40)
    masks[0, :, 4:20, 4:20] = 1
    batch = {
        "mask": masks,
        "inside": torch.ones(3, 1, 40, 40, dtype=torch.bool),
        "mask_known": torch.tensor([1.0, 1.0, 0.0]),  # outlined, empty, outlined nowhere
        "labels": torch.tensor([[1.0] + [-1] * 5, [0.0] + [-1] * 5, [1.0] + [-1] * 5]),
    }
    batch["inside"][..., 10:] = False
    losses.total_loss((logits, torch.zeros(3, 6)), batch, WEIGHTS | {"false_alarms": 1.0}).backward()
    assert not logits.grad[..., 10:].any() and logits.grad[..., :10].any(dim=3).any(dim=2).all()


def test_unsure_pixels_of_a_pseudo_label_have_no_gradient():
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :2, :2] = 1
    unsure = mask.clone()
    unsure[..., 4:, 4:] = 255
    for value in (-6.0, 6.0):
        logits = torch.full((1, 1, 8, 8), -4.0)
        logits[..., 4:, 4:] = value
        loss = losses.mask_loss(logits, unsure, torch.ones(1), 1.0)
        if value < 0:
            first = loss
    assert torch.allclose(loss, first)
    assert losses.mask_loss(logits, mask, torch.ones(1), 1.0) > first


def test_a_mask_of_half_the_weight_has_half_the_gradient():
    masks = torch.zeros(2, 1, 16, 16)
    masks[:, :, 4:8, 4:8] = 1
    logits = torch.zeros(2, 1, 16, 16, requires_grad=True)
    losses.mask_loss(logits, masks, torch.ones(2), 1.0, weights=torch.tensor([1.0, 0.5])).backward()
    assert torch.allclose(logits.grad[1], logits.grad[0] / 2)
