"""The volume from the pixel measures of the segmentation, in the structured report and in the JSON report."""

import highdicom as hd
import pytest
from head_series import COLUMN_MM, COLUMNS, ROW_MM, ROWS, write_series
from reading import segment, volume_ml

VOLUME = hd.sr.CodedConcept("118565006", "SCT", "Volume")
EVEN = [5, 5, 5, 5, 5, 5, 5]


def overlapping(image, _):
    image.SliceThickness = 7.5


def thicker_above(image, index):
    image.SliceThickness = 5 if index < 5 else 10


def resized(image, index):
    """The upper slices have a larger field of view with the same centre."""
    if index >= 4:
        row_mm, column_mm = ROW_MM * 1.1, COLUMN_MM * 1.1
        image.PixelSpacing = [row_mm, column_mm]
        x, y, z = image.ImagePositionPatient
        x -= (COLUMNS - 1) * (column_mm - COLUMN_MM) / 2
        y -= (ROWS - 1) * (row_mm - ROW_MM) / 2
        image.ImagePositionPatient = [round(x, 4), round(y, 4), z]


def moved(image, index):
    """The upper slices show another part of the plane."""
    if index >= 4:
        x, y, z = image.ImagePositionPatient
        image.ImagePositionPatient = [x + 12, y, z]


@pytest.mark.parametrize(
    ("gaps_mm", "tilt_degrees", "change"),
    [
        (EVEN, 0, overlapping),
        (EVEN, 12, overlapping),
        ([5, 5, 5, 5, 7.5, 10, 10], 0, thicker_above),
        ([5, 5, 5, 5, 7.5, 10, 10], 18, thicker_above),
        ([2.5, 5, 2.5, 5, 2.5, 5, 2.5], 0, overlapping),
        (EVEN, 0, resized),
        (EVEN, 0, moved),
    ],
)
def test_all_three_say_the_same_volume(tmp_path, gaps_mm, tilt_degrees, change):
    write_series(tmp_path / "head", gaps_mm=gaps_mm, tilt_degrees=tilt_degrees, change=change)
    result = segment(tmp_path / "head", tmp_path / "out", "dicom-sr,nifti,json")
    reported = result.report["volume"]["total_volume_ml"]
    assert reported > 1
    assert volume_ml(result.seg) == pytest.approx(reported, rel=3e-4)
    (group,) = hd.sr.srread(result.sr).content.get_volumetric_roi_measurement_groups()
    (measurement,) = group.get_measurements(name=VOLUME)
    assert measurement.value == pytest.approx(reported, abs=6e-4)
    nifti = result.nifti()
    in_nifti = nifti.get_fdata().sum() * abs(nifti.header["pixdim"][1:4].prod()) / 1000
    is_exact = in_nifti == pytest.approx(reported, rel=0.02)
    assert is_exact or "nifti_geometry_inexact" in result.warnings()


@pytest.mark.parametrize("change", [resized, moved])
def test_a_field_of_view_that_changes_is_no_tilt(tmp_path, change):
    write_series(tmp_path / "head", gaps_mm=EVEN, tilt_degrees=0, change=change)
    result = segment(tmp_path / "head", tmp_path / "out", "nifti")
    assert result.report["series"]["tilt_degrees"] == pytest.approx(0, abs=0.01)
    assert "gantry_tilt" not in result.warnings()
    assert "nifti_geometry_inexact" in result.warnings()
