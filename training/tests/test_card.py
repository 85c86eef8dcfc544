"""What a card says of the three answers and of its sources."""

from training import card, layout, sources


def test_every_set_that_is_laid_out_is_attributed():
    for name in [*layout.SETS, "ct-ich", "phe-sich"]:
        if not name.endswith("-boxes"):
            assert "unknown" != sources.source(name)["license"], name
            assert sources.source(name)["statement"].startswith("- **")
    assert "Roboflow" in sources.source("ct-ich")["statement"]


def test_errors_of_the_bands_are_told_for_slices_and_heads():
    share = {"count": 20, "unlikely": 0.05, "uncertain": 0.15, "likely": 0.8}
    none = {"count": 0, "unlikely": None, "uncertain": None, "likely": None}
    errors = {"heads": {part: {"bleeding": share, "other": none} for part in ("slices", "heads")}}
    table = card.verdicts_table({"verdicts": {"bands": {"unlikely_below": 0.1, "likely_from": 0.5}, "errors": errors}})
    assert "unlikely below 0.100, likely from 0.500" in table
    assert "| heads, slices | 0.05, 0.15, 0.80 of 20 | -, -, - of 0 |" in table
    assert card.verdicts_table({}) == ""
