"""Augmentation of one slice: geometric and intensity steps, each with an amount; 0 turns a step off.

Images are float32 [H, W] grey in [0, 1], masks uint8 [H, W] of 0 and 1. Geometric steps are 3x3
matrices about the centre of a unit square. They are multiplied and applied in one resampling, because every resampling
blurs. Outside the image the edge is repeated.
"""

import cv2
import numpy as np


def rotation(degrees: float) -> np.ndarray:
    """Rotation by `degrees`, clockwise on the screen (y points down)."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def shift(width: float, height: float) -> np.ndarray:
    """Shift by fractions of the width (to the right) and of the height (down)."""
    return np.array([[1, 0, width], [0, 1, height], [0, 0, 1]])


def shear(degrees: float) -> np.ndarray:
    """Shear along x by `degrees`."""
    return np.array([[1, np.tan(np.radians(degrees)), 0], [0, 1, 0], [0, 0, 1]])


def zoom(width: float, height: float) -> np.ndarray:
    """Scale; a factor above 1 enlarges the head."""
    return np.diag([width, height, 1.0])


def horizontal_flip() -> np.ndarray:
    """Mirror left and right."""
    return np.diag([-1.0, 1.0, 1.0])


def quarter_turn(turns: int) -> np.ndarray:
    """Rotation by clockwise quarter turns: archives store heads nose up or nose left."""
    return np.round(rotation(90 * turns))


def draw_geometry(amounts: dict, rng: np.random.Generator) -> np.ndarray:
    """A random matrix; a step whose amount is 0 or missing is left out."""

    def within(name):
        return rng.uniform(-1, 1) * amounts.get(name, 0)

    steps = [quarter_turn(rng.choice(4, p=amounts.get("quarter_turns", [1, 0, 0, 0])))]
    if rng.random() < amounts.get("horizontal_flip", 0):
        steps.append(horizontal_flip())
    scale = within("zoom")
    steps += [
        zoom(1 + scale + within("zoom") / 3, 1 + scale + within("zoom") / 3),
        shear(within("shear_degrees")),
        rotation(within("rotation_degrees")),
        shift(within("width_shift"), within("height_shift")),
    ]
    matrix = np.eye(3)
    for step in steps:
        matrix = step @ matrix
    return matrix


def warp(plane: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """Resample [H, W] to [size, size]: linear for images, nearest for uint8 masks."""
    height, width = plane.shape
    # Pixel centres are at (i + 0.5) / n - 0.5 of the unit square.
    to_unit = np.array([[1 / width, 0, 0.5 / width - 0.5], [0, 1 / height, 0.5 / height - 0.5], [0, 0, 1]])
    from_unit = np.linalg.inv([[1 / size, 0, 0.5 / size - 0.5], [0, 1 / size, 0.5 / size - 0.5], [0, 0, 1]])
    kind = cv2.INTER_NEAREST if plane.dtype == np.uint8 else cv2.INTER_LINEAR
    whole = (from_unit @ matrix @ to_unit)[:2]
    return cv2.warpAffine(plane, whole, (size, size), flags=kind, borderMode=cv2.BORDER_REPLICATE)


# The window of the prepared tensors and of most pictures: level 40, width 120.
DARKEST_HU, SPAN_HU = -20.0, 120.0


# Grey level from which a pixel of the prepared window was cut off; in a wider window it is brighter.
WHITE = 0.995
# Mean centre of random windows, HU: between white matter (about 28) and fresh blood (about 60), nearer to brain.
MIDDLE_HU = 37.0


def other_window(grey: np.ndarray, center_hu: float, width_hu: float) -> np.ndarray:
    """The same head in another window (PS3.3 C.11.2.1.2).

    Values outside -20 to 100 HU stay cut off: black stays black, and bone stays white, as in any window in which blood
    differs from brain.
    """
    hu = grey * SPAN_HU + DARKEST_HU
    shown = np.clip((hu - (center_hu - width_hu / 2)) / width_hu, 0, 1) * (grey > 0)
    return np.where(grey >= WHITE, 1, shown)


def draw_window(amounts: dict, rng: np.random.Generator) -> tuple[float, float]:
    """Random centre and width, HU: width uniform in its logarithm, centre off MIDDLE_HU by a share of the width.

    With a share of the width, brain stays grey in narrow windows; otherwise grey matter could be as white as blood.
    """
    width = np.exp(rng.uniform(*np.log(amounts["width_hu"])))
    return MIDDLE_HU + rng.uniform(-1, 1) * amounts["off_center"] * width, width


def grain(shape: tuple, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of thin slices, which reconstruction correlates between neighbouring pixels."""
    noise = cv2.GaussianBlur(rng.normal(0, 1, shape), (0, 0), rng.uniform(0.5, 1.2))
    return noise * (deviation / noise.std())


def bright_rim(grey: np.ndarray, brightest: float, rng: np.random.Generator) -> np.ndarray:
    """Brightness that beam hardening adds along the inner table: soft tissue is brighter near bone.

    Scanners that correct it differently from those of the training data show a rim that is not blood.
    """
    distance = cv2.distanceTransform((grey < 0.92).astype(np.uint8), cv2.DIST_L2, 3)
    reach = rng.uniform(0.015, 0.05) * grey.shape[0]
    return brightest * np.exp(-distance / reach) * ((grey > 0.12) & (grey < 0.92))


def vary_intensity(grey: np.ndarray, amounts: dict, rng: np.random.Generator) -> np.ndarray:
    """Imitate another scanner: window, gain, bias, gamma, rim, blur, noise; clipped to [0, 1]."""
    if rng.random() < amounts.get("window", {}).get("share", 0):
        grey = other_window(grey, *draw_window(amounts["window"], rng))
    gain = 1 + rng.uniform(-1, 1) * amounts.get("gain", 0)
    # Air stays black, because no window makes it grey.
    bias = rng.uniform(-1, 1) * amounts.get("bias", 0) * (grey > 0.02)
    grey = np.clip(grey * gain + bias, 0, 1)
    if gamma := amounts.get("gamma", 0):
        grey = grey ** np.exp(rng.uniform(-gamma, gamma))
    if rng.random() < amounts.get("bright_rim_share", 0):
        grey = grey + bright_rim(grey, rng.uniform(0, amounts["bright_rim"]), rng)
    if rng.random() < amounts.get("blur_share", 0):
        grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.4, amounts["blur_sigma"]))
    if noise := amounts.get("noise", 0):
        grey = grey + rng.normal(0, rng.uniform(0, noise), grey.shape)
    if rng.random() < amounts.get("grain_share", 0):
        grey = grey + grain(grey.shape, rng.uniform(0, amounts["grain"]), rng) * (grey > 0.02)
    return np.clip(grey, 0, 1).astype(np.float32)


def paste_lesion(grey, mask, donor_grey, donor_mask):
    """Copy the donor's lesion to the same place of another head; None if it does not fit.

    It fits if at least nine tenths of it are on soft tissue. The edge is blended over two pixels, so that it is not a
    sign of a copied lesion.
    """
    soft = (grey > 0.12) & (grey < 0.92)
    lesion = (donor_mask > 0) & soft
    if lesion.sum() < max(12, 0.9 * (donor_mask > 0).sum()):
        return None
    weight = cv2.GaussianBlur(lesion.astype(np.float32), (0, 0), 1.0) * soft
    # The lesion is blended into the noise of the target.
    blended = grey * (1 - weight) + donor_grey * weight
    return blended.astype(np.float32), np.maximum(mask, lesion.astype(np.uint8))
