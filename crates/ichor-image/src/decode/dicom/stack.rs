//! Where the frames of a multi-frame object lie that has one position for all of them, or none.

use super::attributes::text;
use crate::slice::{CtSlice, Placement, Warning};
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

/// Distances of slices of a head, mm.
const MAX_STEP_MM: f64 = 50.0;

/// Gives every frame a place, or none: a stack of which one frame alone is placed would fall apart.
///
/// Enhanced objects say where each frame lies and are left as they are.
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
                slice.placement = Some(moved(first, offset));
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

/// For each frame, the way from the first along the normal, mm.
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
    // Frames that follow each other in time lie in one place.
    let in_time = [tags::FRAME_TIME, tags::FRAME_TIME_VECTOR];
    let pointer = object.get(tags::FRAME_INCREMENT_POINTER).and_then(|e| e.value().to_tag().ok());
    if pointer.is_some_and(|tag| in_time.contains(&tag)) {
        return None;
    }
    let step = *numbers(tags::SPACING_BETWEEN_SLICES)?.first()?;
    let sane = step.abs() > 0.0 && step.abs() <= MAX_STEP_MM;
    sane.then(|| (0..frames).map(|frame| step * frame as f64).collect())
}

fn moved(first: Placement, offset: f64) -> Placement {
    let normal = crate::vector::cross(first.row, first.column);
    let position_mm = std::array::from_fn(|axis| first.position_mm[axis] + normal[axis] * offset);
    Placement { position_mm, ..first }
}
