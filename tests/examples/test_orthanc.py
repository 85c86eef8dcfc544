"""The script for Orthanc, run by a Lua interpreter with the functions of Orthanc that it calls, and by Orthanc itself
where that is installed."""

import json
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

import lupa
import pytest
import requests
from example_run import EXAMPLES, run
from ichor_server import IchorServer
from loopback import free_port, running

SCRIPT = EXAMPLES / "orthanc" / "ichor.lua"


class Orthanc:
    """The functions that Orthanc gives to its scripts; `HttpPost` sends real requests."""

    def __init__(self, url: str, series: bytes):
        self.series = series
        self.stored: list[bytes] = []
        self.printed: list[str] = []
        # Text as bytes: a DICOM file is no text.
        self.lua = lupa.LuaRuntime(encoding=None)
        functions = self.lua.globals()
        functions[b"RestApiGet"] = self.get
        functions[b"RestApiPost"] = self.post
        functions[b"HttpPost"] = self.http_post
        functions[b"SetHttpTimeout"] = lambda seconds: None
        functions[b"ParseJson"] = lambda text: self.lua.table_from(json.loads(text, object_hook=as_bytes))
        functions[b"print"] = lambda text: self.printed.append(text.decode())
        functions[b"os"][b"getenv"] = {b"ICHOR_URL": url.encode()}.get
        self.lua.execute(SCRIPT.read_bytes())

    def get(self, path: bytes) -> bytes:
        assert path == b"/series/abc/archive"
        return self.series

    def post(self, path: bytes, body: bytes) -> bytes:
        assert path == b"/instances"
        self.stored.append(body)
        return b'{"ID": "1234"}'

    def http_post(self, url: bytes, body: bytes, headers) -> bytes | None:
        """The body of the answer; nil after an error, as in Orthanc."""
        sent = {name.decode(): value.decode() for name, value in headers.items()}
        answer = requests.post(url.decode(), body, headers=sent, timeout=60)
        return answer.content if answer.ok else None

    def stable_series(self, modality: bytes) -> None:
        tags = self.lua.table_from({b"Modality": modality})
        self.lua.globals()[b"OnStableSeries"](b"abc", tags, self.lua.table())


def as_bytes(value: dict) -> dict:
    return {name.encode(): text.encode() for name, text in value.items()}


def test_a_ct_series_comes_back_as_a_segmentation(server: IchorServer, series_file: Path):
    orthanc = Orthanc(server.url, series_file.read_bytes())
    orthanc.stable_series(b"CT")
    (stored,) = orthanc.stored
    # DICOM, with the class of segmentations (PS3.4 B.5).
    assert stored[128:132] == b"DICM" and b"1.2.840.10008.5.1.4.1.1.66.4" in stored
    assert orthanc.printed == ["ichor: segmentation of series abc stored as 1234"]


def test_other_series_are_not_sent(server: IchorServer, series_file: Path):
    orthanc = Orthanc("http://127.0.0.1:1", series_file.read_bytes())
    orthanc.stable_series(b"SEG")
    assert not orthanc.stored and not orthanc.printed


def test_a_series_that_cannot_be_read_stores_nothing(server: IchorServer):
    orthanc = Orthanc(server.url, b"PK\x03\x04nothing")
    orthanc.stable_series(b"CT")
    assert orthanc.stored == [] and orthanc.printed == ["ichor: no segmentation of series abc"]


@pytest.mark.skipif(not shutil.which("luac"), reason="NO LUAC HERE: the script is run, but not compiled by luac")
def test_luac_accepts_the_script():
    run(["luac", "-p", SCRIPT])


@pytest.mark.skipif(not shutil.which("Orthanc"), reason="NO ORTHANC HERE: the script runs on a stand-in only")
def test_orthanc_stores_the_segmentation(server: IchorServer, series_file: Path, tmp_path: Path, monkeypatch):
    port = free_port()
    configuration = {
        "Name": "Test",
        "HttpPort": port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomServerEnabled": False,
        "StableAge": 1,
        "LuaScripts": [str(SCRIPT)],
        "StorageDirectory": str(tmp_path / "storage"),
        "IndexDirectory": str(tmp_path / "storage"),
        "Plugins": [],
    }
    (tmp_path / "orthanc.json").write_text(json.dumps(configuration))
    monkeypatch.setenv("ICHOR_URL", server.url)
    log = tmp_path / "orthanc.log"
    with running(["Orthanc", str(tmp_path / "orthanc.json")], port, log):
        url = f"http://127.0.0.1:{port}"
        with zipfile.ZipFile(series_file) as archive:
            for name in archive.namelist():
                assert requests.post(f"{url}/instances", archive.read(name), timeout=60).ok, log.read_text()
        deadline = time.monotonic() + 120
        while "SEG" not in (found := modalities(url)):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.5)
    assert sorted(found) == ["CT", "SEG"], subprocess.list2cmdline(found)


def modalities(url: str) -> list[str]:
    series = requests.get(f"{url}/series?expand", timeout=60).json()
    return [item["MainDicomTags"]["Modality"] for item in series]
