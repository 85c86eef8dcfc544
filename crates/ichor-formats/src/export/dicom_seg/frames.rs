//! Dimensions (PS3.3 C.7.6.17) and functional groups (C.7.6.16) of the frames.

use super::SourceSlice;
use crate::export::dicom::elements::{
    code, new_uid, put_decimals, put_sequence, put_tag, put_text, put_u16,
};
use dicom_core::header::Tag;
use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElement, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

/// Frames are indexed by segment, then by position.
pub(super) fn put_dimensions(object: &mut InMemDicomObject) {
    let organization = new_uid();
    let mut uid = InMemDicomObject::new_empty();
    put_text(&mut uid, tags::DIMENSION_ORGANIZATION_UID, VR::UI, &organization);
    put_sequence(object, tags::DIMENSION_ORGANIZATION_SEQUENCE, vec![uid]);
    let dimension = |pointer: Tag, group: Tag, label: &str| {
        let mut item = InMemDicomObject::new_empty();
        put_text(&mut item, tags::DIMENSION_ORGANIZATION_UID, VR::UI, &organization);
        put_tag(&mut item, tags::DIMENSION_INDEX_POINTER, pointer);
        put_tag(&mut item, tags::FUNCTIONAL_GROUP_POINTER, group);
        put_text(&mut item, tags::DIMENSION_DESCRIPTION_LABEL, VR::LO, label);
        item
    };
    let segment = dimension(
        tags::REFERENCED_SEGMENT_NUMBER,
        tags::SEGMENT_IDENTIFICATION_SEQUENCE,
        "Segment Number",
    );
    let position =
        dimension(tags::IMAGE_POSITION_PATIENT, tags::PLANE_POSITION_SEQUENCE, "Image Position");
    put_sequence(object, tags::DIMENSION_INDEX_SEQUENCE, vec![segment, position]);
}

/// Pixel Measures and Plane Orientation stand in the shared groups where all frames have the same,
/// else in each frame's own (PS3.3 C.7.6.16.1.1: never in both). `is_even`: slices, those without
/// a frame too, are equally far apart.
pub(super) fn put_functional_groups(
    object: &mut InMemDicomObject,
    framed: &[&SourceSlice],
    is_even: bool,
) {
    let same_measures = framed.iter().all(|source| has_same_measures(framed[0], source));
    let same_orientation = framed.windows(2).all(|pair| {
        let [a, b] = [pair[0].placement, pair[1].placement];
        (a.row, a.column) == (b.row, b.column)
    });
    let mut shared = InMemDicomObject::new_empty();
    if let Some(first) = framed.first() {
        if same_measures {
            put_sequence(
                &mut shared,
                tags::PIXEL_MEASURES_SEQUENCE,
                vec![measures(first, is_even)],
            );
        }
        if same_orientation {
            put_sequence(&mut shared, tags::PLANE_ORIENTATION_SEQUENCE, vec![orientation(first)]);
        }
    }
    put_sequence(object, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]);
    let per_frame = |(place, source): (u32, &&SourceSlice)| {
        let mut frame = frame(place, source);
        if !same_measures {
            put_sequence(&mut frame, tags::PIXEL_MEASURES_SEQUENCE, vec![measures(source, false)]);
        }
        if !same_orientation {
            put_sequence(&mut frame, tags::PLANE_ORIENTATION_SEQUENCE, vec![orientation(source)]);
        }
        frame
    };
    let frames = (1..).zip(framed).map(per_frame).collect();
    put_sequence(object, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, frames);
}

/// Whether the frames have the same measures, except for the rounding of positions.
fn has_same_measures(a: &SourceSlice, b: &SourceSlice) -> bool {
    let difference = (a.depth_mm - b.depth_mm).abs();
    a.spacing_mm == b.spacing_mm && difference <= SAME_DEPTH * a.depth_mm.min(b.depth_mm)
}

/// Relative difference up to which depths count as equal; the relative error of a volume is at most the same.
const SAME_DEPTH: f32 = 2e-4;

/// Pixel Measures, PS3.3 C.7.6.16.2.1. The thickness is the length that a slice stands for, not the
/// nominal one of overlapping or gapped slices: a reader that multiplies gets the measured volume.
fn measures(source: &SourceSlice, with_gap: bool) -> InMemDicomObject {
    let mut measures = InMemDicomObject::new_empty();
    put_decimals(&mut measures, tags::PIXEL_SPACING, &source.spacing_mm.map(to_decimal));
    let depth = [to_decimal(source.depth_mm)];
    put_decimals(&mut measures, tags::SLICE_THICKNESS, &depth);
    if with_gap {
        put_decimals(&mut measures, tags::SPACING_BETWEEN_SLICES, &depth);
    }
    measures
}

fn orientation(source: &SourceSlice) -> InMemDicomObject {
    let mut orientation = InMemDicomObject::new_empty();
    let cosines = [source.placement.row, source.placement.column].concat();
    put_decimals(&mut orientation, tags::IMAGE_ORIENTATION_PATIENT, &cosines);
    orientation
}

/// The decimal number with the fewest digits that `f32` stores as `value`: 0.4 and not 0.4000000059.
fn to_decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}

/// Frame Content, Plane Position, Segment Identification and Derivation Image of one frame;
/// `place` counts from 1.
fn frame(place: u32, source: &SourceSlice) -> InMemDicomObject {
    let mut content = InMemDicomObject::new_empty();
    let indices = PrimitiveValue::U32([1, place].as_slice().into());
    content.put(DataElement::new(tags::DIMENSION_INDEX_VALUES, VR::UL, indices));
    let mut position = InMemDicomObject::new_empty();
    put_decimals(&mut position, tags::IMAGE_POSITION_PATIENT, &source.placement.position_mm);
    let mut segment = InMemDicomObject::new_empty();
    put_u16(&mut segment, tags::REFERENCED_SEGMENT_NUMBER, 1);

    let mut frame = InMemDicomObject::new_empty();
    put_sequence(&mut frame, tags::FRAME_CONTENT_SEQUENCE, vec![content]);
    put_sequence(&mut frame, tags::PLANE_POSITION_SEQUENCE, vec![position]);
    put_sequence(&mut frame, tags::SEGMENT_IDENTIFICATION_SEQUENCE, vec![segment]);
    put_sequence(&mut frame, tags::DERIVATION_IMAGE_SEQUENCE, vec![derivation(source)]);
    frame
}

/// The image that the frame was derived from, PS3.3 C.7.6.16.2.6.
fn derivation(source: &SourceSlice) -> InMemDicomObject {
    let reference = source.reference;
    let mut image = InMemDicomObject::new_empty();
    put_text(&mut image, tags::REFERENCED_SOP_CLASS_UID, VR::UI, &reference.sop_class_uid);
    put_text(&mut image, tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, &reference.sop_instance_uid);
    if let Some(frame) = reference.frame {
        put_text(&mut image, tags::REFERENCED_FRAME_NUMBER, VR::IS, &frame.to_string());
    }
    // The mask has the pixel grid of its image, so that viewers can overlay them.
    put_text(&mut image, tags::SPATIAL_LOCATIONS_PRESERVED, VR::CS, "YES");
    let purpose = code("DCM", "121322", "Source image for image processing operation");
    put_sequence(&mut image, tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, vec![purpose]);
    let mut derivation = InMemDicomObject::new_empty();
    put_sequence(&mut derivation, tags::SOURCE_IMAGE_SEQUENCE, vec![image]);
    let segmentation = code("DCM", "113076", "Segmentation");
    put_sequence(&mut derivation, tags::DERIVATION_CODE_SEQUENCE, vec![segmentation]);
    derivation
}
