"""Bone and the space that it encloses, with numpy and OpenCV; the reasons are in `cranium.rs` of the preprocessing."""

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

ENCLOSED = 6
SOFT = np.float32(0.15)
SMALLEST_SHARE = 0.2


def cranium(plane: np.ndarray, bone: float) -> np.ndarray | None:
    """bool [H, W] for float32 [H, W] grey in [0, 1]; None if there is no skull."""
    bright = (plane >= np.float32(bone)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    if len(stats) < 2:
        return None
    wall = labels == 1 + np.argmax(stats[1:, cv2.CC_STAT_AREA])
    within = wall | (directions_met(wall) >= ENCLOSED)
    soft = plane >= SOFT
    return within if (within & soft).sum() >= SMALLEST_SHARE * soft.sum() else None


def directions_met(wall: np.ndarray) -> np.ndarray:
    """uint8 [H, W]: the number of the eight directions in which `wall` is True somewhere, the pixel itself included."""
    straight = both_ways(wall) + both_ways(wall.T).T
    return straight + diagonally(wall) + diagonally(wall[:, ::-1])[:, ::-1]


def both_ways(wall: np.ndarray) -> np.ndarray:
    """Along rows: after the first True of a row, and before the last."""
    wall = np.ascontiguousarray(wall)
    width = wall.shape[1]
    any_, place = wall.any(axis=1)[:, None], np.arange(width, dtype=np.int32)
    first, last = wall.argmax(axis=1)[:, None], width - 1 - wall[:, ::-1].argmax(axis=1)[:, None]
    return ((place >= first) & any_).view(np.uint8) + ((place <= last) & any_).view(np.uint8)


def diagonally(wall: np.ndarray) -> np.ndarray:
    """Along the diagonals that go down to the right: below the first True of a diagonal, and above the last."""
    height, width = wall.shape
    rows, columns = np.nonzero(wall)
    diagonal = columns - rows + height - 1
    first = np.full(width + height - 1, height, np.int32)
    last = np.full(width + height - 1, -1, np.int32)
    # numpy keeps the last of several values that are assigned to one index.
    first[diagonal[::-1]] = rows[::-1]
    last[diagonal] = rows
    first, last = (sliding_window_view(each, width)[::-1] for each in (first, last))
    row = np.arange(height, dtype=np.int32)[:, None]
    return (row >= first).view(np.uint8) + (row <= last).view(np.uint8)
