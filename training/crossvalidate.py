"""Five-fold cross-validation by patient: `python -m training.crossvalidate CONFIG --prepared DIR... --output DIR`.

Each fold trains from the start and predicts its own patients; every patient is predicted once, by
a model that never saw it. Thresholds and calibration are cross-fitted: a fold is measured with
those chosen on the other folds, while the ones that are shipped are chosen on all. The model that
ships is a further one, trained on everybody (`training.train`): of so few outlined patients a fifth
is too many to do without, and what the recipe is worth the folds have told.

Writes fold-N/checkpoint.pt (resumed when there), fold-N/<set>.npz with the predictions, and results.json.
"""

import json
from pathlib import Path

import numpy as np

from training import arguments, chain, figures, fit, split, train, verdicts
from training.evaluate import IN_SERIES, predict, print_figures, summary
from training.split import FOLDS


def predict_fold(config: dict, sets: list, number: int, folder: Path) -> list[fit.Predicted]:
    """Train without fold `number` and predict it; read back where that was done before."""
    files = [folder / f"{one.name}.npz" for one in sets]
    if not all(file.exists() for file in files):
        parts = {
            one.name: split.by_fold(one.rows, config["split_seed"], number) for one in sets
        }
        model = train.train(config, sets, parts, folder).eval()
        for one, file in zip(sets, files):
            np.savez(file, **vars(predict(model, one, parts[one.name]["validation"])))
    return [fit.Predicted(**np.load(file)) for file in files]


def summarise(names: list[str], by_fold: list[list[fit.Predicted]]) -> dict:
    """Results as evaluate's: cross-fitted figures, and what is shipped, chosen on all given folds."""
    grids = [fit.score_grid(predicted) for predicted in by_fold]

    def grid_without(number: int | None) -> dict:
        kept = [grid for other, grid in enumerate(grids) if other != number]
        return {key: [figures.join(one) for one in zip(*(grid[key] for grid in kept))] for key in kept[0]}

    def chosen(number: int | None) -> tuple[dict, dict, dict | None]:
        """Postprocessing, calibration and chain, of all folds but this one."""
        grid, others = grid_without(number), [fold for other, fold in enumerate(by_fold) if other != number]
        post = fit.choose(grid)
        platt = fit.fit_calibration([one for fold in others for one in fold])
        return post, platt, chain.learn(grid[post["threshold"], post["min_lesion_px"]], post)

    alone, in_series = [], []
    for number, predicted in enumerate(by_fold):
        post, platt, links = chosen(number)
        opened = grids[number][post["threshold"], post["min_lesion_px"]]
        alone.append([fit.calibrated(fit.score(one, post), platt) for one in predicted])
        faint = [fit.score(one, chain.faint(post)) for one in predicted]
        in_series.append([chain.in_series(*each, links) for each in zip(opened, faint, alone[-1])] if links else [])
    measured = {f"{name} cross-validation": [fold[at] for fold in alone] for at, name in enumerate(names)}
    if all(in_series):
        measured |= {
            f"{name} cross-validation{IN_SERIES}": [fold[at] for fold in in_series]
            for at, name in enumerate(names) if chain.has_neighbors(figures.join([fold[at] for fold in alone]))
        }  # fmt: skip
    scored = {name: figures.join(parts) for name, parts in measured.items()}
    return summary(scored, *chosen(None)) | {
        "folds": {"scored": len(by_fold), "of": FOLDS},
        "verdicts": three_answers(measured),
    }


def three_answers(measured: dict[str, list[figures.Scored]]) -> dict | None:
    """The bands that are shipped, and the errors of bands that were chosen on the other folds; None without both kinds.

    Sets whose heads are series count in series, as they are served.
    """
    served = {name: parts for name, parts in measured.items() if name + IN_SERIES not in measured}

    def bands_without(number: int | None) -> dict | None:
        kept = [[one for other, one in enumerate(parts) if other != number] for parts in served.values()]
        return verdicts.choose([figures.join(parts) for parts in kept if parts])

    bands = {number: bands_without(number) for number in [None, *range(len(next(iter(served.values()))))]}
    if not all(bands.values()):
        return None
    errors = {
        name: verdicts.errors([(one, bands[number]) for number, one in enumerate(parts)]) for name, parts in measured.items()
    }
    return {"bands": bands[None], "errors": errors}


def crossvalidate(config: dict, sets: list, output: Path, numbers=range(FOLDS)) -> dict:
    """These folds, one after the other; returns and writes the results."""
    by_fold = [predict_fold(config, sets, number, output / f"fold-{number}") for number in numbers]
    results = summarise([one.name for one in sets], by_fold)
    results["parts"] = {}
    for one in sets:
        held = split.folds(one.rows, config["split_seed"])
        results["parts"][one.name] = {f"fold {number + 1}": held[number] for number in numbers}
    (output / "results.json").write_text(json.dumps(results, indent=1))
    return results


def main() -> None:
    parser = arguments.parser(__doc__, "config")
    parser.add_argument("--folds", type=int, nargs="+", default=range(FOLDS), help="these alone, from 0")
    parser.add_argument("--train-only", action="store_true", help="no results: for processes side by side")
    given, sets = arguments.parse(parser)
    config = json.loads(given.config.read_text())
    if given.train_only:
        for number in given.folds:
            predict_fold(config, sets, number, given.output / f"fold-{number}")
    else:
        print_figures(crossvalidate(config, sets, given.output, given.folds))


if __name__ == "__main__":
    main()
