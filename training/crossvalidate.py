"""Five-fold cross-validation by patient: `python -m training.crossvalidate CONFIG --prepared DIR... --output DIR`.

Each fold trains from the start and predicts its own patients; every patient is predicted once, by
a model that never saw it. Thresholds and calibration are cross-fitted: a fold is measured with
those chosen on the other folds, while the ones that are shipped are chosen on all. The model of the
first fold is the one that ships: a further one, trained on everybody, would have nobody left to
show what it does. Writes
fold-N/checkpoint.pt (resumed when there), fold-N/predicted.npz and results.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from training import dataset, figures, fit, split, train
from training.evaluate import counts_of, predict, subtypes_of

FOLDS = 5
SHIPPED_FOLD = 0


def predict_fold(config: dict, sets: list, number: int, folder: Path) -> list[fit.Predicted]:
    """Train without fold `number` and predict it; read back where that was done before."""
    files = [folder / f"{one.name}.npz" for one in sets]
    if not all(file.exists() for file in files):
        parts = {
            one.name: split.by_fold(one.rows, config["split_seed"], number, FOLDS) for one in sets
        }
        model = train.train(config, sets, parts, folder).eval()
        for one, file in zip(sets, files):
            np.savez(file, **vars(predict(model, one, parts[one.name]["validation"])))
    return [fit.Predicted(**np.load(file)) for file in files]


def join(parts: list):
    """One Predicted or Scored out of several."""
    fields = zip(*(vars(one).values() for one in parts))
    return type(parts[0])(*(np.concatenate(values) for values in fields))


def platt_of(predicted: list[fit.Predicted]) -> dict:
    logits = np.concatenate([one.slice_logits[:, 0] for one in predicted])
    return fit.fit_platt(logits, np.concatenate([one.labels[:, 0] for one in predicted]))


def summarise(names: list[str], by_fold: list[list[fit.Predicted]]) -> dict:
    """Results as evaluate's: cross-fitted figures, and what is shipped, chosen on all given folds."""
    grids = [fit.score_grid(predicted) for predicted in by_fold]

    def grid_without(number: int | None) -> dict:
        kept = [grid for other, grid in enumerate(grids) if other != number]
        return {key: [join(list(one)) for one in zip(*(grid[key] for grid in kept))] for key in kept[0]}

    measured = []
    for number, predicted in enumerate(by_fold):
        others = [one for other, fold in enumerate(by_fold) if other != number for one in fold]
        post, platt = fit.choose(grid_without(number)), platt_of(others)
        measured.append([fit.calibrated(fit.score(one, post), platt) for one in predicted])
    scored = {
        f"{name} cross-validation": join([fold[place] for fold in measured])
        for place, name in enumerate(names)
    }
    return {
        "postprocessing": fit.choose(grid_without(None)),
        "calibration": platt_of([one for fold in by_fold for one in fold]),
        "figures": {name: figures.intervals(one, figures.measure) for name, one in scored.items()},
        "counts": counts_of(scored),
        "subtypes": subtypes_of(scored),
        "folds": {"scored": len(by_fold), "of": FOLDS, "shipped": SHIPPED_FOLD + 1},
    }


def crossvalidate(config: dict, sets: list, output: Path, numbers=range(FOLDS)) -> dict:
    """These folds, one after the other; returns and writes the results."""
    by_fold = [predict_fold(config, sets, number, output / f"fold-{number}") for number in numbers]
    results = summarise([one.name for one in sets], by_fold)
    results["parts"] = {}
    for one in sets:
        held = split.folds(one.rows, config["split_seed"], FOLDS)
        results["parts"][one.name] = {f"fold {number + 1}": held[number] for number in numbers}
    (output / "results.json").write_text(json.dumps(results, indent=1))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--prepared", type=Path, nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--folds", type=int, nargs="+", default=range(FOLDS), help="these alone, from 0")
    parser.add_argument("--train-only", action="store_true", help="no results: for processes side by side")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = json.loads(arguments.config.read_text())
    sets = [dataset.load(folder) for folder in arguments.prepared]
    if arguments.train_only:
        for number in arguments.folds:
            predict_fold(config, sets, number, arguments.output / f"fold-{number}")
        return
    results = crossvalidate(config, sets, arguments.output, arguments.folds)
    for name, figure in results["figures"].items():
        print(name, {key: round(value["value"], 3) for key, value in figure.items()})


if __name__ == "__main__":
    main()
