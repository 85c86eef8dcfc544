//! Sizes that no head has. They show that the spacing of a file is wrong.

use super::{Assessment, HeadBox};
use crate::slice::{CtSlice, Warning};

/// Plausible longest sides of a head, mm. Newborns have 110, the largest adults 220.
const HEAD_MM: [f32; 2] = [100.0, 300.0];
/// Smallest longest side of a skull on one slice, mm. A slice near the vertex is smaller than its head.
const MIN_SLICE_MM: f32 = 40.0;
/// Number of slices from which one of them lies near the widest part of the head.
const MIN_SLICES: usize = 8;
/// Largest plausible volume of hemorrhage, mL: a third of the cranial cavity of an adult, which holds 1,500.
const MAX_BLOOD_ML: f32 = 500.0;

/// The longer side of a skull, mm; `None` for a slice without pixel spacing.
pub(super) fn skull_mm(slice: &CtSlice, head: HeadBox) -> Option<f32> {
    let [row, column] = slice.spacing_mm?;
    Some((head.width as f32 * column).max(head.height as f32 * row))
}

/// The warning for a slice whose skull has no plausible size; `None` where it has one.
pub(super) fn slice_warning(skull_mm: f32) -> Option<Warning> {
    (!(MIN_SLICE_MM..=HEAD_MM[1]).contains(&skull_mm)).then(|| implausible(skull_mm))
}

/// The warning for a series whose largest skull has no plausible size; `None` where it has one.
pub(super) fn series_warning(slices: &[&Assessment]) -> Option<Warning> {
    let largest = slices.iter().filter_map(|slice| slice.skull_mm).reduce(f32::max)?;
    let least = if slices.len() >= MIN_SLICES { HEAD_MM[0] } else { MIN_SLICE_MM };
    (!(least..=HEAD_MM[1]).contains(&largest)).then(|| implausible(largest))
}

fn implausible(skull_mm: f32) -> Warning {
    Warning::unmeasurable(
        "implausible_size",
        format!(
            "The skull measures {skull_mm:.0} mm by the file's pixel spacing, but heads measure 100 to 300 mm. \
             The spacing is probably wrong, so lengths, areas and volumes are left out. Check Pixel Spacing, or \
             the voxel size and its unit."
        ),
    )
}

/// The warning for a total volume of hemorrhage, mL, that no head can hold; `None` where the volume is plausible.
pub fn volume_warning(total_ml: f32) -> Option<Warning> {
    (total_ml > MAX_BLOOD_ML).then(|| {
        Warning::unmeasurable(
            "implausible_volume",
            format!(
                "A head cannot hold {total_ml:.0} mL of blood. The spacing of the pixels or of the slices is \
                 probably wrong, so lengths, areas and volumes are left out. Check both in the file."
            ),
        )
    })
}
