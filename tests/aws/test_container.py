"""The server of the GPU container as SageMaker and ECS use it: started, called, stopped."""

import gzip
import json
import shutil
import signal
import socket
import struct
import subprocess
import tarfile
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from conftest import CACHE, existing
from container import Container, container
from s3_server import BUCKET, S3Server


@pytest.fixture(scope="module")
def library() -> Path:
    return existing(CACHE / "lib" / "libonnxruntime.so", "run make onnxruntime")


@pytest.fixture(scope="module")
def opt_ml_model(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """model.tar.gz as docs/gpu.md packs it, unpacked as SageMaker does."""
    folder = tmp_path_factory.mktemp("sagemaker")
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        for name in ("deeplabv3", "unet"):
            for file in ("model.json", "model.onnx", "MODEL_CARD.md"):
                archive.add(models / name / file, f"{name}/{file}")
    with tarfile.open(folder / "model.tar.gz") as archive:
        archive.extractall(folder / "model", filter="data")
    return folder / "model"


@pytest.fixture(scope="module")
def served(sagemaker_binary: Path, library: Path, opt_ml_model: Path, tmp_path_factory) -> Iterator[Container]:
    folder = tmp_path_factory.mktemp("served")
    with container(sagemaker_binary, library, folder, {"ICHOR_MODEL_DIR": str(opt_ml_model)}) as started:
        yield started


def log_lines(log: Path) -> list[dict]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def volume(slices: int) -> bytes:
    """A gzipped NIfTI volume of a round head."""
    side, header = 128, bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, side, side, slices, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 4, 16)
    struct.pack_into("<8f", header, 76, 1, 1.5, 1.5, 5, 0, 0, 0, 0)
    struct.pack_into("<3f", header, 108, 352, 1, 0)
    header[344:348] = b"n+1\0"
    half = side // 2
    inside = [(x - half) ** 2 + (y - half) ** 2 < 55**2 for y in range(side) for x in range(side)]
    plane = struct.pack(f"<{side * side}h", *(35 if it else -1000 for it in inside))
    return gzip.compress(bytes(header) + plane * slices, 1)


def test_the_log_says_once_that_there_is_no_gpu(served: Container):
    start = [line for line in log_lines(served.log) if line["event"] == "start"]
    assert len(start) == 1
    assert start[0]["engine_fallbacks"] == 2.0, "the alarm's metric"
    for engine in [e["engine"] for e in start[0]["engines"]] + served.ping()["engines"]:
        assert engine["provider"] == "cpu"
        assert "built without CUDA" in engine["fallback"]
    assert [engine["model"] for engine in served.ping()["engines"]] == ["deeplabv3", "unet"]


def test_ping_and_the_health_command_agree(served: Container, sagemaker_binary: Path):
    port = served.url.rsplit(":", 1)[1]
    healthy = subprocess.run([sagemaker_binary, "health", "--port", port], capture_output=True, check=False, timeout=20)
    assert (healthy.returncode, healthy.stdout) == (0, b"")
    # No process listens on port 1.
    absent = subprocess.run(
        [sagemaker_binary, "health", "--port", "1"], capture_output=True, text=True, check=False, timeout=20
    )
    assert absent.returncode == 1 and "not ready" in absent.stderr


def test_a_slice_a_series_and_lines(served: Container, samples: list[Path]):
    picture = samples[0].read_bytes()
    single = served.invoke(picture, "image/png", "model=unet&include=mask")
    assert single.status_code == 200 and single.json()["model"]["name"] == "unet"
    series = served.invoke(volume(40), "application/gzip", "include=")
    assert series.status_code == 200 and len(series.json()["slices"]) == 40
    lines = "\n".join(json.dumps({"image": b64encode(path.read_bytes()).decode()}) for path in samples)
    answer = served.invoke(lines.encode(), "application/jsonlines", "include=")
    assert answer.headers["content-type"] == "application/jsonlines"
    assert len(answer.text.splitlines()) == len(samples)
    assert all("hemorrhage" in json.loads(line) for line in answer.text.splitlines())
    default = served.ping()["engines"][0]
    assert default["slices"] >= 40 + len(samples) and default["batches"] < default["slices"] / 2, default
    wrong = served.invoke(picture, "image/png", "threshold=7")
    assert (wrong.status_code, wrong.headers["content-type"]) == (400, "application/problem+json")


def test_logs_hold_nothing_of_the_images(served: Container, samples: list[Path]):
    # Each line of the log is JSON without anything of the input.
    served.invoke(samples[0].read_bytes(), "image/png", "include=")
    text = served.log.read_text()
    assert log_lines(served.log)
    assert "iVBOR" not in text and samples[0].stem not in text


def test_models_of_an_archive_of_one_and_from_s3(
    sagemaker_binary: Path, library: Path, models: Path, s3: S3Server, model_names: list[str], tmp_path: Path
):
    one = tmp_path / "one"
    one.mkdir()
    for file in ("model.json", "model.onnx", "MODEL_CARD.md"):
        shutil.copy(models / "unet" / file, one)
    for folder, environment, expected in [
        ("of-one", {"ICHOR_MODEL_DIR": str(one)}, ["unet"]),
        ("of-s3", s3.environment() | {"ICHOR_BUCKET": BUCKET, "ICHOR_MODELS": "unet,deeplabv3"}, ["unet", "deeplabv3"]),
    ]:
        (tmp_path / folder).mkdir()
        with container(sagemaker_binary, library, tmp_path / folder, environment) as started:
            assert [engine["model"] for engine in started.ping()["engines"]] == expected


def test_a_start_that_fails_says_why_in_one_line(
    sagemaker_binary: Path, library: Path, opt_ml_model: Path, tmp_path: Path
):
    environment = {"ICHOR_ONNXRUNTIME": str(library), "ICHOR_MODEL_DIR": str(opt_ml_model)}
    cases = [
        ({"ICHOR_PROVIDER": "cuda"}, "CUDA was asked for"),
        ({"ICHOR_ONNXRUNTIME": "/nowhere/libonnxruntime.so"}, "onnxruntime cannot be opened"),
        ({"ICHOR_MODEL_DIR": str(tmp_path)}, "no folder with a model.json"),
        ({"ICHOR_DEFAULT_MODEL": "nobody"}, "No model of that name"),
    ]
    for changed, expected in cases:
        run = subprocess.run(
            [sagemaker_binary, "serve", "--port", "0"],
            env=environment | changed,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert run.returncode == 1 and run.stderr.count("\n") == 1 and expected in run.stderr, run.stderr


def answers_ping(started: Container) -> bool:
    try:
        requests.get(f"{started.url}/ping", timeout=60)
    except requests.ConnectionError:
        return False
    return True


def test_sigterm_lets_running_requests_end_and_refuses_new_ones(
    sagemaker_binary: Path, library: Path, opt_ml_model: Path, tmp_path: Path
):
    environment = {"ICHOR_MODEL_DIR": str(opt_ml_model), "ICHOR_STOP_SECONDS": "600"}
    with container(sagemaker_binary, library, tmp_path, environment) as started:
        answers = []
        body = volume(120)
        client_thread = threading.Thread(
            target=lambda: answers.append(started.invoke(body, "application/gzip", "include="))
        )
        client_thread.start()
        deadline = time.monotonic() + 300
        while sum(engine["batches"] for engine in started.ping()["engines"]) == 0:
            assert time.monotonic() < deadline, "the series did not start"
            time.sleep(0.02)
        started.process.send_signal(signal.SIGTERM)
        while answers_ping(started):
            assert time.monotonic() < deadline, "it still accepts requests"
            time.sleep(0.02)
        assert started.process.poll() is None, "a series is still running"
        client_thread.join(600)
        assert [answer.status_code for answer in answers] == [200]
        assert len(answers[0].json()["slices"]) == 120
        assert started.process.wait(120) == 0


def test_a_request_that_outlasts_the_stop_time_is_aborted(
    sagemaker_binary: Path, library: Path, opt_ml_model: Path, tmp_path: Path
):
    environment = {"ICHOR_MODEL_DIR": str(opt_ml_model), "ICHOR_STOP_SECONDS": "1"}
    with container(sagemaker_binary, library, tmp_path, environment) as started:
        port = int(started.url.rsplit(":", 1)[1])
        # Half of a body: the request waits for the rest.
        with socket.create_connection(("127.0.0.1", port)) as half:
            half.sendall(
                b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\nexpect: 100-continue\r\n\r\n"
            )
            assert half.recv(1024).startswith(b"HTTP/1.1 100 "), "the request has not started"
            half.sendall(b"abc")
            started.process.send_signal(signal.SIGTERM)
            assert started.process.wait(120) == 1
        assert "still running" in started.log.read_text()
