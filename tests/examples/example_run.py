"""Runs an example as a process."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def run(command: list, url: str | None = None, check: bool = True, **options) -> subprocess.CompletedProcess:
    """Runs an example; `url` is the server that it calls."""
    environment = os.environ | ({"ICHOR_URL": url} if url else {})
    done = subprocess.run(
        [str(part) for part in command], env=environment, capture_output=True, text=True, timeout=300, **options
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done
