//! Patient, study, equipment and dates of an object, and its references to the source images.

use super::elements::{new_uid, put_quoted, put_sequence, put_text};
use crate::slice::{DicomReference, PatientStudy, QuotedAttribute, Warning};
use chrono::{DateTime, Local};
use dicom_core::VR;
use dicom_core::dictionary::DataDictionary;
use dicom_core::header::Tag;
use dicom_dictionary_std::{StandardDataDictionary, tags, uids};
use dicom_object::InMemDicomObject;
use std::collections::HashSet;
use std::time::SystemTime;

/// Attributes of patient, study and space that must be there, empty where the source has none
/// (type 2 of PS3.3 C.7.1.1, C.7.2.1 and C.7.4.1).
const REQUIRED: [(Tag, VR); 10] = [
    (tags::PATIENT_NAME, VR::PN),
    (tags::PATIENT_ID, VR::LO),
    (tags::PATIENT_BIRTH_DATE, VR::DA),
    (tags::PATIENT_SEX, VR::CS),
    (tags::STUDY_DATE, VR::DA),
    (tags::STUDY_TIME, VR::TM),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN),
    (tags::STUDY_ID, VR::SH),
    (tags::ACCESSION_NUMBER, VR::SH),
    (tags::POSITION_REFERENCE_INDICATOR, VR::LO),
];

/// Transfer syntaxes that are always lossy: JPEG baseline and extended, JPEG-LS near-lossless,
/// JPEG 2000 (PS3.5 10).
const LOSSY: [&str; 4] = [
    uids::JPEG_BASELINE8_BIT,
    uids::JPEG_EXTENDED12_BIT,
    uids::JPEGLS_NEAR_LOSSLESS,
    uids::JPEG2000,
];

/// Puts the modules SOP Common, Patient, General Study, General and Enhanced General Equipment, with new UIDs of
/// the object and its series.
pub(in crate::export) fn put_identity(
    object: &mut InMemDicomObject,
    sop_class: &str,
    modality: &str,
    description: &str,
    (source, created_at): (&DicomReference, SystemTime),
) {
    put_patient_and_study(object, source);
    put_text(object, tags::MODALITY, VR::CS, modality);
    put_text(object, tags::SERIES_INSTANCE_UID, VR::UI, &new_uid());
    put_text(object, tags::SERIES_NUMBER, VR::IS, "1");
    put_text(object, tags::SERIES_DESCRIPTION, VR::LO, description);
    put_equipment(object);
    put_dates(object, created_at);
    put_text(object, tags::SOP_CLASS_UID, VR::UI, sop_class);
    put_text(object, tags::SOP_INSTANCE_UID, VR::UI, &new_uid());
    put_text(object, tags::INSTANCE_NUMBER, VR::IS, "1");
}

/// Puts the source's Frame of Reference UID, or a new one, and whether a source is lossy.
pub(in crate::export) fn put_frame_of_reference<'a>(
    object: &mut InMemDicomObject,
    mut sources: impl Iterator<Item = &'a DicomReference> + Clone,
) {
    let lossy = sources.clone().any(|source| LOSSY.contains(&source.transfer_syntax.as_str()));
    let known = sources.next().and_then(|source| source.frame_of_reference_uid.clone());
    let uid = known.filter(|uid| !uid.is_empty()).unwrap_or_else(new_uid);
    put_text(object, tags::FRAME_OF_REFERENCE_UID, VR::UI, &uid);
    put_text(object, tags::LOSSY_IMAGE_COMPRESSION, VR::CS, if lossy { "01" } else { "00" });
}

fn put_patient_and_study(object: &mut InMemDicomObject, first: &DicomReference) {
    for (tag, vr) in REQUIRED {
        put_text(object, tag, vr, "");
    }
    let quoted = &first.patient_study;
    if let Some(set) = &quoted.character_set {
        put_quoted(object, tags::SPECIFIC_CHARACTER_SET, VR::CS, set);
    }
    for attribute in &quoted.attributes {
        let value = attribute.value.as_deref().unwrap_or_default();
        if let Some(vr) = VR::from_binary(attribute.vr) {
            put_quoted(object, tag_of(attribute), vr, value);
        }
    }
    let value = |tag: Tag| {
        let attribute = quoted.attributes.iter().find(|attribute| tag_of(attribute) == tag);
        attribute.and_then(|attribute| attribute.value.as_deref()).unwrap_or_default().trim_ascii()
    };
    let is_removed = value(tags::PATIENT_IDENTITY_REMOVED) == b"YES";
    if is_removed && value(tags::DEIDENTIFICATION_METHOD).is_empty() {
        // Required with the statement that the identity was removed (PS3.3 C.7.1.1), and often
        // missing beside it.
        put_text(object, tags::DEIDENTIFICATION_METHOD, VR::LO, "Not stated by the source");
    }
    put_text(object, tags::STUDY_INSTANCE_UID, VR::UI, &first.study_uid);
}

fn tag_of(attribute: &QuotedAttribute) -> Tag {
    Tag(attribute.tag.0, attribute.tag.1)
}

/// The warning that names the attributes whose values in the source cannot be repeated and were left empty.
pub(in crate::export) fn warn_of_empty_texts(quoted: &PatientStudy) -> Option<Warning> {
    let unquoted = quoted.attributes.iter().filter(|attribute| attribute.value.is_none());
    let names: Vec<String> = unquoted.map(|attribute| name(tag_of(attribute))).collect();
    let message = format!(
        "The DICOM file holds values that are no text of its character set, or too long: {}. They \
         are empty in the DICOM objects written; enter them by hand.",
        names.join(", ")
    );
    (!names.is_empty()).then(|| Warning::new("dicom_text_left_empty", message))
}

/// "PatientName (0010,0010)"
fn name(tag: Tag) -> String {
    let entry = StandardDataDictionary.by_tag(tag);
    format!("{} {tag}", entry.map_or("attribute", |entry| entry.alias))
}

/// General and Enhanced General Equipment, PS3.3 C.7.5.1 and C.7.5.2.
fn put_equipment(object: &mut InMemDicomObject) {
    put_text(object, tags::MANUFACTURER, VR::LO, "Ichor");
    put_text(object, tags::MANUFACTURER_MODEL_NAME, VR::LO, "ichor");
    // A program has no serial number, and the attribute may not be empty.
    put_text(object, tags::DEVICE_SERIAL_NUMBER, VR::LO, "0");
    put_text(object, tags::SOFTWARE_VERSIONS, VR::LO, env!("CARGO_PKG_VERSION"));
}

/// Puts the dates and times of creation, in local time as DICOM dates have no zone.
fn put_dates(object: &mut InMemDicomObject, created_at: SystemTime) {
    let moment = DateTime::<Local>::from(created_at);
    let (date, time) = (moment.format("%Y%m%d").to_string(), moment.format("%H%M%S").to_string());
    for tag in [tags::CONTENT_DATE, tags::SERIES_DATE, tags::INSTANCE_CREATION_DATE] {
        put_text(object, tag, VR::DA, &date);
    }
    for tag in [tags::CONTENT_TIME, tags::SERIES_TIME, tags::INSTANCE_CREATION_TIME] {
        put_text(object, tag, VR::TM, &time);
    }
}

/// A series with its instances, each once: every image that was analysed, with or without hemorrhage (macro of PS3.3 table 10-4 in Common Instance Reference and SR evidence).
pub(in crate::export) fn referenced_series<'a>(
    series_uid: &str,
    instances: impl Iterator<Item = (&'a str, &'a str)>,
    instances_tag: Tag,
) -> InMemDicomObject {
    let mut seen = HashSet::new();
    let instances = instances
        .filter(|(_, instance)| seen.insert(*instance))
        .map(|(class, instance)| referenced_instance(class, instance))
        .collect();
    let mut series = InMemDicomObject::new_empty();
    put_text(&mut series, tags::SERIES_INSTANCE_UID, VR::UI, series_uid);
    put_sequence(&mut series, instances_tag, instances);
    series
}

/// SOP Instance Reference Macro, PS3.3 10.8.
pub(in crate::export) fn referenced_instance(class: &str, instance: &str) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    put_text(&mut item, tags::REFERENCED_SOP_CLASS_UID, VR::UI, class);
    put_text(&mut item, tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, instance);
    item
}
