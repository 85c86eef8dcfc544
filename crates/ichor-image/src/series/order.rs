//! Orders the slices: by position, else by Slice Location, else by Instance Number, else in the order of the input.

use super::repeats::{remove_copies, remove_far_off, remove_repeated, remove_unplaced_pages};
use super::spacing::{self, Stack};
use super::{Member, Numbered, scale};
use crate::slice::{CtSlice, Placement, Warning};
use crate::vector::{cross, dot, normalised};

/// Maximum angle between parallel slices. It is larger than rounding errors of Image Orientation and smaller than the
/// angle of any reformat.
const SAME_DIRECTION_DEGREES: f64 = 3.0;
/// Slices closer than this have the same position, mm: the thinnest CT slices are 0.25 mm apart.
pub(super) const SAME_POSITION_MM: f64 = 0.02;
/// Plausible distances of slices of a head, mm.
const STEPS_MM: std::ops::RangeInclusive<f64> = 0.1..=50.0;

/// Row and column directions of a slice; `None` if it has no position, or its directions are not perpendicular.
pub(super) fn direction(slice: &CtSlice) -> Option<[[f64; 3]; 2]> {
    let Placement { position_mm, row, column } = slice.placement?;
    let (row, column) = (normalised(row)?, normalised(column)?);
    let perpendicular = dot(row, column).abs() < 0.02 && normalised(cross(row, column)).is_some();
    (perpendicular && position_mm.iter().all(|p| p.is_finite())).then_some([row, column])
}

/// Whether both slices have a position and the same orientation.
pub(super) fn is_parallel(a: &CtSlice, b: &CtSlice) -> bool {
    let limit = SAME_DIRECTION_DEGREES.to_radians().cos();
    direction(a)
        .zip(direction(b))
        .is_some_and(|(a, b)| dot(a[0], b[0]) >= limit && dot(a[1], b[1]) >= limit)
}

/// Whether the slices are parallel, of the same pixel size and evenly spaced, so that they are one stack even if their
/// identifiers differ.
pub(super) fn is_stack(members: &[Member<'_>]) -> bool {
    let Some(first) = members.first().map(|m| m.slice) else { return false };
    let are_similar = members.iter().all(|m| {
        is_parallel(first, m.slice)
            && m.slice.spacing_mm == first.spacing_mm
            && m.slice.plane.width == first.plane.width
            && m.slice.plane.height == first.plane.height
    });
    let Some(mut heights) = super::groups::heights(members).filter(|h| are_similar && h.len() > 2)
    else {
        return false;
    };
    heights.sort_by(f64::total_cmp);
    let mut gaps: Vec<f64> = heights.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_by(f64::total_cmp);
    let usual = gaps[gaps.len() / 2];
    let even = |gap: &&f64| (**gap - usual).abs() <= 0.1 * usual;
    gaps[0] >= SAME_POSITION_MM && gaps.iter().filter(even).count() * 5 >= gaps.len() * 4
}

/// Sorts the slices of a group, removes those that do not belong to the stack, and measures it.
pub(super) fn arrange(slices: &mut Vec<Numbered>, warnings: &mut Vec<Warning>) -> Stack {
    remove_unplaced_pages(slices, warnings);
    let placed = slices.iter().filter(|(_, slice)| direction(slice).is_some()).count();
    let all = slices.len();
    let Some(normal) = spacing::normal(slices).filter(|_| placed == all) else {
        let cause = match placed {
            0 => "The slices carry no positions".into(),
            _ => format!("{} of {all} slices carry no position", all - placed),
        };
        return sort_by_tags(slices, &cause, warnings);
    };
    scale::repair(slices, normal, warnings);
    // A stable sort: slices at the same position keep their order.
    slices.sort_by(|a, b| height(&a.1, normal).total_cmp(&height(&b.1, normal)));
    remove_copies(slices, normal, warnings);
    let apart = |pair: &&[Numbered]| {
        height(&pair[1].1, normal) - height(&pair[0].1, normal) >= SAME_POSITION_MM
    };
    let (all, positions) = (slices.len(), 1 + slices.windows(2).filter(apart).count());
    if (all - positions) * 2 > all {
        let cause =
            format!("{all} slices have {positions} different positions, which cannot be right");
        return sort_by_tags(slices, &cause, warnings);
    }
    remove_repeated(slices, normal, warnings);
    remove_far_off(slices, normal, warnings);
    spacing::measure(slices, normal, warnings)
}

/// Coordinate along `normal`, mm.
pub(super) fn height(slice: &CtSlice, normal: [f64; 3]) -> f64 {
    slice.placement.map_or(0.0, |p| dot(p.position_mm, normal))
}

/// Orders slices by their tags; `cause` states why not by position.
fn sort_by_tags(slices: &mut [Numbered], cause: &str, warnings: &mut Vec<Warning>) -> Stack {
    // Missing or wrong positions would place masks incorrectly.
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

/// Sorts by a key and returns the steps between; `None`, with the order unchanged, if a slice has no key or two slices
/// have the same.
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
