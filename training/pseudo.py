"""Pseudo-labels: masks for slices whose blood is known by label alone, from the model in training.

Only patients of the training part are outlined, so nothing of a held-out patient leaks in.
"""

import cv2
import numpy as np
import torch
from torch.nn import functional

from training import boxes


@torch.no_grad()
def strongest(mask_logits: torch.Tensor) -> np.ndarray:
    """float [B]: probability of the most suspect 4x4 cell of [B, 1, H, W] logits."""
    cells = functional.avg_pool2d(mask_logits.float(), 4)
    return torch.sigmoid(cells.amax(dim=(1, 2, 3))).numpy()


@torch.no_grad()
def outline(model: torch.nn.Module, batches, size: int, limits: dict) -> dict:
    """{(set, row): uint8 [H, W]}: 1 blood, 0 none, 255 unsure; slices without a sure core are left out.

    Where boxes were drawn, there is blood in each of them and nowhere else (`training.boxes`).

    The model looks at `size` px a side, as it was trained so far: at twice the size it sees little.

    `limits`: `sure` and `unsure`, the probabilities above which a pixel is blood, and below
    which it is none; `smallest`, the least number of sure pixels.
    """
    model.eval()
    outlined = {}
    for name, row in batches.weak_rows():
        image = torch.from_numpy(np.array(batches.sets[name].images[row : row + 1]))
        # The mean of both flips is steadier than either.
        small = functional.interpolate(image, size=(size, size), mode="area")
        maps = torch.sigmoid(model(torch.cat([small, small.flip(3)]))[0].float())
        map_ = (maps[:1] + maps[1:].flip(3)) / 2
        probabilities = functional.interpolate(map_, size=image.shape[2:], mode="bilinear")[0, 0].numpy()
        inside = batches.sets[name].inside(row)
        probabilities = probabilities * inside
        if (box := batches.sets[name].boxes.get(row)) is not None:
            normal = batches.config["normalize"]
            grey = np.clip(image[0, 0].numpy() * normal["std"] + normal["mean"], 0, 1)
            outlined[name, row] = boxes.mask_of(grey, box, inside, probabilities, limits["smallest"])
            continue
        mask = np.full(probabilities.shape, 255, np.uint8)
        mask[probabilities < limits["unsure"]] = 0
        mask[probabilities >= limits["sure"]] = 1
        core = cv2.morphologyEx((mask == 1).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        if core.sum() >= limits["smallest"]:
            outlined[name, row] = mask
    return outlined
