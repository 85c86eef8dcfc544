"""The image of the container, built and run by a container engine on a base of this machine's own making, with
onnxruntime for the processor. `make image-tests` starts an engine; without one these tests are skipped.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from conftest import existing
from loopback import free_port

DOCKER = os.environ.get("ICHOR_DOCKER") or shutil.which("docker") or "docker"
BASE = "local/debian:bookworm-slim"
IMAGE = "ichor-gpu:test"


def docker(*command: str, check: bool = True) -> str:
    run = subprocess.run([DOCKER, *command], capture_output=True, text=True, check=False, timeout=300)
    assert not check or run.returncode == 0, run.stdout + run.stderr
    return run.stdout.strip()


def engine_runs() -> bool:
    try:
        return subprocess.run([DOCKER, "image", "inspect", BASE], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


pytestmark = pytest.mark.skipif(
    not engine_runs(), reason="NO CONTAINER ENGINE with the base runs here: the image is not built. Run make image-tests."
)


@pytest.fixture(scope="module")
def image(repository: Path, release: Path) -> str:
    existing(release / "sagemaker", "run make sagemaker")
    choice = {"ICHOR_BASE": BASE, "ICHOR_BINARY": "prebuilt", "ICHOR_LIBRARIES": "cpu"}
    environment = os.environ | choice | {"CARGO_TARGET_DIR": str(release.parent), "ICHOR_DOCKER": DOCKER}
    command = [repository / "infra" / "build_image.sh", "gpu", IMAGE]
    built = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=900)
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    return IMAGE


@pytest.fixture
def running(image: str, models: Path) -> Iterator[tuple[str, str]]:
    """Name and address of a container as SageMaker starts it, with nothing to write to."""
    port, name = free_port(), f"ichor-test-{os.getpid()}"
    mount = f"{models}:/opt/ml/model:ro"
    docker("run", "--detach", "--name", name, "--read-only", "--publish", f"127.0.0.1:{port}:8080", "--volume", mount, image, "serve")
    try:
        deadline = time.monotonic() + 300
        while docker("exec", name, "/usr/local/bin/sagemaker", "health", check=False) or not answers(port):
            assert time.monotonic() < deadline, docker("logs", name)
            time.sleep(0.3)
        yield name, f"http://127.0.0.1:{port}"
    finally:
        docker("rm", "--force", name)


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/ping", timeout=2).ok
    except requests.ConnectionError:
        return False


def test_the_image_is_small_has_no_root_and_says_what_is_in_it(image: str):
    (facts,) = json.loads(docker("image", "inspect", image))
    assert facts["Config"]["User"] == "10001:10001"
    assert facts["Config"]["Healthcheck"]["Test"] == ["CMD", "/usr/local/bin/sagemaker", "health"]
    assert facts["Config"]["Labels"]["org.opencontainers.image.base.name"] == BASE
    # Without the base, whose size is the distribution's: the program and onnxruntime for the processor.
    (base,) = json.loads(docker("image", "inspect", BASE))
    assert facts["Size"] - base["Size"] < 120e6, facts["Size"] - base["Size"]
    look = docker("run", "--rm", "--entrypoint", "sh", image, "-c", "id -u; command -v python3 pip cargo; ls /usr/share/doc/ichor")
    assert look.split() == ["10001", "LICENSE", "gpu-licences.md", "gpu.cdx.json"]
    licences = docker("run", "--rm", "--entrypoint", "find", image, "/usr/share/doc/onnxruntime", "-type", "f")
    assert "LICENSE" in licences and "ThirdPartyNotices" in licences


def test_the_container_answers_and_stops_in_time(running: tuple[str, str], samples: list[Path]):
    name, address = running
    answer = requests.post(f"{address}/invocations?include=", samples[0].read_bytes(), headers={"content-type": "image/png"}, timeout=60)
    assert answer.status_code == 200, answer.text
    assert requests.get(f"{address}/ping", timeout=120).json()["engines"][0]["version"].startswith("1.")
    docker("stop", "--time", "60", name)
    # 137 where it had to be killed.
    assert docker("inspect", "--format", "{{.State.ExitCode}}", name) == "0"
