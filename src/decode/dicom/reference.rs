//! What a DICOM object derived from this one must quote of it.

use super::attributes::{Attributes, text};
use crate::slice::DicomReference;
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use std::sync::Arc;

/// The Patient, General Study, Patient Study and Frame of Reference modules (PS3.3 C.7.1.1,
/// C.7.2.1, C.7.2.2, C.7.4.1), as far as CT carries them.
const QUOTED: [(Tag, [u8; 2]); 16] = [
    (tags::STUDY_DATE, *b"DA"),
    (tags::STUDY_TIME, *b"TM"),
    (tags::ACCESSION_NUMBER, *b"SH"),
    (tags::REFERRING_PHYSICIAN_NAME, *b"PN"),
    (tags::STUDY_DESCRIPTION, *b"LO"),
    (tags::PATIENT_NAME, *b"PN"),
    (tags::PATIENT_ID, *b"LO"),
    (tags::ISSUER_OF_PATIENT_ID, *b"LO"),
    (tags::PATIENT_BIRTH_DATE, *b"DA"),
    (tags::PATIENT_SEX, *b"CS"),
    (tags::PATIENT_AGE, *b"AS"),
    (tags::PATIENT_WEIGHT, *b"DS"),
    (tags::PATIENT_IDENTITY_REMOVED, *b"CS"),
    (tags::DEIDENTIFICATION_METHOD, *b"LO"),
    (tags::STUDY_ID, *b"SH"),
    (tags::POSITION_REFERENCE_INDICATOR, *b"LO"),
];

/// The longest text that is quoted; the longest of the above may have 324 characters.
const MAX_TEXT: usize = 1024;

/// Identity of an instance, before it is told apart by frame.
pub(super) struct Reference(DicomReference);

impl Reference {
    /// Missing identifiers stay empty: the image can still be read, only not be quoted.
    pub(super) fn read(object: &InMemDicomObject, transfer_syntax: &str) -> Self {
        let quoted = |tag| object.get(tag).and_then(text).filter(|t| t.len() <= MAX_TEXT);
        let uid = |tag| quoted(tag).unwrap_or_default().into_owned();
        let image_type = quoted(tags::IMAGE_TYPE).unwrap_or_default();
        Self(DicomReference {
            sop_class_uid: uid(tags::SOP_CLASS_UID),
            sop_instance_uid: uid(tags::SOP_INSTANCE_UID),
            frame: None,
            series_uid: uid(tags::SERIES_INSTANCE_UID),
            study_uid: uid(tags::STUDY_INSTANCE_UID),
            frame_of_reference_uid: quoted(tags::FRAME_OF_REFERENCE_UID).map(Into::into),
            transfer_syntax: transfer_syntax.into(),
            image_type: image_type.split('\\').map(|v| v.trim().into()).collect(),
            gantry_tilt: None,
            patient_study: QUOTED
                .iter()
                .filter_map(|(tag, vr)| {
                    Some(((tag.group(), tag.element()), *vr, quoted(*tag)?.into_owned()))
                })
                .collect(),
        })
    }

    pub(super) fn of_frame(
        &self,
        attributes: &Attributes<'_>,
        frames: usize,
    ) -> Arc<DicomReference> {
        let group = tags::CT_ACQUISITION_DETAILS_SEQUENCE;
        let gantry_tilt = attributes.text(group, tags::GANTRY_DETECTOR_TILT).map(Into::into);
        let frame = (frames > 1).then(|| attributes.frame as u32 + 1);
        Arc::new(DicomReference { frame, gantry_tilt, ..self.0.clone() })
    }
}
