"""Whole data sets: the steps of the state machine, run one by one against the S3 server."""

import csv
import io
import os
import random
from pathlib import Path

from lambda_emulator import LambdaFunction
from PIL import Image
from s3_server import JOBS_BUCKET, S3Server

from jobs import zip_of

# `ICHOR_DATASET_SERIES=200 make aws-tests` is the full test; a few series exercise the same steps.
SERIES = int(os.environ.get("ICHOR_DATASET_SERIES", "8"))


def test_every_series_is_one_row_of_one_table(worker: LambdaFunction, samples: list[Path], s3: S3Server):
    def put(key: str, body: bytes) -> None:
        s3.client().put_object(Bucket=JOBS_BUCKET, Key=key, Body=body)

    for index in range(SERIES):
        if index % 2:
            put(f"datasets/demo/{index:03}.zip", zip_of(samples[index % 7 :], 2))
        else:
            put(f"datasets/demo/{index:03}.png", samples[index % len(samples)].read_bytes())
    put("datasets/demo/broken.zip", b"PK\x03\x04nothing")
    put("datasets/demo/empty.png", b"")

    keys = s3.keys("datasets/demo/")
    order = keys + random.Random(0).sample(keys, 3)  # some are delivered twice
    random.Random(1).shuffle(order)
    for key in order:
        assert worker.invoke_raw({"series": {"key": key, "run": "run-1"}}, 120).json() == {"key": key}
    table = worker.invoke_raw({"gather": {"run": "run-1"}}, 120).json()
    assert table == {"table": "tables/run-1.csv", "rows": SERIES + 2, "failed": 2}

    body = s3.client().get_object(Bucket=JOBS_BUCKET, Key=table["table"])["Body"].read().decode()
    rows = list(csv.DictReader(io.StringIO(body)))
    assert [row["key"] for row in rows] == keys
    failed = {row["key"].rsplit("/")[-1]: row["problem"] for row in rows if row["problem"]}
    assert failed == {"broken.zip": "undecodable_image", "empty.png": "empty_body"}
    good = [row for row in rows if not row["problem"]]
    assert {row["slices"] for row in good} == {"1", "2"} and {row["detected"] for row in good} <= {"true", "false"}
    assert all(0 <= float(row["probability"]) <= 1 and row["model"] == "deeplabv3" for row in good)


def test_a_run_cannot_name_another_place(worker: LambdaFunction):
    for run in ("", "../jobs", "a/b", "a" * 81):
        answer = worker.invoke_raw({"series": {"key": "datasets/x.png", "run": run}})
        assert "1 to 80 letters" in answer.text, answer.text


def test_a_picture_that_is_no_head_is_a_row_too(worker: LambdaFunction, s3: S3Server):
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "PNG")
    s3.client().put_object(Bucket=JOBS_BUCKET, Key="datasets/tiny.png", Body=buffer.getvalue())
    worker.invoke_raw({"series": {"key": "datasets/tiny.png", "run": "run-2"}})
    assert worker.invoke_raw({"gather": {"run": "run-2"}}).json()["failed"] == 1
