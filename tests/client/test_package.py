"""The package: its types against the description of the API, its wheel, its documents and its notebook."""

import json
import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest
from ichor_client import MissingPackageError, __version__
from ichor_client.optional import _PACKAGES, require
from ichor_server import IchorServer
from reading import ROOT

CLIENT = ROOT / "clients" / "python"
PROJECT = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]
NOTEBOOK = CLIENT / "examples" / "first_steps.ipynb"


def run(command: list, **options) -> subprocess.CompletedProcess:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def generator():
    sys.path.insert(0, str(CLIENT))
    import generate_schemas

    return generate_schemas


def test_the_types_are_those_of_the_description():
    run([sys.executable, CLIENT / "generate_schemas.py", "--check"])


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda schemas: schemas["Lesion"]["properties"].update(depth_mm={"type": "number"}), "depth_mm: float | None"),
        (lambda schemas: schemas["Lesion"]["required"].remove("area_px"), "area_px: int | None = None"),
        (lambda schemas: schemas["Job"]["properties"]["state"]["enum"].append("paused"), '"paused"'),
    ],
)
def test_a_change_of_the_description_changes_the_types(change, line: str):
    schemas = generator()
    description = json.loads(schemas.DESCRIPTION.read_text())
    change(description["components"]["schemas"])
    text = schemas.generated(description)
    assert line in text and line not in schemas.TARGET.read_text()


def test_the_wheel_installs_in_an_empty_environment(tmp_path: Path):
    """Its one dependency that is not here is taken from the environment of the tests."""
    source = tmp_path / "source"
    # A build writes beside its sources.
    run(["cp", "-RL", CLIENT, source])
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    run([*pip, "wheel", "-q", "--no-deps", "--no-index", "--no-build-isolation", "-w", tmp_path, source])
    (wheel,) = tmp_path.glob(f"ichor_client-{__version__}-py3-none-any.whl")
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    run([*pip, "--python", python, "install", "-q", "--no-deps", "--no-index", wheel])
    packages = Path(pytest.__file__).parents[1]
    (site,) = (tmp_path / "env" / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(str(packages))
    code = """
import importlib.metadata, pathlib, sys
import ichor_client
print(ichor_client.__file__)
print(sorted({"numpy", "PIL", "nibabel", "pydicom", "pandas"} & set(sys.modules)))
print((pathlib.Path(ichor_client.__file__).parent / "py.typed").exists())
metadata = importlib.metadata.metadata("ichor-client")
print(metadata["License-Expression"], *metadata.get_all("Provides-Extra"))
"""
    place, loaded, is_typed, metadata = run([python, "-I", "-c", code]).stdout.splitlines()
    assert place.startswith(str(site)) and is_typed == "True"
    assert loaded == "[]", "an optional package is imported before it is needed"
    assert metadata.split() == ["Apache-2.0", *PROJECT["optional-dependencies"]]
    assert (site / f"ichor_client-{__version__}.dist-info" / "licenses" / "LICENSE").read_bytes() == (
        ROOT / "LICENSE"
    ).read_bytes()


@pytest.mark.parametrize("name", _PACKAGES)
def test_a_missing_package_names_its_extra(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, name, None)
    extra, package = _PACKAGES[name]
    with pytest.raises(MissingPackageError, match=re.escape(f"{package} is not installed")) as caught:
        require(name)
    assert f"pip install 'ichor-client[{extra}]'" in str(caught.value)
    assert any(entry.lower().startswith(package.lower()) for entry in PROJECT["optional-dependencies"][extra])


def python_blocks(text: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_the_code_of_the_readme_runs(server: IchorServer, head: tuple[Path, list], tmp_path: Path):
    (tmp_path / "head").symlink_to(head[0])
    code = "\n".join(python_blocks((CLIENT / "README.md").read_text()))
    assert "to_seg" in code and "submit" in code
    (tmp_path / "readme.py").write_text(code.replace("http://127.0.0.1:8080", server.url))
    environment = os.environ | {"PYTHONPATH": str(CLIENT / "src")}
    written = run([sys.executable, "readme.py"], cwd=tmp_path, env=environment)
    assert "of 8 slices" in written.stdout
    assert {"seg.dcm", "sr.dcm", "mask.nii.gz", "lesions.csv"} <= {file.name for file in tmp_path.iterdir()}


def test_the_notebook_runs_and_holds_no_output(server: IchorServer):
    notebook = json.loads(NOTEBOOK.read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(cells) >= 5 and all(not cell["outputs"] and cell["execution_count"] is None for cell in cells)
    code = "\n\n".join("".join(cell["source"]) for cell in cells)
    environment = os.environ | {"PYTHONPATH": str(CLIENT / "src"), "ICHOR_URL": server.url}
    written = run([sys.executable, "-c", code], cwd=NOTEBOOK.parent, env=environment).stdout
    assert "detected: True" in written and re.search(r"\d+ of \d+ slices", written)
