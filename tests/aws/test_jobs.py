"""Uploads and jobs on the S3 server. The API function and the worker run under the emulator."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
import requests
from http_event import http_event, segment_event
from lambda_emulator import MAX_RESPONSE_BYTES, LambdaFunction, lambda_function
from s3_server import JOBS_BUCKET, S3Server
from test_api_events import without_run

from jobs import JobClient, queue_event, upload_event, zip_of

SLICES = 40
NOTHING_FAILED: dict = {"batchItemFailures": []}


@pytest.fixture(scope="module")
def client(function: LambdaFunction) -> JobClient:
    return JobClient(function)


def fetched(url: str) -> dict:
    answer = requests.get(url, timeout=120)
    assert answer.status_code == 200, answer.text[:500]
    return answer.json()


def test_a_series_becomes_slices_and_a_result(
    client: JobClient, worker: LambdaFunction, function: LambdaFunction, samples: list[Path], s3: S3Server
):
    content = zip_of(samples, 3)
    order = client.order(content, include="mask,probabilities,every_slice")
    job_id = order["job_id"]
    waiting = client.status(job_id)
    assert (waiting.status, waiting.json()["state"], waiting.json()["progress"]) == (202, "queued", None)
    assert int(waiting.headers["retry-after"]) >= 1

    put = order["upload"]
    assert requests.put(put["url"], data=content, headers=put["headers"], timeout=120).status_code == 200
    assert worker.invoke_raw(upload_event(job_id)).json() == NOTHING_FAILED

    answer = client.status(job_id)
    job = answer.json()
    assert (answer.status, job["state"], job["progress"]) == (200, "done", {"done": 3, "total": 3}), job
    assert [s["index"] for s in job["slices"]] == [0, 1, 2]
    assert [s["index"] for s in client.status(job_id, "after=2").json()["slices"]] == [2]
    slices = [fetched(s["url"]) for s in job["slices"]]
    assert all({"mask", "probabilities", "image"} <= set(report) for report in slices)
    assert fetched(job["result_url"]) == job["result"]
    assert all("mask" not in report for report in job["result"]["slices"]), "pictures are with the slices"

    # The same file in one request gives the same numbers.
    direct = function.invoke(segment_event(content, media_type="application/zip", query="include=")).json()
    assert without_run(job["result"]) == without_run(direct)
    # Pixels are deleted as soon as they are not needed.
    assert s3.keys("uploads/") == []
    assert not [key for key in s3.keys(f"jobs/{job_id}/") if "logits" in key]


def test_a_killed_worker_loses_nothing_and_doubles_nothing(
    client: JobClient,
    worker: LambdaFunction,
    emulator: Path,
    worker_binary: Path,
    function_environment: dict[str, str],
    samples: list[Path],
    s3: S3Server,
    tmp_path: Path,
):
    content = zip_of(samples, SLICES)
    whole = client.upload(content, include="mask")
    assert worker.invoke_raw(upload_event(whole), 300).json() == NOTHING_FAILED
    expected = client.status(whole).json()["result"]

    job_id = client.upload(content, include="mask")
    event = upload_event(job_id)
    with lambda_function(emulator, worker_binary, function_environment, tmp_path / "worker.log") as fragile:
        first = threading.Thread(target=fragile.invoke_raw, args=(event, 300), daemon=True)
        first.start()
        wait_for_slices(s3, job_id, 5)
        (process,) = fragile.process_ids()
        os.kill(int(process), signal.SIGKILL)
        first.join(60)
        reported = slice_objects(s3, job_id)
        assert 5 <= len(reported) < SLICES, "the worker was killed too late for this test"
        running = client.status(job_id)
        assert (running.status, running.json()["state"]) == (202, "running")

        assert fragile.invoke_raw(event, 300).json() == NOTHING_FAILED
        job = client.status(job_id).json()
        assert (job["state"], job["progress"]) == ("done", {"done": SLICES, "total": SLICES})
        assert [s["index"] for s in job["slices"]] == list(range(SLICES))
        assert [warning["code"] for warning in job["warnings"]] == ["resumed"]
        assert without_run(job["result"]) == without_run(expected)
        # Slices that were written before the kill were not written again.
        after = slice_objects(s3, job_id)
        assert len(after) == SLICES and {key: after[key] for key in reported} == reported

        # The same event a third time changes nothing.
        before = s3.client().get_object(Bucket=JOBS_BUCKET, Key=f"jobs/{job_id}/result.json")["LastModified"]
        assert fragile.invoke_raw(event).json() == NOTHING_FAILED
        result = s3.client().get_object(Bucket=JOBS_BUCKET, Key=f"jobs/{job_id}/result.json")
        assert result["LastModified"] == before
        assert json.load(result["Body"]) == job["result"]


def slice_objects(s3: S3Server, job_id: str) -> dict[str, object]:
    """The reports of slices with the time of their last write."""
    listed = s3.client().list_objects_v2(Bucket=JOBS_BUCKET, Prefix=f"jobs/{job_id}/slice-")
    return {item["Key"]: item["LastModified"] for item in listed.get("Contents", [])}


def wait_for_slices(s3: S3Server, job_id: str, least: int) -> None:
    deadline = time.monotonic() + 300
    while len(slice_objects(s3, job_id)) < least:
        assert time.monotonic() < deadline, "no slices came"
        time.sleep(0.05)


def test_size_and_type_are_bound_by_the_signature(client: JobClient):
    order = client.order(b"0123456789", "image/png")
    put = order["upload"]
    assert put["headers"]["content-type"] == "image/png"
    for content, kind in [(b"0123456789more", "image/png"), (b"012", "image/png"), (b"0123456789", "text/html")]:
        refused = requests.put(put["url"], data=content, headers={"content-type": kind}, timeout=120)
        assert refused.status_code == 403, (kind, len(content), refused.text[:300])
    assert requests.put(put["url"], data=b"0123456789", headers=put["headers"], timeout=120).status_code == 200
    client.delete(order["job_id"])


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"not an image", 415, "unsupported_media_type"),
        (b"PK\x03\x04" + bytes(500), 400, "undecodable_image"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), 400, "undecodable_image"),
    ],
)
def test_a_poisoned_upload_is_a_failed_job_and_the_worker_lives(
    client: JobClient, worker: LambdaFunction, samples: list[Path], content: bytes, status: int, code: str
):
    worker.invoke_raw(queue_event("{}"))
    process = worker.process_ids()
    job_id = client.upload(content)
    assert worker.invoke_raw(upload_event(job_id)).json() == NOTHING_FAILED, "bad input is not tried again"
    answer = client.status(job_id)
    job = answer.json()
    assert (answer.status, job["state"]) == (200, "failed")
    assert (job["error"]["status"], job["error"]["code"]) == (status, code) and job["error"]["detail"]
    assert job["result"] is None and job["result_url"] is None

    good = client.upload(samples[0].read_bytes(), "image/png")
    assert worker.invoke_raw(upload_event(good)).json() == NOTHING_FAILED
    assert client.status(good).json()["state"] == "done"
    assert worker.process_ids() == process and len(process) == 1, "the process was started again"


def test_an_upload_that_kills_the_worker_is_given_up(client: JobClient, worker: LambdaFunction, s3: S3Server):
    job_id = client.upload(b"anything", "image/png")
    # The state after three workers that died.
    s3.client().put_object(
        Bucket=JOBS_BUCKET, Key=f"jobs/{job_id}/work.json", Body=json.dumps({"attempts": 3, "total": None}).encode()
    )
    assert worker.invoke_raw(upload_event(job_id)).json() == NOTHING_FAILED
    job = client.status(job_id).json()
    assert (job["state"], job["error"]["code"]) == ("failed", "given_up")


def test_messages_that_name_no_job_are_taken_and_do_no_harm(worker: LambdaFunction):
    bodies = ["", "null", "{", '{"Event": "s3:TestEvent"}', upload_event("0" * 32)["Records"][0]["body"]]
    assert worker.invoke_raw(queue_event(*bodies)).json() == NOTHING_FAILED
    # An event of another kind is a mistake of the operator and is reported as such.
    assert "neither a batch of a queue" in worker.invoke_raw({"hello": "world"}).text


def test_only_the_message_whose_work_failed_comes_again(
    client: JobClient,
    emulator: Path,
    worker_binary: Path,
    function_environment: dict[str, str],
    s3: S3Server,
    tmp_path: Path,
):
    """The order of the job is damaged, which is not an error of the input: only that message is delivered again."""
    job_id = client.upload(b"anything", "image/png")
    s3.client().put_object(Bucket=JOBS_BUCKET, Key=f"jobs/{job_id}/job.json", Body=b"{")
    event = queue_event(upload_event(job_id)["Records"][0]["body"], upload_event("1" * 32)["Records"][0]["body"])
    with lambda_function(emulator, worker_binary, function_environment, tmp_path / "worker.log") as fresh:
        failed = fresh.invoke_raw(event).json()
    assert failed == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}


def test_deletion_is_a_deletion(client: JobClient, worker: LambdaFunction, samples: list[Path], s3: S3Server):
    done = client.upload(samples[0].read_bytes(), "image/png")
    worker.invoke_raw(upload_event(done))
    for job_id in (done, client.upload(b"waits", "image/png")):
        assert client.delete(job_id).status == 204
        assert s3.keys(f"jobs/{job_id}/") == [] and f"uploads/{job_id}" not in s3.keys("uploads/")
        for gone in (client.delete(job_id), client.status(job_id)):
            assert (gone.status, gone.json()["code"]) == (404, "job_not_found")
        # A late or repeated event of the job restores nothing.
        assert worker.invoke_raw(upload_event(job_id)).json() == NOTHING_FAILED
        assert s3.keys(f"jobs/{job_id}/") == []


def test_a_job_that_is_deleted_stops_at_the_next_slice(
    client: JobClient, worker: LambdaFunction, samples: list[Path], s3: S3Server
):
    job_id = client.upload(zip_of(samples, SLICES), include="mask")
    answers = []
    work = threading.Thread(target=lambda: answers.append(worker.invoke_raw(upload_event(job_id), 300).json()))
    work.start()
    wait_for_slices(s3, job_id, 1)
    assert client.delete(job_id).status == 204
    work.join(60)
    assert answers == [NOTHING_FAILED]
    assert s3.keys(f"jobs/{job_id}/") == []


@pytest.mark.parametrize("job_id", ["0" * 32, "nothing", "..", "%2e%2e%2fjobs", "A" * 32])
def test_an_unknown_job_is_not_found(client: JobClient, job_id: str):
    answer = client.status(job_id)
    assert answer.status == 404, answer.body


def test_a_large_result_is_linked_and_fits_the_answer(client: JobClient, s3: S3Server):
    """512 slices with links, and a result that is too large for the status."""
    job_id = client.upload(b"anything", "image/png")

    def put(name: str, body: bytes) -> None:
        s3.client().put_object(Bucket=JOBS_BUCKET, Key=f"jobs/{job_id}/{name}", Body=body)

    put("work.json", json.dumps({"attempts": 1, "total": 512}).encode())
    for index in range(512):
        put(f"slice-{index:04}.json", b"{}")
    put("result.json", json.dumps({"filler": '"' * 1_000_000}).encode())
    answer = client.status(job_id)
    job = answer.json()
    assert answer.wire_bytes < MAX_RESPONSE_BYTES
    assert (job["state"], job["result"], len(job["slices"])) == ("done", None, 512)
    assert len(fetched(job["result_url"])["filler"]) == 1_000_000
    # The largest result that fits into the status.
    put("result.json", json.dumps({"filler": '"' * 500_000}).encode())
    answer = client.status(job_id)
    assert answer.wire_bytes < MAX_RESPONSE_BYTES and answer.json()["result"]
    client.delete(job_id)


def test_a_large_body_is_sent_to_the_upload_route(function: LambdaFunction):
    limit = function.invoke(http_event("GET", "/v1/models")).json()["limits"]["max_body_bytes"]
    answer = function.invoke(segment_event(bytes(limit + 1)))
    assert answer.status == 413 and "/v1/uploads" in answer.json()["detail"]
