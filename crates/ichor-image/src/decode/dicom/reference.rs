//! Identifiers that a derived DICOM object must quote, and tags that distinguish series.

use super::attributes::{Attributes, text};
use crate::slice::{DicomReference, PatientStudy, SeriesTags};
use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use std::sync::Arc;

/// Maximum length of an identifier, bytes.
const MAX_TEXT: usize = 1024;

/// Identity of an instance, without the attributes of its frames.
pub(super) struct Reference(DicomReference);

impl Reference {
    /// Reads the identifiers of an object. A missing one stays empty: the image can be read, but not be quoted.
    pub(super) fn read(
        object: &InMemDicomObject,
        transfer_syntax: &str,
        patient_study: PatientStudy,
    ) -> Self {
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
            image_type: values(&image_type),
            gantry_tilt: None,
            tags: object_tags(object),
            patient_study: Arc::new(patient_study),
        })
    }

    pub(super) fn sop_class_uid(&self) -> &str {
        &self.0.sop_class_uid
    }

    /// Whether the object is a page or screenshot made from images, such as a dose report.
    pub(super) fn is_page(&self) -> bool {
        let is = |value: &String| matches!(value.as_str(), "SECONDARY" | "SCREEN SAVE");
        self.0.image_type.iter().any(is)
            || self.0.sop_class_uid.starts_with(uids::SECONDARY_CAPTURE_IMAGE_STORAGE)
    }

    /// The reference of one frame.
    pub(super) fn of_frame(
        &self,
        attributes: &Attributes<'_>,
        frames: usize,
    ) -> Arc<DicomReference> {
        let group = tags::CT_ACQUISITION_DETAILS_SEQUENCE;
        let gantry_tilt = attributes.text(group, tags::GANTRY_DETECTOR_TILT).map(Into::into);
        let image_type = attributes
            .text(tags::CT_IMAGE_FRAME_TYPE_SEQUENCE, tags::FRAME_TYPE)
            .map_or_else(|| self.0.image_type.clone(), |text| values(&text));
        let frame = (frames > 1).then(|| attributes.frame as u32 + 1);
        let tags = frame_tags(&self.0.tags, attributes);
        Arc::new(DicomReference { frame, gantry_tilt, image_type, tags, ..self.0.clone() })
    }
}

/// Splits a multi-valued text.
fn values(text: &str) -> Vec<String> {
    text.split('\\').map(|value| value.trim().into()).collect()
}

/// Tags that all frames of an object have in common.
fn object_tags(object: &InMemDicomObject) -> SeriesTags {
    let value = |tag| object.get(tag).and_then(text).filter(|t| t.len() <= MAX_TEXT);
    let value = |tag| value(tag).unwrap_or_default();
    let patient = match value(tags::PATIENT_ID) {
        id if id.is_empty() => {
            format!("{}\\{}", value(tags::PATIENT_NAME), value(tags::PATIENT_BIRTH_DATE))
        }
        id => id.into_owned(),
    };
    SeriesTags {
        patient,
        study_time: format!("{} {}", value(tags::STUDY_DATE), value(tags::STUDY_TIME)),
        series_number: value(tags::SERIES_NUMBER).parse().ok(),
        instance_number: value(tags::INSTANCE_NUMBER).parse().ok(),
        has_contrast: names_an_agent(&value(tags::CONTRAST_BOLUS_AGENT))
            || has_items(object, tags::CONTRAST_BOLUS_AGENT_SEQUENCE),
        ..SeriesTags::default()
    }
}

/// Tags of one frame; an enhanced object has them in functional groups (PS3.3 C.8.15.3).
fn frame_tags(object: &SeriesTags, attributes: &Attributes<'_>) -> SeriesTags {
    let number = |group, tag| -> Option<f64> { attributes.numbers(group, tag)?.first().copied() };
    let content = tags::FRAME_CONTENT_SEQUENCE;
    let acquisition = number(content, tags::FRAME_ACQUISITION_NUMBER)
        .or_else(|| number(content, tags::ACQUISITION_NUMBER));
    let reconstruction = tags::CT_RECONSTRUCTION_SEQUENCE;
    let between = number(tags::PIXEL_MEASURES_SEQUENCE, tags::SPACING_BETWEEN_SLICES);
    SeriesTags {
        acquisition_number: acquisition.map(|number| number as i32),
        slice_location_mm: number(tags::SLICE_LOCATION, tags::SLICE_LOCATION)
            // At the top level of a multi-frame object it is the location of the first frame.
            .filter(|_| attributes.frame == 0),
        // Some scanners use the sign for the direction.
        spacing_between_slices_mm: between.map(f64::abs).filter(|mm| (0.05..=100.0).contains(mm)),
        kernel: attributes
            .text(reconstruction, tags::CONVOLUTION_KERNEL)
            .filter(|kernel| kernel.len() <= MAX_TEXT)
            .map_or_else(String::new, |kernel| kernel.trim().to_ascii_uppercase()),
        ..object.clone()
    }
}

/// Whether Contrast/Bolus Agent names an agent. Some sites use it to state that none was given.
fn names_an_agent(text: &str) -> bool {
    let text = text.trim().to_ascii_uppercase();
    let first = text.split([' ', '-', '_', ',', '/']).next().unwrap_or_default();
    let negations = ["", "NO", "NONE", "N", "0", "NIL", "NATIVE", "WITHOUT", "NON", "NEGATIVE"];
    !negations.contains(&first) && !text.starts_with("W/O")
}

fn has_items(object: &InMemDicomObject, tag: Tag) -> bool {
    object.get(tag).and_then(|e| e.items()).is_some_and(|items| !items.is_empty())
}

#[cfg(test)]
mod tests {
    use super::names_an_agent;

    #[test]
    fn texts_for_no_contrast_agent_are_recognized() {
        for (text, expected) in [
            ("", false),
            ("NONE", false),
            ("No contrast", false),
            ("W/O", false),
            ("non-contrast", false),
            ("Omnipaque 350", true),
            ("APPLIED", true),
            ("CE", true),
        ] {
            assert_eq!(names_an_agent(text), expected, "{text}");
        }
    }
}
