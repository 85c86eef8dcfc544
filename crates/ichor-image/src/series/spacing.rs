//! Measures the distances of slices along their normal, and the tilt of the gantry.
//!
//! A slice of area A represents the slab between the planes half way to its neighbours. The volume of the slab is A
//! times the perpendicular distance of these planes (Cavalieri). With a tilted gantry the table still moves along the
//! body, so that the distance between two positions is longer than the perpendicular distance by 1/cos(tilt), 5 % at 18
//! degrees. Distances along the normal give correct volumes at any tilt. Tilt also shifts neighbouring slices in their
//! plane by sin(tilt) of the step, which a comparison of pixels or a display of the stack as a box must correct.

use super::order::height;
use super::{Numbered, Series};
use crate::slice::{CtSlice, Placement, Warning};
use crate::vector::{cross, dot, minus, normalised, scaled_sum};

/// Maximum plausible tilt. CT gantries tilt by 30 degrees at most, and the margin is for rounding. Above it, positions
/// and orientations contradict each other and the stack is not measured.
pub const MAX_TILT_DEGREES: f32 = 35.0;

/// Minimum tilt that is reported; smaller values come from rounded positions.
const MIN_TILT_DEGREES: f32 = 1.0;
/// A gap of more than this many times the median is missing a slice.
const MISSING_GAP: f64 = 1.5;

/// Measurements of a stack, as in [`Series`].
#[derive(Default)]
pub(super) struct Stack {
    pub(super) extents_mm: Option<Vec<f32>>,
    pub(super) tilt_degrees: Option<f32>,
}

/// Unit normal of the slices, towards the head for axial ones; `None` if they have no position.
pub(super) fn normal(slices: &[Numbered]) -> Option<[f64; 3]> {
    // All slices of a group have the same orientation.
    let placement = slices.first()?.1.placement?;
    let normal = normalised(cross(placement.row, placement.column))?;
    let largest = normal.into_iter().max_by(|a, b| a.abs().total_cmp(&b.abs()))?;
    Some(if largest < 0.0 { normal.map(|v| -v) } else { normal })
}

/// Measures slices that are sorted along `normal`, at distinct positions.
pub(super) fn measure(slices: &[Numbered], normal: [f64; 3], warnings: &mut Vec<Warning>) -> Stack {
    if normal[2] < std::f64::consts::FRAC_1_SQRT_2 {
        warnings.push(Warning::new(
            "not_axial",
            "The slices are not axial; the models were made for axial slices.",
        ));
    }
    let heights: Vec<f64> = slices.iter().map(|(_, s)| height(s, normal)).collect();
    let gaps: Vec<f64> = heights.windows(2).map(|pair| pair[1] - pair[0]).collect();
    warn_of_gaps(slices, &gaps, warnings);
    let tilt_degrees = tilt(slices, normal);
    match tilt_degrees {
        Some(degrees) => warn_of_tilt(degrees, warnings),
        None => warn_of_tagged_tilt(slices, warnings),
    }
    let is_plausible = tilt_degrees.is_none_or(|degrees| degrees <= MAX_TILT_DEGREES);
    let extents_mm = if is_plausible { extents(slices, &gaps) } else { None };
    Stack { extents_mm, tilt_degrees }
}

impl Series {
    /// Distance of each slice to the next along their normal, mm; `None` if positions are unknown or contradict each
    /// other.
    pub fn gaps_mm(&self) -> Option<Vec<f32>> {
        let (last, extents) = self.extents_mm.as_ref()?.split_last()?;
        // The inverse of `extents`: the first extent is its gap, each other the mean of two gaps.
        let mut before = None;
        let gaps = extents.iter().map(|extent| {
            let gap = before.map_or(*extent, |before| 2.0 * extent - before);
            before = Some(gap);
            gap
        });
        let gaps: Vec<f32> = gaps.collect();
        (self.slices.len() == gaps.len() + 1 && last.is_finite()).then_some(gaps)
    }
}

/// Half the distance to both neighbours; at both ends the gap is continued. A single slice has its thickness.
pub(super) fn extents(slices: &[Numbered], gaps: &[f64]) -> Option<Vec<f32>> {
    let (Some(first), Some(last)) = (gaps.first(), gaps.last()) else {
        let alone = (slices.len() == 1).then(|| slices[0].1.thickness_mm).flatten();
        return alone.filter(|t| t.is_finite() && *t > 0.0).map(|t| vec![t]);
    };
    let below = std::iter::once(first).chain(gaps);
    let above = gaps.iter().chain(std::iter::once(last));
    Some(below.zip(above).map(|(below, above)| ((below + above) / 2.0) as f32).collect())
}

/// Warns about missing or unevenly spaced slices.
fn warn_of_gaps(slices: &[Numbered], gaps: &[f64], warnings: &mut Vec<Warning>) {
    let Some(usual) = median(gaps) else { return };
    let missing: Vec<f64> = gaps
        .iter()
        .zip(slices.windows(2))
        // Protocols use thin slices at the skull base and thick ones above: a gap that is filled by the thickness of
        // its slices is not missing any.
        .filter(|(gap, pair)| **gap > MISSING_GAP * usual.max(filled(pair)))
        .map(|(gap, _)| *gap)
        .collect();
    let widest = gaps.iter().copied().fold(0.0, f64::max);
    let narrowest = gaps.iter().copied().fold(f64::INFINITY, f64::min);
    if !missing.is_empty() {
        let absent: f64 = missing.iter().map(|gap| (gap / usual).round() - 1.0).sum();
        let message = format!(
            "About {:.0} of the slices are missing: gaps of up to {widest:.2} mm where {usual:.2} \
             mm is usual, in {} of {} places. Volumes there are interpolated.",
            absent.max(1.0),
            missing.len(),
            gaps.len(),
        );
        warnings.push(Warning::new("missing_slices", message));
    } else if widest - narrowest > (0.02 * usual).max(0.1) {
        let message = format!(
            "The slices are unevenly spaced: {narrowest:.2} to {widest:.2} mm along their normal. \
             Each counts with the half way to its neighbours."
        );
        warnings.push(Warning::new("uneven_spacing", message));
    }
}

/// The part of a gap that the thickness of its two slices fills, mm; 0 if one is unknown.
fn filled(pair: &[Numbered]) -> f64 {
    let half = |(_, slice): &Numbered| slice.thickness_mm.map(|t| f64::from(t) / 2.0);
    pair.iter().map(half).sum::<Option<f64>>().filter(|t| t.is_finite()).unwrap_or(0.0)
}

fn median(gaps: &[f64]) -> Option<f64> {
    let mut sorted = gaps.to_vec();
    sorted.sort_by(f64::total_cmp);
    // The lower of two middle values, because of two gaps the wider one may be missing a slice.
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

/// Angle between the normal and the line through the centres of the slices, degrees. Centres are used because a field
/// of view that is resized keeps its centre. The median of the steps is used, so that one shift within the series is no
/// tilt.
fn tilt(slices: &[Numbered], normal: [f64; 3]) -> Option<f32> {
    let centres: Vec<[f64; 3]> =
        slices.iter().map(|(_, slice)| centre(slice)).collect::<Option<_>>()?;
    // Heights are distinct, so the division is safe.
    let shift = |pair: &[[f64; 3]]| {
        let step = minus(pair[1], pair[0]);
        let height = dot(step, normal);
        let across = std::array::from_fn(|axis| step[axis] / height - normal[axis]);
        across.iter().all(|part: &f64| part.is_finite()).then_some(across)
    };
    let shifts: Vec<[f64; 3]> = centres.windows(2).filter_map(shift).collect();
    let usual = |axis: usize| median(&shifts.iter().map(|shift| shift[axis]).collect::<Vec<_>>());
    let across = [usual(0)?, usual(1)?, usual(2)?];
    Some(dot(across, across).sqrt().atan().to_degrees() as f32)
}

/// Centre of a slice, mm; its first sample if the pixel spacing is unknown.
fn centre(slice: &CtSlice) -> Option<[f64; 3]> {
    let Placement { position_mm, row, column } = slice.placement?;
    let [between_rows, between_columns] = slice.spacing_mm.map_or([0.0; 2], |mm| mm.map(f64::from));
    let half = |count: usize, mm: f64| count.saturating_sub(1) as f64 * mm / 2.0;
    let along = (half(slice.plane.width, between_columns), row);
    let down = (half(slice.plane.height, between_rows), column);
    Some(scaled_sum(position_mm, along, down, (0.0, [0.0; 3])))
}

/// Warns about a measured tilt.
fn warn_of_tilt(degrees: f32, warnings: &mut Vec<Warning>) {
    if degrees > MAX_TILT_DEGREES {
        let message = format!(
            "The positions lean {degrees:.1} degrees against the slices' normal, more than the \
             {MAX_TILT_DEGREES:.0} that a gantry can tilt: positions and orientations contradict \
             each other, and volumes are not given."
        );
        warnings.push(Warning::new("tilt_implausible", message));
    } else if degrees > MIN_TILT_DEGREES {
        let message = format!(
            "The gantry is tilted by {degrees:.1} degrees. Volumes are right, as distances are \
             taken along the slices' normal; viewers that stack the slices as a box show a \
             sheared head."
        );
        warnings.push(Warning::new("gantry_tilt", message));
    }
}

/// Warns about the tilt in Gantry/Detector Tilt (0018,1120), for slices without two positions.
pub(super) fn warn_of_tagged_tilt(slices: &[Numbered], warnings: &mut Vec<Warning>) {
    let tagged = slices.iter().filter_map(|(_, slice)| {
        slice.reference.as_ref()?.gantry_tilt.as_ref()?.trim().parse::<f32>().ok()
    });
    let steepest = tagged.map(f32::abs).filter(|t| t.is_finite()).fold(0.0, f32::max);
    if steepest > MIN_TILT_DEGREES && steepest <= 90.0 {
        let message = format!(
            "The file says that the gantry was tilted by {steepest:.1} degrees; without positions \
             that cannot be checked."
        );
        warnings.push(Warning::new("gantry_tilt", message));
    }
}
