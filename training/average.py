"""Average the weights of a fine-tuned network and of the released one that it started from.

`python -m training.average CHECKPOINT --released DIR --share S --prepared DIR... --output RUN [--folds FILE]`

A fine-tune on further sets moves the outlines on the sets of the first training as well. The average loses little on either
(Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022). Only the slice gate is chosen again, on the patients
that the fine-tune kept to choose by; mask threshold, calibration and series chain stay those of the released model, because
no other patients of its training sets are left. `--folds` names the results.json of a cross-validation of the same
architecture and data, for the verdict bands.

Writes RUN/checkpoint.pt and RUN/results.json, from which `training.release` writes the model folder.
"""

import copy
import json
import tempfile
from pathlib import Path

import numpy as np
import torch

from training import arguments, dataset, export, fit, outside, spec
from training.evaluate import predict, print_figures, summary

# Slices whose statistics the BatchNorm of the averaged network is given (`export.load_onnx`).
STATISTICS_SLICES = 64


@torch.no_grad()
def average(first: torch.nn.Module, second: torch.nn.Module, share: float) -> torch.nn.Module:
    """The network with `share` of the weights of `second` and the rest of those of `first`.

    Both are as `export.as_stored` returns them: with BatchNorm folded, the weights of a convolution have one meaning in
    both. Raises ValueError for another architecture or a share outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"the share must be 0 to 1, not {share}")
    mine, other = first.state_dict(), second.state_dict()
    if {name: value.shape for name, value in mine.items()} != {name: value.shape for name, value in other.items()}:
        raise ValueError("the networks are of different architectures")
    mixed = copy.deepcopy(first)
    mixed.load_state_dict(
        {
            name: torch.lerp(value, other[name], share) if value.is_floating_point() else value
            for name, value in mine.items()
        }
    )
    return mixed


def with_batchnorm(stored: torch.nn.Module, config: dict, images: torch.Tensor) -> torch.nn.Module:
    """The network with BatchNorm again, as a checkpoint holds it; `images` as in `export.load_onnx`."""
    side = spec.input_side(config)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "model.onnx"
        export.export_onnx(export.as_stored(stored), file, side)
        return export.load_onnx(file, config["architecture"], images).eval()


def choose_gate(predicted: list[fit.Predicted], post: dict) -> float:
    """The slice gate of best quality on these sets, with the other postprocessing as it is."""
    return fit.best_gate([fit.score(part, fit.open_gate(post)) for part in predicted])


def measure(model, sets: list[dataset.PreparedSet], parts: dict, released: dict) -> dict:
    """Results as of `evaluate.summary`, on the patients kept to choose by, with the settings of `released`."""
    chosen = [data for data in sets if parts[data.name]["validation"]]
    predicted = {data.name: predict(model, data, parts[data.name]["validation"]) for data in chosen}
    post = dict(released["postprocessing"])
    post["slice_threshold"] = choose_gate(list(predicted.values()), post)
    platt = released["calibration"]
    series = {key: value for key, value in released["series"].items() if key != "cell"} if "series" in released else None
    scored = {f"{name} validation": fit.calibrate(fit.score(part, post), platt) for name, part in predicted.items()}
    return summary(scored, post, platt, series)


def released_subtypes(released: dict) -> dict[str, dict]:
    """Which hemorrhage types of the released model are experimental; without AUC, which its model.json does not hold."""
    classes = released["outputs"]["slice"]["classes"]
    return {each["code"]: {"experimental": each["experimental"]} for each in classes}


def main() -> None:
    parser = arguments.new_parser(__doc__, "checkpoint")
    parser.add_argument("--released", type=Path, required=True, help="folder of the released model")
    parser.add_argument("--share", type=float, required=True, help="share of the fine-tuned weights, 0 to 1")
    parser.add_argument("--notes", default="", help="text that the model card adds about this run")
    parser.add_argument("--folds", type=Path, help="results.json of a cross-validation, for the verdict bands")
    options, sets = arguments.parse_arguments(parser)
    tuned, saved = export.load_model(options.checkpoint)
    config, parts = saved["config"] | {"average_share": options.share}, saved["parts"]
    released = json.loads((options.released / "model.json").read_text())
    start = outside.released_model(options.released, config)
    mixed = average(export.as_stored(start), export.as_stored(tuned), options.share)
    images = np.concatenate([np.asarray(data.images[:: max(1, len(data.images) // STATISTICS_SLICES)]) for data in sets])
    model = with_batchnorm(mixed, config, torch.from_numpy(images[:: max(1, len(images) // STATISTICS_SLICES)]))
    results = measure(model, sets, parts, released)
    results |= {
        "steps": saved["step"],
        "notes": options.notes,
        "parts": parts,
        "released": {key: released[key] for key in ("version", "metrics")},
        "subtypes": released_subtypes(released),
    }
    if options.folds:
        folds = json.loads(options.folds.read_text())
        results["verdicts"] = folds["verdicts"] | {"other_networks": folds["folds"]}
    options.output.mkdir(parents=True, exist_ok=True)
    torch.save(
        {"average": model.state_dict(), "config": config, "parts": parts, "step": saved["step"]},
        options.output / "checkpoint.pt",
    )
    (options.output / "results.json").write_text(json.dumps(results, indent=1))
    print_figures(results)


if __name__ == "__main__":
    main()
