"""Train one model: `python -m training.train CONFIG --prepared DIR... --output DIR`.

Writes checkpoint.pt, history.json and curves.png into the output folder; a run continues from its checkpoint. Seeds are
fixed: the order of batches is the same for the same configuration.
"""

import copy
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from training import arguments, export, fit, losses, models, pseudo, slice_head, split
from training.batches import Batches
from training.plot import plot_curves
from training.teacher import Teacher

# Batches for the statistics of BatchNorm when a released model is trained further.
STATISTICS_BATCHES = 6
# Time between checkpoints, s.
SAVE_SECONDS = 240


def cosine_share(done: float) -> float:
    """Share of the peak rate: from 1 down to 0.02 while `done` goes from 0 to 1."""
    return 0.02 + 0.49 * (1 + math.cos(math.pi * done))


def learning_rate(step: int, recipe: dict, total: int) -> float:
    """Linear warm-up, then a cosine down to 2 % of the peak; each restart begins another cosine.

    `restarts` of the recipe is [{"at_step", "learning_rate"}, ...]: warm restarts (Loshchilov and Hutter 2017).
    """
    warm = recipe["warmup_steps"]
    if step < warm:
        return recipe["learning_rate"] * (step + 1) / warm
    begin, peak, end = warm, recipe["learning_rate"], total
    for restart in recipe.get("restarts", []):
        if step < restart["at_step"]:
            end = restart["at_step"]
            break
        begin, peak = restart["at_step"], restart["learning_rate"]
    return peak * cosine_share((step - begin) / max(1, end - begin))


def side_at(step: int, stages: list) -> int:
    """Side of the grid at a step, px; `stages` is [[steps, side], ...], small sides first because they are fast."""
    for steps, size in stages:
        if step < steps:
            return size
        step -= steps
    return stages[-1][1]


@torch.no_grad()
def update_average(average: torch.nn.Module, model: torch.nn.Module, step: int, decay: float) -> None:
    """Update the moving average of weights and BatchNorm statistics; in the first steps with a smaller decay."""
    decay = min(decay, (1 + step) / (10 + step))
    for mean, value in zip(average.state_dict().values(), model.state_dict().values()):
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


@torch.no_grad()
def validation_figures(model, sets, parts, threshold: float = 0.5) -> dict[str, float]:
    """Figures of the validation patients by set, to watch the training; thresholds are chosen later.

    Mean over masked patients of their mean slice Dice, and the shares of positive and negative slices with an outline.
    """
    model.eval()
    scores = {}
    for data in sets:
        patients: dict[str, list[float]] = {}
        outlined: dict[str, list[bool]] = {}
        for row in data.rows_of(parts[data.name]["validation"]):
            logits, _ = model(torch.from_numpy(np.array(data.images[row : row + 1])))
            found = (torch.sigmoid(logits.float())[0, 0].numpy() >= threshold) & data.inside(row)
            kind = data.kind(row)
            if kind == "masked":
                truth = data.masks[row] == 1
                dice = 2 * (found & truth).sum() / max(1, found.sum() + truth.sum())
                patients.setdefault(data.rows[row]["patient"], []).append(dice)
            sign = "negatives" if kind == "negative" else "positives"
            outlined.setdefault(sign, []).append(found.sum() >= fit.MIN_LESION_SHARE * found.size)
        if patients:
            scores[data.name] = float(np.mean([np.mean(values) for values in patients.values()]))
        scores |= {f"{data.name}, {sign} outlined": float(np.mean(values)) for sign, values in outlined.items()}
    return scores


def starting_model(config: dict, batches: Batches) -> torch.nn.Module:
    """A new model, with ImageNet weights if `pretrained`, or the released model that `start_from` names."""
    if "start_from" not in config:
        return models.build(config["architecture"], pretrained=config.get("pretrained", False))
    size = side_at(0, config["recipe"]["stages"])
    images = torch.cat([batches.next_batch(size)["image"] for _ in range(STATISTICS_BATCHES)])
    return export.load_onnx(Path(config["start_from"]) / "model.onnx", config["architecture"], images)


def train(config: dict, sets: list, parts: dict, output: Path, teacher: Teacher | None = None) -> torch.nn.Module:
    """Run all steps, or those after the checkpoint; returns the averaged model.

    With a `teacher` the slices are drawn from its sets, and its answers are part of the loss.
    """
    output.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config["seed"])
    recipe, total = config["recipe"], sum(steps for steps, _ in config["recipe"]["stages"])
    saved = None
    if (output / "checkpoint.pt").exists():
        saved = torch.load(output / "checkpoint.pt", weights_only=False)
    start = saved["step"] if saved else 0
    # The start is part of the seed, so that a continued run does not repeat its first batches.
    batches = Batches(teacher.sets if teacher else sets, parts, config, config["seed"] + start)
    model = models.build(config["architecture"]) if saved else starting_model(config, batches)
    model = model.to(memory_format=torch.channels_last)
    average = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=recipe["weight_decay"])
    history, fitted = [], False
    if saved:
        model.load_state_dict(saved["model"])
        average.load_state_dict(saved["average"])
        optimizer.load_state_dict(saved["optimizer"])
        history = saved["history"]
        batches.hardness = saved.get("hardness", {})
        # A finished run continues if its recipe now has more steps; the slice head is then fitted again.
        fitted = saved["slice_head_fitted"] and start >= total
    saved_at = time.monotonic()

    def save(step):
        nonlocal saved_at
        saved_at = time.monotonic()
        torch.save(
            {"model": model.state_dict(), "average": average.state_dict(), "step": step,
             "optimizer": optimizer.state_dict(), "history": history,
             "slice_head_fitted": fitted, "config": config, "parts": parts, "hardness": batches.hardness},
            output / "checkpoint.new",
        )  # fmt: skip
        # Renamed, so that an interrupted write leaves the previous checkpoint.
        os.replace(output / "checkpoint.new", output / "checkpoint.pt")
        (output / "history.json").write_text(json.dumps(history))
        plot_curves(history, output / "curves.png")

    pseudo_labels = recipe.get("pseudo_labels", {})
    relabel_at = pseudo_labels.get("at_steps", [])
    # Which one is faster depends on the CPU: measure a step of each (README.md).
    bfloat16 = recipe.get("precision", "float32") == "bfloat16"
    for step in tqdm(range(start, total), initial=start, total=total, mininterval=10):
        # A continued run has no outlines yet.
        if step in relabel_at or step == start and relabel_at and start > relabel_at[0]:
            size = side_at(step - 1, recipe["stages"])
            batches.pseudo = pseudo.outline(average, batches, size, pseudo_labels)
        model.train()
        size = side_at(step, recipe["stages"])
        batch = teacher.next_batch(batches, size) if teacher else batches.next_batch(size)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, recipe, total)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            outputs = model(batch["image"].to(memory_format=torch.channels_last))
        labels_only = step < recipe.get("label_steps", 0)
        loss = losses.total_loss(outputs, batch, losses.LABEL_WEIGHTS if labels_only else recipe["loss"])
        loss = loss + (teacher.loss(outputs, batch) if teacher else 0)
        if recipe.get("hard_negatives"):
            inside = losses.mask_outside(outputs[0], batch["inside"])
            batches.update_hardness(batch["origins"], pseudo.highest_cell_probability(inside))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        update_average(average, model, step, recipe["average_decay"])
        history.append({"step": step, "loss": loss.item()})
        if (step + 1) % recipe["validate_every"] == 0 or step + 1 == total:
            history[-1]["validation"] = validation_figures(average, sets, parts)
            tqdm.write(f"step {step + 1}: {loss.item():.3f} {history[-1]['validation']}")
            save(step + 1)
        elif time.monotonic() - saved_at > SAVE_SECONDS:
            save(step + 1)
    if not fitted:
        if teacher:
            batches = Batches(sets, parts, config, config["seed"])
        slice_head.fit(average, batches, **recipe["slice_head"])
        fitted = True
        save(total)
    return average


def split_sets(sets: list, config: dict) -> dict:
    """Parts of every set by "split" of the configuration, "patient" by default.

    With "folds" all patients are training, as `training.crossvalidate` makes the folds. A table names the split of each
    set; "*" is for all others.
    """
    named = config.get("split", "patient")
    named = named if isinstance(named, dict) else {"*": named}
    return {
        data.name: split.SPLITS[named.get(data.name, named["*"])](data.rows, config["split_seed"]) for data in sets
    }


def main() -> None:
    options, sets = arguments.parse_arguments(arguments.new_parser(__doc__, "config"))
    config = json.loads(options.config.read_text())
    train(config, sets, split_sets(sets, config), options.output)


if __name__ == "__main__":
    main()
