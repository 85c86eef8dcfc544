//! Detects and corrects positions in metres or centimetres.

use super::Numbered;
use super::order::{SAME_POSITION_MM, height};
use crate::slice::{CtSlice, Warning};
use crate::vector::dot;

/// Minimum height of a head, mm.
const MIN_HEAD_MM: f64 = 40.0;
/// Minimum number of slices for a test of their total height.
const MIN_SLICES: usize = 5;
/// Minimum difference of positions; smaller ones are rounding errors.
const MIN_STEP: f64 = 1e-6;

/// Converts positions in metres or centimetres to millimetres if the slice thickness confirms the unit; otherwise warns
/// that the stack cannot be measured.
pub(super) fn repair(slices: &mut [Numbered], normal: [f64; 3], warnings: &mut Vec<Warning>) {
    let Some(step) = usual_step(slices, normal) else { return };
    let thickness = slices.iter().find_map(|(_, slice)| thickness(slice));
    let matches = |factor: f64, tolerance: f64| {
        thickness.is_some_and(|mm| (step * factor / mm - 1.0).abs() <= tolerance)
    };
    let extent = step * slices.len() as f64;
    let is_short = slices.len() >= MIN_SLICES && extent < MIN_HEAD_MM;
    let (unit, factor, is_sure) = if step < SAME_POSITION_MM {
        // Slices are never this close. They may overlap or leave gaps, by less than a factor of two.
        ("metres", 1000.0, matches(1000.0, 0.6))
    } else if is_short && matches(10.0, 0.1) {
        ("centimetres", 10.0, is_centred(slices, 10.0) || locations_step(slices, step * 10.0))
    } else {
        return;
    };
    if !is_sure {
        if factor == 1000.0 {
            rescale(slices, factor);
        }
        warnings.push(Warning::unmeasurable(
            "positions_implausible",
            format!(
                "The positions step by {step:.4} mm, which no head's slices do; perhaps they are in \
                 {unit}. Volumes are not given."
            ),
        ));
        return;
    }
    rescale(slices, factor);
    warnings.push(Warning::new(
        "positions_rescaled",
        format!(
            "The positions are in {unit}, as the slice thickness shows; they were multiplied by \
             {factor:.0}."
        ),
    ));
}

fn rescale(slices: &mut [Numbered], factor: f64) {
    for placement in slices.iter_mut().filter_map(|(_, slice)| slice.placement.as_mut()) {
        placement.position_mm = placement.position_mm.map(|mm| mm * factor);
    }
}

/// The median step between different heights; `None` if most heights are equal.
fn usual_step(slices: &[Numbered], normal: [f64; 3]) -> Option<f64> {
    let mut heights: Vec<f64> = slices.iter().map(|(_, slice)| height(slice, normal)).collect();
    heights.sort_by(f64::total_cmp);
    let mut steps: Vec<f64> =
        heights.windows(2).map(|pair| pair[1] - pair[0]).filter(|&step| step > MIN_STEP).collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied().filter(|_| (steps.len() + 1) * 2 > slices.len())
}

/// Distance to the next slice by the slice's own header, mm.
fn thickness(slice: &CtSlice) -> Option<f64> {
    let between = slice.reference.as_ref().and_then(|r| r.tags.spacing_between_slices_mm);
    between.or(slice.thickness_mm.map(f64::from)).filter(|mm| *mm >= 0.1)
}

/// Whether the first sample is half a field of view from the scanner's centre if its position is multiplied by
/// `factor`, and is not without.
fn is_centred(slices: &[Numbered], factor: f64) -> bool {
    let offsets = |slice: &CtSlice, factor: f64| -> Option<[f64; 2]> {
        let (placement, [row_mm, column_mm]) = (slice.placement?, slice.spacing_mm?);
        let offset = |direction, samples: usize, spacing: f32| {
            let field = samples as f64 * f64::from(spacing);
            (dot(placement.position_mm, direction) * factor / field + 0.5).abs()
        };
        Some([
            offset(placement.row, slice.plane.width, column_mm),
            offset(placement.column, slice.plane.height, row_mm),
        ])
    };
    let Some((_, slice)) = slices.first() else { return false };
    let near =
        |factor| offsets(slice, factor).is_some_and(|o| o.iter().all(|offset| *offset < 0.25));
    near(factor) && !near(1.0)
}

/// Whether the median step of Slice Location (0020,1041) is `step` mm.
fn locations_step(slices: &[Numbered], step: f64) -> bool {
    let location = |(_, slice): &Numbered| slice.reference.as_ref()?.tags.slice_location_mm;
    let Some(mut locations) = slices.iter().map(location).collect::<Option<Vec<f64>>>() else {
        return false;
    };
    locations.sort_by(f64::total_cmp);
    let mut steps: Vec<f64> = locations.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).is_some_and(|usual| (usual / step - 1.0).abs() < 0.05)
}
