"""Failures of a model on labelled synthetic slices are found, described and drawn."""

import json

import numpy as np
import torch

from training import dataset, export, illustrate


class Bright(torch.nn.Module):
    """Outlines pixels brighter than 1 and gives every slice a high probability."""

    def forward(self, image):
        return (image - 1.0) * 20, torch.full((len(image), 6), 2.0) + image.mean() * 0


def gallery() -> dataset.PreparedSet:
    """A visible bleed, an invisible one, and a bright spot without a bleed."""
    images = np.zeros((3, 1, 64, 64), np.float32)
    images[0, 0, 20:30, 20:30] = images[2, 0, 40:50, 40:50] = 2.0
    rows = [dict.fromkeys(dataset.LABELS, "0") | {"patient": str(n), "slice": "0"} for n in range(3)]
    rows[0] |= {"hemorrhage": "1", "subdural": "1"}
    rows[1] |= {"hemorrhage": "1", "epidural": "1"}
    return dataset.PreparedSet("gallery", images, np.zeros((3, 64, 64), np.uint8), rows)


def test_failures_are_the_findings_that_contradict_the_labels(tmp_path):
    export.export_onnx(Bright().eval(), tmp_path / "model.onnx", 64)
    spec = {
        "file": "model.onnx",
        "outputs": {"slice": {"strongest_cell": {"side_px": 8, "weight": 0.5}}},
        "preprocessing": [{"step": "normalize", "mean": 0.2, "std": 0.25}],
        "postprocessing": {"threshold": 0.5, "min_lesion_px": 12, "slice_threshold": 0.5},
        "calibration": {"slope": 1.0, "intercept": 0.0},
    }
    (tmp_path / "model.json").write_text(json.dumps(spec))
    wrong = illustrate.failures(tmp_path, gallery())
    assert [what.split("\n")[0] for _, _, what in wrong] == ["epidural bleed missed", "outlined without a bleed"]
    assert wrong[1][1].sum() == 100 and wrong[0][2].endswith("probability 0.88")
    assert illustrate.illustrate(tmp_path, gallery()) == 2
    assert (tmp_path / "failures.png").stat().st_size > 5000
