"""Ties the committed WebAssembly module to its sources.

The manifest has the SHA-256 of the module, and one of everything that it is built from: the crates' sources, the
versions and features of their dependencies, and the profile. Comments and tests do not count, as they change nothing.

    python3 scripts/wasm_manifest.py --write FOLDER --compiler "rustc 1.95.0"
    python3 scripts/wasm_manifest.py --check FOLDER
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CRATES = ("ichor-core", "ichor-engine", "ichor-formats", "ichor-image", "ichor-wasm")
MODULE = "ichor.wasm"


def source_files(root: Path) -> list[Path]:
    """The Rust sources of the module, without files of tests, sorted by path."""
    files = [file for crate in CRATES for file in (root / "crates" / crate / "src").rglob("*.rs")]
    return sorted(file for file in files if "tests" not in (*file.parts[:-1], file.stem))


def code_of(text: str) -> str:
    """The lines of a source that are neither empty nor a comment."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def profile_of(manifest: str) -> str:
    """The sections `[profile.release]` and `[profile.wasm…]` of the workspace's Cargo.toml."""
    sections = re.split(r"^(?=\[)", manifest, flags=re.MULTILINE)
    named = [section for section in sections if re.match(r"\[profile\.(release\]|wasm)", section)]
    return "\n".join(line for section in named for line in section.splitlines() if line and not line.startswith("#"))


def dependencies(root: Path) -> str:
    """Versions and features of all crates of the module, one per line."""
    command = (
        "cargo tree --locked --package ichor-wasm --target wasm32-unknown-unknown --edges normal,build --prefix none"
    )
    shown = subprocess.run(
        [*command.split(), "--format", "{p} {f}"], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    # Without the folders of the crates of the workspace, and the marks of repeated lines.
    lines = {re.sub(r" \((/[^)]*|\*|proc-macro)\)", "", line).strip() for line in shown.splitlines()}
    return "\n".join(sorted(lines - {""}))


def source_hash(root: Path = ROOT) -> str:
    """SHA-256 of everything that the module is built from, hexadecimal."""
    digest = hashlib.sha256()
    for file in source_files(root):
        digest.update(f"{file.relative_to(root).as_posix()}\n{code_of(file.read_text())}\n".encode())
    digest.update(profile_of((root / "Cargo.toml").read_text()).encode())
    digest.update(dependencies(root).encode())
    return digest.hexdigest()


def without_custom_sections(module: bytes) -> bytes:
    """The module without sections that no engine reads, as those that dependencies leave for wasm-bindgen.

    After a header of 8 bytes, a section is its kind, 0 if custom, its length as LEB128, and its content.
    """
    kept, start = [module[:8]], 8
    while start < len(module):
        length, shift, at = 0, 0, start + 1
        while True:
            length |= (module[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if module[at - 1] < 0x80:
                break
        if module[start] != 0:
            kept.append(module[start : at + length])
        start = at + length
    return b"".join(kept)


def write(folder: Path, compiler: str) -> None:
    content = without_custom_sections((folder / MODULE).read_bytes())
    (folder / MODULE).write_bytes(content)
    manifest = {
        "sources": source_hash(),
        "compiler": compiler,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print(f"{folder / MODULE}: {len(content)} bytes")


def problems(folder: Path) -> list[str]:
    """Why the module in a folder is not that of the sources; empty if it is."""
    manifest = json.loads((folder / "manifest.json").read_text())
    found = []
    if manifest["sources"] != source_hash():
        found.append("the module was built from other sources")
    if manifest["sha256"] != hashlib.sha256((folder / MODULE).read_bytes()).hexdigest():
        found.append(f"{MODULE} is not the module that the manifest describes")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, metavar="FOLDER")
    parser.add_argument("--check", type=Path, metavar="FOLDER")
    parser.add_argument("--compiler", default="")
    arguments = parser.parse_args()
    if arguments.write:
        write(arguments.write, arguments.compiler)
    if arguments.check and (found := problems(arguments.check)):
        sys.exit(f"error: {'; '.join(found)}. Run `make wasm` and commit {arguments.check}.")


if __name__ == "__main__":
    main()
