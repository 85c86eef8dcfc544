"""`make sam-local`: the API in a container, and a clear message without a container engine."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from local_api import answers_to_both_bodies, ends_with_its_children, started

DOCKER = os.environ.get("ICHOR_DOCKER", "docker")


def engine_runs() -> bool:
    try:
        return subprocess.run([DOCKER, "info"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def containers() -> set[str]:
    listed = subprocess.run([DOCKER, "ps", "--all", "--quiet"], capture_output=True, text=True, check=True)
    return set(listed.stdout.split())


def test_without_an_engine_it_says_what_to_do_instead(repository: Path):
    nowhere = os.environ | {"DOCKER_HOST": "unix:///nowhere/engine.sock"}
    command = [repository / "infra" / "sam_local.sh"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=nowhere)
    assert run.returncode == 3, run.stdout + run.stderr
    assert "NOT STARTED" in run.stderr and "make lambda-watch" in run.stderr and "make aws-tests" in run.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.skipif(not engine_runs(), reason="NO CONTAINER ENGINE RUNS HERE: sam local start-api is not tested")
def test_the_container_answers_and_ends_with_the_script(
    repository: Path, samples: list[Path], tmp_path: Path, number: signal.Signals
):
    before = containers()
    with started([str(repository / "infra" / "sam_local.sh")], tmp_path / "sam.log") as (process, url):
        answers_to_both_bodies(url, samples[0])
        assert containers() > before, "the function does not run in a container"
        ends_with_its_children(process, number)
        assert containers() == before
