"""The machine and the versions that a figure was measured with."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

PEERS = ("flask", "numpy", "onnxruntime", "opencv-python-headless", "openvino", "pillow", "waitress")
REPORTED_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "asimddp")
ROOT = Path(__file__).resolve().parents[1]


def facts() -> dict:
    """CPU, memory and versions; nothing that identifies a person or a place."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    flags = (fields.get("flags") or fields.get("Features", "")).split()
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {
        "cpu": fields.get("model name", platform.machine()),
        "cores": len(os.sched_getaffinity(0)),
        "instructions": [flag for flag in REPORTED_FLAGS if flag in flags],
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "load_before": round(os.getloadavg()[0], 1),
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        "peers": {name: importlib.metadata.version(name) for name in PEERS},
        "commit": commit.stdout.strip() or None,
    }
