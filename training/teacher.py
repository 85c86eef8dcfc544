"""Knowledge distillation: a network is trained on the answers of a larger one for the same view.

Hinton et al. (2015); the same augmented view for both, Beyer et al. (2022). Used in the ablations only; RESULTS.md has the
results.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional

from training.batches import Batches
from training.dataset import PreparedSet


def reduce_batch(batch: dict, size: int) -> dict:
    """A batch of `Batches.next_batch` with all planes reduced to [size, size]."""
    image = functional.interpolate(batch["image"], size=(size, size), mode="area")
    mask, inside = (
        functional.interpolate(batch[name].float(), size=(size, size), mode="nearest")
        for name in ("mask", "inside")
    )
    return batch | {"image": image, "mask": mask, "inside": inside == 1}


@dataclass
class Teacher:
    """A trained network; with `model` None, slices are drawn in the same way and train from their labels only."""

    model: torch.nn.Module | None
    sets: list[PreparedSet]  # the slices of the student in the same order, on the grid of the teacher
    weights: dict  # of the losses "mask" and "labels"

    def next_batch(self, batches: Batches, size: int) -> dict[str, torch.Tensor]:
        """A batch of [size, size] with `teacher_mask` [B, 1, size, size] and `teacher_labels` [B, 6] in [0, 1]."""
        batch = batches.next_batch(self.sets[0].images.shape[-1])
        small = reduce_batch(batch, size)
        if self.model is None:
            return small
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            mask, labels = self.model(batch["image"].to(memory_format=torch.channels_last))
        mask = functional.interpolate(torch.sigmoid(mask.float()), size=(size, size), mode="area")
        return small | {"teacher_mask": mask, "teacher_labels": torch.sigmoid(labels.float())}

    def loss(self, outputs: tuple, batch: dict) -> torch.Tensor | float:
        """Cross-entropy with the teacher's probabilities; masks inside the skull only."""
        if self.model is None:
            return 0.0
        mask, labels = (output.float() for output in outputs)
        bce = functional.binary_cross_entropy_with_logits
        maps = (bce(mask, batch["teacher_mask"], reduction="none") * batch["inside"]).mean()
        return self.weights["mask"] * maps + self.weights["labels"] * bce(labels, batch["teacher_labels"])
