"""DICOM segmentations and NIfTI masks, read by highdicom, pydicom and nibabel.

ICHOR_DICOM_HEAD names the folder of a real series; the default is the four slices in tests/data.
"""

import os
from pathlib import Path

import highdicom as hd
import nibabel
import numpy as np
import pydicom
import pytest
from head_series import COLUMN_MM, COLUMNS, ROW_MM, ROWS, SLICES, write_series
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, SegmentationStorage
from reading import ROOT, segment


@pytest.fixture(scope="module")
def tilted(tmp_path_factory):
    """A tilted, unevenly spaced series and its result."""
    folder = tmp_path_factory.mktemp("tilted")
    slices = write_series(folder / "head", gaps_mm=[5, 5, 5, 5, 7, 7, 7])
    return slices, segment(folder / "head", folder / "out")


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """An even, upright series and its result."""
    folder = tmp_path_factory.mktemp("straight")
    slices = write_series(folder / "head", gaps_mm=[5] * (SLICES - 1), tilt_degrees=0)
    return slices, segment(folder / "head", folder / "out")


def frames_by_source(seg, uids):
    return seg.get_pixels_by_source_instance(
        uids, combine_segments=True, assert_missing_frames_are_empty=True, ignore_spatial_locations=False
    )


def test_highdicom_reads_the_masks_slice_by_slice(tilted):
    slices, result = tilted
    seg = hd.seg.segread(result.seg)
    masks = result.masks()
    assert masks.shape == (SLICES, ROWS, COLUMNS) and masks.any()
    assert np.array_equal(frames_by_source(seg, [s.SOPInstanceUID for s in slices]), masks)
    assert seg.NumberOfFrames == masks.any(axis=(1, 2)).sum()


def test_the_segment_says_what_it_is_and_who_made_it(tilted):
    seg = hd.seg.segread(tilted[1].seg)
    assert seg.segmentation_type == hd.seg.SegmentationTypeValues.BINARY
    (segment_one,) = [seg.get_segment_description(n) for n in seg.segment_numbers]
    assert segment_one.segmented_property_category == codes.SCT.MorphologicallyAbnormalStructure
    assert segment_one.segmented_property_type == hd.sr.CodedConcept("1386000", "SCT", "Intracranial hemorrhage")
    assert segment_one.algorithm_type == hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC
    assert "unet" in segment_one.SegmentAlgorithmName


def test_patient_study_and_space_are_those_of_the_source(tilted):
    slices, result = tilted
    seg = pydicom.dcmread(result.seg)
    for name in (
        "PatientID",
        "PatientName",
        "PatientBirthDate",
        "PatientSex",
        "StudyInstanceUID",
        "StudyDate",
        "StudyTime",
        "StudyID",
        "AccessionNumber",
        "FrameOfReferenceUID",
    ):
        assert str(seg[name].value) == str(slices[0][name].value), name
    assert seg.SeriesInstanceUID != slices[0].SeriesInstanceUID
    assert (seg.SOPClassUID, seg.file_meta.TransferSyntaxUID) == (SegmentationStorage, ExplicitVRLittleEndian)
    shared = seg.SharedFunctionalGroupsSequence[0]
    for frame in seg.PerFrameFunctionalGroupsSequence:
        assert list(frame.PixelMeasuresSequence[0].PixelSpacing) == [ROW_MM, COLUMN_MM]
    orientation = shared.PlaneOrientationSequence[0].ImageOrientationPatient
    # Direction cosines are written as unit vectors, independent of the rounding in the source.
    assert np.allclose(orientation, slices[0].ImageOrientationPatient, atol=1e-7)
    by_uid = {s.SOPInstanceUID: s for s in slices}
    for frame in seg.PerFrameFunctionalGroupsSequence:
        source = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        assert list(position) == list(by_uid[source].ImagePositionPatient)
    referenced = seg.ReferencedSeriesSequence[0]
    assert referenced.SeriesInstanceUID == slices[0].SeriesInstanceUID
    assert {item.ReferencedSOPInstanceUID for item in referenced.ReferencedInstanceSequence} == set(by_uid)


def test_every_value_fits_its_representation(tilted, monkeypatch):
    monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.RAISE)
    pydicom.dcmread(tilted[1].seg).walk(lambda dataset, element: element.value)


def test_uids_are_new_each_time_and_differ_within_the_object(tilted, straight):
    def uids(result):
        seg = pydicom.dcmread(result.seg)
        return [
            seg.SOPInstanceUID,
            seg.SeriesInstanceUID,
            seg.DimensionOrganizationSequence[0].DimensionOrganizationUID,
        ]

    everything = uids(tilted[1]) + uids(straight[1])
    assert len(set(everything)) == 6 and all(uid.startswith("2.25.") and uid.is_valid for uid in everything)


def test_an_even_series_is_a_volume_that_agrees_with_the_nifti_mask(straight):
    slices, result = straight
    masks = result.masks()
    nifti = result.nifti()
    # NIfTI counts columns, rows, slices; world is right, front, up where DICOM is left, back, up.
    assert np.array_equal(np.asarray(nifti.dataobj), masks.transpose(2, 1, 0))
    for index, source in enumerate(slices):
        expected = np.array(source.ImagePositionPatient) * [-1, -1, 1]
        assert np.allclose(nifti.affine @ [0, 0, index, 1], [*expected, 1], atol=1e-4)
    assert nibabel.aff2axcodes(nifti.affine) == ("L", "P", "S")
    assert np.allclose(nifti.header.get_zooms(), [COLUMN_MM, ROW_MM, 5])
    assert "nifti_geometry_inexact" not in result.warnings()
    volume = hd.seg.segread(result.seg).get_volume(combine_segments=True, allow_missing_positions=True)
    assert volume.array.sum() == masks.sum()


def test_tilt_and_uneven_spacing_are_said(tilted):
    warnings = tilted[1].warnings()
    assert {"gantry_tilt", "nifti_geometry_inexact"} <= warnings
    assert abs(tilted[1].report["series"]["tilt_degrees"] - 12) < 0.1


def test_the_volume_in_the_report_is_that_of_the_masks(tilted):
    _, result = tilted
    gaps = np.array([5, 5, 5, 5, 7, 7, 7]) * np.cos(np.deg2rad(12))
    depth = (np.concatenate([gaps[:1], gaps]) + np.concatenate([gaps, gaps[-1:]])) / 2
    expected = (result.masks().sum(axis=(1, 2)) * depth).sum() * ROW_MM * COLUMN_MM / 1000
    assert result.report["volume"]["total_volume_ml"] == pytest.approx(expected, rel=1e-3)


def test_a_real_series_reads_back(tmp_path):
    series = Path(os.environ.get("ICHOR_DICOM_HEAD", ROOT / "tests/data/dicom/head-ge"))
    result = segment(series, tmp_path)
    masks = result.masks()
    images = [pydicom.dcmread(path, stop_before_pixels=True) for path in series.rglob("*.dcm")]
    images.sort(key=lambda image: image.ImagePositionPatient[2])
    seg = hd.seg.segread(result.seg)
    assert np.array_equal(frames_by_source(seg, [image.SOPInstanceUID for image in images]), masks)
