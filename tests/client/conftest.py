"""A server for the Python client, and heads of no patient to send to it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "aws"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dicom"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "clients" / "python" / "src"))

from head_series import SLICES, hounsfield, write_series
from ichor_client import Analysis, Ichor
from ichor_server import IchorServer, ichor_server
from reading import ROOT, Result, segment


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IchorServer]:
    binary = Path(os.environ["ICHOR_BIN"])
    assert binary.is_file(), f"{binary} is missing: run make build"
    with ichor_server(binary, tmp_path_factory.mktemp("serve")) as started:
        yield started


@pytest.fixture(scope="session")
def ichor(server: IchorServer) -> Iterator[Ichor]:
    with Ichor(server.url) as client:
        yield client


@pytest.fixture(scope="session")
def slice_file() -> Path:
    """A synthetic slice on which the default model outlines a lesion."""
    return ROOT / "frontend" / "samples" / "090_9y_intraparenchymal_110kV_220mA.png"


@pytest.fixture(scope="session")
def head(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list]:
    """A tilted, unevenly spaced DICOM series of a phantom: its folder, and its Datasets from feet to head."""
    folder = tmp_path_factory.mktemp("phantom") / "head"
    return folder, write_series(folder, gaps_mm=[5, 5, 5, 5, 7, 7, 7])


@pytest.fixture(scope="session")
def program(head: tuple[Path, list], tmp_path_factory: pytest.TempPathFactory) -> Result:
    """What `ichor segment` writes of that series."""
    return segment(head[0], tmp_path_factory.mktemp("program"), "png,nifti,dicom-seg,dicom-sr,csv,json")


@pytest.fixture(scope="session")
def analysis(ichor: Ichor, head: tuple[Path, list]) -> Analysis:
    """What the client gets of that series."""
    return ichor.segment(head[0], model="unet", probabilities=True, overlay=True)


@pytest.fixture(scope="session")
def volume() -> np.ndarray:
    """A phantom in Hounsfield units (slices, rows, columns), with blood on the patient's left alone."""
    return np.stack([hounsfield(index, SLICES) for index in range(SLICES)])
