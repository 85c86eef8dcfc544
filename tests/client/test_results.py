"""The forms of a result: against the files of `ichor segment`, and read by nibabel, pydicom, highdicom and dciodvfy."""

import json
import subprocess
import warnings
from pathlib import Path

import highdicom as hd
import nibabel
import numpy as np
import pandas as pd
import pydicom
import pytest
from blood import blood_of, dice
from head_series import write_series
from ichor_client import Analysis, GeometryError, GeometryWarning, Ichor, InputError, InvalidRequestError, SeriesReport
from pydicom.dataset import Dataset
from reading import Result, segment

# Text that differs from one writer or run to the next.
VARIABLE = {"Device Observer UID", "Tracking Unique Identifier", "Referenced Segment"}


def test_masks_and_report_are_those_of_the_program(analysis: Analysis, program: Result):
    assert np.array_equal(analysis.mask(), program.masks() == 1) and analysis.mask().any()
    assert analysis.volume_ml == program.report["volume"]["total_volume_ml"] > 1
    assert analysis.detected is True and analysis.verdict == program.report["hemorrhage"]["verdict"]
    assert {warning.code for warning in analysis.warnings} <= program.warnings()


def test_the_probability_map_explains_the_mask(analysis: Analysis):
    probabilities = analysis.probability_map()
    assert probabilities.shape == analysis.mask().shape and probabilities.dtype == np.float32
    assert probabilities.min() >= 0 and 0.9 < probabilities.max() <= 1
    assert isinstance(analysis.report, SeriesReport)
    lowest = min(part.threshold for part in analysis.report.slices)
    assert probabilities[analysis.mask()].min() >= lowest - 1 / 255


def test_the_overlay_is_a_picture_of_the_slice(analysis: Analysis):
    assert analysis.overlay_png(0).startswith(b"\x89PNG") and analysis.overlay_png() != analysis.overlay_png(0)
    assert analysis._repr_png_() == analysis.overlay_png()
    with pytest.raises(InputError, match="There is no slice 8"):
        analysis.overlay_png(8)


def test_tables_are_those_of_the_program(analysis: Analysis, program: Result):
    for name, table in (("lesions", analysis.lesions_table()), ("regions", analysis.regions_table())):
        (file,) = program.folder.glob(f"*{name}*.csv")
        written = pd.read_csv(file)
        assert len(table) == len(written) > 0
        assert list(table.columns) == [column for column in written.columns if column in table.columns]
        pd.testing.assert_frame_equal(table, written[table.columns], check_dtype=False, rtol=1e-4)


def test_nifti_of_an_uneven_series_is_that_of_the_program(analysis: Analysis, program: Result):
    with pytest.warns(GeometryWarning, match="unevenly spaced"):
        image = analysis.to_nifti()
    written = program.nifti()
    assert np.allclose(image.affine, written.affine, atol=1e-4)
    assert np.array_equal(np.asarray(image.dataobj), np.asarray(written.dataobj)) and image.get_fdata().any()


def test_nifti_of_an_even_series_is_that_of_the_program_without_a_warning(ichor: Ichor, tmp_path: Path):
    write_series(tmp_path / "head", gaps_mm=[5] * 7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = ichor.segment(tmp_path / "head", model="unet").to_nifti()
    written = segment(tmp_path / "head", tmp_path / "out", "nifti").nifti()
    assert np.allclose(image.affine, written.affine, atol=1e-4)
    assert np.array_equal(np.asarray(image.dataobj), np.asarray(written.dataobj)) and image.get_fdata().any()


@pytest.mark.parametrize("axes", ["LPS", "PIR"])
def test_nifti_of_a_volume_lies_on_the_grid_of_that_volume(ichor: Ichor, volume: np.ndarray, axes: str, tmp_path: Path):
    """Written along other axes, as other programs do, and oblique by 8 degrees."""
    lean = np.deg2rad(8)
    turn = np.array([[1, 0, 0], [0, np.cos(lean), -np.sin(lean)], [0, np.sin(lean), np.cos(lean)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([-1.25, -1.2, 6])
    affine[:3, 3] = [90.5, 101.25, -20]
    straight = nibabel.Nifti1Image(volume.transpose(2, 1, 0).astype(np.int16), affine)
    to_axes = nibabel.orientations.ornt_transform(
        nibabel.io_orientation(affine), nibabel.orientations.axcodes2ornt(axes)
    )
    given = straight.as_reoriented(to_axes)
    assert "".join(nibabel.aff2axcodes(given.affine)) == axes
    path = tmp_path / "head.nii.gz"
    nibabel.save(given, path)
    # The two are sent alike: the file, and what nibabel holds in memory.
    result = ichor.segment(path if axes == "LPS" else given, model="unet", probabilities=True)
    image = result.to_nifti()
    assert image.shape == given.shape and np.array_equal(image.affine, nibabel.load(path).affine)
    assert dice(np.asarray(image.dataobj) == 1, blood_of(np.asarray(given.dataobj))) > 0.7
    probabilities = result.to_nifti(probabilities=True)
    assert probabilities.shape == given.shape and probabilities.get_data_dtype() == np.float32


def test_nifti_of_one_slice_of_a_volume_keeps_its_affine(ichor: Ichor, volume: np.ndarray, tmp_path: Path):
    affine = np.diag([-1.25, -1.2, 6, 1])
    nibabel.save(nibabel.Nifti1Image(volume[4].T[:, :, None].astype(np.int16), affine), tmp_path / "slice.nii")
    image = ichor.segment(tmp_path / "slice.nii", model="unet").to_nifti()
    assert image.shape == (160, 176, 1) and np.allclose(image.affine, affine)
    assert dice(np.asarray(image.dataobj)[:, :, 0] == 1, blood_of(volume[4]).T) > 0.7


def test_the_segmentation_is_that_of_the_program(analysis: Analysis, program: Result, tmp_path: Path):
    analysis.to_seg().save_as(tmp_path / "seg.dcm")
    seg, written = hd.seg.segread(tmp_path / "seg.dcm"), hd.seg.segread(program.seg)
    assert np.array_equal(seg.pixel_array, written.pixel_array)
    assert seg.SOPInstanceUID != written.SOPInstanceUID and analysis.to_seg() is analysis.to_seg()
    sources = [item.ReferencedSOPInstanceUID for item in seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence]
    placed = seg.get_pixels_by_source_instance(sources, assert_missing_frames_are_empty=True)
    assert np.array_equal(placed[..., 0] == 1, analysis.mask())


@pytest.fixture(scope="module")
def report(analysis: Analysis, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "sr.dcm"
    analysis.to_sr().save_as(path, enforce_file_format=True)
    return path


def content(item: Dataset) -> list:
    """The content of a structured report as nested lists, without UIDs that are new each time."""
    (concept,) = item.get("ConceptNameCodeSequence") or [Dataset()]
    name = concept.get("CodeMeaning", "")
    values: list = [item.get(key) for key in ("TextValue", "UID")]
    if "MeasuredValueSequence" in item:
        values += [float(number.NumericValue) for number in item.MeasuredValueSequence]
    values += [(code.CodeValue, code.CodingSchemeDesignator) for code in item.get("ConceptCodeSequence", [])]
    values += [reference.ReferencedSOPInstanceUID for reference in item.get("ReferencedSOPSequence", [])]
    values += [template.TemplateIdentifier for template in item.get("ContentTemplateSequence", [])]
    kept = [] if name in VARIABLE else values
    children = [content(child) for child in item.get("ContentSequence", [])]
    return [item.get("RelationshipType"), item.ValueType, name, concept.get("CodeValue"), kept, children]


def test_the_structured_report_has_the_content_of_that_of_the_program(report: Path, program: Result):
    own, written = pydicom.dcmread(report), pydicom.dcmread(program.sr)
    assert content(own) == content(written)
    # The exception belongs to a module that a report does not have.
    names = {element.keyword for element in written} - {"PositionReferenceIndicator"}
    assert names <= {element.keyword for element in own}
    for name in ("PatientName", "PatientID", "PatientBirthDate", "StudyInstanceUID", "AccessionNumber", "StudyDate"):
        assert str(own[name].value) == str(written[name].value) != "", name


def test_the_structured_report_refers_to_the_segmentation(report: Path, analysis: Analysis):
    read = hd.sr.srread(report)
    assert isinstance(read, hd.sr.EnhancedSR)
    (group,) = read.content.get_volumetric_roi_measurement_groups()
    (volume,) = group.get_measurements(name=hd.sr.CodedConcept("118565006", "SCT", "Volume"))
    assert volume.value == pytest.approx(analysis.volume_ml, abs=6e-4)
    seg = analysis.to_seg()
    assert group.tracking_uid == seg.SegmentSequence[0].TrackingUID
    references = read.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert references[1].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == seg.SOPInstanceUID


def test_dciodvfy_finds_no_error_in_the_structured_report(report: Path):
    run = subprocess.run(["dciodvfy", "-new", report], capture_output=True, text=True, check=False)
    lines = (run.stdout + run.stderr).splitlines()
    assert lines and [line for line in lines if line.startswith("Error")] == []


def test_a_picture_has_no_files_that_need_positions(ichor: Ichor, slice_file: Path):
    picture = ichor.segment(slice_file)
    with pytest.raises(GeometryError, match="no positions"):
        picture.to_nifti()
    with pytest.raises(GeometryError, match="single slice"):
        picture.to_sr()
    with pytest.raises(InvalidRequestError) as caught:
        picture.to_seg()
    assert caught.value.code == "unprocessable_image" and "DICOM" in caught.value.detail
    with pytest.raises(InputError, match="probabilities=True"):
        picture.probability_map()
    assert len(picture.lesions_table()) == len(picture.lesions) >= 1


def test_the_report_is_saved_as_it_came(analysis: Analysis, program: Result, tmp_path: Path):
    analysis.save_report(tmp_path / "report.json")
    saved = json.loads((tmp_path / "report.json").read_text())
    assert saved["volume"] == program.report["volume"] and "research" in repr(analysis)
