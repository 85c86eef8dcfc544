"""The effect of the step `find_skull` on a network's answer; in Rust crates/ichor-core/src/segmenter/skull_mask.rs."""

import numpy as np

# Logit outside the skull: a probability of 6e-6.
IMPOSSIBLE = -12.0


def highest_cell_mean(mask_logits: np.ndarray, side: int) -> float:
    """The highest mean of a cell of `side` x `side` px of a plane [H, W]."""
    height, width = (length // side for length in mask_logits.shape)
    cells = mask_logits[: height * side, : width * side].reshape(height, side, width, side)
    return float(cells.mean(axis=(1, 3)).max())


def mask_outside_skull(mask_logits, slice_logits, inside, cell: dict | None) -> tuple[np.ndarray, np.ndarray]:
    """Mask logits [H, W] and slice logits [K] without blood where `inside`, bool [H, W], is false.

    `cell` is `strongest_cell` of `model.json`: the share of the mask in the first slice logit.
    """
    kept = np.where(inside, mask_logits, np.float32(IMPOSSIBLE))
    slices = np.array(slice_logits)
    if cell:
        slices[0] += cell["weight"] * (highest_cell_mean(kept, cell["side_px"]) - highest_cell_mean(mask_logits, cell["side_px"]))
    return kept, slices


def apply_skull(spec: dict, mask_logits, slice_logits, inside) -> tuple[np.ndarray, np.ndarray]:
    """`mask_outside_skull` with the settings of a `model.json`."""
    return mask_outside_skull(mask_logits, slice_logits, inside, spec["outputs"]["slice"].get("strongest_cell"))
