//! Divides slices into heads, and the slices of a head into series, acquisitions and reconstructions.
//!
//! Identifiers are used unless they differ from slice to slice, as some scanners and anonymizers write them. Then the
//! next one is used instead: the frame of reference with the series number, the series number, or the positions.

use super::Member;
use super::content::is_secondary;
use super::order::{direction, is_parallel, is_stack};
use crate::slice::{CtSlice, DicomReference, Intensity, Warning};
use crate::vector::{cross, dot, normalised};
use std::collections::HashMap;
use std::hash::Hash;

/// Slices of two acquisitions that are closer than this have the same position, mm. It is this small because positions
/// in metres are corrected later.
const EQUAL_MM: f64 = 1e-3;

/// Slices of one series, one acquisition and one reconstruction.
#[derive(Debug, Clone)]
pub(super) struct Group<'a> {
    /// In the order of the input.
    pub(super) members: Vec<Member<'a>>,
    /// Index of its head.
    pub(super) head: usize,
}

/// Divides slices into heads: by patient and by study.
pub(super) fn heads<'a>(
    members: &[Member<'a>],
    repairs: &mut Vec<Warning>,
) -> Vec<Vec<Member<'a>>> {
    let mut heads = Vec::new();
    for patient in partition(members, |m| reference(m).map(|r| r.tags.patient.as_str())) {
        let studies = partition(&patient, |m| reference(m).map(|r| r.study_uid.as_str()));
        if is_fragmented(&studies) && is_stack(&patient) {
            repairs.push(Warning::new(
                "study_uid_differs",
                "The slices have different Study Instance UIDs but one patient and even positions; \
                 they are taken for one head.",
            ));
            heads.push(patient);
        } else {
            heads.extend(studies);
        }
    }
    heads
}

/// Divides the slices of a head into groups.
pub(super) fn groups<'a>(
    members: &[Member<'a>],
    head: usize,
    repairs: &mut Vec<Warning>,
) -> Vec<Group<'a>> {
    partition(members, Reconstruction::from_member)
        .iter()
        .flat_map(|reconstruction| series(reconstruction, repairs))
        .flat_map(|series| directions(&series))
        .flat_map(|direction| acquisitions(&direction))
        .map(|members| Group { members, head })
        .collect()
}

fn reference<'a>(member: &Member<'a>) -> Option<&'a DicomReference> {
    member.slice.reference.as_deref()
}

/// Attributes that are equal for all slices of a reconstruction.
#[derive(PartialEq, Eq, Hash)]
struct Reconstruction<'a> {
    modality: Option<&'a str>,
    size: (usize, usize),
    is_picture: bool,
    kernel: &'a str,
    has_contrast: bool,
    is_derived: bool,
    is_secondary: bool,
    /// The file of a volume, which has no identifiers; `None` for other slices.
    file: Option<usize>,
}

impl<'a> Reconstruction<'a> {
    fn from_member(member: &Member<'a>) -> Self {
        let slice = member.slice;
        let reference = reference(member);
        let is_volume = reference.is_none() && slice.placement.is_some();
        Self {
            modality: slice.modality.as_deref(),
            size: (slice.plane.width, slice.plane.height),
            is_picture: slice.intensity == Intensity::Display,
            kernel: reference.map_or("", |r| &r.tags.kernel),
            has_contrast: reference.is_some_and(|r| r.tags.has_contrast),
            is_derived: is_derived(slice),
            is_secondary: is_secondary(slice),
            file: is_volume.then_some(member.file),
        }
    }
}

/// Whether Image Type declares pixels that are derived from other images (PS3.3 C.7.6.1.1.2).
pub(super) fn is_derived(slice: &CtSlice) -> bool {
    let first = slice.reference.as_ref().and_then(|r| r.image_type.first());
    first.is_some_and(|value| value.eq_ignore_ascii_case("DERIVED"))
}

/// Divides the slices of a reconstruction into series.
fn series<'a>(members: &[Member<'a>], repairs: &mut Vec<Warning>) -> Vec<Vec<Member<'a>>> {
    let by_uid = partition(members, |m| reference(m).map(|r| r.series_uid.as_str()));
    if !is_fragmented(&by_uid) {
        return by_uid;
    }
    let number = |m: &Member<'a>| reference(m).and_then(|r| r.tags.series_number);
    let frame = |m: &Member<'a>| reference(m).and_then(|r| r.frame_of_reference_uid.as_deref());
    let by_frame = partition(members, |m| (frame(m), number(m)));
    let by_number = partition(members, number);
    let (series, by) = if !is_fragmented(&by_frame) {
        (by_frame, "the frame of reference and the series number")
    } else if !is_fragmented(&by_number) {
        (by_number, "the series number")
    } else if is_stack(members) {
        (vec![members.to_vec()], "the positions")
    } else {
        return by_uid;
    };
    repairs.push(Warning::new(
        "series_uid_differs",
        format!(
            "The Series Instance UID differs from slice to slice and was not used; the series was \
             assembled by {by}."
        ),
    ));
    series
}

/// Whether most parts have one or two slices, as if each slice had its own identifier.
fn is_fragmented(parts: &[Vec<Member<'_>>]) -> bool {
    let all: usize = parts.iter().map(Vec::len).sum();
    let fragments = || parts.iter().map(Vec::len).filter(|&length| length <= 2);
    fragments().count() > 1 && fragments().sum::<usize>() * 2 > all
}

/// Divides the slices of a series by their orientation. Slices without a position join the largest part.
fn directions<'a>(members: &[Member<'a>]) -> Vec<Vec<Member<'a>>> {
    let mut parallel: Vec<Vec<Member<'a>>> = Vec::new();
    let mut unplaced = Vec::new();
    for member in members {
        if direction(member.slice).is_none() {
            unplaced.push(*member);
            continue;
        }
        match parallel.iter_mut().find(|group| is_parallel(group[0].slice, member.slice)) {
            Some(group) => group.push(*member),
            None => parallel.push(vec![*member]),
        }
    }
    match parallel.iter_mut().rev().max_by_key(|group| group.len()) {
        Some(largest) => {
            largest.append(&mut unplaced);
            largest.sort_by_key(|member| member.index);
        }
        None => parallel.push(unplaced),
    }
    parallel
}

/// Divides parallel slices by acquisition number and thickness, if these overlap. Parts that follow each other along
/// the normal are one acquisition: scanners count each rotation, and use thinner slices at the skull base.
fn acquisitions<'a>(members: &[Member<'a>]) -> Vec<Vec<Member<'a>>> {
    let undivided = || vec![members.to_vec()];
    let Some(heights) = heights(members) else { return undivided() };
    let key = |m: &Member<'a>| {
        let number = reference(m).and_then(|r| r.tags.acquisition_number);
        let thickness = m.slice.thickness_mm.map(|mm| (mm * 100.0).round() as i32);
        (number, thickness)
    };
    let mut parts = partition(members, key);
    parts.sort_by_key(|part| part.first().map(key));
    if parts.len() < 2 || sorted(&heights).windows(2).all(|pair| pair[1] - pair[0] < EQUAL_MM) {
        return undivided();
    }
    let mut stacks: Vec<(Vec<Member<'a>>, Vec<f64>)> = Vec::new();
    for part in parts {
        let Some(added) = self::heights(&part).map(|heights| sorted(&heights)) else {
            return undivided();
        };
        match stacks.iter_mut().find(|(_, heights)| can_be_joined(heights, &added)) {
            Some((stack, heights)) => {
                stack.extend(part);
                heights.extend(added);
                heights.sort_by(f64::total_cmp);
            }
            None => stacks.push((part, added)),
        }
    }
    let in_order = |(mut stack, _): (Vec<Member<'a>>, Vec<f64>)| {
        stack.sort_by_key(|member| member.index);
        stack
    };
    stacks.into_iter().map(in_order).collect()
}

/// Whether two lists of ascending heights can be parts of one stack: no height is in both, and their ranges overlap
/// little.
fn can_be_joined(stack: &[f64], added: &[f64]) -> bool {
    let share_a_height = added.iter().any(|&height| {
        let index = stack.partition_point(|&other| other < height - EQUAL_MM);
        stack.get(index).is_some_and(|&other| other <= height + EQUAL_MM)
    });
    let range = |heights: &[f64]| Some((*heights.first()?, *heights.last()?));
    let (Some(a), Some(b)) = (range(stack), range(added)) else { return true };
    let overlap = a.1.min(b.1) - a.0.max(b.0);
    let shorter = (a.1 - a.0).min(b.1 - b.0);
    let are_long = stack.len() > 2 && added.len() > 2;
    !(share_a_height || (are_long && overlap > shorter / 2.0))
}

/// Heights of parallel slices along their common normal, mm; `None` if one has no position.
pub(super) fn heights(members: &[Member<'_>]) -> Option<Vec<f64>> {
    let first = members.first()?.slice.placement?;
    let normal = normalised(cross(first.row, first.column))?;
    let height = |m: &Member<'_>| m.slice.placement.map(|p| dot(p.position_mm, normal));
    members.iter().map(height).collect()
}

fn sorted(heights: &[f64]) -> Vec<f64> {
    let mut heights = heights.to_vec();
    heights.sort_by(f64::total_cmp);
    heights
}

/// Groups members by a key, in the order of the first member of each group.
fn partition<'a, K: Hash + Eq>(
    members: &[Member<'a>],
    key: impl Fn(&Member<'a>) -> K,
) -> Vec<Vec<Member<'a>>> {
    let mut indices = HashMap::new();
    let mut parts: Vec<Vec<Member<'a>>> = Vec::new();
    for member in members {
        let index = *indices.entry(key(member)).or_insert(parts.len());
        match parts.get_mut(index) {
            Some(part) => part.push(*member),
            None => parts.push(vec![*member]),
        }
    }
    parts
}
