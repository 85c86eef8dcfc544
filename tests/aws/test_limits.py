"""The limits of Lambda: bodies of 4.4 MiB, answers of 6,291,556 bytes, and a clear problem above either."""

import pytest
from http_event import http_event, segment_event
from lambda_emulator import MAX_RESPONSE_BYTES, LambdaFunction
from pictures import noise_png, repeated_png

EVERYTHING = "include=mask,overlay,probabilities,contours"


@pytest.fixture(scope="module")
def max_body_bytes(function: LambdaFunction) -> int:
    return function.invoke(http_event("GET", "/v1/models")).json()["limits"]["max_body_bytes"]


def test_an_image_of_4_4_mib_passes(function: LambdaFunction, max_body_bytes: int):
    assert max_body_bytes >= int(4.4 * 2**20)
    # Bytes after the end of a PNG are ignored; they fill the body exactly to the limit.
    image = noise_png(2140).ljust(max_body_bytes, b"\0")
    assert len(image) == max_body_bytes
    answer = function.invoke(segment_event(image, query="include=mask"))
    assert answer.status == 200, answer.body[:500]
    assert answer.json()["image"]["width"] == 2140


def test_a_larger_body_is_a_problem_that_names_the_limit(function: LambdaFunction, max_body_bytes: int):
    answer = function.invoke(segment_event(noise_png(2140).ljust(max_body_bytes + 1, b"\0")))
    assert (answer.status, answer.media_type) == (413, "application/problem+json")
    assert answer.json()["code"] == "payload_too_large"
    assert str(max_body_bytes) in answer.json()["detail"]


def test_no_answer_is_larger_than_lambda_allows(function: LambdaFunction):
    # An overlay of noise takes 1.3 bytes of base64 a pixel, 4 where hemorrhage is drawn on it, so these sides lie on
    # both sides of the limit.
    statuses = set()
    for side in (512, 1000, 1200, 1600, 2000, 2100, 2200, 2400):
        answer = function.invoke(segment_event(repeated_png(side), query=EVERYTHING))
        assert answer.wire_bytes <= MAX_RESPONSE_BYTES
        statuses.add(answer.status)
        if answer.status != 200:
            assert (answer.status, answer.media_type) == (413, "application/problem+json"), side
            assert answer.json()["code"] == "answer_too_large"
    assert statuses == {200, 413}, "the sides no longer straddle the limit"


def test_no_overlay_png_is_larger_than_lambda_allows(function: LambdaFunction):
    statuses = set()
    for side in (1000, 1300, 2000, 2400):
        answer = function.invoke(segment_event(repeated_png(side), accept="image/png"))
        assert answer.wire_bytes <= MAX_RESPONSE_BYTES
        statuses.add(answer.status)
    assert statuses == {200, 413}
