"""Batches of the training patients: slices drawn by group (masked, weak, negative) and augmented."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from training import pictures, synthetic, transforms
from training.dataset import PreparedSet


@dataclass
class Slice:
    """One training slice: grey float32 [H, W] in [0, 1], mask and inside uint8 [H, W], labels float32 [6]."""

    grey: np.ndarray
    mask: np.ndarray
    inside: np.ndarray  # 1 where a mask may lie
    labels: np.ndarray
    mask_known: bool
    weight: float = 1.0  # of the mask's losses
    origin: tuple[str, int] | None = None  # set and row of an unchanged negative slice

    def resampled(self, matrix: np.ndarray, size: int) -> "Slice":
        """All planes resampled by `matrix` to [size, size] (`transforms.warp`)."""
        planes = self.grey, self.mask, self.inside
        grey, mask, inside = (transforms.warp(plane, matrix, size) for plane in planes)
        return replace(self, grey=grey, mask=mask, inside=inside)


class Batches:
    """Endless balanced batches of the training patients, drawn by one seeded generator.

    `hardness` weighs the slices of a patient against each other; `update_hardness` raises it
    where the model finds blood in a negative slice. `pseudo` holds masks of weakly labelled slices.
    """

    def __init__(self, sets: list[PreparedSet], parts: dict, config: dict, seed: int):
        self.sets, self.config = {data.name: data for data in sets}, config
        self.rng = np.random.default_rng(seed)
        self.groups = {}
        for data in sets:
            for row in data.rows_of(parts[data.name]["train"]):
                patients = self.groups.setdefault((data.name, data.kind(row)), {})
                patients.setdefault(data.rows[row]["patient"], []).append(row)
        self.hardness: dict[tuple[str, int], float] = {}
        self.pseudo: dict[tuple[str, int], np.ndarray] = {}
        self.offline = self.expand(config["augment"].get("offline"))

    def expand(self, amounts: dict | None) -> dict:
        """Offline augmentation: fixed extra copies of every masked slice, made before training."""
        copies: dict = {}
        for (name, kind), patients in self.groups.items():
            for row in [row for rows in patients.values() for row in rows]:
                for _ in range(amounts["copies"] if amounts and kind == "masked" else 0):
                    original = self.read(name, row)
                    matrix = transforms.draw_geometry(amounts, self.rng)
                    copies.setdefault((name, row), []).append(original.resampled(matrix, len(original.grey)))
        return copies

    def read(self, name: str, row: int) -> Slice:
        """The slice without augmentation; a weak slice has its pseudo-label, if there is one, as its mask."""
        data, normal = self.sets[name], self.config["normalize"]
        grey = np.clip(data.images[row, 0] * normal["std"] + normal["mean"], 0, 1)
        grey, labels, kind = grey.astype(np.float32), data.labels(row), data.kind(row)
        inside = data.inside(row).astype(np.uint8)
        if (name, row) in self.pseudo:
            weight = self.config.get("mask_weights", {}).get("pseudo", 1.0)
            return Slice(grey, self.pseudo[name, row], inside, labels, True, weight)
        if kind == "weak":
            return Slice(grey, np.zeros_like(data.masks[row]), inside, labels, False)
        origin = (name, row) if kind == "negative" else None
        weight = self.config.get("mask_weights", {}).get(data.tier(row), 1.0)
        return Slice(grey, np.array(data.masks[row]), inside, labels, True, weight, origin)

    def draw(self, name: str, kind: str) -> Slice:
        """Draw a patient, weighted by the root of its slice count, and then one of its slices, weighted by hardness."""
        patients = self.groups[name, kind]
        names = sorted(patients)
        weights = np.sqrt([len(patients[patient]) for patient in names])
        rows = patients[names[self.rng.choice(len(names), p=weights / weights.sum())]]
        weights = np.array([self.hardness.get((name, row), 0.5) for row in rows]) + 0.05
        row = rows[self.rng.choice(len(rows), p=weights / weights.sum())]
        copies = self.offline.get((name, row), [])
        choice = self.rng.integers(len(copies) + 1)
        return copies[choice - 1] if choice else self.read(name, row)

    def vary(self, name: str, original: Slice, size: int) -> Slice:
        """The slice with random geometry, intensity and picture changes, float32 [size, size]."""
        augment = self.config["augment"]
        turns = augment.get("quarter_turns", {}).get(name, [1, 0, 0, 0])
        matrix = transforms.draw_geometry({**augment["online"], "quarter_turns": turns}, self.rng)
        amounts = augment.get("picture", {})
        if self.rng.random() < amounts.get("cut_share", 0):
            cut = pictures.draw_cut(amounts["cut"], self.rng)
            moved, visible = original.resampled(cut.matrix() @ matrix, size), cut.visible_mask(size)
            grey, mask, inside = moved.grey * visible, moved.mask * visible, moved.inside * visible
            moved = replace(moved, grey=grey, mask=mask, inside=inside)
        else:
            moved = original.resampled(matrix, size)
        grey = transforms.vary_intensity(moved.grey, augment["intensity"], self.rng)
        return replace(moved, grey=pictures.vary_picture(grey, moved.inside, amounts, self.rng))

    def sample(self, name: str, kind: str, size: int) -> Slice:
        """Draw and augment one slice of a set and kind; a negative one may get a copied or drawn lesion."""
        original = self.draw(name, kind)
        if kind == "negative" and (bleeding := self.add_blood(name, original)) is not None:
            grey, mask, labels = bleeding
            original = replace(original, grey=grey, mask=mask, labels=labels, origin=None)
        return self.vary(name, original, size)

    def add_blood(self, name: str, original: Slice):
        """(grey, mask, labels) of a negative slice with a copied or drawn lesion; None without one."""
        augment, chance = self.config["augment"], self.rng.random()
        copied = augment.get("copy_paste", 0) if (name, "masked") in self.groups else 0
        if chance < copied:
            donor = self.draw(name, "masked")
            pasted = transforms.paste_lesion(original.grey, original.mask, donor.grey, donor.mask)
            return None if pasted is None else (*pasted, donor.labels)
        if chance < copied + augment.get("synthetic_lesions", 0):
            bright = augment.get("bright_lesions", 0)
            return synthetic.add_lesion(original.grey, original.mask, original.labels, self.rng, bright)
        return None

    def update_hardness(self, origins: list, probabilities: np.ndarray, keep: float = 0.5) -> None:
        """Update the hardness of negative slices by the probabilities of blood, [B], as a moving average."""
        for origin, probability in zip(origins, probabilities):
            if origin is not None:
                before = self.hardness.get(origin, 0.5)
                self.hardness[origin] = keep * before + (1 - keep) * float(probability)

    def weak_rows(self) -> list[tuple[str, int]]:
        """Set and row of every training slice that is positive by label and has no mask."""
        return [
            (name, row)
            for (name, kind), patients in self.groups.items()
            if kind == "weak"
            for rows in patients.values()
            for row in rows
        ]

    def training_rows(self, name: str) -> list[int]:
        """Every training slice of a set."""
        patients = [patients for (other, _), patients in self.groups.items() if other == name]
        return sorted(row for rows_by_patient in patients for rows in rows_by_patient.values() for row in rows)

    def image_tensor(self, slices: list[Slice]) -> torch.Tensor:
        """float32 [B, 1, H, W], normalised."""
        normal = self.config["normalize"]
        grey = np.stack([part.grey for part in slices])[:, None]
        return torch.from_numpy((grey - normal["mean"]) / normal["std"]).float()

    def round_randomly(self, count: float) -> int:
        """An integer next to `count`, at random so that the mean is `count`."""
        return int(count) + int(self.rng.random() < count % 1) if count % 1 else int(count)

    def next_batch(self, size: int) -> dict[str, torch.Tensor]:
        """image [B, 1, S, S] normalised, mask and inside [B, 1, S, S], mask_known and mask_weight [B], labels [B, 6]."""
        mixture = self.config["batch"]
        drawn = [
            self.sample(name, kind, size)
            for name in self.sets
            for kind, count in mixture.get(name, mixture["*"]).items()
            if (name, kind) in self.groups
            for _ in range(self.round_randomly(count))
        ]
        return {
            "image": self.image_tensor(drawn),
            "mask": torch.from_numpy(np.stack([part.mask for part in drawn])[:, None]).float(),
            "inside": torch.from_numpy(np.stack([part.inside for part in drawn])[:, None]) == 1,
            "mask_known": torch.tensor([float(part.mask_known) for part in drawn]),
            "mask_weight": torch.tensor([part.weight for part in drawn]),
            "labels": torch.from_numpy(np.stack([part.labels for part in drawn])),
            "origins": [part.origin for part in drawn],
        }
