"""The software bill of materials: what is shipped, with versions, digests and licences, as CycloneDX 1.5 and as a list.

    python infra/sbom.py [--image gpu|lambda|program] [--output FOLDER] [--format cyclonedx list]

The crates are those that a release build for Linux links (normal dependencies; no build tools, no tests), with the
digests of Cargo.lock. The libraries of the GPU image are those of gpu-requirements.txt. Needs only cargo and Python.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The functions and the GPU container are built with one feature set, so that every crate is compiled once.
FEATURES = {"gpu": "lambda,gpu", "lambda": "lambda,gpu", "program": "default"}
TARGET = "x86_64-unknown-linux-gnu"

# SPDX identifiers for the licences that the packages name in words. NVIDIA's are its agreements for CUDA and cuDNN,
# which allow redistribution as part of a program; their texts are in the image.
LIBRARY_LICENCES = {
    "onnxruntime-gpu": "MIT",
    "onnxruntime": "MIT",
    "nvidia-": "LicenseRef-NVIDIA-Proprietary",
}


def crates(features: str) -> list[dict]:
    """Components of all crates that the program links with these features."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET]
    command += [] if features == "default" else ["--features", features]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode:
        sys.exit(f"error: cargo metadata failed:\n{found.stderr}")
    metadata = json.loads(found.stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    reached, waiting = set(), [root]
    while waiting:
        here = waiting.pop()
        if here not in reached and not is_macro(packages[here]):
            reached.add(here)
            waiting += [d["pkg"] for d in nodes[here]["deps"] if any(k["kind"] is None for k in d["dep_kinds"])]
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    checksums = {(p["name"], p["version"]): p.get("checksum") for p in lock}
    # Those without a source are of the workspace: they are what the bill is of.
    linked = (packages[identifier] for identifier in reached if packages[identifier]["source"])
    return sorted((crate(package, checksums) for package in linked), key=lambda c: (c["name"], c["version"]))


def is_macro(package: dict) -> bool:
    """True for procedural macros: they run at compile time and are not linked."""
    return all("proc-macro" in target["kind"] for target in package["targets"] if "custom-build" not in target["kind"])


def crate(package: dict, checksums: dict) -> dict:
    name, version = package["name"], package["version"]
    # Older crates write `/` for the SPDX operator `OR`.
    licence = re.sub(r"\s*/\s*", " OR ", package["license"] or "")
    if not licence:
        sys.exit(f"error: the crate {name} {version} names no licence; find its licence and add it here")
    return component(name, version, f"pkg:cargo/{name}@{version}", licence, checksums[(name, version)])


def component(name: str, version: str, purl: str, licence: str, sha256: str | None, kind: str = "library") -> dict:
    entry: dict = {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}
    entry["licenses"] = [
        {"license": {"name": licence}} if licence.startswith("LicenseRef") else {"expression": licence}
    ]
    if sha256:
        entry["hashes"] = [{"alg": "SHA-256", "content": sha256}]
    return entry


def libraries(requirements: Path) -> list[dict]:
    """Components of a requirements file that pins version and digest."""
    pattern = r"^(\S+?)==(\S+) \\\n\s+--hash=sha256:([0-9a-f]{64})$"
    found = re.findall(pattern, requirements.read_text(), re.MULTILINE)
    parts = []
    for name, version, sha256 in found:
        licence = next(value for start, value in LIBRARY_LICENCES.items() if name.startswith(start))
        parts.append(component(name, version, f"pkg:pypi/{name}@{version}", licence, sha256))
    return parts


def models() -> list[dict]:
    parts = []
    for spec in sorted((ROOT / "models").glob("*/model.json")):
        model = json.loads(spec.read_text())
        purl = f"pkg:generic/ichor-model-{model['name']}@{model['version']}"
        parts.append(
            component(model["name"], model["version"], purl, "Apache-2.0", model["sha256"], "machine-learning-model")
        )
    return parts


def page() -> list[dict]:
    """Third-party parts of the page."""
    path = ROOT / "frontend" / "vendor" / "niivue.js"
    text = (path.parent / "README.md").read_text()
    version = re.findall(r"\d+\.\d+\.\d+", text)[0]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return [component("@niivue/niivue", version, f"pkg:npm/%40niivue/niivue@{version}", "BSD-2-Clause", digest)]


def bill(image: str) -> dict:
    """The bill of materials in the form of CycloneDX."""
    own = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    version = own["version"]
    subject = component("ichor", version, f"pkg:cargo/ichor@{version}", own["license"], None, "application")
    parts = crates(FEATURES[image])
    if image == "gpu":
        parts += libraries(ROOT / "infra" / "gpu-requirements.txt")
    if image == "program":
        parts += models() + page()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": subject},
        "components": parts,
        "dependencies": [{"ref": subject["bom-ref"], "dependsOn": [part["bom-ref"] for part in parts]}],
    }


def licence_of(part: dict) -> str:
    (entry,) = part["licenses"]
    return entry.get("expression") or entry["license"]["name"]


def listing(whole: dict) -> str:
    """The licences as Markdown, the most frequent first, each with its parts."""
    by_licence: dict[str, list[str]] = {}
    for part in whole["components"]:
        by_licence.setdefault(licence_of(part), []).append(f"{part['name']} {part['version']}")
    lines = [f"# Licences of what is shipped ({len(whole['components'])} parts)\n"]
    for licence, parts in sorted(by_licence.items(), key=lambda item: (-len(item[1]), item[0])):
        lines.append(f"## {licence}\n\n{', '.join(parts)}\n")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--image", choices=FEATURES, default="program", help="the program, the Lambda functions or the GPU image"
    )
    parser.add_argument("--output", type=Path, default=Path("sbom"), help="folder, created if it is missing")
    parser.add_argument("--format", nargs="+", choices=["cyclonedx", "list"], default=["cyclonedx", "list"])
    arguments = parser.parse_args()
    whole = bill(arguments.image)
    arguments.output.mkdir(parents=True, exist_ok=True)
    if "cyclonedx" in arguments.format:
        (arguments.output / f"{arguments.image}.cdx.json").write_text(json.dumps(whole, indent=1) + "\n")
    if "list" in arguments.format:
        (arguments.output / f"{arguments.image}-licences.md").write_text(listing(whole))
    print(f"{len(whole['components'])} parts of {arguments.image} in {arguments.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
