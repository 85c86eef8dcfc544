"""Broken and hostile input: the answer is a problem document, and the same process serves the next request."""

import json
from pathlib import Path

import pytest
from http_event import http_event, segment_event, segment_form_event
from lambda_emulator import LambdaFunction
from pictures import declared_png, noise_png

PNG = noise_png(64)


def json_event(body: str) -> dict:
    return http_event("POST", "/v1/segment", body=body, content_type="application/json")


CASES = {
    "no body": (http_event("POST", "/v1/segment", content_type="image/png"), 400, "empty_body"),
    "empty body": (segment_event(b""), 400, "empty_body"),
    "text": (segment_event(b"not an image at all", media_type="text/plain"), 415, "unsupported_media_type"),
    "zeros": (segment_event(bytes(100_000)), 415, "unsupported_media_type"),
    "truncated png": (segment_event(PNG[: len(PNG) // 2]), 400, "undecodable_image"),
    "png header only": (segment_event(PNG[:33]), 400, "undecodable_image"),
    "huge png": (segment_event(declared_png(20_000, 20_000)), 413, "image_too_large"),
    "png of 4 gigapixels": (segment_event(declared_png(2**31 - 1, 2)), 413, "image_too_large"),
    "broken json": (json_event('{"image": "'), 400, "invalid_json"),
    "json without image": (json_event("{}"), 400, "invalid_json"),
    "json with bad base64": (json_event(json.dumps({"image": "%%%"})), 400, "invalid_json"),
    "json null": (json_event("null"), 400, "invalid_json"),
    "form without file": (segment_form_event(PNG, part="picture"), 400, "invalid_multipart"),
    "form without boundary": (segment_event(PNG, media_type="multipart/form-data"), 400, "invalid_multipart"),
    "threshold out of range": (segment_event(PNG, query="threshold=2"), 400, "invalid_parameter"),
    "threshold not a number": (segment_event(PNG, query="threshold=NaN"), 400, "invalid_parameter"),
    "unknown parameter": (segment_event(PNG, query="treshold=0.5"), 400, "invalid_parameter"),
    "unknown include": (segment_event(PNG, query="include=everything"), 400, "invalid_parameter"),
    "unknown model": (segment_event(PNG, query="model=resnet"), 404, "model_not_found"),
    "unknown route": (http_event("GET", "/v1/nothing"), 404, "not_found"),
    "unacceptable": (segment_event(PNG, accept="text/css"), 406, "not_acceptable"),
    "wrong method": (http_event("DELETE", "/v1/segment"), 405, "method_not_allowed"),
}


@pytest.mark.parametrize("name", CASES)
def test_answers_with_a_problem_and_serves_on(function: LambdaFunction, samples: list[Path], name: str):
    event, status, code = CASES[name]
    function.invoke(http_event("GET", "/v1/health/live"))
    before = function.process_ids()

    answer = function.invoke(event)
    assert (answer.status, answer.media_type) == (status, "application/problem+json"), answer.body[:300]
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["title"] and problem["detail"] and problem["request_id"]

    assert function.invoke(segment_event(samples[0].read_bytes())).status == 200
    assert len(before) == 1 and function.process_ids() == before, "the process was started again"


def test_a_problem_tells_nothing_of_the_input(function: LambdaFunction):
    answer = function.invoke(segment_event(b"Doe^Jane 1970-01-01", media_type="image/png"))
    assert answer.status in (400, 415)
    assert b"Doe" not in answer.body and b"1970" not in answer.body
