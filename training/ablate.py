"""The effect of each part of the recipe: one change at a time, short runs, one table.

`python -m training.ablate CONFIG --data DIR... --output DIR` trains every variant on each half of the
patients in turn and scores it on the other, so that every patient is scored once. The figures are Dice over patients
at threshold 0.5 with nothing removed afterwards, AUC of the slice head, and the share of negative slices outlined.
Every other row has its difference from "as shipped" with 95 % intervals over patients, both resampled alike.
Short runs on a small grid rank what is learned early, not what a full training would reach. The intervals do not
include the effect of the seed, which the row "as shipped, another seed" measures.

With `--first` all variants continue from one shared run of so many steps as shipped. This measures effects that appear
late; from the first step it is chance which variant begins to outline first.

Results that are already in --output are read back, so that several processes can share the work with --only.
With `--folds 5 --teachers DIR` (of `training.crossvalidate`) the variants with a teacher run too.
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
from training.variants import REFERENCE, VARIANTS, apply_variant

DEFAULT_FIGURES = ("dice_patients", "slice_auc", "false_positive_rate")


def prepare_sets(config: dict, data: list[Path], ichor: Path, folder: Path) -> list[dataset.PreparedSet]:
    """The sets after the preprocessing of `config`, prepared once for all variants with the same steps."""
    steps = json.dumps(config["preprocessing"])
    made = folder / hashlib.sha256(steps.encode()).hexdigest()[:12]
    if not made.exists():
        own = folder / f"{made.name}-{os.getpid()}"
        for source in data:
            prepare(ichor, source, config, own / source.name)
        try:
            own.rename(made)
        except OSError:
            shutil.rmtree(own)  # another process was first
    return [dataset.load(made / source.name) for source in data]


def split_fold(data: dataset.PreparedSet, config: dict, number: int, count: int) -> dict:
    """The parts of one set for fold `number` of `count`, by patient or, to show the leak, by slice."""
    rows = split.slices_as_patients(data.rows) if config["split"] == "slice" else data.rows
    return split.split_by_fold(rows, config["split_seed"], number, count)


def load_teacher(config: dict, options: argparse.Namespace, number: int) -> Teacher | None:
    """The network of the same fold, trained without the patients held out here; None without a teacher."""
    if not (weights := config["recipe"].get("teacher")):
        return None
    model, saved = load_model(options.teachers / f"fold-{number}" / "checkpoint.pt")
    sets = prepare_sets(saved["config"], options.data, options.ichor, options.output / "prepared")
    return Teacher(model.eval() if weights["mask"] else None, sets, weights)


def copy_first_steps(config: dict, options: argparse.Namespace, parts: dict, number: int, folder: Path) -> None:
    """With `--first`, copy the checkpoint of the shared first steps to `folder`, from where the run continues."""
    if not options.first or (folder / "checkpoint.pt").exists():
        return
    base = options.output / f"first-{options.first}" / f"fold-{number}"
    if not (base / "checkpoint.pt").exists():
        config = apply_variant(config, VARIANTS[REFERENCE], options.side, options.first)
        sets = prepare_sets(config, options.data, options.ichor, options.output / "prepared")
        train.train(config, sets, parts, base)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(base / "checkpoint.pt", folder)


def run_folds(config: dict, variant: dict, options: argparse.Namespace, folder: Path) -> dict[str, figures.Scored]:
    """Train and score every fold of one variant; per set the scores of all patients, in the same order for all variants."""
    changed = apply_variant(config, variant, options.side, options.steps, options.first)
    sets = prepare_sets(changed, options.data, options.ichor, options.output / "prepared")
    scored: dict[str, list[figures.Scored]] = {data.name: [] for data in sets}
    for number in options.only_folds or range(options.folds):
        parts = {data.name: split_fold(data, changed, number, options.folds) for data in sets}
        teacher = load_teacher(changed, options, number)
        copy_first_steps(config, options, parts, number, folder / f"fold-{number}")
        model = train.train(changed, sets, parts, folder / f"fold-{number}", teacher).eval()
        for data in sets:
            predicted = predict(model, data, parts[data.name]["validation"])
            unchanged = {"threshold": 0.5, "min_lesion_px": 0, "slice_threshold": 0.0}
            scored[data.name].append(fit.score(predicted, unchanged))
        shutil.rmtree(folder / f"fold-{number}")
    joined = {name: figures.join(folds) for name, folds in scored.items()}
    return {name: part.take(np.lexsort((part.number, part.patient))) for name, part in joined.items()}


def scores_of(name: str, config: dict, options: argparse.Namespace) -> dict[str, figures.Scored]:
    """Scores of one variant by set, read from --output if it was run before."""
    folder = options.output / name.replace(" ", "-").replace(",", "")
    files = {source.name: folder / f"{source.name}.npz" for source in options.data}
    if not all(file.exists() for file in files.values()):
        for set_name, part in run_folds(config, VARIANTS[name], options, folder).items():
            np.savez(files[set_name], **vars(part))
    return {set_name: figures.Scored(**np.load(file)) for set_name, file in files.items()}


def table(scored: dict[str, dict[str, figures.Scored]], reference: str, keys=DEFAULT_FIGURES) -> str:
    """Markdown table: figures of the reference, and for every other variant its figure and the difference."""
    sets = list(scored[reference])
    headings = [f"{name} {HEADINGS[key]}" for name in sets for key in keys]
    lines = ["| variant | " + " | ".join(headings) + " |", "|---" * (len(headings) + 1) + "|"]
    for name, of_sets in scored.items():
        cells = []
        for set_name in sets:
            figure = intervals(of_sets[set_name], figures.measure)
            difference = differences(of_sets[set_name], scored[reference][set_name], figures.measure)
            for key in keys:
                value, change = figure[key], difference[key]
                cells.append(
                    format_figure(value) if name == reference
                    else f"{value['value']:.3f}: {change['value']:+.3f} [{change['low']:+.3f}, {change['high']:+.3f}]"
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
    parser.add_argument("--figures", nargs="+", default=DEFAULT_FIGURES, choices=HEADINGS, metavar="FIGURE", help=", ".join(HEADINGS))
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--only-folds", type=int, nargs="+", help="run only these folds, numbered from 0")
    parser.add_argument("--teachers", type=Path)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--first", type=int, default=0, help="steps as shipped before --steps, run once for all variants")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    config = json.loads(options.config.read_text())
    # Variants with a teacher need --teachers.
    available = [name for name, variant in VARIANTS.items() if options.teachers or "teacher" not in variant.get("recipe", {})]
    names = [options.reference] + [name for name in options.only or available if name != options.reference]
    print(table({name: scores_of(name, config, options) for name in names}, options.reference, options.figures))


if __name__ == "__main__":
    main()
