"""The API through events of API Gateway: every route, and the three forms of a body."""

import base64
import hashlib
import io
import json
import struct
import subprocess
from pathlib import Path

import pytest
from http_event import http_event, rest_event, segment_event, segment_form_event
from lambda_emulator import LambdaFunction
from PIL import Image


def without_run(answer: dict) -> dict:
    """An answer without the fields that differ between requests by design."""
    return {key: value for key, value in answer.items() if key not in ("request_id", "timings_ms")}


def single_precision(value):
    """The same JSON with numbers in single precision, as the service computes them: JSON writers differ in digits."""
    if isinstance(value, float):
        return struct.unpack("f", struct.pack("f", value))[0]
    if isinstance(value, dict):
        return {key: single_precision(item) for key, item in value.items()}
    return [single_precision(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", ["/v1/health/live", "/v1/health/ready"])
def test_is_healthy(function: LambdaFunction, path: str):
    answer = function.invoke(http_event("GET", path))
    assert (answer.status, answer.media_type) == (200, "application/json")


def test_lists_the_models_of_the_bucket(function: LambdaFunction, models: Path, model_names: list[str]):
    listed = function.invoke(http_event("GET", "/v1/models")).json()
    checksums = {m: hashlib.sha256((models / m / "model.onnx").read_bytes()).hexdigest() for m in model_names}
    assert {model["name"]: model["sha256"] for model in listed["models"]} == checksums


def test_serves_the_model_card_of_the_bucket(function: LambdaFunction, models: Path, model_names: list[str]):
    for name in model_names:
        answer = function.invoke(http_event("GET", f"/v1/models/{name}/card"))
        assert answer.body == (models / name / "MODEL_CARD.md").read_bytes()


def test_describes_itself(function: LambdaFunction):
    answer = function.invoke(http_event("GET", "/v1/openapi.json"))
    assert answer.json()["openapi"].startswith("3.1")


def test_the_api_with_keys_reaches_the_same_routes(function: LambdaFunction, samples: list[Path]):
    image = samples[0].read_bytes()
    keyed = function.invoke(rest_event("POST", "/segment", body=image, content_type="image/png"))
    assert keyed.status == 200
    assert without_run(keyed.json()) == without_run(function.invoke(segment_event(image)).json())
    assert function.invoke(rest_event("GET", "/health/ready")).status == 200
    assert function.invoke(rest_event("GET", "/nowhere")).status == 404


def test_raw_json_and_multipart_give_the_same_answer(function: LambdaFunction, samples: list[Path]):
    query = "include=mask,overlay,probabilities,contours"
    detected = 0
    for sample in samples:
        image = sample.read_bytes()
        body = json.dumps({"image": base64.b64encode(image).decode()})
        json_event = {"query": query, "content_type": "application/json"}
        answers = [
            function.invoke(event)
            for event in (
                segment_event(image, query=query),
                segment_form_event(image, query=query),
                http_event("POST", "/v1/segment", body=body, **json_event),
                # With binary media types */* the gateway sends JSON as base64 too.
                http_event("POST", "/v1/segment", body=body.encode(), **json_event),
            )
        ]
        assert [answer.status for answer in answers] == [200] * 4, answers[0].body[:500]
        first, *others = [without_run(answer.json()) for answer in answers]
        assert all(other == first for other in others), sample.name
        detected += first["hemorrhage"]["detected"] is True
        assert (first["hemorrhage"]["detected"] is True) == bool(first["lesions"])
    assert detected > 0, "no sample shows a hemorrhage: the comparison would hold for an empty answer"


def test_every_model_answers_as_the_command_line_does(
    function: LambdaFunction,
    ichor_binary: Path,
    models: Path,
    model_names: list[str],
    samples: list[Path],
    tmp_path: Path,
):
    for name in model_names:
        command: list = [ichor_binary, "segment", *samples, "--models", models, "--model", name, "--output", tmp_path]
        lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
        assert len(lines) == len(samples)
        for sample, line in zip(samples, lines, strict=True):
            local = json.loads(line)
            cloud = function.invoke(segment_event(sample.read_bytes(), query=f"model={name}")).json()
            for part in ("model", "image", "hemorrhage", "lesions"):
                assert single_precision(cloud[part]) == single_precision(local[part]), (name, sample.name, part)


def test_pictures_have_the_size_of_the_input(function: LambdaFunction, samples: list[Path]):
    answer = function.invoke(segment_event(samples[0].read_bytes())).json()
    # An overlay with nothing drawn on it stays grey.
    for name, modes in (("mask", "L"), ("overlay", ("L", "RGB"))):
        picture = Image.open(io.BytesIO(base64.b64decode(answer[name]["base64"])))
        assert (picture.size, answer[name]["media_type"]) == ((512, 512), "image/png")
        assert picture.mode in modes


def test_gives_the_overlay_as_a_png(function: LambdaFunction, samples: list[Path]):
    answer = function.invoke(segment_event(samples[0].read_bytes(), accept="image/png"))
    assert (answer.status, answer.media_type) == (200, "image/png")
    assert Image.open(io.BytesIO(answer.body)).size == (512, 512)


def test_keeps_the_request_id_of_the_client(function: LambdaFunction, samples: list[Path]):
    answer = function.invoke(segment_event(samples[0].read_bytes(), x_request_id="abc-123"))
    assert answer.json()["request_id"] == "abc-123"
