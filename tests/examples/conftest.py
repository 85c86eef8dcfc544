"""A server for the examples, and the files that they send."""

import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from example_run import ROOT

sys.path.insert(0, str(ROOT / "tests" / "aws"))

from ichor_server import IchorServer, ichor_server


@pytest.fixture(scope="session")
def ichor() -> Path:
    binary = Path(os.environ["ICHOR_BIN"])
    assert binary.is_file(), f"{binary} is missing: run make build"
    return binary


@pytest.fixture(scope="session")
def server(ichor: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IchorServer]:
    with ichor_server(ichor, tmp_path_factory.mktemp("serve")) as started:
        yield started


@pytest.fixture(scope="session")
def description(server: IchorServer) -> dict:
    """The API description of the running server."""
    return requests.get(f"{server.url}/v1/openapi.json", timeout=60).json()


@pytest.fixture(scope="session")
def slice_file() -> Path:
    """A synthetic slice on which the default model outlines a lesion."""
    return ROOT / "frontend" / "samples" / "090_9y_intraparenchymal_110kV_220mA.png"


@pytest.fixture(scope="session")
def series_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip of the four DICOM slices in tests/data."""
    path = tmp_path_factory.mktemp("series") / "head.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted((ROOT / "tests" / "data" / "dicom" / "head-ge").glob("*.dcm")):
            archive.write(file, file.name)
    return path
