"""Head phantoms with known bleeds, in the layout of a real data set, for tests without patients.

`python -m training.phantom --output DIR` writes brain/*.png, masks/*.png and slices.csv.
"""

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np

SIDE = 320
COLUMNS = (
    "patient,slice,image,hemorrhage,epidural,subdural,subarachnoid,intraparenchymal,"
    "intraventricular,fracture,mask,mask_pixels,mask_tier"
).split(",")
# Grey of the brain window (level 40, width 120): CSF 10, brain 35, blood 70, bone above 100 HU.
AIR, BRAIN, BLOOD, BONE = 0, 117, 191, 255


def draw_slice(rng: np.random.Generator, axes: tuple[int, int], kind: str | None):
    """uint8 image and mask [320, 320]; `kind` is epidural, intraparenchymal or None."""
    centre = (SIDE // 2, SIDE // 2)
    image, mask = np.full((SIDE, SIDE), AIR, np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    inner = np.zeros_like(mask)
    cv2.ellipse(image, centre, axes, 0, 0, 360, BONE, -1)
    inside = (axes[0] - 10, axes[1] - 10)
    cv2.ellipse(inner, centre, inside, 0, 0, 360, 1, -1)
    image[inner == 1] = BRAIN
    angle = rng.uniform(0, 2 * np.pi)
    if kind:
        reach = 0.95 if kind == "epidural" else rng.uniform(0.2, 0.5)
        place = tuple(
            int(middle + reach * axis * turn)
            for middle, axis, turn in zip(centre, inside, (np.cos(angle), np.sin(angle)))
        )
        size = (int(rng.integers(14, 30)), int(rng.integers(12, 24)))
        cv2.ellipse(mask, place, size, 0, 0, 360, 1, -1)
        mask &= inner
        image[mask == 1] = BLOOD
    noisy = cv2.GaussianBlur(image, (0, 0), 1) + rng.normal(0, 6, image.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), mask * 255


def write_phantoms(folder: Path, patients: int = 12, slices: int = 6, seed: int = 0) -> None:
    """Write a set in which two of three patients bleed in the middle slices; one positive slice of each has no mask."""
    rng = np.random.default_rng(seed)
    for name in ("brain", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rows = []
    for patient in range(patients):
        kind = (None, "epidural", "intraparenchymal")[patient % 3]
        axes = (int(rng.integers(95, 115)), int(rng.integers(120, 140)))
        for number in range(slices):
            here = kind if 1 <= number < slices - 1 else None
            image, mask = draw_slice(rng, axes, here)
            name = f"{patient:03d}_{number:02d}.png"
            row = dict.fromkeys(COLUMNS, 0) | {"patient": f"{patient:03d}", "slice": number}
            row |= {"image": f"brain/{name}", "mask": "", "mask_tier": ""}
            cv2.imwrite(str(folder / row["image"]), image)
            if here:
                row |= {"hemorrhage": 1, here: 1}
                if number != 1:
                    pixels = int((mask > 0).sum())
                    row |= {"mask": f"masks/{name}", "mask_pixels": pixels, "mask_tier": "A"}
                    cv2.imwrite(str(folder / row["mask"]), mask)
            rows.append(row)
    with open(folder / "slices.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    write_phantoms(parser.parse_args().output)


if __name__ == "__main__":
    main()
