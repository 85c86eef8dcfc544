"""The Lambda binary under AWS's Runtime Interface Emulator, invoked as API Gateway invokes it."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from loopback import bare_environment, free_port, running

# Lambda's limit of a synchronous answer, which the emulator enforces too.
MAX_RESPONSE_BYTES = 6_291_556


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, as a client of API Gateway receives it."""

    status: int
    headers: dict[str, str]
    body: bytes
    wire_bytes: int
    """Size of the whole response of the function, which the platform limits."""

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0]

    def json(self):
        return json.loads(self.body)


@dataclass(frozen=True)
class LambdaFunction:
    """A running function."""

    url: str
    emulator_pid: int

    def invoke_raw(self, event: dict, timeout: float = 60) -> requests.Response:
        """The raw answer: of the function, or of the platform if the function died."""
        return requests.post(self.url, data=json.dumps(event), timeout=timeout)

    def invoke(self, event: dict) -> Answer:
        """The HTTP answer; raises AssertionError if the platform answered instead of the function."""
        response = self.invoke_raw(event)
        result = response.json()
        assert "statusCode" in result, f"the platform reports: {response.text[:500]}"
        body = result.get("body") or ""
        body = base64.b64decode(body) if result.get("isBase64Encoded") else body.encode()
        headers = {name.lower(): value for name, value in result.get("headers", {}).items()}
        return Answer(result["statusCode"], headers, body, len(response.content))

    def process_ids(self) -> list[str]:
        """Process ids of the function. The emulator starts a new process after a crash."""
        tasks = Path(f"/proc/{self.emulator_pid}/task")
        return [pid for task in tasks.iterdir() for pid in (task / "children").read_text().split()]


@contextmanager
def lambda_function(emulator: Path, binary: Path, environment: dict[str, str], log: Path) -> Iterator[LambdaFunction]:
    """Starts the emulator, which starts the binary with the first event."""
    port, runtime_port = free_port(), free_port()
    command = [
        str(emulator),
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{runtime_port}"),
        str(binary),
    ]
    # The function gets none of the AWS settings of this machine.
    inherited = bare_environment()
    with running(command, port, log, env=inherited | environment) as process:
        url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        yield LambdaFunction(url, process.pid)
