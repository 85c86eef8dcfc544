"""A generated head CT as a DICOM series: tilted, unevenly spaced, of a patient with an umlaut."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

ROWS, COLUMNS, SLICES = 176, 160, 8
ROW_MM, COLUMN_MM = 1.2, 1.25
TILT_DEGREES = 12.0


def write_series(
    folder: Path,
    *,
    gaps_mm: Sequence[float],
    tilt_degrees: float = TILT_DEGREES,
    change: Callable[[Dataset, int], None] = lambda image, index: None,
) -> list[Dataset]:
    """Writes one file per slice, with names in reverse order, and returns the slices from feet to head."""
    folder.mkdir(parents=True)
    study, series, frame_of_reference = generate_uid(), generate_uid(), generate_uid()
    heights = np.concatenate([[0.0], np.cumsum(gaps_mm)]) - 30
    slices = []
    for index, height in enumerate(heights):
        image = _slice(index, len(heights))
        image.StudyInstanceUID, image.SeriesInstanceUID = study, series
        image.FrameOfReferenceUID = frame_of_reference
        lean = np.deg2rad(tilt_degrees)
        image.ImageOrientationPatient = [1, 0, 0, 0, round(float(np.cos(lean)), 8), round(float(np.sin(lean)), 8)]
        # The table moves along the body at any angle of the gantry.
        image.ImagePositionPatient = [-100.5, -110.25, float(height)]
        change(image, index)
        image.save_as(folder / f"{len(heights) - index:02}.dcm", enforce_file_format=True)
        slices.append(image)
    return slices


def hounsfield(index: int, count: int) -> np.ndarray:
    """Skull, brain, ventricle and an ellipsoid of blood on the patient's left."""
    row, column = np.mgrid[0:ROWS, 0:COLUMNS]
    x, y, z = column / COLUMNS - 0.5, row / ROWS - 0.5, index / (count - 1) - 0.5

    def inside(at, radii):
        return ((x - at[0]) / radii[0]) ** 2 + ((y - at[1]) / radii[1]) ** 2 + ((z - at[2]) / radii[2]) ** 2 < 1

    image = np.full((ROWS, COLUMNS), -1000)
    image[inside((0, 0, 0), (0.39, 0.45, 1.1))] = 1000
    brain = inside((0, 0, 0), (0.35, 0.41, 1.0))
    image[brain] = 28
    image[inside((0.05, -0.02, 0), (0.03, 0.09, 0.5))] = 2
    image[inside((0.16, 0.05, 0), (0.09, 0.13, 0.35))] = 66
    image[brain] += np.random.default_rng(index).integers(0, 13, brain.sum())
    return image


def _slice(index: int, count: int) -> Dataset:
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SpecificCharacterSet = "ISO_IR 100"
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, generate_uid()
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.Modality, image.RescaleType = "CT", "HU"
    image.PatientName, image.PatientID, image.PatientSex = "Müller^Änne", "PHANTOM", "F"
    image.PatientBirthDate, image.StudyDate, image.StudyTime = "19500203", "20200102", "101112"
    image.StudyID, image.AccessionNumber = "7", "A-1"
    image.InstanceNumber = index + 1
    image.PixelSpacing, image.SliceThickness = [ROW_MM, COLUMN_MM], 5
    image.PhotometricInterpretation, image.SamplesPerPixel = "MONOCHROME2", 1
    image.Rows, image.Columns = ROWS, COLUMNS
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
    image.RescaleSlope, image.RescaleIntercept = 1, -1024
    image.PixelData = (hounsfield(index, count) + 1024).astype("<u2").tobytes()
    return image
