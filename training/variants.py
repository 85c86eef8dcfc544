"""The variants of a training configuration that `training.ablate` compares: one thing changed in each."""

import copy

OFFLINE = {"copies": 2, "rotation_degrees": 15, "zoom": 0.12, "horizontal_flip": 0.5}
GREY = ("gain", "bias", "gamma", "noise", "blur_share", "grain_share", "bright_rim_share")
REFERENCE = "as shipped"
# What is added acts on greys in [0, 1] after the crop and before the resize.
VARIANTS = {
    REFERENCE: {},
    "as shipped, another seed": {"seed": 1},
    "without crop to head": {"drop": "crop_to_head"},
    "with masks outside the skull": {"drop": "find_skull"},
    "histogram equalisation": {"add": {"step": "histogram_equalization"}},
    "CLAHE": {"add": {"step": "clahe", "clip_limit": 2.0, "tiles": 8}},
    "contrast stretching": {
        "add": {"step": "contrast_stretch", "low_percentile": 1, "high_percentile": 99}
    },
    "offline expansion, 2 copies": {"offline": OFFLINE},
    "without copied lesions": {"augment": {"copy_paste": 0.0}},
    "without drawn lesions": {"augment": {"synthetic_lesions": 0.0}},
    "other windows, bright drawn lesions": {
        "augment": {"bright_lesions": 0.25}, "intensity": {"window": {"share": 0.2, "width_hu": [80, 130], "off_center": 0.03}},
    },
    "without hard negatives": {"recipe": {"hard_negatives": False}},
    "without pseudo-labels": {"recipe": {"pseudo_labels": {}}},
    "without the weak loss": {"loss": {"weak": 0.0}},
    "focal Tversky for Dice": {"loss": {"overlap": "focal_tversky"}},
    "without averaged weights": {"recipe": {"average_decay": 0.0}},
    "without ImageNet weights": {"pretrained": False},
    "without the loss on false alarms": {"loss": {"false_alarms": 0.0}},
    "without grey variation": {"intensity": dict.fromkeys(GREY, 0)},
    # Steps before all others, which then begin at the full rate again.
    "first 100 steps on slice labels alone": {"recipe": {"label_steps": 100}},
    # Two rows: the first draws its slices as for a teacher, and is what the second is to be held against.
    "drawn on the teacher's grid": {"recipe": {"teacher": {"mask": 0.0, "labels": 0.0}}},
    "taught by the network of 320 px": {"recipe": {"teacher": {"mask": 2.0, "labels": 0.3}}},
    # What a leak is worth: slices of one patient on both sides, scored on the held-out slices.
    "slice-wise split": {"split": "slice"},
}


def varied(config: dict, variant: dict, side: int, steps: int, first: int = 0) -> dict:
    """The configuration with one thing changed, on a `side` grid for `steps` steps after the `first` ones."""
    changed = copy.deepcopy(config)
    kept = [one for one in changed["preprocessing"] if one["step"] != variant.get("drop")]
    at = next(number for number, one in enumerate(kept) if one["step"] == "resize")
    kept[at] |= {"width": side, "height": side}
    changed["preprocessing"] = kept[:at] + [one for one in [variant.get("add")] if one] + kept[at:]
    changed["split"] = variant.get("split", "patient")
    changed["seed"] = variant.get("seed", changed["seed"])
    changed["pretrained"] = variant.get("pretrained", changed["pretrained"])
    changed["augment"]["offline"] = variant.get("offline")
    changed["augment"] |= variant.get("augment", {})
    changed["augment"]["intensity"] |= variant.get("intensity", {})
    changed["recipe"] |= variant.get("recipe", {})
    changed["recipe"]["loss"] |= variant.get("loss", {})
    shorten(changed["recipe"], side, steps, first)
    return changed


def shorten(recipe: dict, side: int, steps: int, first: int) -> None:
    """One cosine of `steps` on a `side` grid: from half the rate after the `first` ones, at the full rate after those
    on slice labels alone."""
    before = first + recipe.get("label_steps", 0)
    recipe |= {"stages": [[before + steps, side]], "validate_every": before + steps}
    rate = recipe["learning_rate"] / (2 if first else 1)
    recipe["restarts"] = [{"at_step": before, "learning_rate": rate}] if before else []
    recipe["warmup_steps"] = min(recipe["warmup_steps"], steps // 6)
    if pseudo := recipe.get("pseudo_labels"):
        # At first a network outlines nothing that could be a label.
        pseudo["at_steps"] = [before + (0 if first else steps // 2)]
