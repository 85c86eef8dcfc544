"""Packs a Linux binary for AWS Lambda: a zip with one executable file called `bootstrap`.

Refuses (exit 1) a binary of another architecture, or one that needs a newer glibc than the runtime has; on AWS either
mistake would appear only at the first invocation.
"""

import argparse
import pathlib
import re
import sys
import zipfile

ELF_MACHINES = {62: "x86_64", 183: "arm64"}


def glibc_needed(binary: bytes) -> tuple[int, int]:
    """The newest glibc symbol version named in the file; (0, 0) for a static binary."""
    versions = {(int(a), int(b)) for a, b in re.findall(rb"\0GLIBC_(\d+)\.(\d+)", binary)}
    return max(versions, default=(0, 0))


def pack(binary: bytes, folder: pathlib.Path, name: str, arch: str) -> pathlib.Path:
    """Writes `bootstrap` and the zip; the same binary gives the same zip, byte for byte."""
    folder.mkdir(parents=True, exist_ok=True)
    bootstrap = folder / "bootstrap"
    bootstrap.write_bytes(binary)
    bootstrap.chmod(0o755)
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o100755 << 16
    archive = folder / f"ichor-{name}-{arch}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        out.writestr(entry, binary, compress_type=zipfile.ZIP_DEFLATED)
    return archive


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("name", help="name of the function")
    parser.add_argument("arch", choices=sorted(ELF_MACHINES.values()))
    parser.add_argument("--newest-glibc", required=True, help="glibc version of the runtime, such as 2.34")
    args = parser.parse_args()

    binary = args.binary.read_bytes()
    machine = ELF_MACHINES.get(int.from_bytes(binary[18:20], "little"))
    if binary[:4] != b"\x7fELF" or machine != args.arch:
        sys.exit(f"error: {args.binary} is not an ELF binary for {args.arch}")
    needed = glibc_needed(binary)
    if needed > tuple(int(part) for part in args.newest_glibc.split(".")):
        sys.exit(f"error: {args.binary} needs glibc {needed[0]}.{needed[1]}, the runtime has {args.newest_glibc}")

    archive = pack(binary, args.folder, args.name, args.arch)
    print(
        f"binary {len(binary) / 1e6:.1f} MB (glibc {needed[0]}.{needed[1]}), "
        f"zip {archive.stat().st_size / 1e6:.1f} MB: {archive}"
    )


if __name__ == "__main__":
    main()
