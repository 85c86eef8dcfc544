"""The verdicts and the sources in a model card."""

import json
from pathlib import Path

from training import card, layout, sources, spec


def test_every_set_of_the_layout_has_a_licence_and_a_statement():
    for name in [*layout.SETS, "ct-ich", "phe-sich"]:
        if not name.endswith("-boxes"):
            assert "unknown" != sources.source(name)["license"], name
            assert sources.source(name)["statement"].startswith("- **")
    assert "Roboflow" in sources.source("ct-ich")["statement"]


def test_verdicts_are_listed_for_slices_and_heads():
    share = {"count": 20, "unlikely": 0.05, "uncertain": 0.15, "likely": 0.8}
    none = {"count": 0, "unlikely": None, "uncertain": None, "likely": None}
    errors = {"heads": {part: {"bleeding": share, "other": none} for part in ("slices", "heads")}}
    table = card.verdicts_table({"verdicts": {"bands": {"unlikely_below": 0.1, "likely_from": 0.5}, "errors": errors}})
    assert "unlikely below 0.100, likely from 0.500" in table
    assert "| heads, slices | 0.05, 0.15, 0.80 of 20 | -, -, - of 0 |" in table
    assert "of 5 folds" not in table
    assert "2 of 5 folds" in card.measured_on({"other_networks": {"scored": 2, "of": 5}})
    assert card.verdicts_table({}) == ""


def test_the_recipe_lists_each_part_that_a_configuration_turns_on():
    config = json.loads((Path(card.__file__).parent / "config" / "deeplabv3.json").read_text())
    table = card.recipe_table(config, {"steps": 1570, "parts": {"ct-ich": {}, "phe-sich": {}}})
    for part in ("| copied lesions | ", "| hard negatives | ", "| pseudo-labels | "):
        assert part in table, part
    without = config | {"recipe": config["recipe"] | {"hard_negatives": False}}
    assert "| hard negatives | " not in card.recipe_table(without, {"steps": 1570, "parts": {"ct-ich": {}}})


def test_rows_that_no_set_has_are_left_out():
    figure = {"value": 0.5, "low": 0.4, "high": 0.6}
    undefined = dict.fromkeys(("value", "low", "high"), float("nan"))
    figures = {key: figure if key == "false_positive_rate" else undefined for key in card.HEADINGS}
    counts = dict.fromkeys(("patients", "outlined_patients", "slices", "outlined_slices"), 3)
    table = card.figures_table({"figures": {"bleed-free": figures}, "counts": {"bleed-free": counts}})
    assert "| Negative slices with any mask | 0.500 [0.400, 0.600] |" in table
    assert "Dice" not in table


def test_a_reliability_table_needs_slices_of_both_kinds():
    half = [{"from": 0.5, "slices": 4, "probability": 0.5, "observed": 0.5}]
    whole = [{"from": 0.5, "slices": 4, "probability": 0.5, "observed": 1.0}]
    assert "bleeding" not in card.reliability_table({"reliability": {"mixed": half, "bleeding": whole}})


def test_a_fine_tune_repeats_the_figures_of_its_start():
    metrics = {"ct-ich cross-validation": {"dice_slices": 0.5, "dice_slices_low": 0.4, "dice_slices_high": 0.6}}
    results = {"released": {"version": "0.6.1", "metrics": metrics}}
    assert "| Dice, mean over outlined slices | 0.500 [0.400, 0.600] |" in card.released_table(results)
    assert card.released_table({}) == ""
    assert "0.6.1" in card.protocol(results)
    assert spec.released_metrics(results) == {"0.6.1: ct-ich cross-validation": metrics["ct-ich cross-validation"]}
