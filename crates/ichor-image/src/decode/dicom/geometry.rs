//! Position and spacing of a frame (PS3.3 C.7.6.2; enhanced objects C.7.6.16.2).

use super::attributes::Attributes;
use crate::slice::{CtSlice, Placement, Warning};
use dicom_dictionary_std::tags;

/// Maximum plausible pixel spacing and slice thickness of a head, mm.
const MAX_MM: f64 = 100.0;
/// Maximum plausible coordinate, mm. Positions are relative to a reference point of the scanner, in the same room.
const MAX_POSITION_MM: f64 = 1e5;
/// Tolerance of direction cosines, which files contain with few digits.
const UNIT_TOLERANCE: f64 = 1e-2;

/// Sets spacing, placement and thickness of a slice. Impossible values are left out with a warning.
pub(super) fn place(attributes: &Attributes<'_>, slice: &mut CtSlice) {
    let measures = tags::PIXEL_MEASURES_SEQUENCE;
    slice.spacing_mm = attributes.numbers(measures, tags::PIXEL_SPACING).and_then(|values| {
        let spacing = match values[..] {
            [row, column] if is_length(row) && is_length(column) => {
                Some([row as f32, column as f32])
            }
            _ => None,
        };
        if spacing.is_none() {
            slice.warnings.push(Warning::new(
                "spacing_invalid",
                "The pixel spacing in the DICOM file is impossible and was left out; areas and \
                 volumes are unknown.",
            ));
        }
        spacing
    });
    let at_detector = || attributes.text(tags::IMAGER_PIXEL_SPACING, tags::IMAGER_PIXEL_SPACING);
    if slice.spacing_mm.is_none() && at_detector().is_some() {
        // It is not the spacing in the patient (PS3.3 10.7.1.3).
        slice.warnings.push(Warning::new(
            "spacing_at_detector",
            "The DICOM file says the pixel spacing at the detector only, which is not the \
             patient's; areas and volumes are unknown.",
        ));
    }
    slice.thickness_mm = attributes
        .numbers(measures, tags::SLICE_THICKNESS)
        .and_then(|values| values.first().copied())
        .filter(|&thickness| is_length(thickness))
        .map(|thickness| thickness as f32);
    slice.placement = placement(attributes, &mut slice.warnings);
}

fn is_length(mm: f64) -> bool {
    mm > 0.0 && mm <= MAX_MM
}

fn placement(attributes: &Attributes<'_>, warnings: &mut Vec<Warning>) -> Option<Placement> {
    let (group, tag) = (tags::PLANE_POSITION_SEQUENCE, tags::IMAGE_POSITION_PATIENT);
    // A position at the top level of a multi-frame object is the position of its first frame.
    if attributes.frame > 0 && !attributes.in_group(group, tag) {
        return None;
    }
    let position = attributes.numbers(group, tag)?;
    let orientation =
        attributes.numbers(tags::PLANE_ORIENTATION_SEQUENCE, tags::IMAGE_ORIENTATION_PATIENT)?;
    let placement = checked_placement(&position, &orientation);
    if placement.is_none() {
        warnings.push(Warning::new(
            "placement_invalid",
            "The position or orientation in the DICOM file is impossible and was left out.",
        ));
    }
    placement
}

/// A placement, if position and orientation are plausible.
fn checked_placement(position: &[f64], orientation: &[f64]) -> Option<Placement> {
    let position_mm: [f64; 3] = position.try_into().ok()?;
    let [rx, ry, rz, cx, cy, cz]: [f64; 6] = orientation.try_into().ok()?;
    let (row, column) = (unit([rx, ry, rz])?, unit([cx, cy, cz])?);
    let inside = position_mm.iter().all(|mm| mm.abs() <= MAX_POSITION_MM);
    let perpendicular = dot(row, column).abs() < UNIT_TOLERANCE;
    (inside && perpendicular).then_some(Placement { position_mm, row, column })
}

/// The vector scaled to length 1; `None` if its length is not about 1.
fn unit(vector: [f64; 3]) -> Option<[f64; 3]> {
    let length = dot(vector, vector).sqrt();
    ((length - 1.0).abs() < UNIT_TOLERANCE).then(|| vector.map(|v| v / length))
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
