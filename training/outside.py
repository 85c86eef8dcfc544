"""Figures on sets that a model did not learn from: `python -m training.outside MODEL --prepared DIR... --output FILE`.

MODEL is a checkpoint, of which the validation patients are scored, or a released folder, of which all are unless
--parts names a checkpoint that says otherwise. Predictions are kept beside FILE, so that reading them anew costs no run.
A released model is read by its own thresholds; of a checkpoint the thresholds are those of --read-by, a released folder.
"""

import json
from pathlib import Path

import numpy as np
import torch

from training import arguments, dataset, evaluate, export, figures, fit, split

# At which a false alarm rate is quoted where models with other cut-offs are compared.
SENSITIVITY = 0.95
GATES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def false_alarms_at(sensitivity: float, labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Share of negative slices at or above the highest cut-off that keeps this share of positive ones; nan without both."""
    positive, negative = probabilities[labels == 1], probabilities[labels == 0]
    if not len(positive) or not len(negative):
        return float("nan")
    cut_off = np.sort(positive)[int(np.floor((1 - sensitivity) * len(positive) + 1e-9))]
    return float((negative >= cut_off).mean())


def by_gate(opened: figures.Scored, gates=GATES) -> list[dict]:
    """For each slice gate: share of positive and of negative slices outlined, and Dice over slices."""
    names = {"slice_sensitivity": "sensitivity", "false_positive_rate": "false_alarms", "dice_slices": "dice"}
    return [
        {"gate": gate} | {new: figures.measure(fit.close_gate(opened, gate))[old] for old, new in names.items()}
        for gate in gates
    ]


def table_row(predicted: fit.Predicted, post: dict, platt: dict) -> dict:
    """The figures of one set."""
    scored = fit.calibrated(fit.score(predicted, post), platt)
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
        "gates": by_gate(fit.score(predicted, fit.opened(post))),
    }


def released_model(folder: Path, config: dict, side: int = 64) -> torch.nn.Module:
    """The network of a released folder; the statistics that training would need are left aside."""
    return export.load_onnx(folder / "model.onnx", config["architecture"], torch.zeros(1, 1, side, side)).eval()


def predict(model, one: dataset.Prepared, patients, file: Path) -> fit.Predicted:
    """Predictions of these patients, read back where they were made before."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, **vars(evaluate.predict(model, one, patients)))
    return fit.Predicted(**np.load(file))


def main() -> None:
    parser = arguments.parser(__doc__, "model")
    parser.add_argument("--config", type=Path, default=Path("training/config/deeplabv3.json"))
    parser.add_argument("--parts", type=Path, help="a checkpoint; its validation patients alone are scored")
    parser.add_argument("--read-by", type=Path, help="a released folder whose thresholds count")
    given, sets = arguments.parse(parser)
    saved = None
    if given.model.is_dir():
        model, spec_folder = (
            released_model(given.model, json.loads(given.config.read_text())),
            given.read_by or given.model,
        )
    else:
        model, saved = export.load_model(given.model)
        spec_folder = given.read_by
    spec = json.loads((spec_folder / "model.json").read_text())
    if given.parts:
        saved = torch.load(given.parts, weights_only=False)
    rows = {}
    for one in sets:
        patients = saved["parts"][one.name]["validation"] if saved else sorted(split.by_name(one.rows))
        if patients:
            predicted = predict(model, one, patients, given.output.with_suffix("") / f"{one.name}.npz")
            rows[one.name] = table_row(predicted, spec["postprocessing"], spec["calibration"])
            print(
                one.name, {key: round(value, 3) for key, value in rows[one.name].items() if key != "gates"}, flush=True
            )
    given.output.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
