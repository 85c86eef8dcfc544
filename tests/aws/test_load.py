"""The local server under mixed load, a shorter run of scripts/load.py (`make load` is the full test)."""

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from ichor_server import ROOT, ichor_server
from loopback import free_port, running

from jobs import zip_of


def test_mixed_requests_bring_no_failure_and_no_growth(ichor_binary: Path, repository: Path, tmp_path: Path):
    with ichor_server(ichor_binary, tmp_path) as server:
        command: list = [sys.executable, repository / "scripts" / "load.py", "--url", server.url]
        command += ["--pid", str(server.pid), "--requests", "250"]
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    summary = json.loads(run.stdout)
    sent = sum(sum(count.values()) for count in summary["statuses"].values())
    assert sent == 250 and len(summary["statuses"]) == 11, summary


def test_the_rate_is_limited_where_asked_for(ichor_binary: Path, tmp_path: Path):
    with ichor_server(ichor_binary, tmp_path, "--requests-per-second", "1", "--request-burst", "3") as server:
        # Concurrently, so that a slow machine sends more than one per second, too.
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: requests.get(f"{server.url}/v1/models", timeout=60), range(60)))
        assert sum(a.status_code == 200 for a in answers) >= 3
        refused = [a for a in answers if a.status_code == 429]
        assert refused and all(int(a.headers["retry-after"]) >= 1 for a in refused)
        assert refused[0].headers["content-type"] == "application/problem+json"
        assert refused[0].json()["code"] == "too_many_requests"
        # The health routes have no rate limit.
        assert requests.get(f"{server.url}/v1/health/live", timeout=120).status_code == 200


def test_log_lines_say_nothing_of_the_input(ichor_binary: Path, samples: list[Path], tmp_path: Path):
    # Letters that no hexadecimal request id contains, and a job id that cannot appear by chance.
    job = "5ec2e7" * 5 + "00"
    with ichor_server(ichor_binary, tmp_path, "--log") as server:
        requests.post(f"{server.url}/v1/segment?include=mask", samples[0].read_bytes(), timeout=60)
        requests.post(
            f"{server.url}/v1/segment?model=Smith", b"Smith^Jane", headers={"user-agent": "Smith"}, timeout=60
        )
        requests.get(f"{server.url}/v1/jobs/{job}", timeout=120)
        requests.request("SMITH", f"{server.url}/v1/Smith", timeout=120)
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
    assert "smith" not in lowered and job not in lowered and "127.0.0.1" not in lowered.split("\n", 1)[1]


def test_a_server_that_is_stopped_ends_its_work_and_leaves_no_image(
    ichor_binary: Path, samples: list[Path], tmp_path: Path
):
    port = free_port()
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [str(ichor_binary), "serve", "--port", str(port)]
    with running(command, port, tmp_path / "serve.log", cwd=ROOT, env=environment) as process:
        url = f"http://127.0.0.1:{port}"
        content = zip_of(samples, 40)
        order = requests.post(
            f"{url}/v1/uploads", json={"content_type": "application/zip", "size_bytes": len(content)}, timeout=30
        ).json()
        put = order["upload"]
        assert requests.put(url + put["url"], content, headers=put["headers"], timeout=120).status_code == 200
        assert list(tmp_path.glob("ichor-*/jobs/*/job.json")), "the folder of the job is not below TMPDIR"
        # A request in progress is still answered after the signal; "100 Continue" shows that it is in progress.
        image = samples[0].read_bytes()
        with socket.create_connection(("127.0.0.1", port), timeout=120) as link:
            head = f"POST /v1/segment HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(image)}\r\n"
            link.sendall(f"{head}connection: close\r\nexpect: 100-continue\r\n\r\n".encode())
            assert link.recv(1024).startswith(b"HTTP/1.1 100 ")
            process.terminate()
            link.sendall(image)
            assert link.recv(1024).startswith(b"HTTP/1.1 200 ")
            while link.recv(65536):
                pass
        assert process.wait(120) == 0
    assert list(tmp_path.glob("ichor-*")) == []
