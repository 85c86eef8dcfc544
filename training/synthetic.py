"""Synthetic bleeds drawn into real heads: lenses and crescents along the inner table, and blobs.

Outlined extra-axial bleeds are few, and models miss the small ones. Shapes follow the textbook: an epidural bleed is a
lens, a subdural one a longer and thinner crescent, both against the inner table; an intraparenchymal one is an irregular
blob. Grey levels are float32 [H, W] in [0, 1].
"""

import cv2
import numpy as np

BONE = 0.95
# Probability of each shape.
SHAPES = {"lens": 0.5, "crescent": 0.25, "blob": 0.25}


def intracranial(grey: np.ndarray) -> np.ndarray | None:
    """bool [H, W]: the inside of the skull; None without a closed skull."""
    reach = max(3, grey.shape[0] // 40) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    bone = cv2.morphologyEx((grey >= BONE).astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    flooded = np.pad(bone, 1)
    cv2.floodFill(flooded, None, (0, 0), 2)
    inside = (flooded[1:-1, 1:-1] == 0).astype(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(inside)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    if stats[largest, cv2.CC_STAT_AREA] < 0.06 * grey.size:
        return None
    return parts == largest


def smooth_noise(shape: tuple, scale: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of unit deviation with a correlation length of about `scale` px."""
    noise = cv2.GaussianBlur(rng.normal(size=shape).astype(np.float32), (0, 0), scale)
    return noise / (noise.std() + 1e-6)


def draw_shape(shape: str, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """bool [H, W]: one lens, crescent or blob within `inside`."""
    side = inside.shape[0]
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    if shape == "blob":
        rows, columns = np.nonzero(depth > rng.uniform(0.02, 0.12) * side)
        if not len(rows):
            return np.zeros_like(inside)
        at = rng.integers(len(rows))
        angle, small = rng.uniform(0, np.pi), rng.uniform(0.012, 0.07) * side
        large = small * rng.uniform(1, 2)
        u = (x - columns[at]) * np.cos(angle) + (y - rows[at]) * np.sin(angle)
        v = (y - rows[at]) * np.cos(angle) - (x - columns[at]) * np.sin(angle)
        edge = 1 + rng.uniform(0.05, 0.3) * smooth_noise(inside.shape, rng.uniform(2, 6), rng)
        return inside & (np.hypot(u / large, v / small) < edge)
    rows, columns = np.nonzero(inside)
    angle = np.arctan2(y - rows.mean(), x - columns.mean())
    middle = rng.uniform(-np.pi, np.pi)
    half, thickness, power = (
        (rng.uniform(0.15, 0.6), rng.uniform(0.015, 0.1), 2)
        if shape == "lens"
        else (rng.uniform(0.4, 1.5), rng.uniform(0.012, 0.05), 5)
    )
    off = np.abs((angle - middle + np.pi) % (2 * np.pi) - np.pi) / half
    profile = thickness * side * (1 - off**power)
    profile *= 1 + 0.15 * smooth_noise(inside.shape, side / 20, rng)
    return inside & (off < 1) & (depth < profile)


def add_lesion(grey, mask, labels, rng: np.random.Generator, bright: float = 0.0):
    """(grey, mask, labels) with one more lesion; None where the head offers no place for it.

    A share of `bright` is as bright as bone: in a narrow window fresh blood is. The labels become unknown: drawn slices train the mask only. As positives for the slice head
    they cost 0.07 of its AUC on real bleeds.
    """
    inside = intracranial(grey)
    if inside is None:
        return None
    shape = str(rng.choice(list(SHAPES), p=list(SHAPES.values())))
    lesion = draw_shape(shape, inside, rng)
    if lesion.sum() < 2.5e-4 * grey.size:
        return None
    tissue = float(np.median(grey[inside]))
    least, most = (0.4, 0.6) if rng.random() < bright else (0.1, 0.4)
    level = tissue + rng.uniform(least, most)
    level = level + 0.03 * smooth_noise(grey.shape, grey.shape[0] / 40, rng)
    # The head's own noise stays in the lesion, and its edge is blurred as by partial volume. Bone is left out of the
    # noise: its blur would draw a dark rim along the inner table.
    soft = np.where(inside, grey, np.float32(tissue))
    grain = soft - cv2.GaussianBlur(soft, (0, 0), 2.0)
    weight = cv2.GaussianBlur(lesion.astype(np.float32), (0, 0), rng.uniform(0.6, 1.4))
    weight *= grey < BONE
    drawn = grey * (1 - weight) + np.clip(level + grain, 0, 1) * weight
    unknown = np.full_like(labels, -1)
    return drawn.astype(np.float32), np.maximum(mask, lesion.astype(np.uint8)), unknown
