"""Measures the release binary as a user meets it: start, a slice end to end, memory, sizes.

Processor time comes from /proc, so the figures of a slice hold on a busy machine too; the time to ready
is wall-clock time, best of several starts. Linux only, standard library only.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
import urllib.request
from pathlib import Path

STARTS = 5
ROOT = Path(__file__).resolve().parents[2]


class Server:
    """`ichor serve` on a free port; a context manager."""

    def __init__(self, binary: Path, models: Path):
        self.command = [binary, "serve", "--port", "0", "--models", models, "--frontend", ROOT / "frontend"]

    def __enter__(self):
        begin = time.perf_counter()
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.ready_ms = (time.perf_counter() - begin) * 1e3
        if not line:
            raise SystemExit(f"{self.command[0]} did not start")
        self.address = line.split()[-1]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def cpu_ms(self) -> float:
        """Processor time of all threads since the start, ms."""
        # Fields 14 and 15 of proc(5), counted after the name, which may itself hold spaces.
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1e3 / os.sysconf("SC_CLK_TCK")

    def peak_rss_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6

    def get(self, path: str) -> dict:
        with urllib.request.urlopen(self.address + path) as answer:
            return json.load(answer)

    def segment(self, model: str, image: bytes) -> dict:
        """The default answer: mask, overlay, contours."""
        request = urllib.request.Request(
            f"{self.address}/v1/segment?model={model}", image, {"content-type": "image/png"}
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


def measure_model(server: Server, model: str, images: list[bytes], slices: int) -> dict:
    """CPU and wall ms a slice, one request after the other, and the service's own stages."""
    for image in images[:3]:
        server.segment(model, image)
    cpu, begin = server.cpu_ms(), time.perf_counter()
    answers = [server.segment(model, images[i % len(images)]) for i in range(slices)]
    wall_ms = (time.perf_counter() - begin) * 1e3 / slices
    stages = {
        stage: round(statistics.median(answer["timings_ms"][stage] for answer in answers), 2)
        for stage in answers[0]["timings_ms"]
    }
    return {"cpu_ms": round((server.cpu_ms() - cpu) / slices, 1), "wall_ms": round(wall_ms, 1), "stages_ms": stages}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=ROOT / "models")
    parser.add_argument("--slices", type=int, default=60, help="measured for each model")
    parser.add_argument("--lambda-binary", type=Path)
    parser.add_argument("--zip", type=Path)
    args = parser.parse_args()

    images = [path.read_bytes() for path in sorted((ROOT / "frontend" / "samples").glob("*.png"))]
    ready, ready_cpu = [], []
    for _ in range(STARTS):
        with Server(args.binary, args.models) as server:
            ready.append(server.ready_ms)
            ready_cpu.append(server.cpu_ms())
    with Server(args.binary, args.models) as server:
        figures = {
            "slice_512x512": {
                model["name"]: measure_model(server, model["name"], images, args.slices)
                for model in server.get("/v1/models")["models"]
            },
            "ready_ms": round(min(ready), 1),
            "ready_cpu_ms": round(min(ready_cpu), 1),
            "peak_rss_mb": round(server.peak_rss_mb(), 1),
        }
    sizes = {"ichor": args.binary, "lambda": args.lambda_binary, "lambda_zip": args.zip}
    figures["size_mb"] = {name: round(path.stat().st_size / 1e6, 1) for name, path in sizes.items() if path}
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
