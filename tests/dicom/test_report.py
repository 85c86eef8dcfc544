"""The structured report, read by highdicom and pydicom."""

import json

import highdicom as hd
import pydicom
import pytest
from head_series import write_series
from pydicom.sr.codedict import codes
from pydicom.uid import EnhancedSRStorage, ExplicitVRLittleEndian, SegmentationStorage
from reading import segment

VOLUME = hd.sr.CodedConcept("118565006", "SCT", "Volume")
HEMORRHAGE = hd.sr.CodedConcept("50960005", "SCT", "Hemorrhage")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """A tilted, unevenly spaced series and its result."""
    folder = tmp_path_factory.mktemp("report")
    slices = write_series(folder / "head", gaps_mm=[5, 5, 5, 5, 7, 7, 7])
    return slices, segment(folder / "head", folder / "out", "dicom-sr,json")


@pytest.fixture(scope="module")
def report(result):
    return hd.sr.srread(result[1].sr)


def volume(group):
    (measurement,) = group.get_measurements(name=VOLUME)
    assert measurement.unit == hd.sr.CodedConcept("mL", "UCUM", "milliliter")
    return measurement.value


def test_highdicom_reads_an_imaging_measurement_report(report):
    assert isinstance(report, hd.sr.EnhancedSR)
    assert isinstance(report.content, hd.sr.MeasurementReport)
    assert (report.CompletionFlag, report.VerificationFlag) == ("COMPLETE", "UNVERIFIED")


def test_the_total_is_the_reports_and_measures_the_segment_beside(result, report):
    _, written = result
    (group,) = report.content.get_volumetric_roi_measurement_groups()
    assert volume(group) == pytest.approx(written.report["volume"]["total_volume_ml"], abs=6e-4)
    assert volume(group) > 1
    assert group.finding_type == HEMORRHAGE
    seg = pydicom.dcmread(written.seg)
    assert group.reference_type == codes.DCM.ReferencedSegment
    assert group.referenced_segment.has_source_images() is False
    quoted = next(item for item in group[0].ContentSequence if item.ValueType == "IMAGE").ReferencedSOPSequence[0]
    assert (quoted.ReferencedSOPClassUID, quoted.ReferencedSOPInstanceUID) == (SegmentationStorage, seg.SOPInstanceUID)
    assert quoted.ReferencedSegmentNumber == 1
    assert group.tracking_uid == seg.SegmentSequence[0].TrackingUID


def test_each_lesion_has_its_volume(result, report):
    _, written = result
    lesions = written.report["volume"]["lesions"]
    groups = report.content.get_image_measurement_groups()
    assert len(groups) == len(lesions) > 0
    for group, lesion in zip(groups, lesions, strict=True):
        assert group.tracking_identifier == f"Lesion {lesion['id']}"
        assert volume(group) == pytest.approx(lesion["volume_ml"], abs=6e-4)
    assert sum(map(volume, groups)) == pytest.approx(written.report["volume"]["total_volume_ml"], rel=0.01)


def test_patient_study_and_evidence_are_those_of_the_source(result):
    slices, written = result
    report = pydicom.dcmread(written.sr)
    assert (report.SOPClassUID, report.file_meta.TransferSyntaxUID) == (EnhancedSRStorage, ExplicitVRLittleEndian)
    for name in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "AccessionNumber"):
        assert str(report[name].value) == str(slices[0][name].value), name
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    images, segmentation = study.ReferencedSeriesSequence
    assert {item.ReferencedSOPInstanceUID for item in images.ReferencedSOPSequence} == {
        s.SOPInstanceUID for s in slices
    }
    assert segmentation.ReferencedSOPSequence[0].ReferencedSOPClassUID == SegmentationStorage
    library = next(
        item for item in report.ContentSequence if item.ConceptNameCodeSequence[0].CodeMeaning == "Image Library"
    )
    entries = [item for item in library.ContentSequence[0].ContentSequence if item.ValueType == "IMAGE"]
    assert len(entries) == len(slices)


def test_it_says_that_it_is_for_research(result):
    text = json.dumps(pydicom.dcmread(result[1].sr).to_json_dict())
    assert "For research and teaching only" in text


def test_every_value_fits_its_representation(result, monkeypatch):
    monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.RAISE)
    pydicom.dcmread(result[1].sr).walk(lambda dataset, element: element.value)
