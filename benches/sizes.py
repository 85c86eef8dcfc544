"""What has to be shipped, MB."""

import importlib.metadata
import re
from pathlib import Path

MODELS = Path(__file__).resolve().parents[1] / "models"
# What flask_service.py imports; what these need comes along.
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
    """Bytes of the models that the program carries; the Lambda binary and the packages come without any."""
    files = ("model.json", "model.onnx", "MODEL_CARD.md")
    return sum((folder / file).stat().st_size for folder in MODELS.glob("*/") for file in files)


def needed(names) -> set[str]:
    """Distributions and all that they ask for on this machine, extras left out."""
    found, waiting = set(), list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            asked = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # asked for on other systems only
        found.add(name)
        waiting += [re.match(r"[\w.-]+", text).group() for text in asked if "extra ==" not in text]
    return found


def shipped_files() -> list[Path]:
    """All files that the service's packages brought."""
    listed = (file.locate() for name in needed(IMPORTED) for file in importlib.metadata.files(name) or [])
    return [Path(path) for path in listed if path.is_file()]
