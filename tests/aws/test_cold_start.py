"""A function that cannot load its models exits and prints one line with what to fix."""

import json
import secrets
import socket
import subprocess
from pathlib import Path

import pytest
from loopback import bare_environment, free_port
from s3_server import BUCKET, S3Server


def failed_start(binary: Path, environment: dict[str, str]) -> str:
    """Runs the binary as Lambda does; returns its one line of stderr after it has failed."""
    inherited = bare_environment()
    # No process listens there: a binary that asks for events without models fails in another way.
    runtime = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{free_port()}"}
    # The binary waits 4 s for a store that does not answer; the rest is for a busy machine.
    process = subprocess.run(
        [binary], env=inherited | runtime | environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert process.returncode > 0, f"exit status {process.returncode}"
    lines = process.stderr.splitlines()
    assert len(lines) == 1, process.stderr
    # A sentence, not the debug output of an SDK and not a panic.
    assert 20 < len(lines[0]) < 400 and "{" not in lines[0] and "panicked" not in lines[0], lines[0]
    return lines[0]


def test_a_bucket_that_does_not_exist(lambda_binary: Path, function_environment: dict[str, str]):
    line = failed_start(lambda_binary, function_environment | {"ICHOR_BUCKET": "no-such-bucket"})
    assert "no-such-bucket" in line and "ICHOR_BUCKET" in line


def test_no_bucket_given(lambda_binary: Path, function_environment: dict[str, str]):
    environment = {key: value for key, value in function_environment.items() if key != "ICHOR_BUCKET"}
    assert "ICHOR_BUCKET" in failed_start(lambda_binary, environment)


def test_a_prefix_with_nothing_below(lambda_binary: Path, function_environment: dict[str, str]):
    line = failed_start(lambda_binary, function_environment | {"ICHOR_PREFIX": "elsewhere/"})
    assert f"s3://{BUCKET}/elsewhere/" in line


def test_a_model_that_is_not_there(lambda_binary: Path, function_environment: dict[str, str]):
    line = failed_start(lambda_binary, function_environment | {"ICHOR_MODELS": "unet,resnet"})
    assert "models/resnet/" in line


@pytest.mark.parametrize("missing", ["model.json", "model.onnx"])
def test_a_missing_key(
    s3: S3Server, models: Path, lambda_binary: Path, function_environment: dict[str, str], missing: str
):
    prefix = f"without-{missing}/"
    s3.upload_models(models, prefix)
    s3.client().delete_object(Bucket=BUCKET, Key=f"{prefix}unet/{missing}")
    line = failed_start(lambda_binary, function_environment | {"ICHOR_PREFIX": prefix})
    assert f"{prefix}unet/{missing}" in line


def test_a_wrong_checksum(s3: S3Server, models: Path, lambda_binary: Path, function_environment: dict[str, str]):
    s3.upload_models(models, "flipped/")
    network = bytearray((models / "unet" / "model.onnx").read_bytes())
    network[len(network) // 2] ^= 1
    s3.client().put_object(Bucket=BUCKET, Key="flipped/unet/model.onnx", Body=bytes(network))
    line = failed_start(lambda_binary, function_environment | {"ICHOR_PREFIX": "flipped/"})
    assert "unet" in line and "checksum" in line


def test_a_description_that_is_no_json(
    s3: S3Server, models: Path, lambda_binary: Path, function_environment: dict[str, str]
):
    s3.upload_models(models, "broken/")
    spec = json.dumps({"schema": 1, "name": "unet"})[:-5].encode()
    s3.client().put_object(Bucket=BUCKET, Key="broken/unet/model.json", Body=spec)
    assert "unet" in failed_start(lambda_binary, function_environment | {"ICHOR_PREFIX": "broken/"})


def test_wrong_credentials(lambda_binary: Path, function_environment: dict[str, str]):
    line = failed_start(lambda_binary, function_environment | {"AWS_SECRET_ACCESS_KEY": secrets.token_hex(20)})
    assert f"s3://{BUCKET}/models/" in line


def test_a_server_that_refuses_connections(lambda_binary: Path, function_environment: dict[str, str]):
    endpoint = f"http://127.0.0.1:{free_port()}"
    line = failed_start(lambda_binary, function_environment | {"AWS_ENDPOINT_URL_S3": endpoint})
    assert f"s3://{BUCKET}/models/" in line


def test_a_server_that_never_answers(lambda_binary: Path, function_environment: dict[str, str]):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        line = failed_start(lambda_binary, function_environment | {"AWS_ENDPOINT_URL_S3": endpoint})
    assert f"s3://{BUCKET}/models/" in line
