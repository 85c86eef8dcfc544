"""Phrases that the project does not write, with what to write instead; CONTRIBUTING.md has the rules.

`python3 tests/tools/plain_words.py [PATH...]` prints each place as FILE:LINE, the phrase and its replacement, and exits
with 1 if there is one. PATH is a prefix; without one every tracked text is read.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Path prefixes that hold the work of others, or the phrases themselves.
EXEMPT = ("frontend/vendor/", "tests/tools/plain_words.py", "tests/tools/test_plain_words.py")

TEXTS = re.compile(r"(^Makefile|^\.ci/run|\.(rs|py|js|mjs|ts|md|sh|ya?ml|toml|html|css|swift|kt))$")

# What is counted, and per what: "ms a slice" is "ms per slice".
COUNTED = (
    "px|pixels|ms|s|seconds|minutes|hours|[KMG]i?B|bytes|bits?|samples|slices|steps|requests|calls?|images|threads?|"
    "lines?|files|USD|cents|once|twice|one|decoded|dearer"
)
PER = (
    "pixel|voxel|slice|series|head|patient|fold|side|axis|line|row|file|second|minute|hour|day|month|thread|core|process|"
    "request|call|batch|step|channel|layer|sample|job|image|lesion|direction|size"
)

# Regular expression (case is ignored), and what to write instead.
PHRASES = {
    rf"\b(?:{COUNTED}) an? (?:{PER})\b": "'per' in place of 'a': 42 ms per slice",
    r"\banew\b": "again",
    r"\b(?:the|a|an|NVIDIA|graphics) card\b": "the GPU; or the model card",
    r"\bprocessors?\b": "CPU",
    r"\bnumbers? that (?:is|are) none\b": "NaN",
    r"\bare none\b|(?<!number )(?-i:that is none)\b": "name what is missing: 'no number', 'NaN', 'not a slice'",
    r"\bof our own\b": "'own' before the noun, or the name: 'the native engine'",
    r"\bof ours\b": "ichor's, or name the thing",
    r"\b(?:some|every|no)body\b": "a user, a caller, all, no one; best name the role",
    r"\bhear[sd]?\b|\bhearing\b": "receives, is notified; an observer",
    r"\bwhoever\b": "anyone who; best name the role: 'the caller'",
    r"\bmost_(?!common\b)[a-z]+": "max_, MAX_",
    r"\b(?:eats?|eaten)\b": "takes as input, consumes",
    r"\b(?:knows?|learnt|learns) (?:\w+ ){0,4}by heart\b": "memorizes",
    r"\bbright side\b": "optimistic",
    r"\bat its word\b": "how reliable it is",
    r"\brather (?:do(?:es)? not )?bleeds?\b": "a slice above (below) the decision probability of the series chain",
    r"\ba word why\b": "with the reason",
    r"\bwithout a word\b": "without a warning",
    r"\btold (?:by|from|apart|of|before)\b": "recognized by, distinguished from, reported",
    r"\btells?\b": "reports, returns, shows; 'to tell apart' is 'to distinguish'",
    r"\bin hand\b": "in progress, held",
    r"\bmended\b": "fixed",
    r"\bput aside\b": "not used",
    r"\bas ever\b": "as before",
    r"\bin one go\b": "in one run",
    r"\bthe likeliest\b|\blikelier\b": "the most probable, more probable",
    r"\bgoes? by the name\b": "is named",
    r"\bthe (?:wish|wishes) of\b": "the request of",
    r"\bat the start(?! of)\b": "at startup; or 'first'",
    r"\b(?:dear|dearer|dearest) (?:network|step|one|part|kernel)s?\b": "costly, more costly",
}


def found_in(text: str) -> Iterator[tuple[int, str, str]]:
    """Line number from 1, phrase and replacement of each place. A quoted phrase is spoken of, not used."""
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, instead in PHRASES.items():
            for match in re.finditer(pattern, line, re.IGNORECASE):
                if line[: match.start()][-1:] not in ('"', "'", "“", "`"):
                    yield number, match.group(), instead


def tracked_texts() -> list[str]:
    """Names of all tracked files whose language is checked, relative to the root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [
        name
        for name in listed.split("\0")
        if TEXTS.search(name) and not name.startswith(EXEMPT) and (ROOT / name).is_file()
    ]


def problems(prefixes: tuple[str, ...] = ("",)) -> list[str]:
    """One line per place in the tracked files below `prefixes`."""
    return [
        f"{name}:{number}: '{phrase}': write {instead}"
        for name in tracked_texts()
        if name.startswith(prefixes)
        for number, phrase, instead in found_in((ROOT / name).read_text())
    ]


if __name__ == "__main__":
    lines = problems(tuple(sys.argv[1:]) or ("",))
    print("\n".join(lines) or "no phrase of the table")
    sys.exit(bool(lines))
