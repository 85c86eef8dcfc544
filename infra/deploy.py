"""Deploys the stack, uploads models and page, and prints the addresses; or deletes the stack.

    make deploy STACK=ichor ARCH=arm64 PARAMETERS="MemoryMb=3008 AlarmEmail=someone@example.org"
    make destroy STACK=ichor

Credentials and region come from the environment, as for every AWS tool. A second run updates the stack. The functions
are the packed binaries of `make lambda`.
"""

import argparse
import hashlib
import json
import mimetypes
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from samcli.yamlhelper import yaml_parse

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS = {"ApiFunction": "api", "WorkerFunction": "worker"}
# model.json is uploaded last: a function that starts in between loads the old model or the new one, or fails its
# checksum and starts again. It never serves a mixture.
MODEL_FILES = ("model.onnx", "MODEL_CARD.md", "model.json")


def with_binaries(template: dict, packed: Path) -> dict:
    """The template with the packed binaries in place of a build, for which sam would copy the whole tree."""
    for resource, name in FUNCTIONS.items():
        folder = packed / name
        if not (folder / "bootstrap").is_file():
            raise SystemExit(f"{folder}/bootstrap is missing: run make lambda first")
        template["Resources"][resource]["Properties"]["CodeUri"] = str(folder)
        template["Resources"][resource].pop("Metadata", None)
    return template


def deploy_stack(stack: str, template: dict, parameters: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.json"
        path.write_text(json.dumps(template))
        sam = [str(Path(sys.executable).parent / "sam"), "deploy", "--template-file", str(path), "--stack-name", stack]
        sam += ["--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar"]
        sam += ["--no-fail-on-empty-changeset"]
        sam += ["--parameter-overrides", *parameters] if parameters else []
        if subprocess.run(sam, check=False).returncode:
            raise SystemExit("error: the stack was not deployed; the reason is in the output of sam above")


def outputs_of(stack: str) -> dict[str, str]:
    (described,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def upload_models(bucket: str, models: Path) -> list[str]:
    """Uploads every model after comparing the checksum of its network with model.json; returns their names."""
    s3 = boto3.client("s3")
    names = sorted(path.parent.name for path in models.glob("*/model.json"))
    for name in names:
        folder = models / name
        declared = json.loads((folder / "model.json").read_text())["sha256"]
        if hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest() != declared:
            raise SystemExit(
                f"error: {name}/model.onnx does not have the checksum of {name}/model.json: take both from one release"
            )
        for file in MODEL_FILES:
            body = (folder / file).read_bytes()
            # S3 verifies the checksum of the received bytes.
            s3.put_object(Bucket=bucket, Key=f"models/{name}/{file}", Body=body, ChecksumAlgorithm="SHA256")
    return names


def upload_page(bucket: str, page: Path, models: Path) -> int:
    """Uploads the page, and the models that it runs in the browser. Deletes all other files; returns their number."""
    s3 = boto3.client("s3")
    files = {str(path.relative_to(page)): path for path in sorted(page.rglob("*")) if path.is_file()}
    for folder in sorted(path.parent for path in models.glob("*/model.json")):
        files |= {f"models/{folder.name}/{file}": folder / file for file in MODEL_FILES}
    for key, path in files.items():
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        kind += "; charset=utf-8" if kind.startswith("text/") else ""
        s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes(), ContentType=kind, CacheControl="no-cache")
    for key in keys_of(bucket):
        if key not in files:
            s3.delete_object(Bucket=bucket, Key=key)
    return len(files)


def keys_of(bucket: str) -> list[str]:
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def wait_until_ready(url: str) -> None:
    for _ in range(10):
        try:
            with urllib.request.urlopen(f"{url}/v1/health/ready", timeout=30) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(3)
    raise SystemExit("error: the API does not answer; the reason is in the log group /aws/lambda/STACK-api")


def deploy(args: argparse.Namespace) -> None:
    template = with_binaries(yaml_parse(args.template.read_text()), args.packed)
    deploy_stack(args.stack, template, [f"Architecture={args.arch}", *args.parameters])
    outputs = outputs_of(args.stack)
    print("models:", ", ".join(upload_models(outputs["ModelsBucketName"], ROOT / "models")))
    # The page calls its own origin, and CloudFront forwards /v1 to the API: no address has to be filled in.
    print("page:", upload_page(outputs["WebBucketName"], ROOT / "frontend", ROOT / "models"), "files")
    paths = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time.time())}
    boto3.client("cloudfront").create_invalidation(DistributionId=outputs["DistributionId"], InvalidationBatch=paths)
    if args.wait:
        wait_until_ready(outputs["ApiUrl"])
    print(f"\npage  {outputs['PageUrl']}\nAPI   {outputs['ApiUrl']}")


def destroy(args: argparse.Namespace) -> None:
    outputs = outputs_of(args.stack)
    # Only empty buckets can be deleted with the stack.
    for name in ("JobsBucketName", "WebBucketName"):
        for key in keys_of(outputs[name]):
            boto3.client("s3").delete_object(Bucket=outputs[name], Key=key)
    cloudformation = boto3.client("cloudformation")
    cloudformation.delete_stack(StackName=args.stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=args.stack)
    print(f"the stack is deleted; its models stay in s3://{outputs['ModelsBucketName']} until you delete the bucket")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["deploy", "destroy"])
    parser.add_argument("--stack", default="ichor")
    parser.add_argument("--arch", choices=["x86_64", "arm64"], default="x86_64")
    parser.add_argument("--packed", type=Path, help="folder of the packed binaries")
    parser.add_argument("--template", type=Path, default=ROOT / "template.yaml")
    parser.add_argument("--no-wait", dest="wait", action="store_false", help="do not wait until the API is ready")
    parser.add_argument("parameters", nargs="*", metavar="KEY=VALUE", help="parameters of the template")
    args = parser.parse_args()
    try:
        boto3.client("sts").get_caller_identity()
        deploy(args) if args.action == "deploy" else destroy(args)
    except (BotoCoreError, ClientError) as error:
        raise SystemExit(f"error: AWS refused or cannot be reached: {error}") from None


if __name__ == "__main__":
    main()
