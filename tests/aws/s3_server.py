"""A local S3 server (s3s-fs) for models and jobs. It verifies signatures; each run has new credentials."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config
from loopback import LOOPBACK, free_port, running

BUCKET = "ichor-models"
JOBS_BUCKET = "ichor-jobs"
MODEL_FILES = ("model.json", "model.onnx", "MODEL_CARD.md")


@dataclass(frozen=True)
class S3Server:
    """The address of the server and its credentials."""

    endpoint: str
    access_key: str
    secret_key: str

    def environment(self) -> dict[str, str]:
        """Environment variables with which the AWS SDK reaches this server."""
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "eu-central-1",
        }

    def client(self):
        """A boto3 client of this server."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="eu-central-1",
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )

    def keys(self, prefix: str) -> list[str]:
        """Keys of the jobs bucket below a prefix, sorted."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=JOBS_BUCKET, Prefix=prefix)
        return sorted(item["Key"] for page in pages for item in page.get("Contents", []))

    def upload_models(self, models: Path, prefix: str = "models/") -> list[str]:
        """Uploads every model of the folder as a deployment does; returns their sorted names."""
        names = sorted(folder.name for folder in models.iterdir() if (folder / "model.json").is_file())
        for name in names:
            for file in MODEL_FILES:
                self.client().put_object(
                    Bucket=BUCKET, Key=f"{prefix}{name}/{file}", Body=(models / name / file).read_bytes()
                )
        return names


@contextmanager
def s3_server(binary: Path, folder: Path, host: str = LOOPBACK) -> Iterator[S3Server]:
    """Starts the server on the address `host` with empty buckets in `folder`."""
    port = free_port(host)
    server = S3Server(f"http://{host}:{port}", secrets.token_hex(10), secrets.token_hex(20))
    root = folder / "buckets"
    root.mkdir()
    command = [str(binary), str(root), "--host", host, "--port", str(port)]
    command += ["--access-key", server.access_key, "--secret-key", server.secret_key]
    with running(command, port, folder / "s3s-fs.log", host=host):
        for bucket in (BUCKET, JOBS_BUCKET):
            server.client().create_bucket(Bucket=bucket)
        yield server
