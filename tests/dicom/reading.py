"""Runs `ichor segment` on a folder and reads its results.

ICHOR_BIN names the program; the default is the one of `make build`.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pydicom
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
BUILT = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "ichor"
ICHOR = os.environ.get("ICHOR_BIN", str(BUILT))


@dataclass
class Result:
    """The results of one folder."""

    folder: Path
    stem: str
    report: dict

    def masks(self) -> np.ndarray:
        """Slices, rows, columns of 0 and 1, from the PNGs."""
        paths = sorted(self.folder.glob(f"{self.stem}_*_mask.png"))
        return np.stack([np.asarray(Image.open(path)) // 255 for path in paths])

    @property
    def seg(self) -> Path:
        return self.folder / f"{self.stem}_seg.dcm"

    @property
    def sr(self) -> Path:
        return self.folder / f"{self.stem}_sr.dcm"

    def nifti(self) -> nibabel.Nifti1Image:
        return nibabel.load(self.folder / f"{self.stem}_mask.nii.gz")

    def warnings(self) -> set[str]:
        return {warning["code"] for warning in self.report["warnings"]}


def volume_ml(seg: Path) -> float:
    """Volume of a segmentation from the pixel measures of its frames, shared or per frame."""
    dataset = pydicom.dcmread(seg)
    pixels = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    total = 0.0
    for mask, frame in zip(pixels, dataset.PerFrameFunctionalGroupsSequence, strict=True):
        assert ("PixelMeasuresSequence" in frame) != ("PixelMeasuresSequence" in shared)
        measures = (frame if "PixelMeasuresSequence" in frame else shared).PixelMeasuresSequence[0]
        assert measures.get("SpacingBetweenSlices", measures.SliceThickness) == measures.SliceThickness
        total += mask.sum() * np.prod(measures.PixelSpacing) * measures.SliceThickness / 1000
    return total


def segment(series: Path, output: Path, formats: str = "png,nifti,dicom-seg") -> Result:
    command = [
        ICHOR,
        "segment",
        str(series),
        "--model",
        "unet",
        "--output",
        str(output),
    ]
    run = subprocess.run([*command, "--format", formats], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return Result(output, series.name, json.loads(run.stdout))
