"""`models/<name>/model.json`: the contract between training and the program.

`python -m training.spec CONFIG --output FILE` writes it for a model that is not trained yet, for
`ichor prepare`, which reads only the preprocessing steps.
"""

import argparse
import hashlib
import json
from pathlib import Path

from training import chain, sources

TITLES = {"unet": "U-Net", "deeplabv3": "DeepLabV3+"}
ARCHITECTURES = {
    "unet": "U-Net, four levels down and four up, 16 to 256 channels, slice head on the "
    "mean and the maximum of every level on the way up",
    "deeplabv3": "DeepLabV3+: EfficientNet-Lite0 encoder, atrous rates 2, 4 and 7 at stride 16, "
    "low-level branches at 1/4 and 1/2, slice head on the mean and the maximum of four levels",
}
CLASSES = [
    ("any", "Any hemorrhage"),
    ("EDH", "Epidural"),
    ("SDH", "Subdural"),
    ("SAH", "Subarachnoid"),
    ("IPH", "Intraparenchymal"),
    ("IVH", "Intraventricular"),
]


def round_figure(value: float) -> float | None:
    """Three digits; None for nan, which JSON does not have."""
    return round(value, 3) if value == value else None


# Figures that the API returns in the list of models; the model card has all.
PUBLISHED = (
    "dice_slices", "dice_patients", "dice_pooled", "iou_pooled", "precision", "recall",
    "slice_auc", "slice_sensitivity", "false_positive_rate", "calibration_error",
)  # fmt: skip


def input_side(config: dict) -> int:
    """Pixels per side of the network's input."""
    return next(step["width"] for step in config["preprocessing"] if step["step"] == "resize")


def metrics_of(results: dict) -> dict:
    """{set: {metric: value}} of the published figures that are defined, and the 95 % limits beside each."""
    return {
        name: {
            f"{key}{suffix}": round_figure(figure[which])
            for key, figure in figures.items()
            if key in PUBLISHED and figure["value"] == figure["value"]
            for suffix, which in (("", "value"), ("_low", "low"), ("_high", "high"))
        }
        for name, figures in results.get("figures", {}).items()
    }


def describe_split(config: dict, results: dict) -> str:
    """How the patients were divided, for `training.split` of model.json."""
    if "folds" in results:
        return "five folds"
    if isinstance(config.get("split"), dict):
        return "all of ct-ich and PHE-SICH to train, a part of each further set kept to choose by"
    return "80/20 twice"


def released_metrics(results: dict) -> dict:
    """The figures of the released model that the training started from, under names that begin with its version."""
    released = results.get("released", {"metrics": {}})
    return {f"{released['version']}: {name}": metrics for name, metrics in released["metrics"].items()}


def build_spec(config: dict, results: dict, sha256: str, strongest_cell: dict | None = None) -> dict:
    """`model.json` of a configuration; `results` is that of `evaluate.summary`, or empty before training.

    `strongest_cell` is the share of the mask in the slice logit (`slice_head.strongest_cell`).
    """
    name, subtypes = config["name"], results.get("subtypes", {})
    side = input_side(config)
    experimental = {code: subtypes.get(code, {}).get("experimental", True) for code, _ in CLASSES}
    return {
        "schema": 1,
        "name": name,
        "title": config.get("title", TITLES.get(name, name)),
        "version": config.get("version", "0.1.0"),
        "file": "model.onnx",
        "sha256": sha256,
        "architecture": ARCHITECTURES[config["architecture"]["kind"]],
        "task": "segmentation",
        "modalities": ["CT"],
        "classes": [{"code": "ICH", "name": "Intracranial hemorrhage", "color": "#E69F00"}],
        "input": {"name": "image", "shape": [1, 1, side, side], "layout": "NCHW"},
        "outputs": {
            "mask": {"name": "mask_logits", "activation": "sigmoid"},
            "slice": {
                "name": "slice_logits",
                "activation": "sigmoid",
                "classes": [
                    {"code": code, "name": title, "experimental": experimental[code]}
                    for code, title in CLASSES
                ],
                **({"strongest_cell": strongest_cell} if strongest_cell else {}),
            },
        },
        "preprocessing": config["preprocessing"],
        "postprocessing": results.get(
            "postprocessing", {"threshold": 0.5, "slice_threshold": 0.0, "min_lesion_px": 12}
        ),
        "calibration": results.get(
            "calibration", {"method": "platt", "slope": 1.0, "intercept": 0.0}
        ),
        **({"series": chain.series_spec(results["series"], strongest_cell)} if results.get("series") else {}),
        **({"verdicts": results["verdicts"]["bands"]} if results.get("verdicts") else {}),
        "metrics": metrics_of(results) | released_metrics(results),
        "training": {
            "data": [
                sources.citation(name) for name in results.get("parts", {})
            ],
            "split": f"by patient, stratified, {describe_split(config, results)}, seed {config['split_seed']}",
            "seed": config["seed"],
        },
        "license": "Apache-2.0 for the code and the file; the data's licences are in the model card",
        "intended_use": "Research and teaching: outlining intracranial hemorrhage on axial "
        "non-contrast head CT",
        "out_of_scope": "Diagnosis, triage or any clinical decision; contrast CT, MR, other body "
        "parts, postoperative heads",
    }


def write_spec(spec: dict, folder: Path) -> None:
    """Write model.json into the folder of model.onnx."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(json.dumps(spec, indent=2) + "\n")


def checksum(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    spec = build_spec(json.loads(arguments.config.read_text()), {}, "0" * 64)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(spec, indent=2) + "\n")


if __name__ == "__main__":
    main()
