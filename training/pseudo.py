"""Pseudo-labels: masks by the model in training for slices with blood by label and without a mask.

Only patients of the training part get them, so that no held-out patient is used.
"""

import cv2
import numpy as np
import torch
from torch.nn import functional

from training import boxes


@torch.no_grad()
def highest_cell_probability(mask_logits: torch.Tensor) -> np.ndarray:
    """float [B]: highest probability of a 4x4 cell of mask logits [B, 1, H, W]."""
    cells = functional.avg_pool2d(mask_logits.float(), 4)
    return torch.sigmoid(cells.amax(dim=(1, 2, 3))).numpy()


@torch.no_grad()
def outline(model: torch.nn.Module, batches, size: int, limits: dict) -> dict:
    """{(set, row): uint8 [H, W]}: 1 blood, 0 none, 255 unsure; slices without a certain core are left out.

    In slices with boxes, blood is in each box and nowhere else (`training.boxes`).

    The model runs at `size` px per side, the side that it was trained at so far.

    `limits`: `sure`, the probability from which a pixel is blood; `unsure`, below which it is not; `smallest`, the
    minimum number of certain pixels.
    """
    model.eval()
    outlined = {}
    for name, row in batches.weak_rows():
        image = torch.from_numpy(np.array(batches.sets[name].images[row : row + 1]))
        # The mean with the mirrored slice varies less than either.
        small = functional.interpolate(image, size=(size, size), mode="area")
        maps = torch.sigmoid(model(torch.cat([small, small.flip(3)]))[0].float())
        map_ = (maps[:1] + maps[1:].flip(3)) / 2
        probabilities = functional.interpolate(map_, size=image.shape[2:], mode="bilinear")[0, 0].numpy()
        inside = batches.sets[name].inside(row)
        probabilities = probabilities * inside
        if (box := batches.sets[name].boxes.get(row)) is not None:
            normal = batches.config["normalize"]
            grey = np.clip(image[0, 0].numpy() * normal["std"] + normal["mean"], 0, 1)
            outlined[name, row] = boxes.mask_from_boxes(grey, box, inside, probabilities, limits["smallest"])
            continue
        mask = np.full(probabilities.shape, 255, np.uint8)
        mask[probabilities < limits["unsure"]] = 0
        mask[probabilities >= limits["sure"]] = 1
        core = cv2.morphologyEx((mask == 1).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        if core.sum() >= limits["smallest"]:
            outlined[name, row] = mask
    return outlined
