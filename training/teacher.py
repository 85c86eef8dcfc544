"""Knowledge distillation: a network learns what another, dearer one says of the very same view.

Hinton et al. (2015); that both see one and the same augmented view, Beyer et al. (2022). It is in the
ablations and in no shipped recipe: RESULTS.md says what it gave.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional

from training.batches import Batches
from training.dataset import Prepared


def shrunk(batch: dict, size: int) -> dict:
    """A batch of `Batches.next` with all its planes reduced to [size, size]."""
    image = functional.interpolate(batch["image"], size=(size, size), mode="area")
    mask, inside = (
        functional.interpolate(batch[name].float(), size=(size, size), mode="nearest")
        for name in ("mask", "inside")
    )
    return batch | {"image": image, "mask": mask, "inside": inside == 1}


@dataclass
class Teacher:
    """A trained network, or None to draw and reduce slices as for one and learn from the labels alone."""

    model: torch.nn.Module | None
    sets: list[Prepared]  # the student's slices in the same order, on the teacher's grid
    weights: dict  # of the loss: "mask" and "labels"

    def next(self, batches: Batches, size: int) -> dict[str, torch.Tensor]:
        """A batch of [size, size] with `teacher_mask` [B, 1, size, size] and `teacher_labels` [B, 6] in [0, 1]."""
        batch = batches.next(self.sets[0].images.shape[-1])
        small = shrunk(batch, size)
        if self.model is None:
            return small
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            mask, labels = self.model(batch["image"].to(memory_format=torch.channels_last))
        mask = functional.interpolate(torch.sigmoid(mask.float()), size=(size, size), mode="area")
        return small | {"teacher_mask": mask, "teacher_labels": torch.sigmoid(labels.float())}

    def loss(self, outputs: tuple, batch: dict) -> torch.Tensor | float:
        """Cross-entropy against the teacher's probabilities, the masks within the skull alone."""
        if self.model is None:
            return 0.0
        mask, labels = (output.float() for output in outputs)
        bce = functional.binary_cross_entropy_with_logits
        maps = (bce(mask, batch["teacher_mask"], reduction="none") * batch["inside"]).mean()
        return self.weights["mask"] * maps + self.weights["labels"] * bce(labels, batch["teacher_labels"])
