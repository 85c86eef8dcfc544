"""Tensors of `ichor prepare`, and what is known of each slice."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.split import SUBTYPES, slice_key

LABELS = ("hemorrhage", *SUBTYPES)
UNKNOWN = -1.0


@dataclass
class Prepared:
    """One data set as `ichor prepare` wrote it, mapped, not loaded."""

    name: str
    images: np.ndarray  # float32 [N, C, H, W], normalised
    masks: np.ndarray  # uint8 [N, H, W]: 0, 1, or 255 where the mask is unknown
    rows: list[dict]
    within: np.ndarray | None = None  # uint8 [N, H, W]: 1 where the step find_skull lets a mask lie; None: everywhere

    def inside(self, row: int) -> np.ndarray:
        """bool [H, W]: where a mask of this slice may lie."""
        return np.ones(self.masks.shape[1:], bool) if self.within is None else self.within[row] == 1

    def labels(self, row: int) -> np.ndarray:
        """float32 [6]: 1, 0 or UNKNOWN, in the order of LABELS."""
        values = (self.rows[row][name] for name in LABELS)
        return np.array([UNKNOWN if value == "" else float(value) for value in values], np.float32)

    def rows_of(self, part) -> list[int]:
        """Rows of a part of the split: patients, or slices by `split.slice_key`."""
        wanted = set(part)
        return [
            number
            for number, row in enumerate(self.rows)
            if row["patient"] in wanted or slice_key(row) in wanted
        ]

    def kind(self, row: int) -> str:
        """negative, masked, or weak: positive by label while the mask is missing."""
        if self.rows[row]["hemorrhage"] != "1":
            return "negative"
        return "masked" if self.rows[row]["mask_known"] == "1" else "weak"


def load(folder: Path) -> Prepared:
    """Open a prepared folder. Raises ValueError when its files disagree in length."""
    images = np.load(folder / "images.npy", mmap_mode="r")
    masks = np.load(folder / "masks.npy", mmap_mode="r")
    within = np.load(folder / "within.npy", mmap_mode="r")
    with open(folder / "index.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    if not len(images) == len(masks) == len(within) == len(rows):
        raise ValueError(f"{folder}: {len(images)} images, {len(masks)} masks, {len(within)} insides, {len(rows)} rows")
    return Prepared(folder.name, images, masks, rows, within)
