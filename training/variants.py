"""Variants of a training configuration for `training.ablate`: one change in each."""

import copy

OFFLINE = {"copies": 2, "rotation_degrees": 15, "zoom": 0.12, "horizontal_flip": 0.5}
GREY = ("gain", "bias", "gamma", "noise", "blur_share", "grain_share", "bright_rim_share")
REFERENCE = "as shipped"
# Added steps act on grey levels in [0, 1], after the crop and before the resize.
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
    # These steps come before all others, which then start at the full rate.
    "first 100 steps on slice labels alone": {"recipe": {"label_steps": 100}},
    # Two rows: the first draws its slices as for a teacher and is the reference of the second.
    "drawn on the teacher's grid": {"recipe": {"teacher": {"mask": 0.0, "labels": 0.0}}},
    "taught by the network of 320 px": {"recipe": {"teacher": {"mask": 2.0, "labels": 0.3}}},
    # The effect of a leak: slices of one patient in both parts, scored on the held-out slices.
    "slice-wise split": {"split": "slice"},
}


def apply_variant(config: dict, variant: dict, side: int, steps: int, first: int = 0) -> dict:
    """The configuration with one change, on a grid of `side` px for `steps` steps after the `first` ones."""
    changed = copy.deepcopy(config)
    kept = [step for step in changed["preprocessing"] if step["step"] != variant.get("drop")]
    at = next(number for number, step in enumerate(kept) if step["step"] == "resize")
    kept[at] |= {"width": side, "height": side}
    changed["preprocessing"] = kept[:at] + [step for step in [variant.get("add")] if step] + kept[at:]
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
    """Change the recipe to one cosine of `steps` on a grid of `side` px.

    It starts at half the rate after `first` shared steps, and at the full rate after steps on slice labels only.
    """
    before = first + recipe.get("label_steps", 0)
    recipe |= {"stages": [[before + steps, side]], "validate_every": before + steps}
    rate = recipe["learning_rate"] / (2 if first else 1)
    recipe["restarts"] = [{"at_step": before, "learning_rate": rate}] if before else []
    recipe["warmup_steps"] = min(recipe["warmup_steps"], steps // 6)
    if pseudo := recipe.get("pseudo_labels"):
        # In its first steps a network outlines nothing that could be a label.
        pseudo["at_steps"] = [before + (0 if first else steps // 2)]
