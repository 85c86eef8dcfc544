"""What each preprocessing step and the offline expansion are worth: short runs, one table.

`python -m training.ablate CONFIG --data DIR... --output DIR` trains every variant for the same few
steps on the same batches' seed and prints Dice over patients at threshold 0.5 and the AUC of the
slice head, both on every patient outside training: a fifth of them is too few to rank anything by.
Short runs on a small grid rank steps roughly; they do not tell what a full training would reach.
"""

import argparse
import copy
import json
import shutil
from pathlib import Path

import numpy as np
import torch

from training import fit, train
from training.card import shown
from training.evaluate import predict
from training.figures import intervals, measure
from training.pipeline import TARGET, prepare

OFFLINE = {"copies": 2, "rotation_degrees": 15, "zoom": 0.12, "horizontal_flip": 0.5}
# Grey steps act on [0, 1] after the crop and before the resize.
VARIANTS = {
    "as shipped": {},
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
        "augment": {"bright_lesions": 0.25}, "intensity": {"window_share": 0.2},
    },
    "without hard negatives": {"recipe": {"hard_negatives": False}},
    "without pseudo-labels": {"recipe": {"pseudo_labels": {}}},
    "without the weak loss": {"loss": {"weak": 0.0}},
    "focal Tversky for Dice": {"loss": {"overlap": "focal_tversky"}},
    "without averaged weights": {"recipe": {"average_decay": 0.0}},
    "without ImageNet weights": {"pretrained": False},
    "without noise, blur, gain and gamma": {
        "intensity": {"gain": 0, "bias": 0, "gamma": 0, "noise": 0, "blur_share": 0},
    },
    # What a leak is worth: slices of one patient on both sides, scored on the held-out slices.
    "slice-wise split": {"split": "slice"},
}


def varied(config: dict, variant: dict, side: int, steps: int) -> dict:
    """The configuration with one thing changed, on a `side` grid for `steps` steps."""
    changed = copy.deepcopy(config)
    kept = [one for one in changed["preprocessing"] if one["step"] != variant.get("drop")]
    at = next(number for number, one in enumerate(kept) if one["step"] == "resize")
    kept[at] |= {"width": side, "height": side}
    changed["preprocessing"] = kept[:at] + [one for one in [variant.get("add")] if one] + kept[at:]
    # A fold leaves a fifth out, the split more than a third: more to rank by.
    changed["split"] = variant.get("split", "patient")
    changed["pretrained"] = variant.get("pretrained", changed["pretrained"])
    changed["augment"]["offline"] = variant.get("offline")
    changed["augment"] |= variant.get("augment", {})
    changed["augment"]["intensity"] |= variant.get("intensity", {})
    changed["recipe"] |= variant.get("recipe", {})
    changed["recipe"]["loss"] |= variant.get("loss", {})
    changed["recipe"] |= {"stages": [[steps, side]], "validate_every": steps}
    changed["recipe"].pop("restarts", None)
    changed["recipe"]["warmup_steps"] = min(changed["recipe"]["warmup_steps"], steps // 6)
    if pseudo := changed["recipe"].get("pseudo_labels"):
        pseudo["at_steps"] = [steps // 2]
    return changed


def scores(model: torch.nn.Module, one, part: dict) -> str:
    """Table cells of one set with 95 % intervals over patients, and the number of outlined patients."""
    held = predict(model.eval(), one, part["validation"] + part["test"])
    as_it_is = {"threshold": 0.5, "min_lesion_px": 0, "slice_threshold": 0.0}
    found = intervals(fit.score(held, as_it_is), measure)
    outlined = len(np.unique(held.patient[held.truth.any(axis=(1, 2))]))
    return (
        f"{one.name} ({outlined}): Dice {shown(found['dice_patients'])}, pooled F1 {shown(found['dice_pooled'])}, "
        f"pooled IoU {shown(found['iou_pooled'])}, AUC {shown(found['slice_auc'])}, "
        f"negatives outlined {shown(found['false_positive_rate'])}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--ichor", type=Path, default=TARGET / "release" / "ichor")
    parser.add_argument("--only", nargs="+", default=list(VARIANTS))
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = json.loads(arguments.config.read_text())
    for name in arguments.only:
        changed = varied(config, VARIANTS[name], arguments.side, arguments.steps)
        folder = arguments.output / name.replace(" ", "-").replace(",", "")
        sets = [prepare(arguments.ichor, one, changed, folder / one.name) for one in arguments.data]
        parts = train.parts_of(sets, changed)
        model = train.train(changed, sets, parts, folder)
        cells = " | ".join(scores(model, one, parts[one.name]) for one in sets)
        print(f"| {name} | {cells} |", flush=True)
        for one in sets:
            shutil.rmtree(folder / one.name)


if __name__ == "__main__":
    main()
