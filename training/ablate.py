"""What each part of the recipe is worth: one thing changed at a time, short runs, one table.

`python -m training.ablate CONFIG --data DIR... --output DIR` trains every variant on each half of the
patients in turn and scores it on the other, so that every patient is scored once: Dice over patients at
threshold 0.5 with nothing removed afterwards, AUC of the slice head, negative slices outlined. Beside
"as shipped" stands the difference to it, with 95 % intervals over patients, both resampled alike.
Short runs on a small grid rank what is learnt early; they do not tell what a full training would reach,
and the intervals know nothing of the seed: that is what "as shipped, another seed" is for.

With `--first` the variants begin where so many steps as shipped have led: for what matters late, as by then all
find bleeds, and from the start it is chance which of them does so first.

What is there already in --output is read back: processes side by side share the work by --only.
With `--folds 5 --teachers DIR` (of `training.crossvalidate`) the variants that learn from a teacher run too.
"""

import argparse
import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import torch

from training import dataset, figures, fit, split, train
from training.bootstrap import differences, intervals
from training.card import HEADINGS, format_figure
from training.evaluate import predict
from training.export import load_model
from training.pipeline import TARGET, prepare
from training.teacher import Teacher
from training.variants import REFERENCE, VARIANTS, varied

SHOWN = ("dice_patients", "slice_auc", "false_positive_rate")


def prepared_for(config: dict, data: list[Path], ichor: Path, folder: Path) -> list[dataset.Prepared]:
    """The sets as these preprocessing steps see them, shared by all variants that have the same ones."""
    steps = json.dumps(config["preprocessing"])
    made = folder / hashlib.sha256(steps.encode()).hexdigest()[:12]
    if not made.exists():
        own = folder / f"{made.name}-{os.getpid()}"
        for one in data:
            prepare(ichor, one, config, own / one.name)
        try:
            own.rename(made)
        except OSError:
            shutil.rmtree(own)  # a process beside was first
    return [dataset.load(made / one.name) for one in data]


def divided(one: dataset.Prepared, config: dict, number: int, count: int) -> dict:
    """The parts of one set for fold `number` of `count`, by patient or, to show the leak, by slice."""
    rows = split.apart(one.rows) if config["split"] == "slice" else one.rows
    return split.by_fold(rows, config["split_seed"], number, count)


def teacher_of(config: dict, given: argparse.Namespace, number: int) -> Teacher | None:
    """The network of the same fold, which saw none of the patients held out here; None without a teacher."""
    if not (weights := config["recipe"].get("teacher")):
        return None
    model, saved = load_model(given.teachers / f"fold-{number}" / "checkpoint.pt")
    sets = prepared_for(saved["config"], given.data, given.ichor, given.output / "prepared")
    return Teacher(model.eval() if weights["mask"] else None, sets, weights)


def begin(config: dict, given: argparse.Namespace, parts: dict, number: int, folder: Path) -> None:
    """Where the first steps are shared, the checkpoint after them as that of a run that stopped there."""
    if not given.first or (folder / "checkpoint.pt").exists():
        return
    base = given.output / f"first-{given.first}" / f"fold-{number}"
    if not (base / "checkpoint.pt").exists():
        config = varied(config, VARIANTS[REFERENCE], given.side, given.first)
        sets = prepared_for(config, given.data, given.ichor, given.output / "prepared")
        train.train(config, sets, parts, base)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(base / "checkpoint.pt", folder)


def run(config: dict, variant: dict, given: argparse.Namespace, folder: Path) -> dict[str, figures.Scored]:
    """Train and score every fold of one variant; of each set all patients, in one order for all variants."""
    changed = varied(config, variant, given.side, given.steps, given.first)
    sets = prepared_for(changed, given.data, given.ichor, given.output / "prepared")
    scored: dict[str, list[figures.Scored]] = {one.name: [] for one in sets}
    for number in given.only_folds or range(given.folds):
        parts = {one.name: divided(one, changed, number, given.folds) for one in sets}
        teacher = teacher_of(changed, given, number)
        begin(config, given, parts, number, folder / f"fold-{number}")
        model = train.train(changed, sets, parts, folder / f"fold-{number}", teacher).eval()
        for one in sets:
            held = predict(model, one, parts[one.name]["validation"])
            as_it_is = {"threshold": 0.5, "min_lesion_px": 0, "slice_threshold": 0.0}
            scored[one.name].append(fit.score(held, as_it_is))
        shutil.rmtree(folder / f"fold-{number}")
    joined = {name: figures.join(folds) for name, folds in scored.items()}
    return {name: one.take(np.lexsort((one.number, one.patient))) for name, one in joined.items()}


def scores_of(name: str, config: dict, given: argparse.Namespace) -> dict[str, figures.Scored]:
    """Of one variant, read back where it was run before."""
    folder = given.output / name.replace(" ", "-").replace(",", "")
    files = {one.name: folder / f"{one.name}.npz" for one in given.data}
    if not all(file.exists() for file in files.values()):
        for set_name, one in run(config, VARIANTS[name], given, folder).items():
            np.savez(files[set_name], **vars(one))
    return {set_name: figures.Scored(**np.load(file)) for set_name, file in files.items()}


def table(scored: dict[str, dict[str, figures.Scored]], reference: str, keys=SHOWN) -> str:
    """Markdown: the reference's figures, and what every other variant has more or less than it."""
    sets = list(scored[reference])
    headings = [f"{name} {HEADINGS[key]}" for name in sets for key in keys]
    lines = ["| variant | " + " | ".join(headings) + " |", "|---" * (len(headings) + 1) + "|"]
    for name, of_sets in scored.items():
        cells = []
        for set_name in sets:
            figure = intervals(of_sets[set_name], figures.measure)
            apart = differences(of_sets[set_name], scored[reference][set_name], figures.measure)
            for key in keys:
                whole, change = figure[key], apart[key]
                cells.append(
                    format_figure(whole) if name == reference
                    else f"{whole['value']:.3f}: {change['value']:+.3f} [{change['low']:+.3f}, {change['high']:+.3f}]"
                )  # fmt: skip
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--ichor", type=Path, default=TARGET / "release" / "ichor")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, metavar="VARIANT", help=", ".join(VARIANTS))
    parser.add_argument("--reference", default=REFERENCE, choices=VARIANTS, metavar="VARIANT")
    parser.add_argument("--figures", nargs="+", default=SHOWN, choices=HEADINGS, metavar="FIGURE", help=", ".join(HEADINGS))
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--only-folds", type=int, nargs="+", help="these alone, from 0")
    parser.add_argument("--teachers", type=Path)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--first", type=int, default=0, help="steps as shipped before --steps, shared by all variants")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    config = json.loads(given.config.read_text())
    # Learning from a teacher takes one that is told.
    able = [name for name, one in VARIANTS.items() if given.teachers or "teacher" not in one.get("recipe", {})]
    names = [given.reference] + [name for name in given.only or able if name != given.reference]
    print(table({name: scores_of(name, config, given) for name in names}, given.reference, given.figures))


if __name__ == "__main__":
    main()
