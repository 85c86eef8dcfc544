"""Busy, broken and hostile servers: what is repeated, and the error that each gives in bounded time and memory."""

import base64
import email.utils
import gzip
import json
import struct
import time
import zlib
from http.server import BaseHTTPRequestHandler

import numpy as np
import pytest
from ichor_client import (
    AnswerError,
    BusyError,
    ConnectionFailedError,
    DeadlineError,
    Ichor,
    InputError,
    InvalidRequestError,
    NotFoundError,
    ProblemError,
    TooLargeError,
)
from ichor_client.client import Options
from ichor_client.transport import retry_after_s
from loopback import free_port
from reading import ROOT
from scripted import PNG, Answer, problem, report, scripted

DESCRIPTION = json.loads((ROOT / "src" / "http" / "openapi.json").read_text())


def png_header(side: int) -> str:
    """A PNG that declares a grey picture of any size, and ends there."""
    chunk = b"IHDR" + struct.pack(">2I5B", side, side, 8, 0, 0, 0, 0)
    packed = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    data = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    return base64.b64encode(packed + data).decode()


WIDE = png_header(5000)


def segmented(*answers: Answer, **options):
    """The analysis of a server with these answers, and the requests that it got."""
    with scripted(*answers) as script, Ichor(script.url, **{"timeout": 20, **options}) as client:
        return client.segment(b"image"), script.requests


def test_a_report_is_read_and_an_unknown_field_or_word_does_no_harm():
    changes = {"image": {**report()["image"], "gray_scale": "new_word"}, "new_field": [1]}
    analysis, _ = segmented(Answer(body=report(**changes)))
    assert analysis.report.image.gray_scale == "new_word" and analysis.raw["new_field"] == [1]
    assert analysis.mask().tolist() == [[False]]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InvalidRequestError), (404, NotFoundError), (413, TooLargeError), (415, InvalidRequestError),
     (422, InvalidRequestError), (500, ProblemError)],
)  # fmt: skip
def test_a_problem_is_an_error_that_carries_its_fields(status: int, kind: type):
    with scripted(problem(status, "some_code")) as script:
        with pytest.raises(ProblemError) as caught:
            Ichor(script.url).segment(b"image", as_job=False)
        assert len(script.requests) == 1, "it is not repeated"
    error: ProblemError = caught.value
    assert type(error).__name__ == kind.__name__
    assert (error.status, error.code, error.title, error.detail, error.request_id) == (
        *(status, "some_code", "Title", "What to do.", "r1"),
    )


def test_a_busy_server_is_asked_again_after_the_time_that_it_names():
    started = time.monotonic()
    _, requests = segmented(
        problem(503, "overloaded", retry_after="1"), problem(429, "x", retry_after="0"), Answer(body=report())
    )
    assert 1 <= time.monotonic() - started < 5
    assert [body for *_, body in requests] == [b"image"] * 3, "the body is sent again from its beginning"


def test_a_server_that_stays_busy_ends_in_an_error_in_time():
    with scripted(problem(503, "overloaded", retry_after="3600")) as script:
        started = time.monotonic()
        with pytest.raises(BusyError) as caught:
            Ichor(script.url).segment(b"image", timeout=5)
        assert time.monotonic() - started < 2 and len(script.requests) == 1, "a wait beyond the deadline is not begun"
        assert caught.value.retry_after_s == 3600
    with scripted(problem(429, "too_many_requests", retry_after="0")) as script:
        with pytest.raises(BusyError):
            Ichor(script.url).segment(b"image")
        assert len(script.requests) == 5


def test_retry_after_is_a_count_or_a_date():
    later = email.utils.formatdate(time.time() + 60, usegmt=True)
    values = {"7": 7, "0.5": 0.5, "-1": None, "nan": None, "1e9": None, "": None, "soon": None, "9" * 40: None}
    assert {value: retry_after_s({"retry-after": value}) for value in values} == values
    assert 55 < (retry_after_s({"retry-after": later}) or 0) <= 60
    assert retry_after_s({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0


def test_a_closed_port_and_a_connection_that_ends_early_are_connection_errors(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ichor_client.transport._pause_s", lambda attempt: 0.01)
    with pytest.raises(ConnectionFailedError, match="cannot be reached"):
        Ichor(f"http://127.0.0.1:{free_port()}").models()

    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")

    with scripted(Answer(write=cut)) as script:
        with pytest.raises(ConnectionFailedError, match="ended early"):
            Ichor(script.url).models()
        assert len(script.requests) == 5


def test_one_lost_connection_is_repeated():
    analysis, requests = segmented(Answer(write=lambda handler: None), Answer(body=report()))
    assert len(requests) == 2 and analysis.detected is False


def test_a_slow_answer_ends_at_the_deadline():
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        for _ in range(100):
            handler.wfile.write(b" ")
            time.sleep(0.05)

    def drip_header(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-long: ")
        for _ in range(100):
            handler.wfile.write(b"x")
            time.sleep(0.05)

    for write in (drip, drip_header, lambda handler: time.sleep(2)):
        started = time.monotonic()
        with pytest.raises(DeadlineError, match=r"within 0\.4 s"):
            segmented(Answer(write=write), timeout=0.4)
        assert time.monotonic() - started < 4


def test_an_answer_without_end_and_a_packed_one_are_cut_off():
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(bytes(1 << 16))

    bomb = Answer(body=gzip.compress(bytes(50_000_000)), headers={"content-encoding": "gzip"})
    for answer in (Answer(write=endless), bomb):
        with pytest.raises(AnswerError, match="larger than 1000000 bytes"):
            segmented(answer, max_answer_bytes=1_000_000)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>", "not JSON"),
        (b"", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b'{"series": NaN}', "NaN"),
        ([], "report is not an object"),
        ({}, "report.model is missing"),
        (report(hemorrhage=None), "report.hemorrhage is not an object"),
        (report(lesions={}), "report.lesions is not a list"),
        (report(lesions=[{"id": "1"}]), r"report.lesions\[0\].id is not an integer"),
        (report(request_id=True), "report.request_id is not a text"),
        (report(readout={"open": 1, "min_lesion_px": 1}), "report.readout.open is not true or false"),
        (report(readout={"open": True, "min_lesion_px": 10**400}), "min_lesion_px is too large"),
        (report(image={**report()["image"], "spacing_mm": [1, 2, 3]}), "has 3 items instead of 2"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_a_report_is_refused_by_place(body, message: str):
    with pytest.raises(AnswerError, match=message):
        segmented(Answer(body=body))


def test_a_proxy_in_between_is_reported_with_its_status():
    page = Answer(403, b"<html>", {"content-type": "text/html"})
    with pytest.raises(ProblemError, match="not from Ichor") as caught:
        segmented(page)
    assert (caught.value.status, caught.value.code) == (403, None)
    with pytest.raises(AnswerError, match="status 302"):
        segmented(Answer(302, b"", {"location": "http://127.0.0.1:1/"}))
    with pytest.raises(AnswerError, match="status 418, and its problem has 400"):
        segmented(Answer(418, problem(400, "x").body, {"content-type": "application/problem+json"}))


def test_texts_of_the_server_reach_the_terminal_without_control_characters():
    hostile = problem(400, "x")
    assert isinstance(hostile.body, dict)
    hostile.body["detail"] = "\x1b[2J" + "a" * 10_000
    with pytest.raises(ProblemError) as caught:
        segmented(hostile)
    assert "\x1b" not in str(caught.value) and len(str(caught.value)) < 700


@pytest.mark.parametrize(
    ("picture", "message"),
    [("%%%", "not base64"), ("AAAA", "not a PNG"), (PNG[:40], "not a PNG"), (WIDE, "5000 x 5000 px")],
)
def test_a_picture_that_cannot_be_decoded_is_an_error(picture: str, message: str):
    analysis, _ = segmented(Answer(body=report(mask={"media_type": "image/png", "base64": picture})))
    with pytest.raises(AnswerError, match=message):
        analysis.mask()


def test_a_mask_that_is_absent_is_empty_and_its_size_is_bounded():
    image = report()["image"]
    analysis, _ = segmented(Answer(body=report(mask=None, image={**image, "width": 3, "height": 2})))
    assert np.array_equal(analysis.mask(), np.zeros((2, 3), bool))
    analysis, _ = segmented(Answer(body=report(mask=None, image={**image, "width": 10**9, "height": 10**9})))
    with pytest.raises(AnswerError, match="above the limit"):
        analysis.mask()


def upload(url: str) -> Answer:
    target = {
        **{"method": "PUT", "url": url, "headers": {"content-type": "application/octet-stream", "x-signed": "1"}},
        **{"size_bytes": 5, "expires_at": "2026-11-29T11:05:32Z"},
    }
    return Answer(201, {"job_id": "j", "upload": target, "job_url": "/v1/jobs/j"})


def test_the_token_goes_to_the_server_alone():
    with scripted(Answer(200)) as store, scripted(upload(store.url + "/signed?key=1")) as script:
        job = Ichor(script.url, token="secret").submit(b"image")
        ((_, path, headers, body),) = store.requests
        assert (path, body, headers["x-signed"]) == ("/signed?key=1", b"image", "1")
        assert "authorization" not in headers
        assert script.requests[0][2]["authorization"] == "Bearer secret" and job.url == "/v1/jobs/j"
    assert "secret" not in repr(Ichor("https://example.org", token="secret"))


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://example.org/x", "relative", "data:,x"])
def test_an_address_of_another_kind_is_not_followed(address: str):
    with scripted(upload(address)) as script, pytest.raises(AnswerError, match="an address that is neither"):
        Ichor(script.url).submit(b"image")


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8080", "ftp://example.org", "http://", "http://a:b@example.org", "http://x:port"]
)
def test_a_wrong_address_or_token_is_refused(url: str):
    with pytest.raises(InputError):
        Ichor(url)
    with pytest.raises(InputError, match="token has characters"):
        Ichor(token="a\nb")
    with pytest.raises(InputError, match="timeout"):
        Ichor(timeout=0)


def test_a_path_before_the_routes_is_kept():
    with scripted(Answer(body=report())) as script:
        Ichor(script.url + "/ichor/").segment(b"image")
        assert script.requests[0][1].startswith("/ichor/v1/segment?")


def test_requests_use_parameters_of_the_description():
    known = {parameter["name"] for parameter in DESCRIPTION["paths"]["/v1/segment"]["post"]["parameters"]}
    order = set(DESCRIPTION["components"]["schemas"]["UploadOrder"]["properties"])
    options: Options = {
        "model": "m",
        "threshold": 0.4,
        "window": (40, 80),
        "as_series": True,
        "series": 2,
        "patterns": False,
        "overlay": True,
    }
    # The language is that of the printed report, which the client does not ask for.
    known -= {"language"}
    with scripted(Answer(body=report())) as script:
        Ichor(script.url).segment(b"image", **options)
        sent = dict(part.split("=") for part in script.requests[0][1].split("?")[1].split("&"))
    assert set(sent) == known and sent["window"] == "40%2C80" and sent["as_series"] == "true"
    with scripted(upload("/v1/uploads/j"), Answer(200)) as script:
        Ichor(script.url).submit(b"image", **options)
        ordered = json.loads(script.requests[0][3])
    assert set(ordered) == order and ordered["include"] == "mask,contours,overlay"
