"""Losses of the mask and of the slice labels, where these are known."""

import torch
from torch.nn import functional

from training.skull import IMPOSSIBLE


def soft_counts(logits: torch.Tensor, masks: torch.Tensor) -> tuple[torch.Tensor, ...] | None:
    """Soft counts of hit, missed and false pixels of the slices of [B, 1, H, W] that hold blood."""
    positive = masks.sum(dim=(1, 2, 3)) > 0
    if not positive.any():
        return None
    found, masks = torch.sigmoid(logits[positive]), masks[positive]
    counted = found * masks, (1 - found) * masks, found * (1 - masks)
    return tuple(count.sum(dim=(1, 2, 3)) for count in counted)


def dice_loss(hit: torch.Tensor, missed: torch.Tensor, false: torch.Tensor) -> torch.Tensor:
    """Soft Dice loss of each slice."""
    return 1 - (2 * hit + 1) / (2 * hit + missed + false + 1)


def focal_tversky_loss(hit: torch.Tensor, missed: torch.Tensor, false: torch.Tensor) -> torch.Tensor:
    """Abraham and Khan (2019): a missed pixel weighs 0.7, a false one 0.3, exponent 0.75."""
    index = (hit + 1) / (hit + 0.7 * missed + 0.3 * false + 1)
    # The floor keeps the slope of the root finite for a perfect mask.
    return (1 - index).clamp(min=1e-4) ** 0.75


OVERLAPS = {"dice": dice_loss, "focal_tversky": focal_tversky_loss}


def overlap_loss(logits: torch.Tensor, masks: torch.Tensor, kind: str = "dice", weights=None) -> torch.Tensor:
    """One of OVERLAPS over the slices that hold blood, weighted by `weights` [B]; 0 when none does."""
    counts = soft_counts(logits, masks)
    if counts is None:
        return logits.sum() * 0
    each = OVERLAPS[kind](*counts)
    return (each if weights is None else each * weights[masks.sum(dim=(1, 2, 3)) > 0]).mean()


def mask_loss(logits, masks, known, bce_weight: float, overlap: str = "dice", weights=None) -> torch.Tensor:
    """BCE and an overlap loss over slices with a known mask, weighted by `weights` [B]. A missing mask is never
    background.

    Pixels of 255 in a known mask are unsure and left out, as the edge of a pseudo-label.
    """
    known = known > 0
    if not known.any():
        return logits.sum() * 0
    weights = torch.ones(len(masks)) if weights is None else weights
    logits, masks, weights = logits[known], masks[known], weights[known]
    sure = masks <= 1
    bce = functional.binary_cross_entropy_with_logits(logits, masks.clamp(max=1), reduction="none")
    # Left out of the overlap too, as certain background in both map and mask.
    logits = logits.masked_fill(~sure, IMPOSSIBLE)
    bce = (bce * sure * weights[:, None, None, None]).mean()
    return bce_weight * bce + overlap_loss(logits, masks * sure, overlap, weights)


def label_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """BCE over the known ones (>= 0) of [B, classes]."""
    known = labels >= 0
    return functional.binary_cross_entropy_with_logits(logits[known], labels[known])


def strongest_share(logits: torch.Tensor, share: float = 0.001) -> torch.Tensor:
    """[B, K]: the highest `share` of the logits of every map of [B, 1, H, W]."""
    flat = logits.flatten(1)
    return flat.topk(max(1, int(share * flat.shape[1])), dim=1).values


def strongest_loss(logits: torch.Tensor, sign: int) -> torch.Tensor:
    """Loss of the highest logits of maps [B, 1, H, W], to raise (sign 1) or lower (-1) them; 0 without maps."""
    if not len(logits):
        return logits.sum() * 0
    return functional.softplus(-sign * strongest_share(logits)).mean()


def weak_loss(logits: torch.Tensor, labels: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Raise the highest logits of the map in slices with blood by label and without a mask."""
    return strongest_loss(logits[(known == 0) & (labels[:, 0] == 1)], 1)


def false_alarm_loss(logits: torch.Tensor, masks: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Lower the highest logits of the map in slices without blood.

    A false outline has a few dozen pixels, with little effect on a mean over a hundred thousand.
    """
    return strongest_loss(logits[(known == 1) & (masks.amax(dim=(1, 2, 3)) == 0)], -1)


def mask_outside(logits: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """Set the mask logits where `inside` is false to IMPOSSIBLE, as in use, so that they do not train."""
    return logits.masked_fill(~inside, IMPOSSIBLE)


# Weights of `total_loss` for steps on slice labels without masks.
LABEL_WEIGHTS = {"labels": 1.0}


def total_loss(outputs, batch: dict, weights: dict) -> torch.Tensor:
    """Weighted sum of the losses of (mask logits, slice logits), in float32; a loss without weight is left out."""
    mask_logits, slice_logits = (output.float() for output in outputs)
    mask_logits, masks = mask_outside(mask_logits, batch["inside"]), batch["mask"] * batch["inside"]
    loss = weights["labels"] * label_loss(slice_logits, batch["labels"])
    if "bce" in weights:
        overlap = weights.get("overlap", "dice")
        known, weight = batch["mask_known"], batch.get("mask_weight")
        loss = loss + mask_loss(mask_logits, masks, known, weights["bce"], overlap, weight)
    if weights.get("weak", 0):
        weak = weak_loss(mask_logits, batch["labels"], batch["mask_known"])
        loss = loss + weights["weak"] * weak
    if weights.get("false_alarms", 0):
        alarms = false_alarm_loss(mask_logits, masks, batch["mask_known"])
        loss = loss + weights["false_alarms"] * alarms
    return loss
