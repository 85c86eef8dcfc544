"""The volumes of a series as a DICOM structured report: Imaging Measurement Report, PS3.16 TID 1500, in an Enhanced SR
document (PS3.3 A.35.2). It has the content of that of `ichor segment --format dicom-sr`, which a test compares.
"""

from datetime import datetime
from typing import Any

from .schemas import SeriesReport, VolumeLesion
from .version import __version__

# Lesions with a measurement group of their own; a noisy mask may have thousands of regions.
_MAX_LESIONS = 32

Code = tuple[str, str, str]
_HEMORRHAGE = ("SCT", "50960005", "Hemorrhage")
_VOLUME = ("SCT", "118565006", "Volume")
_MILLILITRE = ("UCUM", "mL", "milliliter")
_FINDING_SITE = ("SCT", "363698007", "Finding Site")
_BRAIN = ("SCT", "12738006", "Brain")
_LATERALITY = ("SCT", "272741003", "Laterality")
_SIDES = {
    "left": ("SCT", "7771000", "Left"),
    "right": ("SCT", "24028007", "Right"),
    "midline": ("SCT", "399488007", "Midline"),
}
_ATTENUATION = ("DCM", "112031", "Attenuation Coefficient")
_HOUNSFIELD_UNIT = ("UCUM", "[hnsf'U]", "Hounsfield unit")
_DERIVATION = ("DCM", "121401", "Derivation")
_MEAN = ("SCT", "373098007", "Mean")
_COMMENT = ("DCM", "121106", "Comment")
_FINDING = ("DCM", "121071", "Finding")
_GROUP = ("DCM", "125007", "Measurement Group")

# Patient, study and frame of reference, as the segmentation has them from its source.
_PATIENT_AND_STUDY = (
    *("SpecificCharacterSet", "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID"),
    *("StudyDescription", "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex"),
    *("PatientAge", "PatientSize", "PatientWeight", "PatientIdentityRemoved", "DeidentificationMethod"),
    *("StudyInstanceUID",),
)


class _Builder:
    """Content items, PS3.3 C.17.3."""

    def __init__(self, pydicom: Any):
        self.pydicom = pydicom

    def dataset(self, **values: Any) -> Any:
        dataset = self.pydicom.Dataset()
        for name, value in values.items():
            setattr(dataset, name, value)
        return dataset

    def code(self, code: Code) -> list[Any]:
        scheme, value, meaning = code
        return [self.dataset(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)]

    def item(self, relation: str, kind: str, concept: Code | None, **values: Any) -> Any:
        item = self.dataset(RelationshipType=relation, ValueType=kind)
        if concept:
            item.ConceptNameCodeSequence = self.code(concept)
        for name, value in values.items():
            setattr(item, name, value)
        return item

    def coded(self, relation: str, concept: Code, value: Code) -> Any:
        return self.item(relation, "CODE", concept, ConceptCodeSequence=self.code(value))

    def text(self, relation: str, concept: Code, value: str) -> Any:
        return self.item(relation, "TEXT", concept, TextValue=value)

    def uid(self, relation: str, concept: Code, value: str) -> Any:
        return self.item(relation, "UIDREF", concept, UID=value)

    def image(self, concept: Code | None, class_uid: str, instance_uid: str, segment: int | None = None) -> Any:
        reference = self.dataset(ReferencedSOPClassUID=class_uid, ReferencedSOPInstanceUID=instance_uid)
        if segment is not None:
            reference.ReferencedSegmentNumber = segment
        return self.item("CONTAINS", "IMAGE", concept, ReferencedSOPSequence=[reference])

    def number(self, concept: Code, value: float | None, unit: Code) -> Any:
        """A number with its unit; without a value, the qualifier of CID 42."""
        item = self.item("CONTAINS", "NUM", concept)
        if value is None:
            item.MeasuredValueSequence = []
            item.NumericValueQualifierCodeSequence = self.code(("DCM", "114006", "Measurement failure"))
        else:
            measured = self.dataset(NumericValue=f"{value:.3f}", MeasurementUnitsCodeSequence=self.code(unit))
            item.MeasuredValueSequence = [measured]
        return item

    def container(self, concept: Code, children: list[Any], template: str | None = None) -> Any:
        item = self.item("CONTAINS", "CONTAINER", concept, ContinuityOfContent="SEPARATE", ContentSequence=children)
        if template:
            item.ContentTemplateSequence = [self.template(template)]
        return item

    def template(self, identifier: str) -> Any:
        return self.dataset(MappingResource="DCMR", TemplateIdentifier=identifier)

    def tracking(self, identifier: str, uid: str) -> list[Any]:
        context = "HAS OBS CONTEXT"
        return [
            self.text(context, ("DCM", "112039", "Tracking Identifier"), identifier),
            self.uid(context, ("DCM", "112040", "Tracking Unique Identifier"), uid),
        ]


def build_report(pydicom: Any, report: SeriesReport, seg: Any) -> Any:
    """The volumes of `report` as a Dataset that can be saved. `seg` is the segmentation of the same series."""
    builder = _Builder(pydicom)
    uid = pydicom.uid
    moment = datetime.now()
    document = _document(builder, seg, moment)
    document.ValueType = "CONTAINER"
    document.ConceptNameCodeSequence = builder.code(("DCM", "126000", "Imaging Measurement Report"))
    document.ContinuityOfContent = "SEPARATE"
    document.ContentTemplateSequence = [builder.template("1500")]
    document.ContentSequence = _content(builder, report, seg)
    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID = document.SOPClassUID
    meta.MediaStorageSOPInstanceUID = document.SOPInstanceUID
    meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    document.file_meta = meta
    return document


def _document(builder: _Builder, seg: Any, moment: datetime) -> Any:
    """The modules beside the content: patient, study, series, equipment, references (PS3.3 A.35.2)."""
    new_uid = builder.pydicom.uid.generate_uid
    document = builder.dataset()
    for name in _PATIENT_AND_STUDY:
        if name in seg:
            document[name] = seg[name]
    document.Modality = "SR"
    document.SeriesInstanceUID, document.SOPInstanceUID = new_uid(prefix=None), new_uid(prefix=None)
    document.SOPClassUID = builder.pydicom.uid.EnhancedSRStorage
    document.SeriesNumber, document.InstanceNumber = 1, 1
    document.SeriesDescription = seg.SeriesDescription
    document.Manufacturer, document.ManufacturerModelName = "Ichor", "ichor-client"
    # A program has no serial number, and the attribute may not be empty.
    document.DeviceSerialNumber, document.SoftwareVersions = "0", [seg.SoftwareVersions, __version__]
    for kind in ("Content", "Series", "InstanceCreation"):
        setattr(document, f"{kind}Date", moment.strftime("%Y%m%d"))
        setattr(document, f"{kind}Time", moment.strftime("%H%M%S"))
    document.ReferencedPerformedProcedureStepSequence = []
    document.PerformedProcedureCodeSequence = []
    # The values are a program's; no person has verified them.
    document.CompletionFlag, document.VerificationFlag = "COMPLETE", "UNVERIFIED"
    (source,) = seg.ReferencedSeriesSequence
    own = builder.dataset(ReferencedSOPClassUID=seg.SOPClassUID, ReferencedSOPInstanceUID=seg.SOPInstanceUID)
    series = [
        builder.dataset(
            SeriesInstanceUID=source.SeriesInstanceUID, ReferencedSOPSequence=list(source.ReferencedInstanceSequence)
        ),
        builder.dataset(SeriesInstanceUID=seg.SeriesInstanceUID, ReferencedSOPSequence=[own]),
    ]
    evidence = builder.dataset(StudyInstanceUID=seg.StudyInstanceUID, ReferencedSeriesSequence=series)
    document.CurrentRequestedProcedureEvidenceSequence = [evidence]
    return document


def _content(builder: _Builder, report: SeriesReport, seg: Any) -> list[Any]:
    concept, context = "HAS CONCEPT MOD", "HAS OBS CONTEXT"
    is_ct = report.series.modality in (None, "CT")
    procedure = ("SCT", "303653007", "CT of head") if is_ct else ("SCT", "363679005", "Imaging")
    lesions = report.volume.lesions[:_MAX_LESIONS]
    groups = [_hemorrhage_group(builder, report, seg)]
    groups += [builder.container(_GROUP, _lesion_items(builder, lesion), "1501") for lesion in lesions]
    return [
        builder.coded(
            concept,
            ("DCM", "121049", "Language of Content Item and Descendants"),
            ("RFC5646", "en-US", "English (United States)"),
        ),
        builder.coded(context, ("DCM", "121005", "Observer Type"), ("DCM", "121007", "Device")),
        builder.uid(context, ("DCM", "121012", "Device Observer UID"), builder.pydicom.uid.generate_uid(prefix=None)),
        builder.text(context, ("DCM", "121013", "Device Observer Name"), "Ichor"),
        builder.text(context, ("DCM", "121014", "Device Observer Manufacturer"), "Ichor"),
        builder.text(context, ("DCM", "121015", "Device Observer Model Name"), f"ichor {seg.SoftwareVersions}"),
        builder.coded(concept, ("DCM", "121058", "Procedure reported"), procedure),
        _image_library(builder, report, seg),
        builder.container(("DCM", "126010", "Imaging Measurements"), groups),
    ]


def _image_library(builder: _Builder, report: SeriesReport, seg: Any) -> Any:
    """Image Library, TID 1600: every image that was analysed."""
    entries = []
    if report.series.modality == "CT":
        modality = ("DCM", "121139", "Modality")
        entries.append(builder.coded("HAS ACQ CONTEXT", modality, ("DCM", "CT", "Computed Tomography")))
    images = seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    entries += [builder.image(None, image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID) for image in images]
    group = builder.container(("DCM", "126200", "Image Library Group"), entries)
    return builder.container(("DCM", "111028", "Image Library"), [group])


def _lesion_items(builder: _Builder, lesion: VolumeLesion) -> list[Any]:
    concept = "HAS CONCEPT MOD"
    items = builder.tracking(f"Lesion {lesion.id}", builder.pydicom.uid.generate_uid(prefix=None))
    items.append(builder.coded("CONTAINS", _FINDING, _HEMORRHAGE))
    if lesion.location and lesion.location.side:
        site = builder.coded(concept, _FINDING_SITE, _BRAIN)
        site.ContentSequence = [builder.coded(concept, _LATERALITY, _SIDES[lesion.location.side])]
        items.append(site)
    items.append(builder.number(_VOLUME, lesion.volume_ml, _MILLILITRE))
    if lesion.density:
        mean = builder.number(_ATTENUATION, lesion.density.mean_hu, _HOUNSFIELD_UNIT)
        mean.ContentSequence = [builder.coded(concept, _DERIVATION, _MEAN)]
        items.append(mean)
    if lesion.type and lesion.type.code and lesion.type.probability is not None:
        sentence = f"Most probable type by the model: {lesion.type.code}, {100 * lesion.type.probability:.0f} %."
        items.append(builder.text("CONTAINS", _COMMENT, sentence))
    return items


def _hemorrhage_group(builder: _Builder, report: SeriesReport, seg: Any) -> Any:
    """The measurement group of all hemorrhage, the only segment of the segmentation."""
    segment = seg.SegmentSequence[0]
    concept, contains = "HAS CONCEPT MOD", "CONTAINS"
    items = [
        *builder.tracking(segment.TrackingID, segment.TrackingUID),
        builder.text(concept, ("DCM", "111001", "Algorithm Name"), f"Ichor {report.model.name}"),
        builder.text(concept, ("DCM", "111003", "Algorithm Version"), report.model.version),
        builder.coded(contains, _FINDING, _HEMORRHAGE),
        builder.image(("DCM", "121191", "Referenced Segment"), seg.SOPClassUID, seg.SOPInstanceUID, 1),
        builder.uid(
            contains,
            ("DCM", "121232", "Source series for segmentation"),
            seg.ReferencedSeriesSequence[0].SeriesInstanceUID,
        ),
        builder.number(_VOLUME, report.volume.total_volume_ml, _MILLILITRE),
        builder.text(contains, _COMMENT, report.disclaimer),
    ]
    return builder.container(_GROUP, items, "1411")
