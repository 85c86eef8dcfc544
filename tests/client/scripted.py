"""A server on loopback that gives answers written in advance, as a broken or hostile one would."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# One black pixel.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABc3UBGAAAAABJRU5ErkJggg=="


@dataclass
class Scripted:
    """Answers in the order in which they are given, the last one again and again; and the requests that came."""

    answers: list["Answer"]
    url: str = ""
    # Method, path, headers with names in lower case, and body.
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@dataclass
class Answer:
    """Status, body and headers; or `write`, which writes to the connection itself."""

    status: int = 200
    body: bytes | dict | list | str = b""
    headers: dict[str, str] = field(default_factory=dict)
    write: Callable[[BaseHTTPRequestHandler], None] | None = None


def problem(status: int, code: str, **headers: str) -> Answer:
    body = {
        "type": "about:blank",
        "title": "Title",
        "status": status,
        "code": code,
        "detail": "What to do.",
        "request_id": "r1",
    }
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, body, {"content-type": "application/problem+json"} | sent)


def report(**changes) -> dict:
    """A report of one slice of 1 x 1 px."""
    answer: dict = {
        "model": {"name": "unet", "version": "0", "sha256": "0"},
        "image": {
            **{"width": 1, "height": 1, "spacing_mm": None, "modality": None, "window": None},
            "gray_scale": "window_known",
        },
        "placement": None,
        "hemorrhage": {"detected": False, "probability": 0.1, "verdict": None, "threshold": 0.5, "subtypes": []},
        "readout": {"open": True, "min_lesion_px": 1},
        "lesions": [],
        "mask": {"media_type": "image/png", "base64": PNG},
        "warnings": [],
        "timings_ms": dict.fromkeys(("decode", "preprocess", "inference", "postprocess", "encode", "total"), 1),
        "disclaimer": "research only",
        "request_id": "r1",
    }
    return answer | changes


@contextmanager
def scripted(*answers: Answer) -> Iterator[Scripted]:
    """Runs the server until the block ends."""
    script = Scripted(list(answers))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            script.requests.append((self.command, self.path, headers, body))
            answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
            # Some tests require that the client closes the connection.
            with suppress(OSError):
                self.send(answer)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 (the names that http.server calls)

        def send(self, answer: Answer) -> None:
            if answer.write:
                self.close_connection = True
                answer.write(self)
                return
            content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            headers = {"content-type": "application/json", "content-length": str(len(content))} | answer.headers
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.socket.close()
