"""Segments one slice and saves the overlay. Needs only the standard library.

python examples/python/slice.py slice.png [overlay.png]
"""

import base64
import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

URL = os.environ.get("ICHOR_URL", "http://127.0.0.1:8080")


def segment(image: bytes) -> dict:
    """The report of one slice, with its overlay."""
    request = urllib.request.Request(f"{URL}/v1/segment?include=overlay", image)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        # Errors are problem documents: `code` is stable, `detail` says what to do.
        problem = json.load(error)
        sys.exit(f"error: {problem['code']}: {problem['detail']}")


def main() -> None:
    report = segment(Path(sys.argv[1]).read_bytes())
    hemorrhage = report["hemorrhage"]
    # null where the input does not allow an answer; `warnings` has the reason.
    answer = {True: "yes", False: "no", None: "unknown"}[hemorrhage["detected"]]
    print(f"hemorrhage: {answer}, probability {hemorrhage['probability']}")
    for lesion in report["lesions"]:
        print(f"lesion {lesion['id']}: {lesion['area_px']} px, {lesion['area_mm2']} mm2")
    for warning in report["warnings"]:
        print(f"warning: {warning['message']}")
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_bytes(base64.b64decode(report["overlay"]["base64"]))
    print(report["disclaimer"])


if __name__ == "__main__":
    main()
