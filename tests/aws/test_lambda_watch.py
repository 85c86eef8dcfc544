"""`make lambda-watch`: the API function without containers, and no process left afterwards."""

import signal
import sys
from pathlib import Path

import pytest
from local_api import answers_to_both_bodies, ends_with_its_children, started


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_and_ends_with_its_children(
    repository: Path, samples: list[Path], tmp_path: Path, number: signal.Signals
):
    # Without reloading, because other tests write files into the repository.
    command = [sys.executable, str(repository / "tests" / "aws" / "lambda_watch.py"), "--ignore-changes"]
    with started(command, tmp_path / "watch.log") as (process, url):
        answers_to_both_bodies(url, samples[0])
        ends_with_its_children(process, number)
