"""`make sam-local`: the API in a container where there is a container engine, and plain words where there is none."""

import shutil
import subprocess
from pathlib import Path

import pytest
import requests
from loopback import free_port, running


def engine_runs() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def test_without_an_engine_it_says_what_to_do_instead(repository: Path):
    if engine_runs():
        pytest.skip("there is a container engine: the other test runs")
    run = subprocess.run([repository / "infra" / "sam_local.sh"], capture_output=True, text=True, check=False)
    assert run.returncode == 3, run.stdout + run.stderr
    assert "NOT STARTED" in run.stderr and "cargo lambda watch" in run.stderr and "make aws-tests" in run.stderr


def test_the_container_takes_a_binary_body(repository: Path, samples: list[Path], tmp_path: Path):
    if not engine_runs():
        pytest.skip("NO CONTAINER ENGINE RUNS HERE: sam local start-api was not tried")
    port = free_port()
    command = [str(repository / "infra" / "sam_local.sh"), "--port", str(port)]
    with running(command, port, tmp_path / "sam.log", start_seconds=300):
        answer = requests.post(
            f"http://127.0.0.1:{port}/v1/segment", samples[0].read_bytes(), headers={"content-type": "image/png"}, timeout=120
        )
        assert answer.status_code == 200 and answer.json()["mask"]["base64"]
