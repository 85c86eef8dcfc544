"""Generated tensors in the format of `ichor prepare`, for the tests that train."""

import csv

import numpy as np
import pytest

from training import dataset


@pytest.fixture
def prepared(tmp_path):
    """A set of thirty patients with masked, weak and negative slices."""
    rng = np.random.default_rng(0)
    rows, images, masks = [], [], []
    for patient in range(30):
        for number in range(3):
            kind = "negative" if number == 0 or patient % 2 else ("masked", "weak")[number - 1]
            mask = np.zeros((64, 64), np.uint8)
            mask[20:30, 20 : 25 + number] = {"negative": 0, "masked": 1, "weak": 0}[kind]
            masks.append(np.full_like(mask, 255) if kind == "weak" else mask)
            images.append((0.4 + 0.3 * mask + rng.normal(0, 0.02, mask.shape) - 0.2) / 0.25)
            labels = dict.fromkeys(dataset.LABELS, "")
            labels["hemorrhage"] = "0" if kind == "negative" else "1"
            rows.append({"patient": f"{patient:02d}", "slice": number, "image": "x", **labels,
                         "mask_known": "0" if kind == "weak" else "1"})  # fmt: skip
    folder = tmp_path / "phantom"
    folder.mkdir()
    np.save(folder / "images.npy", np.array(images, np.float32)[:, None])
    np.save(folder / "masks.npy", np.array(masks))
    np.save(folder / "within.npy", np.ones_like(masks))
    with open(folder / "index.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return dataset.load(folder)
