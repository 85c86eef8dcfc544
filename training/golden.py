"""Golden cases: tensors, probabilities and masks of synthetic slices by PyTorch, for the Rust tests to compare with.

Only synthetic slices are used: the cases are committed, and pixels of patients never are.
"""

import json
from pathlib import Path

import cv2
import numpy as np
import torch

from training import dataset
from training.fit import sigmoid
from training.skull import apply_skull

# One without blood, one outside the brain tissue, one inside it.
CASES = {
    "none": "008_38y_none_110kV_430mA.png",
    "epidural": "099_38y_epidural_130kV_710mA.png",
    "intraparenchymal": "090_9y_intraparenchymal_110kV_220mA.png",
}


@torch.no_grad()
def write_golden(model: torch.nn.Module, samples: dataset.PreparedSet, spec: dict, folder: Path):
    """Write <folder>/<case>/{tensor.npy, probabilities.npy, mask.png, case.json}.

    `model` has the weights of the file (`export.as_stored`). tensor.npy is float16 [1, 1, H, W]; the model gets
    the tensor before that rounding, as in use. mask.png is the
    thresholded map on the network grid, before small components are dropped.
    """
    model.eval()
    for case, image in CASES.items():
        row = next(n for n, row in enumerate(samples.rows) if row["image"].endswith(image))
        tensor = np.array(samples.images[row : row + 1])
        mask_logits, slice_logits = model(torch.from_numpy(tensor))
        probabilities = torch.sigmoid(mask_logits)[0, 0].numpy()
        target = folder / case
        target.mkdir(parents=True, exist_ok=True)
        np.save(target / "tensor.npy", tensor.astype(np.float16))
        np.save(target / "probabilities.npy", probabilities.astype(np.float16))
        mask = probabilities >= spec["postprocessing"]["threshold"]
        cv2.imwrite(str(target / "mask.png"), mask.astype(np.uint8) * 255)
        _, served = apply_skull(spec, mask_logits[0, 0].numpy(), slice_logits[0].numpy(), samples.inside(row))
        any_logit = float(served[0])
        calibrated = spec["calibration"]["slope"] * any_logit + spec["calibration"]["intercept"]
        record = {
            "image": image,
            "slice_logits": [round(float(value), 5) for value in slice_logits[0]],
            "probability": round(float(sigmoid(calibrated)), 5),
            "mask_px": int(mask.sum()),
            "threshold": spec["postprocessing"]["threshold"],
            "model_sha256": spec["sha256"],
        }
        (target / "case.json").write_text(json.dumps(record, indent=2) + "\n")
