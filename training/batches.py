"""Batches of the training patients: slices grouped by what is known of them, drawn and varied."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from training import pictures, synthetic, transforms
from training.dataset import Prepared


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

    def moved(self, matrix: np.ndarray, size: int) -> "Slice":
        """All planes resampled alike to [size, size] (`transforms.warp`)."""
        planes = self.grey, self.mask, self.inside
        grey, mask, inside = (transforms.warp(plane, matrix, size) for plane in planes)
        return replace(self, grey=grey, mask=mask, inside=inside)


class Batches:
    """Endless balanced batches of the training patients, drawn by one seeded generator.

    `hardness` weighs the slices of a patient against each other; `remember` raises it where the
    model sees blood in a negative slice. `pseudo` holds masks for weakly labelled slices.
    """

    def __init__(self, sets: list[Prepared], parts: dict, config: dict, seed: int):
        self.sets, self.config = {one.name: one for one in sets}, config
        self.rng = np.random.default_rng(seed)
        self.groups = {}
        for one in sets:
            for row in one.rows_of(parts[one.name]["train"]):
                patients = self.groups.setdefault((one.name, one.kind(row)), {})
                patients.setdefault(one.rows[row]["patient"], []).append(row)
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
                    copies.setdefault((name, row), []).append(original.moved(matrix, len(original.grey)))
        return copies

    def read(self, name: str, row: int) -> Slice:
        one, normal = self.sets[name], self.config["normalize"]
        grey = np.clip(one.images[row, 0] * normal["std"] + normal["mean"], 0, 1)
        grey, labels, kind = grey.astype(np.float32), one.labels(row), one.kind(row)
        inside = one.inside(row).astype(np.uint8)
        if (name, row) in self.pseudo:
            weight = self.config.get("mask_weights", {}).get("pseudo", 1.0)
            return Slice(grey, self.pseudo[name, row], inside, labels, True, weight)
        if kind == "weak":
            return Slice(grey, np.zeros_like(one.masks[row]), inside, labels, False)
        origin = (name, row) if kind == "negative" else None
        weight = self.config.get("mask_weights", {}).get(one.tier(row), 1.0)
        return Slice(grey, np.array(one.masks[row]), inside, labels, True, weight, origin)

    def draw(self, name: str, kind: str) -> Slice:
        """A patient by the root of its slice count (no patient dominates), then one of its slices."""
        patients = self.groups[name, kind]
        names = sorted(patients)
        weights = np.sqrt([len(patients[patient]) for patient in names])
        rows = patients[names[self.rng.choice(len(names), p=weights / weights.sum())]]
        weights = np.array([self.hardness.get((name, row), 0.5) for row in rows]) + 0.05
        row = rows[self.rng.choice(len(rows), p=weights / weights.sum())]
        copies = self.offline.get((name, row), [])
        choice = self.rng.integers(len(copies) + 1)
        return copies[choice - 1] if choice else self.read(name, row)

    def vary(self, name: str, one: Slice, size: int) -> Slice:
        """The same slice, moved and turned at random, to [size, size], as another scanner would show it."""
        augment = self.config["augment"]
        turns = augment.get("quarter_turns", {}).get(name, [1, 0, 0, 0])
        matrix = transforms.draw_geometry({**augment["online"], "quarter_turns": turns}, self.rng)
        amounts = augment.get("picture", {})
        if self.rng.random() < amounts.get("cut_share", 0):
            cut = pictures.draw_cut(amounts["cut"], self.rng)
            moved, shown = one.moved(cut.matrix() @ matrix, size), cut.shown(size)
            grey, mask, inside = moved.grey * shown, moved.mask * shown, moved.inside * shown
            moved = replace(moved, grey=grey, mask=mask, inside=inside)
        else:
            moved = one.moved(matrix, size)
        grey = transforms.vary_intensity(moved.grey, augment["intensity"], self.rng)
        return replace(moved, grey=pictures.vary_picture(grey, moved.inside, amounts, self.rng))

    def sample(self, name: str, kind: str, size: int) -> Slice:
        one = self.draw(name, kind)
        if kind == "negative" and (bleeding := self.add_blood(name, one)) is not None:
            grey, mask, labels = bleeding
            one = replace(one, grey=grey, mask=mask, labels=labels, origin=None)
        return self.vary(name, one, size)

    def add_blood(self, name: str, one: Slice):
        """(grey, mask, labels) of a negative slice with a copied or drawn lesion, or None."""
        augment, chance = self.config["augment"], self.rng.random()
        copied = augment.get("copy_paste", 0) if (name, "masked") in self.groups else 0
        if chance < copied:
            donor = self.draw(name, "masked")
            pasted = transforms.paste_lesion(one.grey, one.mask, donor.grey, donor.mask)
            return None if pasted is None else (*pasted, donor.labels)
        if chance < copied + augment.get("synthetic_lesions", 0):
            bright = augment.get("bright_lesions", 0)
            return synthetic.add_lesion(one.grey, one.mask, one.labels, self.rng, bright)
        return None

    def remember(self, origins: list, probabilities: np.ndarray, keep: float = 0.5) -> None:
        """Blend how sure of blood the model was, [B] in [0, 1], into the hardness of negatives."""
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

    def rows(self, name: str) -> list[int]:
        """Every training slice of a set."""
        patients = [patients for (other, _), patients in self.groups.items() if other == name]
        return sorted(row for some in patients for rows in some.values() for row in rows)

    def image(self, slices: list[Slice]) -> torch.Tensor:
        """float32 [B, 1, H, W], normalised."""
        normal = self.config["normalize"]
        grey = np.stack([one.grey for one in slices])[:, None]
        return torch.from_numpy((grey - normal["mean"]) / normal["std"]).float()

    def whole(self, count: float) -> int:
        """The count, or one of its two whole neighbours so that the mean is the count."""
        return int(count) + int(self.rng.random() < count % 1) if count % 1 else int(count)

    def next(self, size: int) -> dict[str, torch.Tensor]:
        """image [B, 1, S, S] normalised, mask and inside [B, 1, S, S], mask_known and mask_weight [B], labels [B, 6]."""
        mixture = self.config["batch"]
        drawn = [
            self.sample(name, kind, size)
            for name in self.sets
            for kind, count in mixture.get(name, mixture["*"]).items()
            if (name, kind) in self.groups
            for _ in range(self.whole(count))
        ]
        return {
            "image": self.image(drawn),
            "mask": torch.from_numpy(np.stack([one.mask for one in drawn])[:, None]).float(),
            "inside": torch.from_numpy(np.stack([one.inside for one in drawn])[:, None]) == 1,
            "mask_known": torch.tensor([float(one.mask_known) for one in drawn]),
            "mask_weight": torch.tensor([one.weight for one in drawn]),
            "labels": torch.from_numpy(np.stack([one.labels for one in drawn])),
            "origins": [one.origin for one in drawn],
        }
