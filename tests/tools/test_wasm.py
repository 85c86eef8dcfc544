"""The committed WebAssembly module is that of the sources; `make wasm` builds it again."""

import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import wasm_manifest  # noqa: E402

DEVICE = ROOT / "frontend" / "device"
MODULE = DEVICE / wasm_manifest.MODULE
MAX_BYTES = 3_000_000


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources of the module, without anything else."""
    for crate in wasm_manifest.CRATES:
        shutil.copytree(ROOT / "crates" / crate, tmp_path / "crates" / crate)
    shutil.copy(ROOT / "Cargo.toml", tmp_path)
    return tmp_path


def code_hash(root: Path) -> list[tuple[str, str]]:
    """What the hash of the sources is made of, file by file; without the dependencies, which cargo lists."""
    return [(file.name, wasm_manifest.code_of(file.read_text())) for file in wasm_manifest.source_files(root)]


def test_the_module_is_built_from_the_sources() -> None:
    assert wasm_manifest.problems(DEVICE) == [], "run `make wasm` and commit frontend/device"


def test_the_module_is_small() -> None:
    assert 1_000_000 < MODULE.stat().st_size < MAX_BYTES


def test_a_change_of_code_counts_and_a_comment_or_a_test_does_not(copy: Path) -> None:
    before = code_hash(copy)
    assert len(before) > 100
    source = copy / "crates" / "ichor-core" / "src" / "mask.rs"
    source.write_text("// A comment.\n\n" + source.read_text())
    tests = copy / "crates" / "ichor-core" / "src" / "assess" / "tests.rs"
    tests.write_text("fn changed() {}\n")
    assert code_hash(copy) == before
    source.write_text(source.read_text() + "fn added() {}\n")
    assert code_hash(copy) != before


def test_the_profile_counts() -> None:
    manifest = (ROOT / "Cargo.toml").read_text()
    profile = wasm_manifest.profile_of(manifest)
    assert "lto" in profile and "ichor-core" in profile and "[workspace" not in profile
    assert wasm_manifest.profile_of(manifest.replace('lto = "fat"', 'lto = "thin"')) != profile


def test_a_damaged_module_is_found(tmp_path: Path) -> None:
    shutil.copytree(DEVICE, tmp_path / "device")
    module = tmp_path / "device" / MODULE.name
    module.write_bytes(module.read_bytes()[:-1] + b"\0\0")
    assert "ichor.wasm is not the module" in "; ".join(wasm_manifest.problems(tmp_path / "device"))


def test_no_folder_of_a_machine_is_in_the_module() -> None:
    content = MODULE.read_bytes()
    assert b"/cargo/registry" in content
    assert [folder for folder in (b"/root/", b"/home/", b"/tmp/", b"/Users/") if folder in content] == []


def test_sections_that_no_engine_reads_are_removed() -> None:
    header, code, custom = b"\0asm\x01\0\0\0", b"\x0a\x02ab", b"\0\x81\x01" + bytes(129)
    assert wasm_manifest.without_custom_sections(header + custom + code + custom) == header + code
    module = MODULE.read_bytes()
    assert wasm_manifest.without_custom_sections(module) == module
