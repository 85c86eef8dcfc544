"""The server of the GPU container as a process: on a free port of loopback, with onnxruntime on the CPU."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from loopback import bare_environment, free_port, running


@dataclass(frozen=True)
class Container:
    """A running server."""

    url: str
    process: subprocess.Popen
    log: Path

    def ping(self) -> dict:
        answer = requests.get(f"{self.url}/ping", timeout=120)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def invoke(self, body: bytes, kind: str, attributes: str = "", **more) -> requests.Response:
        headers = {"content-type": kind} | ({"X-Amzn-SageMaker-Custom-Attributes": attributes} if attributes else {})
        return requests.post(f"{self.url}/invocations", data=body, headers=headers, timeout=300, **more)


@contextmanager
def container(binary: Path, library: Path, folder: Path, environment: dict[str, str]) -> Iterator[Container]:
    """Starts the server as SageMaker does: the argument `serve`, and settings in the environment."""
    port = free_port()
    inherited = bare_environment()
    settings = {"ICHOR_ONNXRUNTIME": str(library), "SAGEMAKER_BIND_TO_PORT": str(port), "ICHOR_THREADS": "1"}
    log = folder / "container.log"
    with running([str(binary), "serve"], port, log, env=inherited | settings | environment) as process:
        yield Container(f"http://127.0.0.1:{port}", process, log)
