"""What is learnt: the mask where it is known, the slice labels where they are known."""

import torch
from torch.nn import functional


def dice_loss(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Mean soft Dice loss over the slices of [B, 1, H, W] that hold blood; 0 when none does."""
    positive = masks.sum(dim=(1, 2, 3)) > 0
    if not positive.any():
        return logits.sum() * 0
    probabilities, masks = torch.sigmoid(logits[positive]), masks[positive]
    overlap = (probabilities * masks).sum(dim=(1, 2, 3))
    total = probabilities.sum(dim=(1, 2, 3)) + masks.sum(dim=(1, 2, 3))
    return (1 - (2 * overlap + 1) / (total + 1)).mean()


def focal_tversky_loss(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """As `dice_loss`, by Abraham and Khan (2019): a missed pixel weighs 0.7, a false one 0.3, exponent 0.75."""
    positive = masks.sum(dim=(1, 2, 3)) > 0
    if not positive.any():
        return logits.sum() * 0
    probabilities, masks = torch.sigmoid(logits[positive]), masks[positive]
    overlap = (probabilities * masks).sum(dim=(1, 2, 3))
    missed = ((1 - probabilities) * masks).sum(dim=(1, 2, 3))
    false = (probabilities * (1 - masks)).sum(dim=(1, 2, 3))
    index = (overlap + 1) / (overlap + 0.7 * missed + 0.3 * false + 1)
    # The floor keeps the slope of the root finite for a perfect mask.
    return ((1 - index).clamp(min=1e-4) ** 0.75).mean()


OVERLAPS = {"dice": dice_loss, "focal_tversky": focal_tversky_loss}


def mask_loss(logits, masks, known, bce_weight: float, overlap: str = "dice") -> torch.Tensor:
    """BCE and an overlap loss over slices with a known mask. A missing mask is never background.

    Pixels of 255 in a known mask are unsure and left out: the rim of a pseudo-label.
    """
    known = known > 0
    if not known.any():
        return logits.sum() * 0
    logits, masks = logits[known], masks[known]
    sure = masks <= 1
    bce = functional.binary_cross_entropy_with_logits(logits, masks.clamp(max=1), reduction="none")
    # Out of the overlap too: as sure background both in the map and in the mask.
    logits = logits.masked_fill(~sure, -20.0)
    return bce_weight * (bce * sure).mean() + OVERLAPS[overlap](logits, masks * sure)


def label_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """BCE over the known ones (>= 0) of [B, classes]."""
    known = labels >= 0
    return functional.binary_cross_entropy_with_logits(logits[known], labels[known])


def weak_loss(logits, labels, known, share: float = 0.001) -> torch.Tensor:
    """Where blood is certain but not outlined, the brightest `share` of the map must say so."""
    weak = (known == 0) & (labels[:, 0] == 1)
    if not weak.any():
        return logits.sum() * 0
    flat = logits[weak].flatten(1)
    top = flat.topk(max(1, int(share * flat.shape[1])), dim=1).values
    return functional.softplus(-top).mean()


def total_loss(outputs, batch: dict, weights: dict) -> torch.Tensor:
    """Weighted sum of the three for outputs (mask logits, slice logits), in float32."""
    mask_logits, slice_logits = (output.float() for output in outputs)
    overlap = weights.get("overlap", "dice")
    loss = mask_loss(mask_logits, batch["mask"], batch["mask_known"], weights["bce"], overlap)
    loss = loss + weights["labels"] * label_loss(slice_logits, batch["labels"])
    if weights.get("weak", 0):
        weak = weak_loss(mask_logits, batch["labels"], batch["mask_known"])
        loss = loss + weights["weak"] * weak
    return loss
