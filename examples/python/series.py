"""Segments a series by upload and job, and prints its volume. Needs only the standard library.

python examples/python/series.py series.zip
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

URL = os.environ.get("ICHOR_URL", "http://127.0.0.1:8080")
ATTEMPTS = 5


def call(method: str, address: str, body: bytes | None = None, headers: dict | None = None) -> tuple[int, bytes, float]:
    """Status, body and the seconds of Retry-After. Repeats the request while the server is busy."""
    for _ in range(ATTEMPTS):
        request = urllib.request.Request(urljoin(URL, address), body, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return answer.status, answer.read(), float(answer.headers.get("retry-after", 1))
        except urllib.error.HTTPError as error:
            # 429 and 503 ask to come back; any other error would come back as well.
            if error.code not in (429, 503):
                problem = json.load(error)
                sys.exit(f"error: {problem['code']}: {problem['detail']}")
            time.sleep(float(error.headers.get("retry-after", 1)))
    sys.exit("error: the server is busy; try again later")


def segment(series: Path) -> dict:
    """The report of the series."""
    content = series.read_bytes()
    order = {"content_type": "application/zip", "size_bytes": len(content)}
    _, body, _ = call("POST", "/v1/uploads", json.dumps(order).encode(), {"content-type": "application/json"})
    placed = json.loads(body)
    # The headers belong to the signature of the address: send them unchanged.
    call("PUT", placed["upload"]["url"], content, placed["upload"]["headers"])
    while True:
        status, body, wait_s = call("GET", placed["job_url"])
        job = json.loads(body)
        if status == 200:
            break
        if job["progress"]:
            print(f"{job['progress']['done']} of {job['progress']['total']} slices", file=sys.stderr)
        time.sleep(wait_s)
    if job["state"] != "done":
        sys.exit(f"error: the job is {job['state']}: {job['error'] and job['error']['detail']}")
    _, body, _ = call("GET", job["result_url"])
    call("DELETE", placed["job_url"])
    return json.loads(body)


def main() -> None:
    report = segment(Path(sys.argv[1]))
    answer = {True: "yes", False: "no", None: "unknown"}[report["hemorrhage"]["detected"]]
    print(f"hemorrhage: {answer}, {len(report['slices'])} slices")
    # null where the positions of the slices are not known.
    print(f"volume: {report['volume']['total_volume_ml']} mL")
    for warning in report["warnings"]:
        print(f"warning: {warning['message']}")
    print(report["disclaimer"])


if __name__ == "__main__":
    main()
