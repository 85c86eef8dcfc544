"""Tensors of `ichor prepare`, with the labels and masks of each slice."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from training.split import SUBTYPES, slice_key

LABELS = ("hemorrhage", *SUBTYPES)
UNKNOWN = -1.0
BOXES = "-boxes"


@dataclass
class PreparedSet:
    """One data set as `ichor prepare` wrote it; the arrays are memory-mapped."""

    name: str
    images: np.ndarray  # float32 [N, C, H, W], normalised
    masks: np.ndarray  # uint8 [N, H, W]: 0, 1, or 255 where the mask is unknown
    rows: list[dict]
    within: np.ndarray | None = None  # uint8 [N, H, W]: 1 where the step find_skull allows a mask; None: everywhere
    boxes: dict[int, np.ndarray] = field(default_factory=dict)  # row: uint8 [H, W], 1 in boxes drawn around blood

    def inside(self, row: int) -> np.ndarray:
        """bool [H, W]: where a mask of this slice is allowed."""
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

    def tier(self, row: int) -> str:
        """How the mask was made, from the data set's table; empty if unknown."""
        return self.rows[row].get("mask_tier", "")

    def kind(self, row: int) -> str:
        """"negative", "masked" (positive, with a mask) or "weak" (positive, without a mask)."""
        if self.rows[row]["hemorrhage"] != "1":
            return "negative"
        return "masked" if self.rows[row]["mask_known"] == "1" else "weak"


def load(folder: Path) -> PreparedSet:
    """Open a prepared folder. Raises ValueError if its files differ in length."""
    images = np.load(folder / "images.npy", mmap_mode="r")
    masks = np.load(folder / "masks.npy", mmap_mode="r")
    within = np.load(folder / "within.npy", mmap_mode="r")
    with open(folder / "index.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    if not len(images) == len(masks) == len(within) == len(rows):
        raise ValueError(f"{folder}: {len(images)} images, {len(masks)} masks, {len(within)} insides, {len(rows)} rows")
    return PreparedSet(folder.name, images, masks, rows, within=within)


def join_boxes(sets: list[PreparedSet]) -> list[PreparedSet]:
    """The sets without those named SET-boxes, whose masks are boxes on the slices of SET (`training.layout`).

    SET gets the boxes and their types.
    """
    by_name, kept = {data.name: data for data in sets}, []
    for data in sets:
        base = by_name.get(data.name.removesuffix(BOXES))
        if base is data or base is None:
            kept.append(data)
            continue
        at = {slice_key(row): number for number, row in enumerate(base.rows)}
        for number, row in enumerate(data.rows):
            target = at[slice_key(row)]
            base.boxes[target] = np.array(data.masks[number] == 1, np.uint8)
            base.rows[target] = base.rows[target] | {name: row[name] for name in SUBTYPES}
    return kept
