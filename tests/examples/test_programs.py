"""The examples in curl, Python and Rust, each run against a server or a file."""

import json
import os
import re
import sys
from pathlib import Path

import requests
from example_run import EXAMPLES, ROOT, run
from ichor_server import IchorServer

PNG = b"\x89PNG\r\n\x1a\n"


def test_curl_saves_report_overlay_and_mask(server: IchorServer, slice_file: Path, tmp_path: Path):
    run([EXAMPLES / "curl" / "slice.sh", slice_file, tmp_path], server.url)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["hemorrhage"]["detected"] is True and report["lesions"][0]["contour"]
    assert (tmp_path / "overlay.png").read_bytes().startswith(PNG)
    assert (tmp_path / "mask.png").read_bytes().startswith(PNG)


def test_curl_gets_the_result_of_a_job(server: IchorServer, series_file: Path, tmp_path: Path):
    run([EXAMPLES / "curl" / "series.sh", series_file, tmp_path], server.url)
    assert len(json.loads((tmp_path / "result.json").read_text())["slices"]) == 4
    job = json.loads((tmp_path / "job.json").read_text())
    assert requests.get(f"{server.url}/v1/jobs/{job['id']}", timeout=60).status_code == 404, "the job is not deleted"


def test_curl_reports_an_error(server: IchorServer, tmp_path: Path):
    (tmp_path / "text.png").write_text("not an image")
    for script in ("slice.sh", "series.sh"):
        done = run([EXAMPLES / "curl" / script, tmp_path / "text.png", tmp_path], server.url, check=False)
        assert done.returncode != 0, script


def test_python_segments_a_slice(server: IchorServer, slice_file: Path, tmp_path: Path):
    overlay = tmp_path / "overlay.png"
    text = run([sys.executable, EXAMPLES / "python" / "slice.py", slice_file, overlay], server.url).stdout
    assert text.startswith("hemorrhage: yes, probability 0.") and "lesion 1: " in text
    assert overlay.read_bytes().startswith(PNG)


def test_python_segments_a_series(server: IchorServer, series_file: Path):
    text = run([sys.executable, EXAMPLES / "python" / "series.py", series_file], server.url).stdout
    assert re.search(r"^hemorrhage: \w+, 4 slices\nvolume: [0-9.]+ mL\n", text), text


def test_python_reports_a_problem(server: IchorServer, tmp_path: Path):
    (tmp_path / "text.png").write_text("not an image")
    for script, code in (("slice.py", "unsupported_media_type"), ("series.py", "415")):
        done = run([sys.executable, EXAMPLES / "python" / script, tmp_path / "text.png"], server.url, check=False)
        assert done.returncode == 1 and done.stderr.startswith("error: "), done.stderr
        assert code in done.stderr or "is failed" in done.stderr, done.stderr


def test_rust_agrees_with_the_server(server: IchorServer, slice_file: Path, tmp_path: Path):
    binary = Path(os.environ["ICHOR_EXAMPLES"]) / "segment_slice"
    mask = tmp_path / "mask.png"
    text = run([binary, slice_file, ROOT / "models", mask]).stdout
    url = f"{server.url}/v1/segment?include="
    report = requests.post(url, slice_file.read_bytes(), timeout=60).json()
    areas = "".join(f"lesion {lesion['id']}: {lesion['area_px']} px\n" for lesion in report["lesions"])
    assert text.startswith("hemorrhage: yes") and text.endswith(areas) and areas
    assert mask.read_bytes().startswith(PNG)
    assert "usage" in run([binary], check=False).stderr


def test_the_readme_lists_every_example():
    text = (EXAMPLES / "README.md").read_text()
    files = sorted(path.relative_to(EXAMPLES) for path in EXAMPLES.glob("*/*") if path.suffix != ".pyc")
    assert len(files) >= 8
    for file in files:
        if "__pycache__" not in file.parts:
            assert f"]({file})" in text, file
