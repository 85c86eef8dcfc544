"""dciodvfy (dicom3tools) checks the written objects against PS3.3: no error."""

import subprocess

import pytest
from head_series import write_series
from reading import ROOT, segment


@pytest.fixture(scope="module", params=["phantom", "head-ge"])
def result(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("verified")
    if request.param == "phantom":
        write_series(folder / "head", gaps_mm=[5, 5, 5, 5, 7, 7, 7])
        return segment(folder / "head", folder / "out", "dicom-sr")
    return segment(ROOT / "tests/data/dicom/head-ge", folder / "out", "dicom-sr")


@pytest.mark.parametrize("kind", ["seg", "sr"])
def test_dciodvfy_finds_no_error(result, kind):
    run = subprocess.run(["dciodvfy", "-new", getattr(result, kind)], capture_output=True, text=True, check=False)
    lines = (run.stdout + run.stderr).splitlines()
    assert lines, "dciodvfy printed nothing, not even the kind of object"
    assert [line for line in lines if line.startswith("Error")] == []
