"""Sends mixed requests to a running server: valid, hostile, slow and aborted ones, concurrently.

    python scripts/load.py --url http://127.0.0.1:8080 --pid PID --requests 1000 --concurrency 8

Prints a JSON summary, and exits with 1 if a bar is missed:

- no 5xx except a 503 with Retry-After,
- memory that grows by at most 20 % or 32 MB after the first hundred requests,
- a valid request answered at the end.

Growth compares the medians of the first and the last third of the later requests, because single samples vary with
the number of slices in work at that moment. The highest sample is printed as well. Standard library only.
"""

import argparse
import collections
import http.client
import json
import random
import socket
import statistics
import struct
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from memory import resident_bytes

ROOT = Path(__file__).resolve().parents[1]
MAX_GROWTH = 0.20
# The allocator keeps some memory per thread, and machines have few or many threads.
MAX_GROWTH_MB = 32
WARM_UP = 100


def resident_mb(pid: int) -> float:
    return resident_bytes(pid, "VmRSS") / 1e6


def bomb_png(width: int, height: int) -> bytes:
    """A few bytes that claim to be a huge grey PNG."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 4096)), (b"IEND", b"")]
    parts = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


class Client:
    """Sends one request of a kind and returns its status; 0 if the client itself aborted it."""

    def __init__(self, url: str, images: list[bytes]):
        self.host, self.port = str(urlsplit(url).hostname), urlsplit(url).port
        self.images = images
        self.kinds = {
            "valid": self.valid,
            "models": lambda rng: self.send("GET", "/v1/models"),
            "truncated": lambda rng: self.segment(rng.choice(images)[: rng.randrange(1, 20_000)]),
            "random bytes": lambda rng: self.segment(rng.randbytes(rng.randrange(1, 50_000))),
            "mutated": self.mutated,
            "bomb": lambda rng: self.segment(bomb_png(60_000, 60_000)),
            "bad query": lambda rng: self.segment(images[0], "?threshold=nan"),
            "bad json": lambda rng: self.send("POST", "/v1/uploads", b"{", {"content-type": "application/json"}),
            "unknown job": lambda rng: self.send("GET", f"/v1/jobs/{rng.randbytes(16).hex()}"),
            "slow": self.slow,
            "aborted": self.aborted,
        }
        self.weights = [30, 10, 10, 10, 10, 5, 5, 5, 5, 5, 5]

    def send(self, method: str, path: str, body: bytes | None = None, headers: dict | None = None) -> tuple[int, bool]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.getheader("retry-after") is not None
        finally:
            connection.close()

    def segment(self, body: bytes, query: str = "") -> tuple[int, bool]:
        return self.send("POST", f"/v1/segment{query}", body, {"content-type": "image/png"})

    def valid(self, rng: random.Random) -> tuple[int, bool]:
        status, later = self.segment(rng.choice(self.images), "?include=mask")
        return (status if status in (200, 503) else 599), later

    def mutated(self, rng: random.Random) -> tuple[int, bool]:
        image = bytearray(rng.choice(self.images))
        for _ in range(20):
            image[rng.randrange(len(image))] = rng.randrange(256)
        return self.segment(bytes(image))

    def connect(self, declared: int) -> socket.socket:
        link = socket.create_connection((self.host, self.port), timeout=120)
        head = f"POST /v1/segment HTTP/1.1\r\nhost: {self.host}\r\ncontent-type: image/png\r\n"
        head += f"content-length: {declared}\r\n\r\n"
        link.sendall(head.encode())
        return link

    def slow(self, rng: random.Random) -> tuple[int, bool]:
        image = rng.choice(self.images)
        with self.connect(len(image)) as link:
            step = len(image) // 5 + 1
            for begin in range(0, len(image), step):
                link.sendall(image[begin : begin + step])
                time.sleep(0.2)
            head = link.recv(4096)
        return int(head.split()[1]), b"retry-after" in head

    def aborted(self, rng: random.Random) -> tuple[int, bool]:
        image = rng.choice(self.images)
        with self.connect(len(image)) as link:
            link.sendall(image[: rng.randrange(len(image))])
        return 0, False


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--pid", type=int, required=True, help="process id of the server, for its memory")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    images = [path.read_bytes() for path in sorted((ROOT / "frontend" / "samples").glob("*.png"))]
    client = Client(args.url, images)
    lock = threading.Lock()
    answers: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    waits: list[float] = []
    memory: list[float] = []
    unexpected: list[str] = []

    def one(index: int) -> None:
        rng = random.Random(args.seed * 1_000_003 + index)
        (kind,) = rng.choices(list(client.kinds), client.weights)
        begin = time.perf_counter()
        status, later = client.kinds[kind](rng)
        with lock:
            answers[kind][status] += 1
            if kind == "valid":
                waits.append((time.perf_counter() - begin) * 1e3)
            if status >= 500 and not (status == 503 and later):
                unexpected.append(f"{kind}: {status}")
            memory.append(resident_mb(args.pid))

    begin = time.perf_counter()
    with ThreadPoolExecutor(args.concurrency) as pool:
        list(pool.map(one, range(args.requests)))
    seconds = time.perf_counter() - begin
    alive = client.segment(images[0])[0] == 200
    later = memory[min(WARM_UP, len(memory) // 2) :]
    third = max(1, len(later) // 3)
    warm, last = statistics.median(later[:third]), statistics.median(later[-third:])
    growth = last / warm - 1
    summary = {
        "requests": args.requests,
        "concurrency": args.concurrency,
        "seconds": round(seconds, 1),
        "statuses": {kind: dict(sorted(count.items())) for kind, count in sorted(answers.items())},
        "valid_ms": {
            name: round(percentile(waits, share)) for name, share in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)]
        },
        "memory_mb": {"after_warm_up": round(warm, 1), "at_the_end": round(last, 1), "most": round(max(memory), 1)},
        "memory_growth": round(growth, 3),
        "unexpected_5xx": unexpected,
        "answers_at_the_end": alive,
    }
    print(json.dumps(summary, indent=2))
    return 0 if not unexpected and alive and (growth <= MAX_GROWTH or last - warm <= MAX_GROWTH_MB) else 1


if __name__ == "__main__":
    sys.exit(main())
