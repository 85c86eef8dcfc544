"""Cold starts of the API function under AWS's emulator, part by part, as the function reports them.

Prints the best of several starts. The models come from a local S3 server instead of a network. Run by
`make start-measure`.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path

from conftest import CACHE
from http_event import segment_event
from lambda_emulator import lambda_function
from s3_server import BUCKET, JOBS_BUCKET, s3_server

ROOT = Path(__file__).resolve().parents[2]
STARTS = 5


def lines_of(log: Path) -> list[dict]:
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith('{"')]


def main() -> None:
    sample = sorted((ROOT / "frontend" / "samples").glob("*.png"))[0].read_bytes()
    starts, answers, waits = [], [], []
    with tempfile.TemporaryDirectory() as name, s3_server(CACHE / "bin" / "s3s-fs", Path(name)) as s3:
        names = s3.upload_models(ROOT / "models")
        environment = s3.environment() | {"ICHOR_BUCKET": BUCKET, "ICHOR_JOBS_BUCKET": JOBS_BUCKET}
        environment |= {"ICHOR_MODELS": ",".join(names)}
        for index in range(STARTS):
            log = Path(name) / f"start-{index}.log"
            emulator = CACHE / "bin" / "aws-lambda-rie"
            with lambda_function(emulator, CACHE / "lambda/api/bootstrap", environment, log) as function:
                begin = time.perf_counter()
                assert function.invoke(segment_event(sample, query="include=mask")).status == 200
                waits.append((time.perf_counter() - begin) * 1e3)
            events = {line.get("event"): line for line in lines_of(log)}
            starts.append(events["start"])
            answers.append(events["request"])
    parts = ("process_ms", "fetch_ms", "parse_ms", "optimise_ms", "models_ms")
    figures = {part: round(min(start[part] for start in starts), 1) for part in parts}
    figures["first_inference_ms"] = round(min(answer["first_inference_ms"] for answer in answers), 1)
    figures["first_answer_ms"] = round(min(waits), 1)
    figures["first_answer_median_ms"] = round(statistics.median(waits), 1)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
