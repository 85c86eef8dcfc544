//! Sizes that no head has: the spacing or the volume of a file cannot be believed then.

use super::{Assessment, HeadBox};
use crate::slice::{CtSlice, Warning};

/// The longest side of a head, mm: newborns have 110, the largest adults 220.
const HEAD_MM: [f32; 2] = [100.0, 300.0];
/// A slice near the vertex is smaller than its head, mm.
const SLICE_MM: f32 = 40.0;
/// Slices from which on one of them is near the widest part of a head.
const ENOUGH_SLICES: usize = 8;
/// More blood than a head has room for, mL: the cranial cavity of an adult holds 1,500, and a third of it
/// is not survived.
const MAX_BLOOD_ML: f32 = 500.0;

/// The longer side of a skull, mm, where the file says the size of its pixels.
pub(super) fn across_mm(slice: &CtSlice, head: HeadBox) -> Option<f32> {
    let [row, column] = slice.spacing_mm?;
    Some((head.width as f32 * column).max(head.height as f32 * row))
}

/// A warning where the skull of a slice by itself is smaller or larger than any.
pub(super) fn slice_warning(across_mm: f32) -> Option<Warning> {
    (!(SLICE_MM..=HEAD_MM[1]).contains(&across_mm)).then(|| implausible(across_mm))
}

/// A warning where the largest skull of a series is smaller or larger than any.
pub(super) fn series_warning(slices: &[&Assessment]) -> Option<Warning> {
    let largest = slices.iter().filter_map(|slice| slice.across_mm).reduce(f32::max)?;
    let least = if slices.len() >= ENOUGH_SLICES { HEAD_MM[0] } else { SLICE_MM };
    (!(least..=HEAD_MM[1]).contains(&largest)).then(|| implausible(largest))
}

fn implausible(across_mm: f32) -> Warning {
    Warning::unmeasurable(
        "implausible_size",
        format!(
            "The skull measures {across_mm:.0} mm by the file's pixel spacing, and heads have 100 to 300 mm: \
             the spacing is probably wrong, and lengths, areas and volumes are left out. Check Pixel Spacing, or \
             the voxel size and its unit."
        ),
    )
}

/// A warning where that much blood has no room in a head.
pub fn volume_warning(total_ml: f32) -> Option<Warning> {
    (total_ml > MAX_BLOOD_ML).then(|| {
        Warning::unmeasurable(
            "implausible_volume",
            format!(
                "{total_ml:.0} mL of blood have no room in a head: the spacing of the pixels or of the slices is \
                 probably wrong, and lengths, areas and volumes are left out."
            ),
        )
    })
}
