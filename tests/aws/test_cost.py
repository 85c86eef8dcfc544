"""The cost table: its arithmetic, on figures that can be checked by hand."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def cost(repository: Path):
    sys.path.insert(0, str(repository / "infra"))
    import cost

    return cost


FIGURES = {"slice_512x512": {"unet": {"cpu_ms": 200.0}}, "ready_cpu_ms": 0.0}


def test_a_slice_costs_its_gigabyte_seconds_and_its_requests(cost, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cost, "PLATFORM_START_S", 0.0)
    # 0.2 s at one full core of 1769 MB.
    expected = 0.2 * 1769 / 1024 * 0.0000166667 + 0.2e-6 + 1e-6
    assert cost.slice_usd(FIGURES, "unet", 1769, "x86_64") == pytest.approx(expected)
    # Half a core takes twice as long for the same gigabyte-seconds; a second core costs money and is idle.
    assert cost.slice_s(200, 1769 // 2) == pytest.approx(0.4, rel=1e-3)
    assert cost.slice_s(200, 1769 * 2) == cost.slice_s(200, 1769) == 0.2


def test_a_series_gains_from_every_core(cost):
    assert cost.series_s(200, 1769) == pytest.approx(32 * 0.2)
    assert cost.series_s(200, 3 * 1769) == pytest.approx(32 * 0.2 / 3)
    more = cost.series_usd(FIGURES, "unet", 3 * 1769, "x86_64")
    assert more == pytest.approx(cost.series_usd(FIGURES, "unet", 1769, "x86_64"), rel=0.05)


def test_the_table_names_its_date_and_every_memory_size(cost, repository: Path, tmp_path: Path):
    measured = tmp_path / "measured.json"
    measured.write_text(json.dumps(FIGURES))
    command: list = [sys.executable, repository / "infra" / "cost.py", "--measured", measured]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"prices of {cost.PRICES_OF}" in table and "USD = seconds" in table
    assert all(f"{memory:6} " in table for memory in cost.MEMORY_MB)
    missing = subprocess.run([*command[:-1], tmp_path / "none.json"], capture_output=True, text=True, check=False)
    assert missing.returncode == 1 and "make measure" in missing.stderr
