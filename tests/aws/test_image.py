"""The images of the CPU server and of the GPU container, built and run by a container engine on a base that is made on
this machine, with onnxruntime for the CPU. `make image-tests` starts an engine; without one these tests are skipped.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from loopback import free_port

DOCKER = os.environ.get("ICHOR_DOCKER") or shutil.which("docker") or "docker"
BASE = "local/debian:bookworm-slim"
START_SECONDS = 300


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
    not engine_runs(), reason="NO CONTAINER ENGINE with the base runs here: no image is built. Run make image-tests."
)


def build(repository: Path, kind: str, binary: Path) -> str:
    """Builds an image around a binary that exists already; returns its tag."""
    tag = f"ichor-{kind}:test"
    choice = {"ICHOR_BASE": BASE, "ICHOR_BINARY": "prebuilt", "ICHOR_LIBRARIES": "cpu"}
    environment = os.environ | choice | {"ICHOR_BUILT": str(binary.parent), "ICHOR_DOCKER": DOCKER}
    command: list = [repository / "infra" / "build_image.sh", kind, tag]
    built = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=900)
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    return tag


@pytest.fixture(scope="module")
def cpu_image(repository: Path, ichor_binary: Path) -> str:
    return build(repository, "cpu", ichor_binary)


@pytest.fixture(scope="module")
def gpu_image(repository: Path, sagemaker_binary: Path) -> str:
    return build(repository, "gpu", sagemaker_binary)


@contextmanager
def container(image: str, ready_path: str, *options: str, command: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Name and address of a container that has a read-only file system and answers on `ready_path`."""
    port, name = free_port(), f"{image.replace(':', '-')}-{os.getpid()}"
    published = ("--publish", f"127.0.0.1:{port}:8080")
    docker("run", "--detach", "--name", name, "--read-only", *published, *options, image, *command)
    try:
        address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
        while not answers(address + ready_path):
            assert time.monotonic() < deadline, docker("logs", name)
            time.sleep(0.3)
        yield name, address
    finally:
        docker("rm", "--force", name)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


def facts(image: str) -> dict:
    (found,) = json.loads(docker("image", "inspect", image))
    return found


def added_bytes(image: str) -> int:
    """Size of the image without its base, whose size is the distribution's."""
    return facts(image)["Size"] - facts(BASE)["Size"]


def look_inside(image: str) -> list[str]:
    """User id, programs that should not be there, and the documents."""
    script = "id -u; command -v python3 pip cargo; ls /usr/share/doc/ichor"
    return docker("run", "--rm", "--entrypoint", "sh", image, "-c", script).split()


def test_the_cpu_image_holds_one_program_and_has_no_root(cpu_image: str):
    config = facts(cpu_image)["Config"]
    assert config["User"] == "10001:10001"
    assert config["Labels"]["org.opencontainers.image.base.name"] == BASE
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert added_bytes(cpu_image) < 60e6, added_bytes(cpu_image)
    assert look_inside(cpu_image) == ["10001", "LICENSE", "program-licences.md", "program.cdx.json"]


def test_the_cpu_container_answers_and_is_healthy(cpu_image: str, samples: list[Path]):
    with container(cpu_image, "/v1/health/ready", "--tmpfs", "/tmp") as (name, address):
        answer = requests.post(f"{address}/v1/segment?include=", samples[0].read_bytes(), timeout=60)
        assert answer.status_code == 200, answer.text
        assert "<title>" in requests.get(address, timeout=60).text
        check = facts(cpu_image)["Config"]["Healthcheck"]["Test"][1:]
        docker("exec", name, *check)
        other_port = [part.replace("8080", "8081") for part in check]
        assert subprocess.run([DOCKER, "exec", name, *other_port], capture_output=True, check=False).returncode != 0
        docker("stop", "--time", "60", name)
        # 137 where it had to be killed.
        assert docker("inspect", "--format", "{{.State.ExitCode}}", name) == "0"


def test_the_gpu_image_is_small_has_no_root_and_lists_its_parts(gpu_image: str):
    config = facts(gpu_image)["Config"]
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"] == ["CMD", "/usr/local/bin/ichor-sagemaker", "health"]
    assert config["Labels"]["org.opencontainers.image.base.name"] == BASE
    # The program, and onnxruntime for the CPU.
    assert added_bytes(gpu_image) < 120e6, added_bytes(gpu_image)
    assert look_inside(gpu_image) == ["10001", "LICENSE", "gpu-licences.md", "gpu.cdx.json"]
    licences = docker("run", "--rm", "--entrypoint", "find", gpu_image, "/usr/share/doc/onnxruntime", "-type", "f")
    assert "LICENSE" in licences and "ThirdPartyNotices" in licences


def test_the_gpu_container_answers_and_stops_in_time(gpu_image: str, models: Path, samples: list[Path]):
    mount = ("--volume", f"{models}:/opt/ml/model:ro")
    with container(gpu_image, "/ping", *mount, command=("serve",)) as (name, address):
        docker("exec", name, "/usr/local/bin/ichor-sagemaker", "health")
        answer = requests.post(
            f"{address}/invocations?include=",
            samples[0].read_bytes(),
            headers={"content-type": "image/png"},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        assert requests.get(f"{address}/ping", timeout=120).json()["engines"][0]["version"].startswith("1.")
        docker("stop", "--time", "60", name)
        # 137 where it had to be killed.
        assert docker("inspect", "--format", "{{.State.ExitCode}}", name) == "0"
