"""Five-fold cross-validation by patient: `python -m training.crossvalidate CONFIG --prepared DIR... --output DIR`.

Each fold trains from the first step on and predicts its own patients. Every patient is predicted once, by a model that was
trained without this patient. Thresholds and calibration are cross-fitted: a fold is measured with those chosen on the
other folds; the released ones are chosen on all. The released model is trained on all patients (`training.train`),
because a fifth of so few outlined patients is too many to leave out.

Writes fold-N/checkpoint.pt (a run continues from it), fold-N/<set>.npz with the predictions, and results.json.
"""

import json
from pathlib import Path

import numpy as np

from training import arguments, chain, figures, fit, split, train, verdicts
from training.evaluate import IN_SERIES, predict, print_figures, summary
from training.split import FOLDS


def predict_fold(config: dict, sets: list, number: int, folder: Path) -> list[fit.Predicted]:
    """Train without fold `number` and predict its patients; predictions of an earlier run are read back."""
    files = [folder / f"{data.name}.npz" for data in sets]
    if not all(file.exists() for file in files):
        parts = {
            data.name: split.split_by_fold(data.rows, config["split_seed"], number) for data in sets
        }
        model = train.train(config, sets, parts, folder).eval()
        for data, file in zip(sets, files):
            np.savez(file, **vars(predict(model, data, parts[data.name]["validation"])))
    return [fit.Predicted(**np.load(file)) for file in files]


def summarise(names: list[str], by_fold: list[list[fit.Predicted]]) -> dict:
    """Results as of `evaluate.summary`: cross-fitted figures, and the released settings, chosen on all folds given."""
    grids = [fit.score_grid(predicted) for predicted in by_fold]

    def grid_without(number: int | None) -> dict:
        kept = [grid for other, grid in enumerate(grids) if other != number]
        return {key: [figures.join(parts) for parts in zip(*(grid[key] for grid in kept))] for key in kept[0]}

    def choose_without(number: int | None) -> tuple[dict, dict, dict | None]:
        """Postprocessing, calibration and series chain, chosen on all folds except `number`."""
        grid, others = grid_without(number), [fold for other, fold in enumerate(by_fold) if other != number]
        post = fit.choose_postprocessing(grid)
        platt = fit.fit_calibration([part for fold in others for part in fold])
        return post, platt, chain.fit_chain(grid[post["threshold"], post["min_lesion_px"]], post)

    alone, in_series = [], []
    for number, predicted in enumerate(by_fold):
        post, platt, links = choose_without(number)
        opened = grids[number][post["threshold"], post["min_lesion_px"]]
        alone.append([fit.calibrate(fit.score(part, post), platt) for part in predicted])
        fallback = [fit.score(part, chain.fallback_postprocessing(post)) for part in predicted]
        in_series.append([chain.in_series(*each, links) for each in zip(opened, fallback, alone[-1])] if links else [])
    measured = {f"{name} cross-validation": [fold[at] for fold in alone] for at, name in enumerate(names)}
    if all(in_series):
        measured |= {
            f"{name} cross-validation{IN_SERIES}": [fold[at] for fold in in_series]
            for at, name in enumerate(names) if chain.has_neighbors(figures.join([fold[at] for fold in alone]))
        }  # fmt: skip
    scored = {name: figures.join(parts) for name, parts in measured.items()}
    return summary(scored, *choose_without(None)) | {
        "folds": {"scored": len(by_fold), "of": FOLDS},
        "verdicts": measure_verdicts(measured),
    }


def measure_verdicts(measured: dict[str, list[figures.Scored]]) -> dict | None:
    """The released bands, and the errors of bands chosen on the other folds; None without slices of both kinds.

    Sets whose heads are series count in series, as in use.
    """
    served = {name: parts for name, parts in measured.items() if name + IN_SERIES not in measured}

    def bands_without(number: int | None) -> dict | None:
        kept = [[part for other, part in enumerate(parts) if other != number] for parts in served.values()]
        return verdicts.choose_bands([figures.join(parts) for parts in kept if parts])

    bands = {number: bands_without(number) for number in [None, *range(len(next(iter(served.values()))))]}
    if not all(bands.values()):
        return None
    errors = {
        name: verdicts.measure_verdict_shares([(part, bands[number]) for number, part in enumerate(parts)])
        for name, parts in measured.items()
    }
    return {"bands": bands[None], "errors": errors}


def crossvalidate(config: dict, sets: list, output: Path, numbers=range(FOLDS)) -> dict:
    """Run these folds in turn; returns the results and writes them to results.json."""
    by_fold = [predict_fold(config, sets, number, output / f"fold-{number}") for number in numbers]
    results = summarise([data.name for data in sets], by_fold)
    results["parts"] = {}
    for data in sets:
        held = split.folds(data.rows, config["split_seed"])
        results["parts"][data.name] = {f"fold {number + 1}": held[number] for number in numbers}
    (output / "results.json").write_text(json.dumps(results, indent=1))
    return results


def main() -> None:
    parser = arguments.new_parser(__doc__, "config")
    parser.add_argument("--folds", type=int, nargs="+", default=range(FOLDS), help="run only these folds, numbered from 0")
    parser.add_argument("--train-only", action="store_true", help="train and predict only, for several processes")
    options, sets = arguments.parse_arguments(parser)
    config = json.loads(options.config.read_text())
    if options.train_only:
        for number in options.folds:
            predict_fold(config, sets, number, options.output / f"fold-{number}")
    else:
        print_figures(crossvalidate(config, sets, options.output, options.folds))


if __name__ == "__main__":
    main()
