"""Train one model: `python -m training.train CONFIG --prepared DIR... --output DIR`.

Writes checkpoint.pt (resumed when it is there), history.json and curves.png into the output
folder. Seeds are fixed; the order of batches is the same for the same configuration.
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

# From which the statistics of BatchNorm are taken where a released model learns on.
STATISTICS_BATCHES = 6
# Between checkpoints, s: what an interruption can cost.
SAVE_SECONDS = 240


def cosine(done: float) -> float:
    """From 1 down to 0.02 while `done` goes from 0 to 1."""
    return 0.02 + 0.49 * (1 + math.cos(math.pi * done))


def learning_rate(step: int, recipe: dict, total: int) -> float:
    """Linear warm-up, then a cosine down to 2 % of the peak; each of `restarts` begins another cosine.

    They are [{"at_step", "learning_rate"}, ...]: warm restarts (Loshchilov and Hutter 2017).
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
    return peak * cosine((step - begin) / max(1, end - begin))


def size_at(step: int, stages: list) -> int:
    """Side in pixels: `stages` is [[steps, side], ...]; small first, as it is cheap."""
    for steps, size in stages:
        if step < steps:
            return size
        step -= steps
    return stages[-1][1]


@torch.no_grad()
def follow(average: torch.nn.Module, model: torch.nn.Module, step: int, decay: float) -> None:
    """Exponential moving average of weights and of BatchNorm statistics; short memory at first."""
    decay = min(decay, (1 + step) / (10 + step))
    for mean, value in zip(average.state_dict().values(), model.state_dict().values()):
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


@torch.no_grad()
def progress(model, sets, parts, threshold: float = 0.5) -> dict[str, float]:
    """Of the validation patients, by set: mean over masked ones of their mean slice Dice, and the shares of positive
    and of negative slices with an outline. Nothing is chosen by these; thresholds are fitted later.
    """
    model.eval()
    scores = {}
    for one in sets:
        patients: dict[str, list[float]] = {}
        outlined: dict[str, list[bool]] = {}
        for row in one.rows_of(parts[one.name]["validation"]):
            logits, _ = model(torch.from_numpy(np.array(one.images[row : row + 1])))
            found = (torch.sigmoid(logits.float())[0, 0].numpy() >= threshold) & one.inside(row)
            kind = one.kind(row)
            if kind == "masked":
                truth = one.masks[row] == 1
                dice = 2 * (found & truth).sum() / max(1, found.sum() + truth.sum())
                patients.setdefault(one.rows[row]["patient"], []).append(dice)
            sign = "negatives" if kind == "negative" else "positives"
            outlined.setdefault(sign, []).append(found.sum() >= fit.SMALLEST_SHARE * found.size)
        if patients:
            scores[one.name] = float(np.mean([np.mean(values) for values in patients.values()]))
        scores |= {f"{one.name}, {sign} outlined": float(np.mean(values)) for sign, values in outlined.items()}
    return scores


def starting_model(config: dict, batches: Batches) -> torch.nn.Module:
    """A new model, with ImageNet weights in its encoder, or that of a released folder named by `start_from`."""
    if "start_from" not in config:
        return models.build(config["architecture"], pretrained=config.get("pretrained", False))
    size = size_at(0, config["recipe"]["stages"])
    images = torch.cat([batches.next(size)["image"] for _ in range(STATISTICS_BATCHES)])
    return export.load_onnx(Path(config["start_from"]) / "model.onnx", config["architecture"], images)


def train(config: dict, sets: list, parts: dict, output: Path, teacher: Teacher | None = None) -> torch.nn.Module:
    """Run all steps, or those left since the checkpoint; returns the averaged model.

    With a `teacher` the slices are drawn from its sets and learnt from it too.
    """
    output.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config["seed"])
    recipe, total = config["recipe"], sum(steps for steps, _ in config["recipe"]["stages"])
    saved = None
    if (output / "checkpoint.pt").exists():
        saved = torch.load(output / "checkpoint.pt", weights_only=False)
    start = saved["step"] if saved else 0
    # The start is part of the seed: a resumed run must not repeat the batches it has seen.
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
        # A finished run goes on when its recipe has grown, and its head is fitted anew.
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
        # At once or not at all: an interrupted write must not cost the checkpoint before it.
        os.replace(output / "checkpoint.new", output / "checkpoint.pt")
        (output / "history.json").write_text(json.dumps(history))
        plot_curves(history, output / "curves.png")

    pseudo_labels = recipe.get("pseudo_labels", {})
    relabel_at = pseudo_labels.get("at_steps", [])
    # Which is faster depends on the processor: measure a step of each (README).
    bfloat16 = recipe.get("precision", "float32") == "bfloat16"
    for step in tqdm(range(start, total), initial=start, total=total, mininterval=10):
        # A resumed run has lost its outlines.
        if step in relabel_at or step == start and relabel_at and start > relabel_at[0]:
            size = size_at(step - 1, recipe["stages"])
            batches.pseudo = pseudo.outline(average, batches, size, pseudo_labels)
        model.train()
        size = size_at(step, recipe["stages"])
        batch = teacher.next(batches, size) if teacher else batches.next(size)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, recipe, total)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            outputs = model(batch["image"].to(memory_format=torch.channels_last))
        by_label_alone = step < recipe.get("label_steps", 0)
        loss = losses.total_loss(outputs, batch, losses.LABELS_ALONE if by_label_alone else recipe["loss"])
        loss = loss + (teacher.loss(outputs, batch) if teacher else 0)
        if recipe.get("hard_negatives"):
            served = losses.within(outputs[0], batch["inside"])
            batches.remember(batch["origins"], pseudo.strongest(served))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        follow(average, model, step, recipe["average_decay"])
        history.append({"step": step, "loss": loss.item()})
        if (step + 1) % recipe["validate_every"] == 0 or step + 1 == total:
            history[-1]["validation"] = progress(average, sets, parts)
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


def parts_of(sets: list, config: dict) -> dict:
    """Each part of every set, by the configuration's split ("patient" unless it names another).

    With "folds" all train: the folds themselves are `training.crossvalidate`'s. A table gives each set a split of its
    own, "*" that of all others.
    """
    named = config.get("split", "patient")
    named = named if isinstance(named, dict) else {"*": named}
    return {
        one.name: split.SPLITS[named.get(one.name, named["*"])](one.rows, config["split_seed"]) for one in sets
    }


def main() -> None:
    given, sets = arguments.parse(arguments.parser(__doc__, "config"))
    config = json.loads(given.config.read_text())
    train(config, sets, parts_of(sets, config), given.output)


if __name__ == "__main__":
    main()
