"""`make deploy` to an emulated cloud: the stack completes, and the deployed functions answer.

ministack emulates CloudFormation, S3, SQS and Lambda on loopback. Its gaps and differences are named below; there only
cfn-lint checks the template.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
import requests
from botocore.config import Config
from cfnlint.decode import cfn_yaml
from http_event import http_event, segment_event
from loopback import bare_environment, free_port, running
from s3_server import MODEL_FILES

from jobs import zip_of

STACK = "ichor-test"
# Resources that the emulator does not have, with the property that refers to them; cfn-lint checks them.
UNKNOWN = {"OriginAccess": "OriginAccessControlId", "PageHeaders": "ResponseHeadersPolicyId"}


@dataclass(frozen=True)
class Cloud:
    """The emulated cloud with the deployed stack."""

    endpoint: str
    outputs: dict[str, str]

    def client(self, service: str):
        return client_of(self.endpoint, service)

    def invoke(self, event: dict) -> dict:
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs["ApiFunctionName"], Payload=json.dumps(event).encode()
        )
        result = json.load(answer["Payload"])
        assert "statusCode" in result, result
        return result


def client_of(endpoint: str, service: str):
    # The emulator needs the bucket in the path; by default boto3 puts it into the host name.
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, read_timeout=120)
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config,
    )


def deployable(repository: Path, endpoint: str) -> dict:
    """The template without the resources that the emulator lacks, and with its address for the functions."""
    template = cfn_yaml.load(str(repository / "template.yaml"))
    for name in UNKNOWN:
        del template["Resources"][name]
    template = without_keys(template, set(UNKNOWN.values()))
    # On AWS the SDK knows the address of S3.
    template["Globals"]["Function"]["Environment"]["Variables"]["AWS_ENDPOINT_URL_S3"] = endpoint
    # The test message of the bucket starts the worker before there are models, and the worker exits as it should. The
    # emulator notices this only at the timeout, and has one poller for all messages.
    template["Resources"]["WorkerFunction"]["Properties"]["Timeout"] = 30
    return template


def without_keys(value, keys: set[str]):
    if isinstance(value, dict):
        return {key: without_keys(item, keys) for key, item in value.items() if key not in keys}
    return [without_keys(item, keys) for item in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def cloud(
    repository: Path,
    lambda_binary: Path,
    worker_binary: Path,  # deployed too; the fixture fails with a clear message if it is missing
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    inherited = bare_environment()
    account = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_REGION": "eu-central-1",
    }
    emulator = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "MINISTACK_REGION": "eu-central-1"}
    # The other servers of the emulator would listen on every interface.
    emulator |= {"SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0", "HOME": str(folder)}
    command = [str(Path(sys.executable).parent / "ministack")]
    with running(command, port, folder / "ministack.log", env=inherited | account | emulator, cwd=folder):
        template = folder / "template.json"
        template.write_text(json.dumps(deployable(repository, endpoint)))
        # `make deploy` without the wait: the emulator has no routes of an HTTP API that OpenAPI describes.
        deploy: list = [sys.executable, repository / "infra" / "deploy.py", "deploy", "--stack", STACK, "--no-wait"]
        deploy += ["--packed", lambda_binary.parents[1], "--template", template]
        endpoints = {"AWS_ENDPOINT_URL": endpoint, "SAM_CLI_TELEMETRY": "0", "HOME": str(folder)}
        deployed = subprocess.run(
            deploy, env=inherited | account | endpoints, capture_output=True, text=True, check=False, timeout=300
        )
        assert deployed.returncode == 0, deployed.stdout[-6000:] + deployed.stderr[-3000:]
        assert "Successfully created/updated stack" in deployed.stdout, deployed.stdout[-3000:]
        assert "models: deeplabv3, unet" in deployed.stdout and "\npage  " in deployed.stdout
        (stack,) = client_of(endpoint, "cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        yield Cloud(endpoint, outputs)


def test_the_deployed_function_answers(cloud: Cloud, samples: list[Path]):
    ready = cloud.invoke(http_event("GET", "/v1/health/ready"))
    assert (ready["statusCode"], json.loads(ready["body"])["models"]) == (200, ["deeplabv3", "unet"])
    found = cloud.invoke(segment_event(samples[0].read_bytes(), query="include=mask"))
    assert found["statusCode"] == 200 and json.loads(found["body"])["mask"]["base64"]


def test_an_upload_comes_back_as_a_result(cloud: Cloud, samples: list[Path]):
    """Order, presigned PUT, S3 event, queue, worker, result: every connection of the template."""
    content = zip_of(samples, 2)
    body = json.dumps({"content_type": "application/zip", "size_bytes": len(content)})
    ordered = cloud.invoke(http_event("POST", "/v1/uploads", body=body, content_type="application/json"))
    assert ordered["statusCode"] == 201, ordered
    order = json.loads(ordered["body"])
    put = order["upload"]
    sent = requests.put(put["url"], data=content, headers=put["headers"], timeout=60)
    assert sent.status_code == 200, sent.text[:500]
    deadline = time.monotonic() + 300
    while True:
        job = json.loads(cloud.invoke(http_event("GET", order["job_url"]))["body"])
        if job["state"] not in ("queued", "running"):
            break
        assert time.monotonic() < deadline, job
        time.sleep(1)
    assert (job["state"], job["progress"]) == ("done", {"done": 2, "total": 2}), job


def test_the_stack_says_where_everything_is(cloud: Cloud):
    assert {"ApiUrl", "PageUrl", "ModelsBucketName", "JobsBucketName", "WebBucketName"} <= set(cloud.outputs)
    buckets = {bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]}
    assert {cloud.outputs[name] for name in ("ModelsBucketName", "JobsBucketName", "WebBucketName")} <= buckets


def test_the_page_lies_in_its_bucket(cloud: Cloud, repository: Path):
    bucket = cloud.outputs["WebBucketName"]
    listed = cloud.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    page = repository / "frontend"
    models = repository / "models"
    expected = {str(p.relative_to(page)) for p in page.rglob("*") if p.is_file()}
    # The page runs them in the browser.
    expected |= {f"models/{p.parent.name}/{file}" for p in models.glob("*/model.json") for file in MODEL_FILES}
    assert {item["Key"] for item in listed} == expected
    index = cloud.client("s3").get_object(Bucket=bucket, Key="index.html")
    assert index["ContentType"].startswith("text/html") and index["CacheControl"] == "no-cache"
