"""Helpers of the tests of `make sam-local` and `make lambda-watch`.

Both serve the API on loopback, and no child process outlives them.
"""

import base64
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from foreground import descendants_of
from loopback import end_with_parent, stop

# Includes a build of the function on a busy machine.
START_SECONDS = 600
ANSWER_SECONDS = 900
STOP_SECONDS = 60


@contextmanager
def started(command: list[str], log: Path) -> Iterator[tuple[subprocess.Popen, str]]:
    """Starts the program; yields it with the address in the curl line that it prints."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, preexec_fn=end_with_parent)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (printed := re.search(r"^curl .* (http://127\.0\.0\.1:\d+/v1/segment)$", log.read_text(), re.M)):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield process, printed[1]
    except BaseException:
        print(log.read_text())
        raise
    finally:
        stop(process, STOP_SECONDS)


def answers_to_both_bodies(url: str, sample: Path) -> None:
    """The file itself, and the same file in a JSON body, give the same mask."""
    url += "?include=mask"
    image = sample.read_bytes()
    binary = requests.post(url, image, headers={"content-type": "image/png"}, timeout=ANSWER_SECONDS)
    assert binary.status_code == 200, binary.text[:500]
    by_json = requests.post(url, json={"image": base64.b64encode(image).decode()}, timeout=ANSWER_SECONDS)
    assert by_json.status_code == 200, by_json.text[:500]
    assert binary.json()["mask"]["base64"] == by_json.json()["mask"]["base64"]


def ends_with_its_children(process: subprocess.Popen, number: signal.Signals) -> None:
    """Sends the signal and checks that neither the program nor any of its descendants still runs."""
    below = descendants_of(process.pid)
    assert len(below) >= 2, "the S3 server and the host of the function are not among its descendants"
    process.send_signal(number)
    assert process.wait(STOP_SECONDS) == 128 + number
    left = [pid for pid in below if runs(pid)]
    assert left == [], [Path(f"/proc/{pid}/cmdline").read_text() for pid in left]


def runs(pid: int) -> bool:
    """Whether the process exists and has not ended; a zombie has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
