"""Changes that imitate pictures from elsewhere: cut by the border, grey ground, letters, few pixels, JPEG.

Planes are as in `training.transforms`. The cut is part of the geometric resampling; the rest follows it.
"""

from dataclasses import dataclass

import cv2
import numpy as np

# Margin that `crop_to_head` leaves on every side, as a share of the head's box.
MARGIN = 0.04
LETTERS = "ALPRFHSI0123456789"
DARK = 0.02


@dataclass
class PictureCut:
    """The part of a picture that remains, on the unit square, and the matrix that crops to it as in use."""

    left: float
    top: float
    right: float
    bottom: float

    def matrix(self) -> np.ndarray:
        """3x3 about the centre of the unit square: the longer side fills the grid except the margins."""
        factor = (1 - 2 * MARGIN) / max(self.right - self.left, self.bottom - self.top)
        x, y = (self.left + self.right) / 2 - 0.5, (self.top + self.bottom) / 2 - 0.5
        return np.array([[factor, 0, -factor * x], [0, factor, -factor * y], [0, 0, 1]])

    def visible_mask(self, size: int) -> np.ndarray:
        """bool [size, size]: the place of the cut picture after `matrix`."""
        factor = self.matrix()[0, 0]
        place = np.abs((np.arange(size) + 0.5) / size - 0.5)
        rows, columns = place <= factor * (self.bottom - self.top) / 2, place <= factor * (self.right - self.left) / 2
        return rows[:, None] & columns[None, :]


def draw_cut(deepest: float, rng: np.random.Generator) -> PictureCut:
    """Draw a cut: each side with probability one half, by up to `deepest` of the grid beyond the margin."""
    left, top, right, bottom = (MARGIN + rng.uniform(0, deepest) if rng.random() < 0.5 else 0.0 for _ in range(4))
    return PictureCut(left, top, 1 - right, 1 - bottom)


def add_ground(grey: np.ndarray, inside: np.ndarray, brightest: float, rng: np.random.Generator) -> np.ndarray:
    """Make the air grey, as in scans of films."""
    air = (grey < DARK) & (inside == 0)
    return np.where(air, np.float32(rng.uniform(DARK, brightest)), grey)


def add_letters(grey: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one to three groups of letters or numbers outside the skull."""
    drawn, side = np.zeros(grey.shape, np.uint8), grey.shape[0]
    for _ in range(rng.integers(1, 4)):
        text = "".join(rng.choice(list(LETTERS), rng.integers(1, 4)))
        place = int(rng.uniform(0, 0.9) * side), int(rng.uniform(0.05, 1) * side)
        height, brightness = rng.uniform(0.3, 0.8) * side / 320, int(rng.integers(128, 256))
        cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, height, brightness)
    return np.where(inside == 1, grey, np.maximum(grey, drawn / np.float32(255)))


def reduce_pixels(grey: np.ndarray, pixels: int) -> np.ndarray:
    """Reduce to `pixels` per side and enlarge again."""
    size = grey.shape[0]
    small = cv2.resize(grey, (pixels, pixels), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)


def compress_jpeg(grey: np.ndarray, quality: int) -> np.ndarray:
    """Encode as JPEG of this quality, 1 to 100, and decode again."""
    levels = np.round(255 * np.clip(grey, 0, 1)).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255


def vary_picture(grey: np.ndarray, inside: np.ndarray, amounts: dict, rng: np.random.Generator) -> np.ndarray:
    """Apply grey ground, letters, few pixels and JPEG, each with its probability in `amounts`."""
    if rng.random() < amounts.get("ground_share", 0):
        grey = add_ground(grey, inside, amounts["ground"], rng)
    if rng.random() < amounts.get("letters_share", 0):
        grey = add_letters(grey, inside, rng)
    if rng.random() < amounts.get("pixels_share", 0):
        pixels = int(np.exp(rng.uniform(*np.log(amounts["pixels"]))))
        grey = reduce_pixels(grey, pixels) if pixels < grey.shape[0] else grey
    if rng.random() < amounts.get("jpeg_share", 0):
        grey = compress_jpeg(grey, int(rng.integers(*amounts["jpeg_quality"])))
    return grey.astype(np.float32)
