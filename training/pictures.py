"""What pictures from elsewhere look like: cut by the border, on a grey ground, lettered, small, and compressed.

Planes are as in `training.transforms`. The cut comes before the geometric steps' resampling (`cut`), the rest after it.
"""

from dataclasses import dataclass

import cv2
import numpy as np

# Share of the head's box that serving leaves free on every side (`crop_to_head` in the preprocessing).
MARGIN = 0.04
LETTERS = "ALPRFHSI0123456789"
DARK = 0.02


@dataclass
class Cut:
    """What remains of a cut picture on the unit square, and the matrix that brings it to where serving would."""

    left: float
    top: float
    right: float
    bottom: float

    def matrix(self) -> np.ndarray:
        """3x3 about the centre of the unit square: the longer side fills the grid but for the margins."""
        factor = (1 - 2 * MARGIN) / max(self.right - self.left, self.bottom - self.top)
        x, y = (self.left + self.right) / 2 - 0.5, (self.top + self.bottom) / 2 - 0.5
        return np.array([[factor, 0, -factor * x], [0, factor, -factor * y], [0, 0, 1]])

    def shown(self, size: int) -> np.ndarray:
        """bool [size, size]: where the cut picture lies once it is moved by `matrix`."""
        factor = self.matrix()[0, 0]
        place = np.abs((np.arange(size) + 0.5) / size - 0.5)
        rows, columns = place <= factor * (self.bottom - self.top) / 2, place <= factor * (self.right - self.left) / 2
        return rows[:, None] & columns[None, :]


def draw_cut(deepest: float, rng: np.random.Generator) -> Cut:
    """Each side is cut with a chance of one half, by up to `deepest` of the grid beyond the margin."""
    left, top, right, bottom = (MARGIN + rng.uniform(0, deepest) if rng.random() < 0.5 else 0.0 for _ in range(4))
    return Cut(left, top, 1 - right, 1 - bottom)


def add_ground(grey: np.ndarray, inside: np.ndarray, brightest: float, rng: np.random.Generator) -> np.ndarray:
    """Air that is not black, as in scans of films."""
    air = (grey < DARK) & (inside == 0)
    return np.where(air, np.float32(rng.uniform(DARK, brightest)), grey)


def add_letters(grey: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One to three letters or numbers, burned in outside of the skull."""
    drawn, side = np.zeros(grey.shape, np.uint8), grey.shape[0]
    for _ in range(rng.integers(1, 4)):
        text = "".join(rng.choice(list(LETTERS), rng.integers(1, 4)))
        place = int(rng.uniform(0, 0.9) * side), int(rng.uniform(0.05, 1) * side)
        height, brightness = rng.uniform(0.3, 0.8) * side / 320, int(rng.integers(128, 256))
        cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, height, brightness)
    return np.where(inside == 1, grey, np.maximum(grey, drawn / np.float32(255)))


def through_pixels(grey: np.ndarray, pixels: int) -> np.ndarray:
    """As a picture of `pixels` a side shows it, enlarged again."""
    size = grey.shape[0]
    small = cv2.resize(grey, (pixels, pixels), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)


def through_jpeg(grey: np.ndarray, quality: int) -> np.ndarray:
    """As a JPEG file of this quality, 1 to 100, holds it."""
    levels = np.round(255 * np.clip(grey, 0, 1)).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255


def vary_picture(grey: np.ndarray, inside: np.ndarray, amounts: dict, rng: np.random.Generator) -> np.ndarray:
    """Ground, letters, few pixels and JPEG, each with the chance that `amounts` gives it."""
    if rng.random() < amounts.get("ground_share", 0):
        grey = add_ground(grey, inside, amounts["ground"], rng)
    if rng.random() < amounts.get("letters_share", 0):
        grey = add_letters(grey, inside, rng)
    if rng.random() < amounts.get("pixels_share", 0):
        pixels = int(np.exp(rng.uniform(*np.log(amounts["pixels"]))))
        grey = through_pixels(grey, pixels) if pixels < grey.shape[0] else grey
    if rng.random() < amounts.get("jpeg_share", 0):
        grey = through_jpeg(grey, int(rng.integers(*amounts["jpeg_quality"])))
    return grey.astype(np.float32)
