"""HTTP services as a client meets them: started, asked over one kept connection, stopped."""

import http.client
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from watched import Watched

ROOT = Path(__file__).resolve().parents[1]
PEERS = Path(__file__).resolve().parent / "peers"


class Service(Watched):
    """A process whose first line ends with its address."""

    def __enter__(self):
        super().__enter__()
        address = urlsplit(self.ready_line.split()[-1])
        self.connection = http.client.HTTPConnection(address.hostname, address.port, timeout=600)
        return self

    def __exit__(self, *_):
        self.connection.close()
        super().__exit__()

    def segment(self, model: str, image: bytes, media_type: str = "image/png", query: str = "") -> dict:
        """The default answer: mask, overlay, contours."""
        path = f"/v1/segment?model={model}{query}"
        self.connection.request("POST", path, image, {"content-type": media_type})
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {body[:300]!r}")
        return json.loads(body)

    def first_answer_s(self, model: str, image: bytes) -> float:
        """From the start of the process to the end of its first answer."""
        self.segment(model, image)
        return time.perf_counter() - self.begin


def ichor(binary: Path, models: Path, threads: int = 1, cores: set[int] | None = None) -> Service:
    command = [binary, "serve", "--port", "0", "--models", models, "--frontend", ROOT / "frontend"]
    return Service(command, threads, cores)


def flask(models: Path, threads: int = 1, cores: set[int] | None = None) -> Service:
    return Service([sys.executable, PEERS / "flask_service.py", models, 0, threads], threads, cores)
