"""What the step `find_skull` does to a network's answer; in serving it is crates/ichor-core/src/segmenter/within.rs."""

import numpy as np

# Logit of what cannot be: a probability of 6e-6.
IMPOSSIBLE = -12.0


def strongest(mask_logits: np.ndarray, side: int) -> float:
    """The highest mean of the cells of `side` x `side` px that tile [H, W]."""
    height, width = (length // side for length in mask_logits.shape)
    cells = mask_logits[: height * side, : width * side].reshape(height, side, width, side)
    return float(cells.mean(axis=(1, 3)).max())


def keep_within(mask_logits, slice_logits, inside, cell: dict | None) -> tuple[np.ndarray, np.ndarray]:
    """Logits [H, W] and [K] without blood where `inside`, bool [H, W], is false.

    `cell` is the ModelSpec's `strongest_cell`: what the first class takes from the mask.
    """
    kept = np.where(inside, mask_logits, np.float32(IMPOSSIBLE))
    slices = np.array(slice_logits)
    if cell:
        slices[0] += cell["weight"] * (strongest(kept, cell["side_px"]) - strongest(mask_logits, cell["side_px"]))
    return kept, slices


def as_served(spec: dict, mask_logits, slice_logits, inside) -> tuple[np.ndarray, np.ndarray]:
    """`keep_within` by a ModelSpec."""
    return keep_within(mask_logits, slice_logits, inside, spec["outputs"]["slice"].get("strongest_cell"))
