"""The local server under mixed load, a shorter run of tests/tools/load.py (`make load` is the whole bar)."""

import json
import subprocess
import sys
from pathlib import Path

import requests
from ichor_server import ichor_server


def test_mixed_requests_bring_no_failure_and_no_growth(release: Path, repository: Path, tmp_path: Path):
    with ichor_server(release / "ichor", tmp_path) as server:
        command = [sys.executable, repository / "tests" / "tools" / "load.py", "--url", server.url]
        command += ["--pid", str(server.pid), "--requests", "250"]
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    summary = json.loads(run.stdout)
    sent = sum(sum(count.values()) for count in summary["statuses"].values())
    assert sent == 250 and len(summary["statuses"]) == 11, summary


def test_the_rate_is_limited_where_asked_for(release: Path, tmp_path: Path):
    with ichor_server(release / "ichor", tmp_path, "--requests-per-second", "1", "--request-burst", "3") as server:
        answers = [requests.get(f"{server.url}/v1/models", timeout=10) for _ in range(8)]
        assert [a.status_code for a in answers[:3]] == [200, 200, 200]
        refused = [a for a in answers if a.status_code == 429]
        assert refused and all(int(a.headers["retry-after"]) >= 1 for a in refused)
        assert refused[0].headers["content-type"] == "application/problem+json"
        assert refused[0].json()["code"] == "too_many_requests"
        # Whoever watches over the process is always answered.
        assert requests.get(f"{server.url}/v1/health/live", timeout=10).status_code == 200


def test_log_lines_say_nothing_of_the_input(release: Path, samples: list[Path], tmp_path: Path):
    with ichor_server(release / "ichor", tmp_path, "--log") as server:
        requests.post(f"{server.url}/v1/segment?include=mask", samples[0].read_bytes(), timeout=60)
        requests.post(f"{server.url}/v1/segment?model=Doe", b"Doe^Jane", headers={"user-agent": "Doe"}, timeout=60)
        requests.get(f"{server.url}/v1/jobs/{'d0e' * 10}00", timeout=10)
        requests.request("DOE", f"{server.url}/v1/Doe", timeout=10)
    text = (tmp_path / "serve.log").read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert len(lines) == 4
    first = lines[0]
    assert (first["route"], first["status"], first["model"], first["slices"]) == ("/v1/segment", 200, "deeplabv3", 1)
    assert first["cold_start"] == 1 and lines[1]["cold_start"] == 0
    assert first["inference_ms"] > 0 and first["first_inference_ms"] == first["inference_ms"]
    (metrics,) = first["_aws"]["CloudWatchMetrics"]
    assert {metric["Name"] for metric in metrics["Metrics"]} >= {"duration_ms", "cold_start", "decode_ms"}
    assert (lines[1]["code"], lines[2]["route"]) == ("model_not_found", "/v1/jobs/{id}")
    lowered = text.lower()
    assert "doe" not in lowered and "d0e" not in lowered and "127.0.0.1" not in lowered.split("\n", 1)[1]
