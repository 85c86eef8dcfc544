"""Score a checkpoint: `python -m training.evaluate CHECKPOINT --prepared DIR... --output FILE`.

Thresholds and calibration are chosen on validation patients; test patients are only measured.
"""

import json

import numpy as np
import torch
from tqdm import tqdm

from training import arguments, chain, dataset, figures, fit
from training.bootstrap import intervals
from training.export import load_model
from training.skull import mask_outside_skull, highest_cell_mean
from training.slice_head import strongest_cell

CODES = ("any", "EDH", "SDH", "SAH", "IPH", "IVH")
# A class with fewer patients is experimental, whatever its interval.
MIN_PATIENTS = 5
# Suffix of the names of figures with the series chain.
IN_SERIES = ", in series"


class MirrorAverage(torch.nn.Module):
    """The mean of a model's logits for a slice and for its mirror image: twice the work."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model = model

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mask, slices = self.model(image)
        mirrored_mask, mirrored_slices = self.model(image.flip(3))
        return (mask + mirrored_mask.flip(3)) / 2, (slices + mirrored_slices) / 2


@torch.no_grad()
def predict(model: torch.nn.Module, data: dataset.PreparedSet, patients) -> fit.Predicted:
    """Predictions of the model for every slice of these patients, at full size in float32."""
    rows, cell = data.rows_of(patients), strongest_cell(model)
    maps, logits, evidence = [], [], []
    for row in tqdm(rows, desc=data.name, mininterval=10):
        mask_logits, slice_logits = model(torch.from_numpy(np.array(data.images[row : row + 1])))
        mask, slices = mask_outside_skull(mask_logits[0, 0].numpy(), slice_logits[0].numpy(), data.inside(row), cell)
        maps.append(fit.sigmoid(mask).astype(np.float16))
        logits.append(slices)
        evidence.append(slices[0] + chain.CELL_SHARE * cell["weight"] * highest_cell_mean(mask, cell["side_px"]))
    kinds = [data.kind(row) for row in rows]

    def stacked(planes: list, shape: tuple, kind) -> np.ndarray:
        return np.stack(planes) if planes else np.zeros((0, *shape), kind)

    grid = data.masks.shape[1:]
    return fit.Predicted(
        patient=np.array([data.rows[row]["patient"] for row in rows], str),
        number=slice_numbers([data.rows[row] for row in rows]),
        labels=stacked([data.labels(row) for row in rows], (len(dataset.LABELS),), np.float32),
        mask_known=np.array([kind != "weak" for kind in kinds], bool),
        truth=stacked([data.masks[row] == 1 for row in rows], grid, bool),
        maps=stacked(maps, grid, np.float16),
        slice_logits=stacked(logits, (len(dataset.LABELS),), np.float32),
        evidence=np.array(evidence, np.float64),
    )


def slice_numbers(rows: list[dict]) -> np.ndarray:
    """int [N]: the numbers in the names of the slices; in a head with a name without number, the order in the head."""
    numbers = np.zeros(len(rows), np.int64)
    patient = np.array([row["patient"] for row in rows])
    for name in np.unique(patient):
        head = np.flatnonzero(patient == name)
        names = [str(rows[row]["slice"]) for row in head]
        numbers[head] = names if all(name.isdecimal() for name in names) else range(len(head))
    return numbers


def subtypes(scored: figures.Scored) -> dict[str, dict]:
    """AUC of every label with its interval, and whether the class is experimental."""
    result = {}
    for column, code in enumerate(CODES):
        positive = scored.labels[:, column] == 1
        figure = intervals(scored, lambda sample: {"auc": figures.subtype_auc(sample, column)})["auc"]
        patients = len(set(scored.patient[positive]))
        above_chance = figure["low"] > 0.5 and patients >= MIN_PATIENTS
        result[code] = {**figure, "patients": patients, "experimental": not above_chance}
    return result


def labelled_subtypes(scored: dict[str, figures.Scored]) -> dict[str, dict]:
    """`subtypes` over all sets with labels of the type, joined because each has few patients."""
    alone = [part for name, part in scored.items() if not name.endswith(IN_SERIES)]
    labelled = [part for part in alone if (part.labels[:, 1:] >= 0).any()]
    return subtypes(figures.join(labelled)) if labelled else {}


def count_slices(scored: dict[str, figures.Scored]) -> dict[str, dict]:
    """Number of patients and slices of each set, and of outlined ones."""
    return {
        name: {
            "patients": len(set(part.patient)),
            "outlined_patients": len(set(part.patient[part.truth > 0])),
            "slices": len(part.patient),
            "outlined_slices": int((part.truth > 0).sum()),
        }
        for name, part in scored.items()
    }


def summary(scored: dict[str, figures.Scored], post: dict, platt: dict, series: dict | None) -> dict:
    """The results that the model card and `model.json` are written from; plain numbers for JSON."""
    return {
        "postprocessing": post,
        "calibration": platt,
        "series": series,
        "figures": {name: intervals(part, figures.measure) for name, part in scored.items()},
        "counts": count_slices(scored),
        "reliability": {
            name: figures.reliability(part.labels[:, 0], part.slice_probabilities[:, 0])
            for name, part in scored.items()
        },
        "subtypes": labelled_subtypes(scored),
    }


def print_figures(results: dict) -> None:
    for name, figure in results["figures"].items():
        print(name, {key: round(value["value"], 3) for key, value in figure.items()})


def evaluate(model: torch.nn.Module, sets: list[dataset.PreparedSet], parts: dict) -> dict:
    """Choose thresholds on the validation patients; measure validation and test patients."""
    predicted = {
        (data.name, part): predict(model, data, parts[data.name][part])
        for data in sets
        for part in ("validation", "test")
        if parts[data.name][part]
    }
    validation = [value for (_, part), value in predicted.items() if part == "validation"]
    post, platt = fit.fit_postprocessing(validation), fit.fit_calibration(validation)
    scored = {
        f"{name} {part}": fit.calibrate(fit.score(value, post), platt)
        for (name, part), value in predicted.items()
    }
    opened, fallback = (
        {f"{name} {part}": fit.score(value, by) for (name, part), value in predicted.items()}
        for by in (fit.open_gate(post), chain.fallback_postprocessing(post))
    )
    series = chain.fit_chain([part for name, part in opened.items() if name.endswith("validation")], post)
    if series:
        joined = {
            name: chain.in_series(part, fallback[name], scored[name], series)
            for name, part in opened.items() if chain.has_neighbors(part)
        }  # fmt: skip
        scored |= {name + IN_SERIES: part for name, part in joined.items()}
    return summary(scored, post, platt, series) | {"parts": parts}


def main() -> None:
    parser = arguments.new_parser(__doc__, "checkpoint")
    parser.add_argument("--notes", default="", help="text that the model card adds about this run")
    parser.add_argument("--flip", action="store_true", help="average each slice with its mirror image")
    options, sets = arguments.parse_arguments(parser)
    model, saved = load_model(options.checkpoint)
    model = MirrorAverage(model).eval() if options.flip else model
    results = evaluate(model, sets, saved["parts"])
    results |= {"steps": saved["step"], "notes": options.notes}
    options.output.write_text(json.dumps(results, indent=1))
    print_figures(results)


if __name__ == "__main__":
    main()
