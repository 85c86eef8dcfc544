"""Boxes drawn round bleeds as weak masks: inside a box its brightest plausible region, outside of all boxes none.

`python -m training.boxes --prepared SET SET-boxes --model models/NAME` compares these masks with drawn ones.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from training import dataset

UNSURE = 255
# Brighter soft tissue than this is bone in the prepared window, unless a network sees blood there.
BONE = 0.95
# Of the way from the tissue round the boxes to the brightest in one, from where on a pixel is blood.
BRIGHT_SHARE = 0.5
# Least difference in grey that is no noise: 6 HU.
LEAST_CONTRAST = 0.05
# Blood of a network's probability map in a box: from this share of the box's own peak on, where the peak is at least LEAST_PEAK.
# Higher peaks count from SURE on.
PEAK_SHARE, LEAST_PEAK, SURE = 0.5, 0.1, 0.4


def box_parts(box: np.ndarray) -> list[np.ndarray]:
    """bool [H, W] of every connected part: boxes that touch are one."""
    count, parts = cv2.connectedComponents(box.astype(np.uint8), connectivity=4)
    return [parts == number for number in range(1, count)]


def by_brightness(grey: np.ndarray, part: np.ndarray, tissue: float, least_px: int) -> np.ndarray | None:
    """bool [H, W]: the bright region of one box; None where nothing stands out."""
    soft = part & (grey < BONE)
    if not soft.any():
        return None
    brightest = float(np.percentile(grey[soft], 95))
    if brightest - tissue < LEAST_CONTRAST:
        return None
    bright = (soft & (grey > tissue + BRIGHT_SHARE * (brightest - tissue))).astype(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    if count < 2:
        return None
    kept = [number for number in range(1, count) if stats[number, cv2.CC_STAT_AREA] >= least_px]
    return np.isin(parts, kept) if kept else None


def by_network(probabilities: np.ndarray, part: np.ndarray, least_px: int) -> np.ndarray | None:
    """bool [H, W]: where a network is surest within one box; None where it sees next to nothing."""
    inside = np.where(part, probabilities, 0)
    peak = float(np.percentile(inside[part], 98))
    found = inside >= min(SURE, PEAK_SHARE * peak)
    return found if peak >= LEAST_PEAK and found.sum() >= least_px else None


def mask_of(grey, box, inside, probabilities=None, least_px: int = 20) -> np.ndarray:
    """uint8 [H, W]: 1 blood, 0 none, UNSURE; of grey float [H, W] in [0, 1], boxes and the inside of the skull.

    A box in which neither the network nor the eye finds a region remains unsure as a whole. The rim of a
    region that was found, one pixel wide, is unsure too.
    """
    mask = np.zeros(box.shape, np.uint8)
    smooth = cv2.GaussianBlur(np.asarray(grey, np.float32), (0, 0), 1.2)
    round_about = (inside > 0) & (box == 0) & (smooth < BONE) & (smooth > 0.1)
    tissue = float(np.median(smooth[round_about])) if round_about.any() else 0.45
    for part in box_parts(box):
        part = part & (inside > 0)
        found = None if probabilities is None else by_network(probabilities, part, least_px)
        if found is None:
            found = by_brightness(smooth, part, tissue, least_px)
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


def compare(one: dataset.Prepared, normal: dict, infer=None) -> list[dict]:
    """For each slice with boxes and a drawn mask: Dice of the boxes alone, by brightness, and by the network."""
    result = []
    for row, box in sorted(one.boxes.items()):
        if one.kind(row) != "masked":
            continue
        truth, inside = one.masks[row] == 1, one.inside(row)
        grey = np.clip(one.images[row, 0] * normal["std"] + normal["mean"], 0, 1)
        masks = {"boxes": box == 1, "brightness": mask_of(grey, box, inside) == 1}
        if infer:
            probabilities = infer(np.asarray(one.images[row : row + 1]))
            masks["network"] = mask_of(grey, box, inside, probabilities) == 1
            masks["network, no boxes"] = (probabilities >= 0.3) & inside
        dice = {name: 2 * (mask & truth).sum() / max(1, mask.sum() + truth.sum()) for name, mask in masks.items()}
        result.append({"tier": one.tier(row), "patient": one.rows[row]["patient"], **dice})
    return result


def main() -> None:
    from training import export  # imports PyTorch, which the masks themselves do not need

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepared", type=Path, nargs="+", required=True)
    parser.add_argument("--model", type=Path)
    arguments = parser.parse_args()
    normal = {"mean": 0.2, "std": 0.25}
    (one,) = dataset.join_boxes([dataset.load(folder) for folder in arguments.prepared])
    session = export.open_onnx(arguments.model / "model.onnx") if arguments.model else None

    def infer(image):
        return 1 / (1 + np.exp(-session.run(["mask_logits"], {"image": image})[0][0, 0]))

    rows = compare(one, normal, infer if session else None)
    for tier in sorted({row["tier"] for row in rows}) + ["all"]:
        some = [row for row in rows if tier in ("all", row["tier"])]
        means = {
            name: round(float(np.mean([row[name] for row in some])), 3)
            for name in some[0]
            if name not in ("tier", "patient")
        }
        print(tier, len(some), means)


if __name__ == "__main__":
    main()
