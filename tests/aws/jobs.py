"""A client of uploads and jobs, and the event with which AWS notifies the worker of an upload."""

import io
import json
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path

import requests
from http_event import http_event
from lambda_emulator import Answer, LambdaFunction
from s3_server import JOBS_BUCKET


def zip_of(pictures: list[Path], slices: int) -> bytes:
    """A series with this number of slices, which repeats the pictures."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for index in range(slices):
            archive.writestr(f"slice-{index:03}.png", pictures[index % len(pictures)].read_bytes())
    return buffer.getvalue()


def upload_event(job_id: str) -> dict:
    """The event of Lambda: a message of the queue that holds the S3 notification of one object."""
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": JOBS_BUCKET}, "object": {"key": f"uploads/{job_id}", "size": 1}},
    }
    return queue_event(json.dumps({"Records": [record]}))


def queue_event(*bodies: str) -> dict:
    """An event with messages of the queue."""
    return {
        "Records": [
            {"messageId": str(uuid.uuid4()), "body": body, "eventSource": "aws:sqs", "attributes": {}}
            for body in bodies
        ]
    }


@dataclass(frozen=True)
class JobClient:
    """The calls of a mobile client: order, upload, status, delete."""

    function: LambdaFunction

    def order(self, content: bytes, content_type: str = "application/zip", **fields) -> dict:
        body = json.dumps({"content_type": content_type, "size_bytes": len(content), **fields})
        answer = self.function.invoke(http_event("POST", "/v1/uploads", body=body, content_type="application/json"))
        assert answer.status == 201, answer.body[:500]
        return answer.json()

    def upload(self, content: bytes, content_type: str = "application/zip", **fields) -> str:
        """Orders a job and uploads its content; returns the identifier of the job."""
        order = self.order(content, content_type, **fields)
        put = order["upload"]
        sent = requests.request(put["method"], put["url"], data=content, headers=put["headers"], timeout=120)
        assert sent.status_code == 200, sent.text[:500]
        return order["job_id"]

    def status(self, job_id: str, query: str = "") -> Answer:
        return self.function.invoke(http_event("GET", f"/v1/jobs/{job_id}", query=query))

    def delete(self, job_id: str) -> Answer:
        return self.function.invoke(http_event("DELETE", f"/v1/jobs/{job_id}"))
