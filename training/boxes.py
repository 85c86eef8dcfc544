"""Masks from boxes drawn around bleeds: the brightest plausible region of each box, and nothing outside the boxes.

`python -m training.boxes --prepared SET SET-boxes --model models/NAME` compares these masks with drawn ones.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from training import dataset

UNSURE = 255
# From this grey level on, a pixel of the prepared window is bone, unless a network finds blood there.
BONE = 0.95
# A pixel is blood from this share of the way between the tissue around the boxes and the brightest part of the box.
BRIGHT_SHARE = 0.5
# Smallest difference in grey level above noise: 6 HU.
MIN_CONTRAST = 0.05
# In a network's probability map a pixel of a box is blood from PEAK_SHARE of the box's peak on, or from SURE on. The peak
# must be at least MIN_PEAK.
PEAK_SHARE, MIN_PEAK, SURE = 0.5, 0.1, 0.4


def box_parts(box: np.ndarray) -> list[np.ndarray]:
    """bool [H, W] of every connected part; boxes that touch are one part."""
    count, parts = cv2.connectedComponents(box.astype(np.uint8), connectivity=4)
    return [parts == number for number in range(1, count)]


def bright_region(grey: np.ndarray, part: np.ndarray, tissue: float, least_px: int) -> np.ndarray | None:
    """bool [H, W]: the bright region of one box; None without enough contrast."""
    soft = part & (grey < BONE)
    if not soft.any():
        return None
    brightest = float(np.percentile(grey[soft], 95))
    if brightest - tissue < MIN_CONTRAST:
        return None
    bright = (soft & (grey > tissue + BRIGHT_SHARE * (brightest - tissue))).astype(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    if count < 2:
        return None
    kept = [number for number in range(1, count) if stats[number, cv2.CC_STAT_AREA] >= least_px]
    return np.isin(parts, kept) if kept else None


def network_region(probabilities: np.ndarray, part: np.ndarray, least_px: int) -> np.ndarray | None:
    """bool [H, W]: the region of highest probability in one box; None if its peak or its size is too small."""
    inside = np.where(part, probabilities, 0)
    peak = float(np.percentile(inside[part], 98))
    found = inside >= min(SURE, PEAK_SHARE * peak)
    return found if peak >= MIN_PEAK and found.sum() >= least_px else None


def mask_from_boxes(grey, box, inside, probabilities=None, least_px: int = 20) -> np.ndarray:
    """uint8 [H, W]: 1 blood, 0 none, UNSURE; from grey float [H, W] in [0, 1], boxes and the inside of the skull.

    A box without a region, by the network or by brightness, is unsure as a whole. The edge of a region, one pixel
    wide, is unsure too.
    """
    mask = np.zeros(box.shape, np.uint8)
    smooth = cv2.GaussianBlur(np.asarray(grey, np.float32), (0, 0), 1.2)
    surrounding = (inside > 0) & (box == 0) & (smooth < BONE) & (smooth > 0.1)
    tissue = float(np.median(smooth[surrounding])) if surrounding.any() else 0.45
    for part in box_parts(box):
        part = part & (inside > 0)
        found = None if probabilities is None else network_region(probabilities, part, least_px)
        if found is None:
            found = bright_region(smooth, part, tissue, least_px)
        if found is None:
            mask[part] = UNSURE
            continue
        found = found.astype(np.uint8)
        kernel = np.ones((3, 3), np.uint8)
        rim = (cv2.dilate(found, kernel) != cv2.erode(found, kernel)) & part
        mask[rim] = UNSURE
        mask[(found == 1) & ~rim] = 1
        if not (mask[part] == 1).any():
            mask[found == 1] = 1
    return mask


def compare_with_drawn(data: dataset.PreparedSet, normal: dict, infer=None) -> list[dict]:
    """Dice of the boxes alone, by brightness and by the network, for each slice with boxes and a drawn mask."""
    result = []
    for row, box in sorted(data.boxes.items()):
        if data.kind(row) != "masked":
            continue
        truth, inside = data.masks[row] == 1, data.inside(row)
        grey = np.clip(data.images[row, 0] * normal["std"] + normal["mean"], 0, 1)
        masks = {"boxes": box == 1, "brightness": mask_from_boxes(grey, box, inside) == 1}
        if infer:
            probabilities = infer(np.asarray(data.images[row : row + 1]))
            masks["network"] = mask_from_boxes(grey, box, inside, probabilities) == 1
            masks["network, no boxes"] = (probabilities >= 0.3) & inside
        dice = {name: 2 * (mask & truth).sum() / max(1, mask.sum() + truth.sum()) for name, mask in masks.items()}
        result.append({"tier": data.tier(row), "patient": data.rows[row]["patient"], **dice})
    return result


def main() -> None:
    from training import export  # imports PyTorch, which the masks themselves do not need

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepared", type=Path, nargs="+", required=True)
    parser.add_argument("--model", type=Path)
    arguments = parser.parse_args()
    normal = {"mean": 0.2, "std": 0.25}
    (data,) = dataset.join_boxes([dataset.load(folder) for folder in arguments.prepared])
    session = export.open_onnx(arguments.model / "model.onnx") if arguments.model else None

    def infer(image):
        return 1 / (1 + np.exp(-session.run(["mask_logits"], {"image": image})[0][0, 0]))

    rows = compare_with_drawn(data, normal, infer if session else None)
    for tier in sorted({row["tier"] for row in rows}) + ["all"]:
        of_tier = [row for row in rows if tier in ("all", row["tier"])]
        means = {
            name: round(float(np.mean([row[name] for row in of_tier])), 3)
            for name in of_tier[0]
            if name not in ("tier", "patient")
        }
        print(tier, len(of_tier), means)


if __name__ == "__main__":
    main()
