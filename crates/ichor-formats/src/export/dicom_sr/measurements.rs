//! The content of the report: TID 1500 with one Volumetric ROI measurement group (TID 1411) for all
//! hemorrhage, and one group without a region (TID 1501) for each lesion.

use super::content::{
    Code, Relation, coded, container, fill_root, image, number, text, uid, with_modifiers,
};
use crate::export::dicom::elements::new_uid;
use crate::export::dicom_seg::DicomSeg;
use crate::lesion::{LesionType, Side};
use crate::model_spec::ModelSpec;
use crate::report::DISCLAIMER;
use crate::segmenter::Analysis;
use crate::slice::DicomReference;
use dicom_dictionary_std::uids;
use dicom_object::InMemDicomObject;

/// Largest number of lesions with their own measurement group; a noisy mask may have thousands of regions.
const MAX_LESIONS: usize = 32;

const HEMORRHAGE: Code = ["SCT", "50960005", "Hemorrhage"];
const VOLUME: Code = ["SCT", "118565006", "Volume"];
const MILLILITRE: Code = ["UCUM", "mL", "milliliter"];
const FINDING: Code = ["DCM", "121071", "Finding"];
const TRACKING_IDENTIFIER: Code = ["DCM", "112039", "Tracking Identifier"];
const TRACKING_UID: Code = ["DCM", "112040", "Tracking Unique Identifier"];
const MEASUREMENT_GROUP: Code = ["DCM", "125007", "Measurement Group"];
const COMMENT: Code = ["DCM", "121106", "Comment"];

const FINDING_SITE: Code = ["SCT", "363698007", "Finding Site"];
const BRAIN: Code = ["SCT", "12738006", "Brain"];
const LATERALITY: Code = ["SCT", "272741003", "Laterality"];
const ATTENUATION: Code = ["DCM", "112031", "Attenuation Coefficient"];
const HOUNSFIELD_UNIT: Code = ["UCUM", "[hnsf'U]", "Hounsfield unit"];
const DERIVATION: Code = ["DCM", "121401", "Derivation"];
const MEAN: Code = ["SCT", "373098007", "Mean"];

/// The values that the report is made of.
pub(super) struct ReportInputs<'a> {
    pub(super) spec: &'a ModelSpec,
    pub(super) analysis: &'a Analysis,
    pub(super) seg: &'a DicomSeg,
    /// Class and instance UID of each source image.
    pub(super) images: Vec<(&'a str, &'a str)>,
    pub(super) first: &'a DicomReference,
}

pub(super) fn put_report(object: &mut InMemDicomObject, inputs: &ReportInputs<'_>) {
    let mut children = vec![coded(
        Relation::HasConceptMod,
        ["DCM", "121049", "Language of Content Item and Descendants"],
        ["RFC5646", "en-US", "English (United States)"],
    )];
    children.extend(observer());
    children.push(coded(
        Relation::HasConceptMod,
        ["DCM", "121058", "Procedure reported"],
        procedure(inputs.analysis),
    ));
    children.push(image_library(inputs));
    let mut groups = vec![hemorrhage_group(inputs)];
    groups.extend(lesion_groups(inputs));
    children.push(container(["DCM", "126010", "Imaging Measurements"], None, groups));
    let title = ["DCM", "126000", "Imaging Measurement Report"];
    fill_root(object, title, "1500", children);
}

fn modality(analysis: &Analysis) -> Option<&str> {
    analysis.series.slices.first()?.modality.as_deref()
}

fn procedure(analysis: &Analysis) -> Code {
    match modality(analysis) {
        None | Some("CT") => ["SCT", "303653007", "CT of head"],
        Some(_) => ["SCT", "363679005", "Imaging"],
    }
}

/// Observer Context of a device, TID 1002 and 1004.
fn observer() -> Vec<InMemDicomObject> {
    let context = Relation::HasObsContext;
    vec![
        coded(context, ["DCM", "121005", "Observer Type"], ["DCM", "121007", "Device"]),
        uid(context, ["DCM", "121012", "Device Observer UID"], &new_uid()),
        text(context, ["DCM", "121013", "Device Observer Name"], "Ichor"),
        text(context, ["DCM", "121014", "Device Observer Manufacturer"], "Ichor"),
        text(
            context,
            ["DCM", "121015", "Device Observer Model Name"],
            concat!("ichor ", env!("CARGO_PKG_VERSION")),
        ),
    ]
}

/// Image Library, TID 1600: every image that was analysed.
fn image_library(inputs: &ReportInputs<'_>) -> InMemDicomObject {
    let mut entries = Vec::new();
    if modality(inputs.analysis) == Some("CT") {
        let modality = ["DCM", "121139", "Modality"];
        entries.push(coded(
            Relation::HasAcqContext,
            modality,
            ["DCM", "CT", "Computed Tomography"],
        ));
    }
    entries.extend(inputs.images.iter().map(|&reference| image(None, reference, None)));
    let group = container(["DCM", "126200", "Image Library Group"], None, entries);
    container(["DCM", "111028", "Image Library"], None, vec![group])
}

/// The measurement group of all hemorrhage, the only segment of the segmentation.
fn hemorrhage_group(inputs: &ReportInputs<'_>) -> InMemDicomObject {
    let ReportInputs { spec, analysis, seg, first, .. } = inputs;
    let segmentation = (uids::SEGMENTATION_STORAGE, seg.instance_uid.as_str());
    let mut items = tracking_items(&spec.classes[0].code, &seg.tracking_uid);
    items.extend(algorithm(spec));
    items.push(coded(Relation::Contains, FINDING, HEMORRHAGE));
    let segment = ["DCM", "121191", "Referenced Segment"];
    items.push(image(Some(segment), segmentation, Some(1)));
    let source = ["DCM", "121232", "Source series for segmentation"];
    items.push(uid(Relation::Contains, source, &first.series_uid));
    items.push(number(VOLUME, analysis.volume.total_volume_ml, MILLILITRE));
    items.push(text(Relation::Contains, COMMENT, DISCLAIMER));
    container(MEASUREMENT_GROUP, Some("1411"), items)
}

/// The measurement groups of the largest lesions, which are connected across slices.
fn lesion_groups(inputs: &ReportInputs<'_>) -> impl Iterator<Item = InMemDicomObject> {
    inputs.analysis.volume.lesions.iter().take(MAX_LESIONS).map(|lesion| {
        let mut items = tracking_items(&format!("Lesion {}", lesion.id), &new_uid());
        items.push(coded(Relation::Contains, FINDING, HEMORRHAGE));
        items.extend(lesion.location.and_then(|location| location.side).map(finding_site));
        items.push(number(VOLUME, lesion.volume_ml, MILLILITRE));
        if let Some(density) = lesion.density {
            let mean = number(ATTENUATION, Some(density.mean_hu), HOUNSFIELD_UNIT);
            let modifier = coded(Relation::HasConceptMod, DERIVATION, MEAN);
            items.push(with_modifiers(mean, vec![modifier]));
        }
        let type_text = lesion.lesion_type.as_ref().and_then(type_text);
        items.extend(type_text.map(|sentence| text(Relation::Contains, COMMENT, &sentence)));
        container(MEASUREMENT_GROUP, Some("1501"), items)
    })
}

/// The side of the brain, PS3.16 CID 244.
fn finding_site(side: Side) -> InMemDicomObject {
    let side = match side {
        Side::Left => ["SCT", "7771000", "Left"],
        Side::Right => ["SCT", "24028007", "Right"],
        Side::Midline => ["SCT", "399488007", "Midline"],
    };
    let laterality = coded(Relation::HasConceptMod, LATERALITY, side);
    with_modifiers(coded(Relation::HasConceptMod, FINDING_SITE, BRAIN), vec![laterality])
}

/// The type as a sentence and not as a coded finding, which would read as a diagnosis.
fn type_text(of: &LesionType) -> Option<String> {
    let (code, percent) = (of.code?, of.probability? * 100.0);
    Some(format!("Most probable type by the model: {code}, {percent:.0} %."))
}

fn tracking_items(identifier: &str, tracking_uid: &str) -> Vec<InMemDicomObject> {
    vec![
        text(Relation::HasObsContext, TRACKING_IDENTIFIER, identifier),
        uid(Relation::HasObsContext, TRACKING_UID, tracking_uid),
    ]
}

/// Algorithm Identification, TID 4019.
fn algorithm(spec: &ModelSpec) -> [InMemDicomObject; 2] {
    [
        text(
            Relation::HasConceptMod,
            ["DCM", "111001", "Algorithm Name"],
            &format!("Ichor {}", spec.name),
        ),
        text(Relation::HasConceptMod, ["DCM", "111003", "Algorithm Version"], &spec.version),
    ]
}
