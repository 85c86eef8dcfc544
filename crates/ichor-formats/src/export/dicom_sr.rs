//! Volumes as a DICOM structured report: Imaging Measurement Report, PS3.16 TID 1500, in an Enhanced
//! SR document (PS3.3 A.35.2). It reports the volume of the segment in a segmentation object.

mod content;
mod measurements;

use super::dicom::elements::{put_sequence, put_text};
use super::dicom::identity::{put_identity, referenced_series};
use super::dicom_seg::DicomSeg;
use crate::error::{Error, Result};
use crate::model_spec::ModelSpec;
use crate::segmenter::Analysis;
use crate::slice::DicomReference;
use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use std::time::SystemTime;

/// Encodes the volumes of a segmented series as a DICOM file, dated `created_at`. `seg` is the
/// segmentation of the same series.
///
/// # Errors
/// [`ichor_image::Error::Unprocessable`] where the input was not DICOM; then there is no `seg` either.
pub fn encode_dicom_sr(
    spec: &ModelSpec,
    analysis: &Analysis,
    seg: &DicomSeg,
    created_at: SystemTime,
) -> Result<Vec<u8>> {
    let references: Vec<&DicomReference> =
        analysis.series.slices.iter().filter_map(|slice| slice.reference.as_deref()).collect();
    let Some(first) = references.first().copied() else {
        return Err(Error::unprocessable(
            "A DICOM report can only be written for slices that came as DICOM. Take another \
             --format.",
        ));
    };
    let images = images(&references);
    let mut object = InMemDicomObject::new_empty();
    let description = format!("{} volume, research only", spec.classes[0].name);
    put_identity(&mut object, uids::ENHANCED_SR_STORAGE, "SR", &description, (first, created_at));
    put_document(&mut object, first, &images, seg);
    measurements::put_report(
        &mut object,
        &measurements::ReportInputs { spec, analysis, seg, images, first },
    );
    super::dicom::file(object)
}

/// Class and instance UID of every source image, each once.
fn images<'a>(references: &[&'a DicomReference]) -> Vec<(&'a str, &'a str)> {
    let mut images: Vec<(&str, &str)> = references
        .iter()
        .map(|r| (r.sop_class_uid.as_str(), r.sop_instance_uid.as_str()))
        .collect();
    // Frames of one object are neighbours in the list.
    images.dedup();
    images
}

/// SR Document Series and SR Document General, PS3.3 C.17.1 and C.17.2.
fn put_document(
    object: &mut InMemDicomObject,
    first: &DicomReference,
    images: &[(&str, &str)],
    seg: &DicomSeg,
) {
    put_sequence(object, tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE, Vec::new());
    put_sequence(object, tags::PERFORMED_PROCEDURE_CODE_SEQUENCE, Vec::new());
    // The values are a program's; no person has verified them.
    put_text(object, tags::COMPLETION_FLAG, VR::CS, "COMPLETE");
    put_text(object, tags::VERIFICATION_FLAG, VR::CS, "UNVERIFIED");
    let of_series = |uid: &str, instances: &[(&str, &str)]| {
        referenced_series(uid, instances.iter().copied(), tags::REFERENCED_SOP_SEQUENCE)
    };
    let mut study = InMemDicomObject::new_empty();
    put_text(&mut study, tags::STUDY_INSTANCE_UID, VR::UI, &first.study_uid);
    let segmentation = [(uids::SEGMENTATION_STORAGE, seg.instance_uid.as_str())];
    let series =
        vec![of_series(&first.series_uid, images), of_series(&seg.series_uid, &segmentation)];
    put_sequence(&mut study, tags::REFERENCED_SERIES_SEQUENCE, series);
    put_sequence(object, tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, vec![study]);
}
