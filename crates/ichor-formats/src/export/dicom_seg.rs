//! The mask as a DICOM segmentation object, BINARY (PS3.3 A.51): one segment, one frame for each
//! slice that holds hemorrhage, each frame with the slice's own position and its source image.
//! Unlike NIfTI it holds tilted and unevenly spaced slices exactly.

mod frames;

use super::dicom::elements::{code, new_uid, put_sequence, put_text, put_u16, text};
use super::dicom::identity::{
    put_frame_of_reference, put_identity, referenced_series, warn_of_empty_texts,
};
use crate::error::{Error, Result};
use crate::mask::PackedMask;
use crate::model_spec::ModelSpec;
use crate::series::Series;
use crate::slice::{CtSlice, DicomReference, Placement, Warning};
use crate::stack::Stack;
use dicom_core::VR;
use dicom_core::value::PrimitiveValue;
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use std::time::SystemTime;

/// A slice with all values that a segmentation must repeat.
struct SourceSlice<'a> {
    reference: &'a DicomReference,
    placement: Placement,
    /// Between rows and between columns, mm.
    spacing_mm: [f32; 2],
    /// Length along the normal that the slice stands for, mm, as in the measurement of volumes.
    depth_mm: f32,
    mask: &'a PackedMask,
}

/// A segmentation as a file, with the identifiers that a reference to it needs.
#[derive(Debug, Clone)]
pub struct DicomSeg {
    /// The file, explicit VR little endian.
    pub bytes: Vec<u8>,
    /// Its SOP Instance UID.
    pub instance_uid: String,
    /// Its Series Instance UID.
    pub series_uid: String,
    /// Tracking UID of its one segment.
    pub tracking_uid: String,
    /// Warnings about values of the source that it does not repeat.
    pub warnings: Vec<Warning>,
}

/// Encodes the masks, one per slice in the slice's size, as a DICOM segmentation that is dated `created_at`.
///
/// Patient and study are repeated from the source; the UIDs of the object and of its series are
/// new at every call.
///
/// # Errors
/// [`ichor_image::Error::Unprocessable`] where the input was not DICOM or lacks UIDs, its slices have no
/// position or pixel spacing, or they differ in size.
pub fn encode_dicom_seg(
    spec: &ModelSpec,
    series: &Series,
    masks: &[PackedMask],
    created_at: SystemTime,
) -> Result<DicomSeg> {
    let sources = source_slices(series, masks)?;
    check_size(masks)?;
    // An object needs at least one frame: without any hemorrhage, every slice has an empty one.
    let positive: Vec<&SourceSlice> = sources.iter().filter(|s| s.mask.area_px() > 0).collect();
    let framed = if positive.is_empty() { sources.iter().collect() } else { positive };

    let Some(first) = sources.first().map(|source| source.reference) else {
        return Err(unsupported("The series holds no slices."));
    };
    let mut object = InMemDicomObject::new_empty();
    let description = format!("{}, research only", spec.classes[0].name);
    let source = (first, created_at);
    put_identity(&mut object, uids::SEGMENTATION_STORAGE, "SEG", &description, source);
    let references = sources.iter().map(|source| source.reference);
    put_frame_of_reference(&mut object, references.clone());
    // Common Instance Reference, PS3.3 C.12.2.
    let instances = references.map(|r| (r.sop_class_uid.as_str(), r.sop_instance_uid.as_str()));
    let referenced =
        referenced_series(&first.series_uid, instances, tags::REFERENCED_INSTANCE_SEQUENCE);
    put_sequence(&mut object, tags::REFERENCED_SERIES_SEQUENCE, vec![referenced]);
    let tracking_uid = new_uid();
    put_image(&mut object, spec, &framed, &tracking_uid);
    frames::put_dimensions(&mut object);
    let is_even = Stack::from_series(series).is_some_and(|stack| stack.even);
    let is_even = is_even && series.extents_mm.is_some() && sources.len() > 1;
    frames::put_functional_groups(&mut object, &framed, is_even);
    let bits = PrimitiveValue::from(pack_bits(&framed));
    object.put(dicom_core::DataElement::new(tags::PIXEL_DATA, VR::OB, bits));
    let (instance_uid, series_uid) =
        (text(&object, tags::SOP_INSTANCE_UID), text(&object, tags::SERIES_INSTANCE_UID));
    let warnings = warn_of_empty_texts(&first.patient_study).into_iter().collect();
    let bytes = super::dicom::file(object)?;
    Ok(DicomSeg { bytes, instance_uid, series_uid, tracking_uid, warnings })
}

fn unsupported(reason: &str) -> Error {
    Error::unprocessable(format!("{reason} Take another --format."))
}

/// Whether [`encode_dicom_seg`] can hold the masks.
pub(super) fn is_encodable(series: &Series, masks: &[PackedMask]) -> bool {
    source_slices(series, masks).is_ok() && check_size(masks).is_ok()
}

fn source_slices<'a>(series: &'a Series, masks: &'a [PackedMask]) -> Result<Vec<SourceSlice<'a>>> {
    let step = Stack::from_series(series).map(|stack| stack.slice_spacing_mm() as f32);
    let step = step.filter(|mm| *mm > 0.0);
    let source = |(index, (slice, mask)): (usize, (&'a CtSlice, &'a PackedMask))| {
        let reference = slice.reference.as_deref().ok_or_else(|| {
            unsupported("A DICOM segmentation can only be written for slices that came as DICOM.")
        })?;
        let placement = slice.placement.ok_or_else(|| {
            unsupported("The slices carry no position, which a DICOM segmentation needs.")
        })?;
        let spacing_mm = slice.spacing_mm.ok_or_else(|| {
            unsupported("The slices carry no pixel spacing, which a DICOM segmentation needs.")
        })?;
        let DicomReference { sop_class_uid, sop_instance_uid, series_uid, study_uid, .. } =
            reference;
        if [sop_class_uid, sop_instance_uid, series_uid, study_uid].iter().any(|u| u.is_empty()) {
            return Err(unsupported("The DICOM files lack UIDs that a segmentation must quote."));
        }
        let extent = series.extents_mm.as_ref().and_then(|extents| extents.get(index)).copied();
        // The module requires a thickness, also where it is unknown and no volume is reported.
        let depth_mm = extent.or(slice.thickness_mm).or(step).unwrap_or(1.0);
        Ok(SourceSlice { reference, placement, spacing_mm, depth_mm, mask })
    };
    series.slices.iter().zip(masks).enumerate().map(source).collect()
}

fn check_size(masks: &[PackedMask]) -> Result<()> {
    let equal = masks.windows(2).all(|m| (m[0].width, m[0].height) == (m[1].width, m[1].height));
    let side = masks.first().map_or(0, |m| m.width.max(m.height));
    if !(equal && u16::try_from(side).is_ok()) {
        return Err(unsupported(
            "The slices differ in size, which one DICOM segmentation cannot hold.",
        ));
    }
    Ok(())
}

/// Image Pixel, PS3.3 C.7.6.3, and Segmentation Image, C.8.20.2.
fn put_image(
    object: &mut InMemDicomObject,
    spec: &ModelSpec,
    framed: &[&SourceSlice],
    tracking_uid: &str,
) {
    let (width, height) = framed.first().map_or((0, 0), |s| (s.mask.width, s.mask.height));
    put_text(object, tags::IMAGE_TYPE, VR::CS, "DERIVED\\PRIMARY");
    put_text(object, tags::CONTENT_LABEL, VR::CS, "HEMORRHAGE");
    put_text(object, tags::CONTENT_DESCRIPTION, VR::LO, &spec.classes[0].name);
    put_text(object, tags::CONTENT_CREATOR_NAME, VR::PN, "Ichor^Software");
    put_text(object, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2");
    put_text(object, tags::NUMBER_OF_FRAMES, VR::IS, &framed.len().to_string());
    put_text(object, tags::SEGMENTATION_TYPE, VR::CS, "BINARY");
    put_u16(object, tags::SAMPLES_PER_PIXEL, 1);
    // Sides were checked against 16 bits.
    put_u16(object, tags::ROWS, height as u16);
    put_u16(object, tags::COLUMNS, width as u16);
    put_u16(object, tags::BITS_ALLOCATED, 1);
    put_u16(object, tags::BITS_STORED, 1);
    put_u16(object, tags::HIGH_BIT, 0);
    put_u16(object, tags::PIXEL_REPRESENTATION, 0);
    put_sequence(object, tags::SEGMENT_SEQUENCE, vec![segment(spec, tracking_uid)]);
}

/// The one segment, PS3.3 C.8.20.2.2: SNOMED CT codes, the category one of PS3.16 CID 7150.
fn segment(spec: &ModelSpec, tracking_uid: &str) -> InMemDicomObject {
    let mut segment = InMemDicomObject::new_empty();
    put_u16(&mut segment, tags::SEGMENT_NUMBER, 1);
    put_text(&mut segment, tags::SEGMENT_LABEL, VR::LO, &spec.classes[0].name);
    put_text(&mut segment, tags::SEGMENT_ALGORITHM_TYPE, VR::CS, "AUTOMATIC");
    let name = format!("Ichor {} {}", spec.name, spec.version);
    put_text(&mut segment, tags::SEGMENT_ALGORITHM_NAME, VR::LO, &name);
    put_text(&mut segment, tags::TRACKING_ID, VR::UT, &spec.classes[0].code);
    put_text(&mut segment, tags::TRACKING_UID, VR::UI, tracking_uid);
    let sct = |value, meaning| vec![code("SCT", value, meaning)];
    put_sequence(
        &mut segment,
        tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE,
        sct("49755003", "Morphologically Abnormal Structure"),
    );
    put_sequence(
        &mut segment,
        tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE,
        sct("1386000", "Intracranial hemorrhage"),
    );
    segment
}

/// One bit per pixel, the first in the lowest bit. Frames follow each other without a gap, and the whole has an
/// even number of bytes (PS3.5 8.1.1, PS3.3 C.8.20.2).
fn pack_bits(framed: &[&SourceSlice]) -> Vec<u8> {
    let count: usize = framed.iter().map(|source| source.mask.width * source.mask.height).sum();
    let mut bytes = vec![0_u8; count.div_ceil(16) * 2];
    let mut first = 0;
    for mask in framed.iter().map(|source| source.mask) {
        let pixels = mask.width * mask.height;
        for pixel in (0..pixels).filter(|&pixel| mask.contains(pixel)) {
            let index = first + pixel;
            bytes[index / 8] |= 1 << (index % 8);
        }
        first += pixels;
    }
    bytes
}

#[cfg(test)]
mod tests;
