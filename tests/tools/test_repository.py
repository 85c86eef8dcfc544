"""The files that describe the project: they name make targets, binaries, paths and licences that exist."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LISTED = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
FILES = [ROOT / name for name in LISTED.split("\0") if name and (ROOT / name).is_file()]
DOCUMENTS = [file for file in FILES if file.suffix == ".md"]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([A-Za-z][\w-]*):(?!=)", MAKEFILE, re.MULTILINE))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted(file for file in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if file.name != "config.yml")


def relative(file: Path) -> str:
    return str(file.relative_to(ROOT))


def make_targets_in(text: str) -> set[str]:
    """Targets of the `make` commands in the code of a document, such as `UPDATE_LOOKS=1 make page-tests`."""
    code = re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL)
    commands = [found for part in code for found in re.findall(r"\bmake((?: [a-z][a-z0-9-]*(?![=\w]))+)", part)]
    return {target for command in commands for target in command.split()}


def test_the_makefile_and_the_repository_are_found():
    assert {"check", "test", "lints", "dist", "install", "deny"} <= TARGETS
    assert len(DOCUMENTS) > 10 and len(WORKFLOWS) >= 3 and len(FORMS) >= 2


@pytest.mark.parametrize("file", DOCUMENTS, ids=relative)
def test_documents_name_make_targets_that_exist(file: Path):
    assert make_targets_in(file.read_text()) <= TARGETS


def test_an_unknown_target_would_be_found():
    assert make_targets_in("run `X=1 make chek` or\n```sh\nmake measure cost  # both\n```") == {
        "chek",
        "measure",
        "cost",
    }


@pytest.mark.parametrize("file", DOCUMENTS, ids=relative)
def test_relative_links_of_documents_lead_somewhere(file: Path):
    for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", re.sub(r"```.*?```", "", file.read_text(), flags=re.DOTALL)):
        if not re.match(r"[a-z]+:", target):
            assert (file.parent / target).exists(), target


@pytest.mark.parametrize("file", DOCUMENTS, ids=relative)
def test_paths_in_documents_exist(file: Path):
    folders = "src|crates|tests|frontend|infra|training|scripts|benches|docs|fuzz|examples"
    named = re.findall(rf"`((?:{folders})/[\w/.-]+)`", file.read_text())
    # TARGET stands for the name of a fuzz target.
    assert [name for name in named if "TARGET" not in name and not (ROOT / name).exists()] == []


def missing_places(text: str) -> list[str]:
    """Rows `FILE` | `FUNCTION`, or `TYPE` | `FILE`, of a table whose file does not define the function or type."""
    places = re.findall(r"\| `([\w/.-]+\.rs)` \| `(\w+)` \|", text)
    places += [(file, name) for name, file in re.findall(r"\| `(\w+)` \| `([\w/.-]+\.rs)` \|", text)]
    assert len(places) > 20
    missing = []
    for name, function in places:
        file = ROOT / name
        if not file.is_file() or not re.search(rf"\b(fn|struct|enum|trait) {function}\b", file.read_text()):
            missing.append(f"{name}: {function}")
    return missing


def test_the_architecture_names_files_and_functions_that_exist():
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert missing_places(text) == []
    assert missing_places(text + "| x | `src/lib.rs` | `no_such_function` |") == ["src/lib.rs: no_such_function"]


def test_every_phony_target_exists_and_help_fits_a_terminal():
    phony = " ".join(re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)).replace("\\\n", " ")
    assert set(phony.split()) <= TARGETS
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "  check " in shown and "  test " in shown
    assert max(map(len, shown.splitlines())) <= 120, max(shown.splitlines(), key=len)


def test_scripts_of_the_makefile_exist_and_can_be_run():
    named = set(re.findall(r"(?:^|[\s./@])((?:scripts|infra|tests|fuzz)/[\w/.-]+\.(?:sh|py|txt|env))", MAKEFILE))
    assert len(named) > 20
    assert not [name for name in named if not (ROOT / name).is_file()]
    for file in FILES:
        if file.suffix == ".sh" and file.read_text().startswith("#!"):
            assert os.access(file, os.X_OK), relative(file)


def test_the_names_of_the_binaries_are_those_of_cargo():
    lines = (ROOT / "scripts" / "binaries.env").read_text().splitlines()
    names = dict(line.split("=") for line in lines if line and not line.startswith("#"))
    assert list(names) == ["BINARY_CLI", "BINARY_API", "BINARY_WORKER", "BINARY_SAGEMAKER"]
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    assert set(names.values()) == {binary["name"] for binary in manifest["bin"]}


@pytest.mark.parametrize("file", WORKFLOWS, ids=relative)
def test_workflows_call_make_targets_and_nothing_else(file: Path):
    workflow = yaml.safe_load(file.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] and job["runs-on"]
        for step in job["steps"]:
            if "run" in step:
                command, target = step["run"].split(" ")
                assert command == "make" and target in TARGETS, step["run"]
            else:
                assert re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"]), step


@pytest.mark.parametrize("file", FORMS, ids=relative)
def test_issue_forms_are_complete_and_warn_of_patient_data(file: Path):
    form = yaml.safe_load(file.read_text())
    assert {"name", "description", "labels", "body"} <= set(form)
    assert form["body"][0]["type"] == "markdown"
    for part in form["body"]:
        assert part["type"] in ("markdown", "checkboxes", "textarea", "input")
        assert part["attributes"].get("label") or part["type"] == "markdown"
    if file.name == "bug.yml":
        introduction = form["body"][0]["attributes"]["value"]
        assert "Never attach patient images" in introduction and introduction.count("\n- ") >= 8


def test_cargo_deny_and_the_sbom_allow_the_same_licences():
    allowed = tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"]
    text = (ROOT / "tests" / "aws" / "test_gpu_template.py").read_text()
    (permissive,) = re.findall(r"^PERMISSIVE = \{(.+?)\}", text, re.DOTALL | re.MULTILINE)
    parts = {part for licence in allowed for part in licence.split(" WITH ")}
    assert parts == set(re.findall(r'"([^"]+)"', permissive))


def test_the_changelog_has_the_version_of_the_package():
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (\d+\.\d+\.\d+) \((unreleased|\d{4}-\d\d-\d\d)\)$", text, re.MULTILINE)
    order = [tuple(map(int, version.split("."))) for version, _ in versions]
    assert len(order) >= 2 and order == sorted(order, reverse=True)
    assert [date for _, date in versions[1:] if date == "unreleased"] == []
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    manifest = package if "version" in package else {}
    assert manifest.get("version") in {version for version, _ in versions}
    for title in re.findall(r"^### (.+)$", text, re.MULTILINE):
        assert title in ("Breaking", "Added", "Changed", "Fixed"), title


# Words of the longest sentence of a document.
MAX_WORDS = 30


def long_sentences(text: str) -> list[str]:
    """Sentences of a document above MAX_WORDS, numbers not counted; skips code, splits cells and list items."""
    text = re.sub(r"```.*?```|<!--.*?-->", "\n\n", text, flags=re.DOTALL)
    blocks = re.split(r"\n\s*\n|\n\s*- |\n\s*\d+\. |\n#+ |\|", text)
    sentences = [part for block in blocks for part in re.split(r"(?<=[.!?:;])\s+", " ".join(block.split()))]
    return [sentence for sentence in sentences if len(re.findall(r"\S*[A-Za-z]\S*", sentence)) > MAX_WORDS]


@pytest.mark.parametrize("file", DOCUMENTS, ids=relative)
def test_sentences_of_documents_are_short(file: Path):
    assert long_sentences(file.read_text()) == []


def test_a_long_sentence_is_found():
    assert long_sentences("Short. " + "word " * 31) and not long_sentences("word " * 20 + "\n\n- " + "word " * 20)
