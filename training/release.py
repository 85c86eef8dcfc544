"""Write models/<name> from a checkpoint and its results: ONNX file, model.json, golden cases, model card.

`python -m training.release RUN --models DIR [--samples PREPARED]`; RUN holds checkpoint.pt and
results.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from training import card, dataset, export, golden, illustrate, slice_head, spec

# Both have the same rounded weights; only the order of f32 sums differs.
PROBABILITY_TOLERANCE = 1e-3


def release(run: Path, target: Path, samples: dataset.PreparedSet | None) -> float:
    """Write the model folder; returns the largest difference of a probability from PyTorch.

    Golden cases and the picture of failures are written if the synthetic samples are given. Raises ValueError if the
    difference is above PROBABILITY_TOLERANCE.
    """
    model, saved = export.load_model(run / "checkpoint.pt")
    model = export.as_stored(model)
    results = json.loads((run / "results.json").read_text())
    config = saved["config"]
    side = spec.input_side(config)
    target.mkdir(parents=True, exist_ok=True)
    export.export_onnx(model, target / "model.onnx", side)
    images = samples.images if samples else np.random.default_rng(0).normal(size=(2, 1, side, side))
    difference = export.largest_difference(
        model, target / "model.onnx", np.asarray(images[:4], np.float32)
    )
    if difference > PROBABILITY_TOLERANCE:
        raise ValueError(f"{target}: ONNX and PyTorch differ by {difference:.4f} in a probability")
    written = spec.build_spec(
        config, results, spec.checksum(target / "model.onnx"), slice_head.strongest_cell(model)
    )
    earlier = target / "model.json"
    if earlier.exists() and "lesion_types" in (kept := json.loads(earlier.read_text())):
        # Fitted on the outlines of the earlier version: to be fitted again, but better than none.
        written["lesion_types"] = kept["lesion_types"]
    spec.write_spec(written, target)
    if samples:
        golden.write_golden(model, samples, written, target / "golden")
        illustrate.illustrate(target, samples)
    card.write_card(written, config, results, target / "MODEL_CARD.md", illustrated=samples is not None)
    return difference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--samples", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = torch.load(arguments.run / "checkpoint.pt", weights_only=False)["config"]
    samples = dataset.load(arguments.samples) if arguments.samples else None
    difference = release(arguments.run, arguments.models / config["name"], samples)
    print(f"{arguments.models / config['name']}: largest difference from PyTorch {difference:.5f}")


if __name__ == "__main__":
    main()
