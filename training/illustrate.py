"""A picture of failures on synthetic slices for the model card.

`python -m training.illustrate MODEL_DIR --samples PREPARED` runs the released file on the prepared
gallery and writes MODEL_DIR/failures.png: missed bleeds, and outlined slices without blood.
"""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend must be chosen first)
import numpy as np  # noqa: E402

from training import dataset  # noqa: E402
from training.export import run_onnx  # noqa: E402
from training.fit import find_mask, sigmoid  # noqa: E402
from training.skull import apply_skull  # noqa: E402
from training.split import SUBTYPES  # noqa: E402

MAX_FAILURES = 6


def segment_sample(folder: Path, spec: dict, image: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, float]:
    """Mask bool [H, W] and calibrated probability of any hemorrhage of float32 [1, 1, H, W].

    `inside`, bool [H, W]: where the mask is allowed.
    """
    mask_logits, slice_logits = run_onnx(folder / spec["file"], image)
    post, calibration = spec["postprocessing"], spec["calibration"]
    kept, slices = apply_skull(spec, mask_logits[0, 0], slice_logits[0], inside)
    mask = find_mask(sigmoid(kept), post["threshold"], post["min_lesion_px"])
    logit = float(slices[0])
    mask &= sigmoid(logit) >= post["slice_threshold"]
    return mask, float(sigmoid(calibration["slope"] * logit + calibration["intercept"]))


def failures(folder: Path, samples: dataset.PreparedSet) -> list[tuple[np.ndarray, np.ndarray, str]]:
    """(grey [H, W], mask [H, W], kind of error) of every sample whose finding contradicts its label."""
    spec = json.loads((folder / "model.json").read_text())
    normal = next(step for step in spec["preprocessing"] if step["step"] == "normalize")
    wrong = []
    for row, labels in enumerate(samples.rows):
        image = np.array(samples.images[row : row + 1])
        mask, probability = segment_sample(folder, spec, image, samples.inside(row))
        if mask.any() == (labels["hemorrhage"] == "1"):
            continue
        kinds = [name for name in SUBTYPES if labels[name] == "1"]
        error = f"{' and '.join(kinds)} bleed missed" if kinds else "outlined without a bleed"
        grey = image[0, 0] * normal["std"] + normal["mean"]
        wrong.append((grey, mask, f"{error}\nprobability {probability:.2f}"))
    return wrong


def draw_failures(wrong: list, path: Path) -> None:
    """Draw up to MAX_FAILURES failures side by side with the outline of the mask."""
    figure, places = plt.subplots(1, MAX_FAILURES, figsize=(2 * MAX_FAILURES, 2.6), squeeze=False)
    for place in places[0]:
        place.axis("off")
    for place, (grey, mask, what) in zip(places[0], wrong):
        place.imshow(grey, cmap="gray", vmin=0, vmax=1)
        if mask.any():
            place.contour(mask, [0.5], colors="#E69F00", linewidths=1)
        place.set_title(what, fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)


def illustrate(folder: Path, samples: dataset.PreparedSet) -> int:
    """Write failures.png; returns how many of the samples failed."""
    wrong = failures(folder, samples)
    draw_failures(wrong, folder / "failures.png")
    return len(wrong)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--samples", type=Path, required=True)
    options = parser.parse_args()
    samples = dataset.load(options.samples)
    print(f"{illustrate(options.model, samples)} of {len(samples.rows)} synthetic slices fail")


if __name__ == "__main__":
    main()
