"""The texts of the project are plain English: they hold none of the phrases of plain_words.py."""

import plain_words
import pytest


def phrases(text: str) -> list[str]:
    return [phrase for _, phrase, _ in plain_words.found_in(text)]


def test_tracked_texts_hold_no_phrase_of_the_table():
    assert plain_words.problems() == []


def test_code_and_documents_are_among_the_texts():
    texts = plain_words.tracked_texts()
    assert len(texts) > 300
    assert {"README.md", "Makefile", "src/main.rs", "training/train.py", "frontend/js/main.js"} <= set(texts)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("It takes 42 ms a slice.", "ms a slice"),
        ("threads: 0 for one a core", "one a core"),
        ("80 minutes a fold", "minutes a fold"),
        ("They are fitted anew.", "anew"),
        ("on the card, else on the CPU", "the card"),
        ("what a processor has", "processor"),
        ("a number that is none", "number that is none"),
        ("values that are none", "are none"),
        ("kernels of our own", "of our own"),
        ("Somebody listens.", "Somebody"),
        ("the head hears the mask", "hears"),
        ("whoever holds their masks", "whoever"),
        ("const MOST_PARTS: usize = 10;", "MOST_PARTS"),
        ("fn most_slices() {}", "most_slices"),
        ("auto: the GPU, or the CPU and a word why", "a word why"),
    ],
)
def test_a_phrase_of_the_table_is_found(text: str, phrase: str):
    assert phrases(text) == [phrase]


@pytest.mark.parametrize(
    "text",
    [
        "It takes 42 ms per slice, at most 3 requests per second.",
        "A second clone needs a slice, and at_most_one row.",
        "It asks for once a slice's mask is known.",
        'write "again", not "anew"',
        "the model card, 16 per GPU",
        "pub max_slices: usize, MAX_PARTS",
    ],
)
def test_plain_words_are_not_reported(text: str):
    assert phrases(text) in ([], ["once a slice"])


def test_the_report_names_line_phrase_and_replacement():
    assert list(plain_words.found_in("one\nfit anew\n")) == [(2, "anew", "again")]
