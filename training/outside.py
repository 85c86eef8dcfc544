"""Figures on sets that a model was not trained on: `python -m training.outside MODEL --prepared DIR... --output FILE`.

MODEL is a checkpoint, whose validation patients are scored, or a released folder, for which all patients are scored, or
the validation patients of the checkpoint of --parts. Predictions are kept beside FILE, and read back by the next call. A
released model has its own thresholds; a checkpoint has those of --read-by, a released folder.
"""

import json
from pathlib import Path

import numpy as np
import torch

from training import arguments, dataset, evaluate, export, figures, fit, split

# Sensitivity at which false alarm rates of models with different cut-offs are compared.
SENSITIVITY = 0.95
GATES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def false_alarms_at(sensitivity: float, labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Share of negative slices at or above the cut-off with this sensitivity; nan without slices of both kinds."""
    positive, negative = probabilities[labels == 1], probabilities[labels == 0]
    if not len(positive) or not len(negative):
        return float("nan")
    cut_off = np.sort(positive)[int(np.floor((1 - sensitivity) * len(positive) + 1e-9))]
    return float((negative >= cut_off).mean())


def figures_by_gate(opened: figures.Scored, gates=GATES) -> list[dict]:
    """Share of positive and of negative slices outlined, and Dice over slices, for each slice gate."""
    names = {"slice_sensitivity": "sensitivity", "false_positive_rate": "false_alarms", "dice_slices": "dice"}
    return [
        {"gate": gate} | {new: figures.measure(fit.close_gate(opened, gate))[old] for old, new in names.items()}
        for gate in gates
    ]


def figures_of_set(predicted: fit.Predicted, post: dict, platt: dict) -> dict:
    """The figures of one set."""
    scored = fit.calibrate(fit.score(predicted, post), platt)
    measured = figures.measure(scored)
    labels, probabilities = scored.labels[:, 0], scored.slice_probabilities[:, 0]
    names = (
        "slice_auc",
        "slice_sensitivity",
        "false_positive_rate",
        "dice_slices",
        "dice_patients",
        "lesion_sensitivity",
    )
    return {
        "slices": len(labels),
        "negatives": int((labels == 0).sum()),
        **{name: measured[name] for name in names},
        "false_alarms_at_95_sensitivity": false_alarms_at(SENSITIVITY, labels, probabilities),
        "gates": figures_by_gate(fit.score(predicted, fit.open_gate(post))),
    }


def released_model(folder: Path, config: dict, side: int = 64) -> torch.nn.Module:
    """The network of a released folder, for evaluation only: its BatchNorm has no statistics of real slices."""
    return export.load_onnx(folder / "model.onnx", config["architecture"], torch.zeros(1, 1, side, side)).eval()


def predict(model, data: dataset.PreparedSet, patients, file: Path) -> fit.Predicted:
    """Predictions for these patients; those of an earlier call are read from `file`."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, **vars(evaluate.predict(model, data, patients)))
    return fit.Predicted(**np.load(file))


def main() -> None:
    parser = arguments.new_parser(__doc__, "model")
    parser.add_argument("--config", type=Path, default=Path("training/config/deeplabv3.json"))
    parser.add_argument("--parts", type=Path, help="a checkpoint; only its validation patients are scored")
    parser.add_argument("--read-by", type=Path, help="a released folder whose thresholds are used")
    options, sets = arguments.parse_arguments(parser)
    saved = None
    if options.model.is_dir():
        model, spec_folder = (
            released_model(options.model, json.loads(options.config.read_text())),
            options.read_by or options.model,
        )
    else:
        model, saved = export.load_model(options.model)
        spec_folder = options.read_by
    spec = json.loads((spec_folder / "model.json").read_text())
    if options.parts:
        saved = torch.load(options.parts, weights_only=False)
    rows = {}
    for data in sets:
        patients = saved["parts"][data.name]["validation"] if saved else sorted(split.rows_by_patient(data.rows))
        if patients:
            predicted = predict(model, data, patients, options.output.with_suffix("") / f"{data.name}.npz")
            rows[data.name] = figures_of_set(predicted, spec["postprocessing"], spec["calibration"])
            print(
                data.name, {key: round(value, 3) for key, value in rows[data.name].items() if key != "gates"}, flush=True
            )
    options.output.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
