"""Fixtures: the built binaries, AWS's emulator, and an S3 server that holds the models."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ichor_server import IchorServer, ichor_server
from lambda_emulator import LambdaFunction, lambda_function
from s3_server import BUCKET, JOBS_BUCKET, S3Server, s3_server

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("ICHOR_CACHE", Path.home() / ".cache" / "ichor"))
NAMES = (ROOT / "scripts" / "binaries.env").read_text().splitlines()
# The names of the binaries: `BINARIES["BINARY_API"]`.
BINARIES = dict(line.split("=") for line in NAMES if line and not line.startswith("#"))


def existing(path: Path, remedy: str) -> Path:
    assert path.is_file(), f"{path} is missing: {remedy}"
    return path


@pytest.fixture(scope="session")
def repository() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def models(repository: Path) -> Path:
    return repository / "models"


@pytest.fixture(scope="session")
def samples(repository: Path) -> list[Path]:
    pictures = sorted((repository / "frontend" / "samples").glob("*.png"))
    assert len(pictures) >= 12, "the synthetic slices are missing"
    return pictures


def built(name: str, remedy: str) -> Path:
    """A binary where the Makefile built it: ICHOR_BUILT names the folder."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return existing(Path(os.environ.get("ICHOR_BUILT", target / "release")) / BINARIES[name], remedy)


@pytest.fixture(scope="session")
def ichor_binary() -> Path:
    return built("BINARY_CLI", "run make build")


@pytest.fixture(scope="session")
def sagemaker_binary() -> Path:
    return built("BINARY_SAGEMAKER", "run make sagemaker")


@pytest.fixture(scope="session")
def lambda_binary() -> Path:
    """The same file that `make lambda` packs into the zip."""
    return existing(CACHE / "lambda" / "api" / "bootstrap", "run make lambda")


@pytest.fixture(scope="session")
def worker_binary() -> Path:
    """The same file that `make lambda` packs into the zip."""
    return existing(CACHE / "lambda" / "worker" / "bootstrap", "run make lambda")


@pytest.fixture(scope="session")
def emulator() -> Path:
    return existing(CACHE / "bin" / "aws-lambda-rie", "run make lambda-emulator")


@pytest.fixture(scope="session")
def server(ichor_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IchorServer]:
    """`ichor serve` with the options of a user."""
    with ichor_server(ichor_binary, tmp_path_factory.mktemp("serve")) as started:
        yield started


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    binary = existing(CACHE / "bin" / "s3s-fs", "run make s3-server")
    with s3_server(binary, tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def model_names(s3: S3Server, models: Path) -> list[str]:
    """Names of the models, which are in the bucket."""
    names = s3.upload_models(models)
    assert names == ["deeplabv3", "unet"]
    return names


@pytest.fixture(scope="session")
def function_environment(s3: S3Server, model_names: list[str]) -> dict[str, str]:
    models = {"ICHOR_BUCKET": BUCKET, "ICHOR_MODELS": ",".join(model_names)}
    return s3.environment() | models | {"ICHOR_JOBS_BUCKET": JOBS_BUCKET}


@pytest.fixture(scope="session")
def function(
    emulator: Path,
    lambda_binary: Path,
    function_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LambdaFunction]:
    """One warm function for all tests: after any request it must still serve the next one."""
    log = tmp_path_factory.mktemp("lambda") / "emulator.log"
    with lambda_function(emulator, lambda_binary, function_environment, log) as started:
        yield started


@pytest.fixture(scope="session")
def worker(
    emulator: Path,
    worker_binary: Path,
    function_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LambdaFunction]:
    """One warm worker for all tests."""
    log = tmp_path_factory.mktemp("worker") / "emulator.log"
    with lambda_function(emulator, worker_binary, function_environment, log) as started:
        yield started
