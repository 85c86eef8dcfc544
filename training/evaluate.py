"""Score a checkpoint: `python -m training.evaluate CHECKPOINT --prepared DIR... --output FILE`.

Thresholds and calibration come from validation patients; the test patients are only measured.
"""

import json

import numpy as np
import torch
from tqdm import tqdm

from training import arguments, chain, dataset, figures, fit
from training.bootstrap import intervals
from training.export import load_model
from training.skull import keep_within, strongest
from training.slice_head import strongest_cell

CODES = ("any", "EDH", "SDH", "SAH", "IPH", "IVH")
# Fewer patients than this on either side cannot carry a claim, whatever the interval says.
FEWEST_PATIENTS = 5
# Ends the names of figures in which the slices of a head inform each other.
IN_SERIES = ", in series"


class BothWays(torch.nn.Module):
    """The mean of a model's logits for a slice and for its mirror image: twice the work."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model = model

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mask, slices = self.model(image)
        mirrored_mask, mirrored_slices = self.model(image.flip(3))
        return (mask + mirrored_mask.flip(3)) / 2, (slices + mirrored_slices) / 2


@torch.no_grad()
def predict(model: torch.nn.Module, one: dataset.Prepared, patients) -> fit.Predicted:
    """Run the model over every slice of these patients, at full size in float32."""
    rows, cell = one.rows_of(patients), strongest_cell(model)
    maps, logits, evidence = [], [], []
    for row in tqdm(rows, desc=one.name, mininterval=10):
        mask_logits, slice_logits = model(torch.from_numpy(np.array(one.images[row : row + 1])))
        mask, slices = keep_within(mask_logits[0, 0].numpy(), slice_logits[0].numpy(), one.inside(row), cell)
        maps.append(fit.sigmoid(mask).astype(np.float16))
        logits.append(slices)
        evidence.append(slices[0] + chain.CELL_SHARE * cell["weight"] * strongest(mask, cell["side_px"]))
    kinds = [one.kind(row) for row in rows]

    def stacked(planes: list, shape: tuple, kind) -> np.ndarray:
        return np.stack(planes) if planes else np.zeros((0, *shape), kind)

    grid = one.masks.shape[1:]
    return fit.Predicted(
        patient=np.array([one.rows[row]["patient"] for row in rows], str),
        number=numbers([one.rows[row] for row in rows]),
        labels=stacked([one.labels(row) for row in rows], (len(dataset.LABELS),), np.float32),
        mask_known=np.array([kind != "weak" for kind in kinds], bool),
        truth=stacked([one.masks[row] == 1 for row in rows], grid, bool),
        maps=stacked(maps, grid, np.float16),
        slice_logits=stacked(logits, (len(dataset.LABELS),), np.float32),
        evidence=np.array(evidence, np.float64),
    )


def numbers(rows: list[dict]) -> np.ndarray:
    """int [N]: the numbers that slices are named by; in a head where one's name is none, their order in it."""
    found = np.zeros(len(rows), np.int64)
    patient = np.array([row["patient"] for row in rows])
    for name in np.unique(patient):
        head = np.flatnonzero(patient == name)
        names = [str(rows[row]["slice"]) for row in head]
        found[head] = names if all(one.isdecimal() for one in names) else range(len(head))
    return found


def subtypes(scored: figures.Scored) -> dict[str, dict]:
    """AUC of every label with its interval, and whether it is only experimental."""
    result = {}
    for column, code in enumerate(CODES):
        positive = scored.labels[:, column] == 1
        figure = intervals(scored, lambda some: {"auc": figures.subtype_auc(some, column)})["auc"]
        patients = len(set(scored.patient[positive]))
        sure = figure["low"] > 0.5 and patients >= FEWEST_PATIENTS
        result[code] = {**figure, "patients": patients, "experimental": not sure}
    return result


def subtypes_of(scored: dict[str, figures.Scored]) -> dict[str, dict]:
    """`subtypes` over the sets in which they are labelled, joined: few enough already."""
    alone = [one for name, one in scored.items() if not name.endswith(IN_SERIES)]
    labelled = [one for one in alone if (one.labels[:, 1:] >= 0).any()]
    return subtypes(figures.join(labelled)) if labelled else {}


def counts_of(scored: dict[str, figures.Scored]) -> dict[str, dict]:
    """Patients and slices behind the figures of each set."""
    return {
        name: {
            "patients": len(set(one.patient)),
            "outlined_patients": len(set(one.patient[one.truth > 0])),
            "slices": len(one.patient),
            "outlined_slices": int((one.truth > 0).sum()),
        }
        for name, one in scored.items()
    }


def summary(scored: dict[str, figures.Scored], post: dict, platt: dict, series: dict | None) -> dict:
    """What a card and a ModelSpec are written from; plain numbers, ready for JSON."""
    return {
        "postprocessing": post,
        "calibration": platt,
        "series": series,
        "figures": {name: intervals(one, figures.measure) for name, one in scored.items()},
        "counts": counts_of(scored),
        "reliability": {
            name: figures.reliability(one.labels[:, 0], one.slice_probabilities[:, 0])
            for name, one in scored.items()
        },
        "subtypes": subtypes_of(scored),
    }


def print_figures(results: dict) -> None:
    for name, figure in results["figures"].items():
        print(name, {key: round(value["value"], 3) for key, value in figure.items()})


def evaluate(model: torch.nn.Module, sets: list[dataset.Prepared], parts: dict) -> dict:
    """Fit on validation, measure on validation and test."""
    predicted = {
        (one.name, part): predict(model, one, parts[one.name][part])
        for one in sets
        for part in ("validation", "test")
        if parts[one.name][part]
    }
    validation = [value for (_, part), value in predicted.items() if part == "validation"]
    post, platt = fit.fit_postprocessing(validation), fit.fit_calibration(validation)
    scored = {
        f"{name} {part}": fit.calibrated(fit.score(value, post), platt)
        for (name, part), value in predicted.items()
    }
    opened, faint = (
        {f"{name} {part}": fit.score(value, by) for (name, part), value in predicted.items()}
        for by in (fit.opened(post), chain.faint(post))
    )
    series = chain.learn([one for name, one in opened.items() if name.endswith("validation")], post)
    if series:
        joined = {
            name: chain.in_series(one, faint[name], scored[name], series)
            for name, one in opened.items() if chain.has_neighbors(one)
        }  # fmt: skip
        scored |= {name + IN_SERIES: one for name, one in joined.items()}
    return summary(scored, post, platt, series) | {"parts": parts}


def main() -> None:
    parser = arguments.parser(__doc__, "checkpoint")
    parser.add_argument("--notes", default="", help="what the card must add about this run")
    parser.add_argument("--flip", action="store_true", help="average with the mirror image")
    given, sets = arguments.parse(parser)
    model, saved = load_model(given.checkpoint)
    model = BothWays(model).eval() if given.flip else model
    results = evaluate(model, sets, saved["parts"])
    results |= {"steps": saved["step"], "notes": given.notes}
    given.output.write_text(json.dumps(results, indent=1))
    print_figures(results)


if __name__ == "__main__":
    main()
