//! Positions of the frames of a multi-frame object that has a position for one frame only.

use super::attributes::text;
use crate::slice::{CtSlice, Placement, Warning};
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

/// Maximum distance between slices of a head, mm.
const MAX_STEP_MM: f64 = 50.0;

/// Derives the positions of all frames from that of the first one, or removes it: a series with only one placed frame
/// would be split. Enhanced objects have a position for each frame and are not changed.
pub(super) fn place_frames(
    object: &InMemDicomObject,
    slices: &mut [CtSlice],
    warnings: &mut Vec<Warning>,
) {
    let placed = slices.iter().filter(|slice| slice.placement.is_some()).count();
    if slices.len() < 2 || placed == slices.len() {
        return;
    }
    let first = slices[0].placement.filter(|_| placed == 1);
    match first.zip(offsets(object, slices.len())) {
        Some((first, offsets)) => {
            for (slice, offset) in slices.iter_mut().zip(offsets) {
                slice.placement = Some(translated(first, offset));
            }
            warnings.push(Warning::new(
                "frame_positions_derived",
                "The DICOM file says the position of its first frame alone; those of the others were \
                 derived from the distance between slices, along their normal.",
            ));
        }
        None => {
            slices.iter_mut().for_each(|slice| slice.placement = None);
            warnings.push(Warning::new(
                "frame_positions_missing",
                "The DICOM file does not say where each of its frames lies; they are read in their \
                 order.",
            ));
        }
    }
}

/// For each frame, its distance from the first one along the normal, mm.
fn offsets(object: &InMemDicomObject, frames: usize) -> Option<Vec<f64>> {
    let numbers = |tag: Tag| -> Option<Vec<f64>> {
        let text = object.get(tag).and_then(text)?;
        text.split('\\')
            .map(|part| part.trim().parse().ok().filter(|n: &f64| n.is_finite()))
            .collect()
    };
    if let Some(locations) = numbers(tags::SLICE_LOCATION_VECTOR).filter(|l| l.len() == frames) {
        return Some(locations.iter().map(|location| location - locations[0]).collect());
    }
    // Frames of a time series have the same position.
    let in_time = [tags::FRAME_TIME, tags::FRAME_TIME_VECTOR];
    let pointer = object.get(tags::FRAME_INCREMENT_POINTER).and_then(|e| e.value().to_tag().ok());
    if pointer.is_some_and(|tag| in_time.contains(&tag)) {
        return None;
    }
    let step = *numbers(tags::SPACING_BETWEEN_SLICES)?.first()?;
    let is_plausible = step.abs() > 0.0 && step.abs() <= MAX_STEP_MM;
    is_plausible.then(|| (0..frames).map(|frame| step * frame as f64).collect())
}

/// The placement moved along its normal by `offset` mm.
fn translated(first: Placement, offset: f64) -> Placement {
    let normal = crate::vector::cross(first.row, first.column);
    let position_mm = std::array::from_fn(|axis| first.position_mm[axis] + normal[axis] * offset);
    Placement { position_mm, ..first }
}
