//! The order of the slices: by position, else by Slice Location, else by Instance Number, else as
//! given.

use super::repeats::{drop_copies, drop_far_off, drop_repeated, drop_unplaced_pages};
use super::spacing::{self, Stack};
use super::{Member, Numbered, scale};
use crate::slice::{CtSlice, Placement, Warning};
use crate::vector::{cross, dot, normalised};

/// Slices within this angle of each other are cut in one direction. Wider than any rounding of
/// Image Orientation, narrower than any reformat that somebody would make.
const SAME_DIRECTION_DEGREES: f64 = 3.0;
/// Slices nearer than this are at one position: the thinnest CT slices are 0.25 mm apart.
pub(super) const SAME_POSITION_MM: f64 = 0.02;
/// Distances that slices of a head can have, mm.
const STEPS_MM: std::ops::RangeInclusive<f64> = 0.1..=50.0;

/// Row and column directions of a placed slice; `None` where the file does not say them or says
/// directions that are no two perpendicular ones.
pub(super) fn direction(slice: &CtSlice) -> Option<[[f64; 3]; 2]> {
    let Placement { position_mm, row, column } = slice.placement?;
    let (row, column) = (normalised(row)?, normalised(column)?);
    let perpendicular = dot(row, column).abs() < 0.02 && normalised(cross(row, column)).is_some();
    (perpendicular && position_mm.iter().all(|p| p.is_finite())).then_some([row, column])
}

/// Whether both are placed and cut in one direction.
pub(super) fn is_parallel(a: &CtSlice, b: &CtSlice) -> bool {
    let limit = SAME_DIRECTION_DEGREES.to_radians().cos();
    direction(a)
        .zip(direction(b))
        .is_some_and(|(a, b)| dot(a[0], b[0]) >= limit && dot(a[1], b[1]) >= limit)
}

/// Whether the slices are parallel, of one pixel size and evenly spaced: then they are one stack,
/// whatever their identifiers say.
pub(super) fn is_stack(members: &[Member<'_>]) -> bool {
    let Some(first) = members.first().map(|m| m.slice) else { return false };
    let alike = members.iter().all(|m| {
        is_parallel(first, m.slice)
            && m.slice.spacing_mm == first.spacing_mm
            && m.slice.plane.width == first.plane.width
            && m.slice.plane.height == first.plane.height
    });
    let Some(mut heights) = super::groups::heights(members).filter(|h| alike && h.len() > 2) else {
        return false;
    };
    heights.sort_by(f64::total_cmp);
    let mut gaps: Vec<f64> = heights.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_by(f64::total_cmp);
    let usual = gaps[gaps.len() / 2];
    let even = |gap: &&f64| (**gap - usual).abs() <= 0.1 * usual;
    gaps[0] >= SAME_POSITION_MM && gaps.iter().filter(even).count() * 5 >= gaps.len() * 4
}

/// Sorts the slices of one group, drops what is no slice of the stack, and measures the rest.
pub(super) fn arrange(slices: &mut Vec<Numbered>, warnings: &mut Vec<Warning>) -> Stack {
    drop_unplaced_pages(slices, warnings);
    let placed = slices.iter().filter(|(_, slice)| direction(slice).is_some()).count();
    let all = slices.len();
    let Some(normal) = spacing::normal(slices).filter(|_| placed == all) else {
        let cause = match placed {
            0 => "The slices carry no positions".into(),
            _ => format!("{} of {all} slices carry no position", all - placed),
        };
        return by_tags(slices, &cause, warnings);
    };
    scale::repair(slices, normal, warnings);
    // Stable, so of slices at one position the first given stays first.
    slices.sort_by(|a, b| height(&a.1, normal).total_cmp(&height(&b.1, normal)));
    drop_copies(slices, normal, warnings);
    let apart = |pair: &&[Numbered]| {
        height(&pair[1].1, normal) - height(&pair[0].1, normal) >= SAME_POSITION_MM
    };
    let (all, places) = (slices.len(), 1 + slices.windows(2).filter(apart).count());
    if (all - places) * 2 > all {
        let cause =
            format!("{all} slices have {places} different positions, which cannot be right");
        return by_tags(slices, &cause, warnings);
    }
    drop_repeated(slices, normal, warnings);
    drop_far_off(slices, normal, warnings);
    spacing::measure(slices, normal, warnings)
}

/// Distance from the origin along `normal`, mm.
pub(super) fn height(slice: &CtSlice, normal: [f64; 3]) -> f64 {
    slice.placement.map_or(0.0, |p| dot(p.position_mm, normal))
}

/// Orders slices by what else the files say of their order; `cause` says why not by position.
fn by_tags(slices: &mut [Numbered], cause: &str, warnings: &mut Vec<Warning>) -> Stack {
    // Positions of some, or wrong ones, would put masks in the wrong place.
    slices.iter_mut().for_each(|(_, slice)| slice.placement = None);
    spacing::warn_of_tagged_tilt(slices, warnings);
    if slices.len() < 2 {
        return Stack { extents_mm: spacing::extents(slices, &[]), tilt_degrees: None };
    }
    let tags = |slice: &CtSlice| slice.reference.as_ref().map(|r| r.tags.clone());
    let location = |(_, slice): &Numbered| tags(slice)?.slice_location_mm;
    let number = |(_, slice): &Numbered| tags(slice)?.instance_number.map(f64::from);
    let between = tags(&slices[0].1).and_then(|tags| tags.spacing_between_slices_mm);
    let even = between.map(|step| vec![step; slices.len() - 1]);
    let (code, order, gaps) = if let Some(gaps) = sort_by_distinct(slices, location) {
        let gaps = Some(gaps).filter(|gaps| gaps.iter().all(|gap| STEPS_MM.contains(gap)));
        ("order_by_slice_location", "by their Slice Location", gaps)
    } else if sort_by_distinct(slices, number).is_some() {
        ("order_by_instance_number", "by their Instance Number", even)
    } else {
        ("order_as_given", "they keep the order in which they were given", even)
    };
    let order = match code {
        "order_as_given" => order.to_owned(),
        _ => format!("they are ordered {order}"),
    };
    let volumes = if gaps.is_some() { "" } else { " Volumes are unknown." };
    warnings.push(Warning::new(code, format!("{cause}; {order}.{volumes}")));
    Stack { extents_mm: gaps.and_then(|gaps| spacing::extents(slices, &gaps)), tilt_degrees: None }
}

/// Sorts by a number that all slices have and no two share, and returns the steps between; leaves
/// the order otherwise.
fn sort_by_distinct(
    slices: &mut [Numbered],
    key: impl Fn(&Numbered) -> Option<f64>,
) -> Option<Vec<f64>> {
    let mut keys: Vec<f64> = slices.iter().map(&key).collect::<Option<_>>()?;
    keys.sort_by(f64::total_cmp);
    let steps: Vec<f64> = keys.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if steps.iter().any(|step| !step.is_finite() || *step < SAME_POSITION_MM) {
        return None;
    }
    slices.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
    Some(steps)
}
