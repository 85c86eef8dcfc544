"""Sizes of what is shipped, in MB."""

import importlib.metadata
import re
from pathlib import Path

MODELS = Path(__file__).resolve().parents[1] / "models"
# The imports of flask_service.py; their own requirements are added.
IMPORTED = ("flask", "numpy", "onnxruntime", "opencv-python-headless", "pillow", "waitress")


def measure(binary: Path, cache: Path) -> dict:
    folder = cache / "lambda" / "api"
    (archive,) = folder.glob("ichor-api-*.zip")
    return {
        "ichor": round((binary.stat().st_size - embedded_models()) / 1e6, 1),
        "lambda": round((folder / "bootstrap").stat().st_size / 1e6, 1),
        "lambda_zip": round(archive.stat().st_size / 1e6, 1),
        "flask_packages": round(sum(path.stat().st_size for path in shipped_files()) / 1e6, 1),
    }


def embedded_models() -> int:
    """Bytes of the models inside the program; the Lambda binary and the Python packages hold no model."""
    files = ("model.json", "model.onnx", "MODEL_CARD.md")
    return sum((folder / file).stat().st_size for folder in MODELS.glob("*/") for file in files)


def needed(names) -> set[str]:
    """Distributions with all their requirements on this platform, without extras."""
    found, waiting = set(), list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            asked = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # required on other platforms only
        found.add(name)
        waiting += [re.findall(r"^[\w.-]+", text)[0] for text in asked if "extra ==" not in text]
    return found


def shipped_files() -> list[Path]:
    """All files of the packages of the service."""
    listed = (file.locate() for name in needed(IMPORTED) for file in importlib.metadata.files(name) or [])
    return [path for path in map(Path, listed) if path.is_file()]
