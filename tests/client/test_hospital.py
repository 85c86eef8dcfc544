"""The commands of docs/hospital.md as they stand, in a network of their own: Orthanc's DICOM port has no address to
bind to, and would be open to the network of this machine.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from reading import ROOT

PROGRAMS = ("Orthanc", "storescu", "echoscu", "curl", "jq", "unshare", "ip")
MISSING = [program for program in PROGRAMS if not shutil.which(program)]
ISOLATED = ["unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"]

# Each loop ends after 60 seconds.
SCRIPT = """
set -euo pipefail
ip link set lo up
wait_for() {
  for _ in $(seq 300); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.2; done
  echo "no $*" >&2
  exit 1
}
series() {
%(look)s
}
has_segmentation() { series | grep -q '^SEG: '; }
(
%(serve)s
) >serve.log 2>&1 &
wait_for curl -sf http://127.0.0.1:8080/v1/health/ready
(
%(pacs)s
) >pacs.log 2>&1 &
wait_for curl -sf http://127.0.0.1:8042/system
wait_for echoscu -aec PACS 127.0.0.1 4242
%(send)s
wait_for has_segmentation
series
"$CLIENT_PYTHON" read.py
series | sort
"""


def blocks(language: str) -> list[str]:
    text = (ROOT / "docs" / "hospital.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def is_isolated() -> bool:
    return not MISSING and subprocess.run([*ISOLATED, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(bool(MISSING), reason=f"NO {', '.join(MISSING)} HERE: docs/hospital.md is not run")
def test_the_commands_of_the_document_work_as_they_stand(tmp_path: Path):
    if not is_isolated():
        pytest.skip("NO NETWORK NAMESPACES HERE: docs/hospital.md is not run")

    serve, pacs, send, look = blocks("sh")
    (tmp_path / "read.py").write_text("".join(blocks("python")))
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ichor").symlink_to(Path(os.environ["ICHOR_BIN"]).resolve())
    environment = {
        **os.environ,
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "clients" / "python" / "src"),
        "CLIENT_PYTHON": sys.executable,
    }
    script = SCRIPT % {"serve": serve, "pacs": pacs, "send": send, "look": look}
    done = subprocess.run(
        [*ISOLATED, "bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    logs = "".join(log.read_text() for log in tmp_path.glob("*.log"))
    assert done.returncode == 0, done.stdout + done.stderr + logs
    lines = done.stdout.splitlines()
    assert lines[:2] == ["reached", "sent"]
    kinds = sorted(re.findall(r"^([A-Z]+): ", done.stdout, re.MULTILINE))
    assert kinds == ["CT", "CT", "SEG", "SEG", "SEG", "SR"], done.stdout
    assert "detected: False volume: 0.0 mL" in lines and "research only" in done.stdout
