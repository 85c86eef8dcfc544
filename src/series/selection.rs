//! Which slices belong to the series.

use super::{Numbered, cross, dot, normalised};
use crate::slice::{CtSlice, Intensity, Placement, Warning};

/// Slices within this angle of each other are cut in one direction. Wider than any rounding of
/// Image Orientation, narrower than any reformat that somebody would make.
const SAME_DIRECTION_DEGREES: f64 = 3.0;

/// Drops the slices that their Image Type (0008,0008), value 3, calls localisers
/// (DICOM PS3.3 C.8.2.1.1.1).
pub(super) fn without_localizers(
    slices: Vec<Numbered>,
    warnings: &mut Vec<Warning>,
) -> Vec<Numbered> {
    let (localizers, axial): (Vec<_>, Vec<_>) =
        slices.into_iter().partition(|(_, slice)| is_localizer(slice));
    if !localizers.is_empty() {
        let message = format!("{} left out: localiser (scout).", counted(localizers.len()));
        warnings.push(Warning::new("localizers_left_out", message));
    }
    axial
}

fn is_localizer(slice: &CtSlice) -> bool {
    let types = slice.reference.iter().flat_map(|r| &r.image_type);
    types.map(|value| value.trim()).any(|value| value.eq_ignore_ascii_case("LOCALIZER"))
}

/// Keeps the largest group of one series, modality, size and kind of intensity; of equal groups
/// the one that comes first.
pub(super) fn largest_group(slices: Vec<Numbered>, warnings: &mut Vec<Warning>) -> Vec<Numbered> {
    let all = slices.len();
    let kept = largest(slices, |a, b| Group::of(a) == Group::of(b));
    if kept.len() < all {
        let message = format!(
            "{} left out: of another series, size or kind, or without the position that the \
             others have; the largest consistent group, of {}, is measured.",
            counted(all - kept.len()),
            kept.len()
        );
        warnings.push(Warning::new("mixed_series", message));
    }
    kept
}

/// What the slices of one series share.
#[derive(PartialEq)]
struct Group<'a> {
    series_uid: Option<&'a str>,
    modality: Option<&'a str>,
    size: (usize, usize),
    intensity: Intensity,
    placed: bool,
}

impl<'a> Group<'a> {
    fn of(slice: &'a CtSlice) -> Self {
        Self {
            series_uid: slice.reference.as_ref().map(|r| r.series_uid.as_str()),
            modality: slice.modality.as_deref(),
            size: (slice.plane.width, slice.plane.height),
            intensity: slice.intensity,
            placed: direction(slice).is_some(),
        }
    }
}

/// Keeps the slices cut in the direction that most of them have.
pub(super) fn majority_direction(
    slices: Vec<Numbered>,
    warnings: &mut Vec<Warning>,
) -> Vec<Numbered> {
    let all = slices.len();
    let parallel = |a: &CtSlice, b: &CtSlice| match (direction(a), direction(b)) {
        (Some(a), Some(b)) => {
            let limit = SAME_DIRECTION_DEGREES.to_radians().cos();
            dot(a[0], b[0]) >= limit && dot(a[1], b[1]) >= limit
        }
        (a, b) => a.is_none() && b.is_none(),
    };
    let kept = largest(slices, parallel);
    if kept.len() < all {
        let message = format!(
            "{} left out: cut in another direction than the {} others (a scout or a reformat).",
            counted(all - kept.len()),
            kept.len()
        );
        warnings.push(Warning::new("other_direction_left_out", message));
    }
    kept
}

/// Row and column directions of a placed slice; `None` where the file does not say them or says
/// directions that are no two perpendicular ones.
fn direction(slice: &CtSlice) -> Option<[[f64; 3]; 2]> {
    let Placement { position_mm, row, column } = slice.placement?;
    let (row, column) = (normalised(row)?, normalised(column)?);
    let perpendicular = dot(row, column).abs() < 0.02 && normalised(cross(row, column)).is_some();
    (perpendicular && position_mm.iter().all(|p| p.is_finite())).then_some([row, column])
}

/// The largest group of slices like its first one, in the given order.
fn largest(slices: Vec<Numbered>, alike: impl Fn(&CtSlice, &CtSlice) -> bool) -> Vec<Numbered> {
    // A folder of unlike files has as many groups as files: bounded by the slices of a series.
    let mut groups: Vec<Vec<Numbered>> = Vec::new();
    for numbered in slices {
        match groups.iter_mut().find(|group| alike(&group[0].1, &numbered.1)) {
            Some(group) => group.push(numbered),
            None => groups.push(vec![numbered]),
        }
    }
    // `max_by_key` takes the last of equals; the first is wanted.
    groups.into_iter().rev().max_by_key(Vec::len).unwrap_or_default()
}

/// "1 slice was" or "3 slices were".
pub(super) fn counted(count: usize) -> String {
    if count == 1 { "1 slice was".into() } else { format!("{count} slices were") }
}
