"""Services as a client uses them: started, called over one kept connection, stopped."""

import http.client
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from measured_process import MeasuredProcess, cpu_s, environment, memory_mb

ROOT = Path(__file__).resolve().parents[1]
PEERS = Path(__file__).resolve().parent / "peers"
sys.path.insert(0, str(ROOT / "tests" / "aws"))

from http_event import segment_event
from lambda_emulator import LambdaFunction, lambda_function
from s3_server import BUCKET, JOBS_BUCKET, S3Server, s3_server


class Service(MeasuredProcess):
    """A process whose first line of output ends with its address."""

    def __enter__(self):
        super().__enter__()
        self.address = urlsplit(self.ready_line.split()[-1])
        self.connection = self.connect()
        return self

    def __exit__(self, *_):
        self.connection.close()
        super().__exit__()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(str(self.address.hostname), self.address.port, timeout=600)

    def wait_until_ready(self) -> None:
        """Waits until all models are loaded: Ichor answers with the default model earlier. The service behind Flask has
        no such route and loads all models before it listens."""
        self.connection.request("GET", "/v1/health/ready")
        self.connection.getresponse().read()

    def post(self, model: str, body: bytes, media_type: str, connection=None) -> tuple[int, bytes]:
        """Status and body of the default answer, which holds mask, overlay and contours."""
        connection = connection or self.connection
        connection.request("POST", f"/v1/segment?model={model}", body, {"content-type": media_type})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def segment(self, model: str, body: bytes, media_type: str = "image/png") -> dict:
        status, answer = self.post(model, body, media_type)
        if status != 200:
            raise RuntimeError(f"{self.command[0]} answered {status}: {answer[:300]!r}")
        return json.loads(answer)

    def cpu_s(self) -> float:
        return cpu_s(self.pid)

    def peak_mb(self) -> float:
        return memory_mb(self.pid)


class Function:
    """The Lambda binary under AWS's emulator, which starts it with the first event."""

    def __init__(self, function: LambdaFunction):
        self.function = function

    def segment(self, model: str, body: bytes, media_type: str = "image/png") -> dict:
        answer = self.function.invoke(segment_event(body, query=f"model={model}", media_type=media_type))
        if answer.status != 200:
            raise RuntimeError(f"the function answered {answer.status}: {answer.body[:300]!r}")
        return answer.json()

    def pids(self) -> list[int]:
        return [int(pid) for pid in self.function.process_ids()]

    def cpu_s(self) -> float:
        return sum(cpu_s(pid) for pid in self.pids())

    def peak_mb(self) -> float:
        return sum(memory_mb(pid) for pid in self.pids())


def ichor(binary: Path, models: Path, threads: int = 1, cores: set[int] | None = None) -> Service:
    command = [binary, "serve", "--port", "0", "--models", models, "--frontend", ROOT / "frontend"]
    return Service(command, threads, cores)


def flask(models: Path, threads: int = 1, cores: set[int] | None = None) -> Service:
    return Service([sys.executable, PEERS / "flask_service.py", models, 0, threads], threads, cores)


@contextmanager
def bucket(cache: Path, models: Path) -> Iterator[tuple[S3Server, list[str]]]:
    """A local S3 server that holds the models, and the names of the models."""
    with tempfile.TemporaryDirectory() as folder, s3_server(cache / "bin" / "s3s-fs", Path(folder)) as server:
        yield server, server.upload_models(models)


@contextmanager
def function(cache: Path, s3: S3Server, names: list[str], threads: int = 1) -> Iterator[Function]:
    """The binary that is packed into the zip, with its models in the bucket."""
    variables = environment(threads) | s3.environment()
    variables |= {"ICHOR_BUCKET": BUCKET, "ICHOR_JOBS_BUCKET": JOBS_BUCKET, "ICHOR_MODELS": ",".join(names)}
    with tempfile.TemporaryDirectory() as folder:
        binary, emulator = cache / "lambda" / "api" / "bootstrap", cache / "bin" / "aws-lambda-rie"
        with lambda_function(emulator, binary, variables, Path(folder) / "log") as started:
            yield Function(started)


def first_answer(service, model: str, image: bytes, begin: float) -> dict:
    """Wall ms from `begin` to the end of the first answer, and the CPU ms of the service so far."""
    service.segment(model, image)
    return {"wall_ms": (time.perf_counter() - begin) * 1e3, "cpu_ms": service.cpu_s() * 1e3}
