"""The OpenAPI description against the running server, with schemathesis and invalid requests."""

import subprocess
import sys
from pathlib import Path

import requests
from ichor_server import IchorServer


def test_schemathesis_finds_no_failure(server: IchorServer, repository: Path, tmp_path: Path):
    tool = Path(sys.executable).parent / "schemathesis"
    command: list = [tool, "--config-file", repository / "tests" / "aws" / "schemathesis.toml", "run", "--no-color"]
    # A fixed seed, so that a failure can be repeated; few examples, because each media type of a body has its own.
    command += ["--checks", "all", "--max-examples", "8", "--seed", "1", f"{server.url}/v1/openapi.json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert "Test cases:" in run.stdout or "test cases" in run.stdout, run.stdout[-2000:]


# Answers that are files; an example would be a page of base64.
BINARY = ("image/png", "application/dicom")


def test_every_operation_and_body_has_an_example(server: IchorServer):
    description = requests.get(f"{server.url}/v1/openapi.json", timeout=120).json()
    assert description["openapi"].startswith("3.1")
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            place = f"{method} {path}"
            for parameter in operation.get("parameters", []):
                assert example_of(parameter), f"{place}: {parameter['name']}"
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                assert kind != "application/json" or example_of(content), f"{place}: {kind}"
            for status, response in operation["responses"].items():
                response = resolved(description, response)
                for kind, content in response.get("content", {}).items():
                    whole = path == "/v1/openapi.json" or kind in BINARY or "Report" in str(content["schema"])
                    assert whole or example_of(content), f"{place}: {status} {kind}"


def example_of(described: dict) -> bool:
    return bool({"example", "examples"} & (set(described) | set(described.get("schema", {}))))


def resolved(description: dict, value: dict) -> dict:
    if "$ref" not in value:
        return value
    for part in value["$ref"].removeprefix("#/").split("/"):
        description = description[part]
    return description
