//! Chooses one of several series.

use super::Member;
use super::content::{head_content, is_capture, is_localizer};
use super::groups::{Group, groups, heads, is_derived};
use super::kernel::is_sharp;
use super::left_out::{MAX_LISTED, Relation, labelled};
use crate::error::{Error, Result};
use crate::slice::{Intensity, Warning};
use std::cmp::Reverse;

/// The result of [`choose`].
pub(crate) struct Choice<'a> {
    /// Indices of the chosen slices, in the order of the input; empty if there is no slice of a head.
    pub(crate) chosen: Vec<usize>,
    /// All groups; the number of a group is its index + 1.
    pub(super) groups: Vec<Group<'a>>,
    /// Index of the chosen group.
    pub(super) chosen_group: usize,
    /// Warnings about corrected identifiers and removed slices.
    pub(super) notes: Vec<Warning>,
}

/// Chooses one group of slices: the one with the number `requested`, else the preferred one.
///
/// # Errors
/// [`Error::InvalidParameter`] if there is no group with that number.
pub(crate) fn choose<'a>(members: &[Member<'a>], requested: Option<u32>) -> Result<Choice<'a>> {
    let mut notes = Vec::new();
    let images = head_content(members, &mut notes);
    let mut all = Vec::new();
    for (head, of_head) in heads(&images, &mut notes).iter().enumerate() {
        all.extend(groups(of_head, head, &mut notes));
    }
    // Numbers do not depend on file names.
    all.sort_by_cached_key(|group| (group.head, group.number(), group.first_index()));
    let chosen_group = match requested {
        Some(number) => {
            let index = (number as usize).wrapping_sub(1);
            if index >= all.len() {
                return Err(no_such_series(number, &all));
            }
            index
        }
        None => preferred(&all),
    };
    let indices = |group: &Group<'_>| group.members.iter().map(|m| m.index).collect();
    let chosen = all.get(chosen_group).map_or_else(Vec::new, indices);
    Ok(Choice { chosen, groups: all, chosen_group, notes })
}

/// The choice for one head of a folder, made from headers.
pub struct HeadChoice {
    /// Indices of the slices that must be decoded to segment the head.
    pub kept: Vec<usize>,
    /// Whether one series was chosen. If not, the samples are needed to choose.
    pub is_decided: bool,
    /// Warnings about the choice.
    pub warnings: Vec<Warning>,
}

/// Divides slices, of which only the headers are read, into heads and chooses a series in each. Returns the heads, and
/// the indices of localisers and pages that belong to none of them.
///
/// # Errors
/// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if a head has no series with the number `requested`.
pub fn choose_heads(
    members: &[Member<'_>],
    requested: Option<u32>,
    max_slices: usize,
) -> Result<(Vec<HeadChoice>, Vec<usize>)> {
    let heads = heads(members, &mut Vec::new());
    let is_content =
        |head: &Vec<Member<'_>>| !head.iter().all(|m| is_localizer(m.slice) || is_capture(m.slice));
    let (mut with_content, mut without_content): (Vec<_>, Vec<_>) =
        heads.into_iter().partition(is_content);
    if with_content.is_empty() {
        with_content.append(&mut without_content);
    }
    let chosen = with_content.iter().map(|head| choose_in(head, requested, max_slices));
    let left_out = without_content.iter().flatten().map(|member| member.index).collect();
    Ok((chosen.collect::<Result<_>>()?, left_out))
}

fn choose_in(head: &[Member<'_>], requested: Option<u32>, max_slices: usize) -> Result<HeadChoice> {
    let all: Vec<usize> = head.iter().map(|member| member.index).collect();
    let choice = choose(head, requested)?;
    if choice.chosen.is_empty() {
        return Ok(HeadChoice { kept: all, is_decided: false, warnings: Vec::new() });
    }
    // Corrections are reported again when the slices are decoded; slices that are left out are not decoded.
    let is_left_out = |note: &&Warning| note.code.ends_with("_left_out");
    let mut warnings: Vec<Warning> = choice.notes.iter().filter(is_left_out).cloned().collect();
    let mut content: Vec<usize> =
        choice.groups.iter().flat_map(|group| &group.members).map(|m| m.index).collect();
    content.sort_unstable();
    // Samples are needed to distinguish a copy from a second scan, if they are not too many to decode.
    let needs_samples = content.len() <= max_slices
        && choice.others().any(|(_, relation)| relation == Relation::SamePositions);
    if needs_samples {
        return Ok(HeadChoice { kept: content, is_decided: false, warnings });
    }
    warnings.extend(choice.left_out(&|_, _| false));
    Ok(HeadChoice { kept: choice.chosen, is_decided: true, warnings })
}

fn no_such_series(number: u32, groups: &[Group<'_>]) -> Error {
    let listed: Vec<String> =
        groups.iter().zip(1..).take(MAX_LISTED).map(|(g, n)| labelled(n, &g.label())).collect();
    Error::InvalidParameter(format!(
        "There is no series {number}. The input holds {}.",
        listed.join("; ")
    ))
}

/// Index of the preferred group: complete stacks before single slices, then Hounsfield units, original, axial, with a
/// soft kernel, without contrast agent; then the one with most slices, and of equal ones the first.
fn preferred(groups: &[Group<'_>]) -> usize {
    let max_len = groups.iter().map(|g| g.members.len()).max().unwrap_or(0);
    let tallest = groups.iter().filter_map(Group::extent_mm).fold(0.0, f64::max);
    let is_stack = |group: &Group<'_>| {
        group.members.len() * 4 >= max_len
            || group
                .extent_mm()
                .is_some_and(|extent| group.members.len() > 2 && extent * 2.0 >= tallest)
    };
    let rank = |index: &usize| {
        let group = &groups[*index];
        let slice = group.slice();
        (
            is_stack(group),
            slice.intensity == Intensity::Hounsfield,
            !is_derived(slice),
            group.is_axial(),
            !is_sharp(slice),
            !group.has_contrast(),
            group.members.len(),
            Reverse(group.first_index()),
        )
    };
    (0..groups.len()).max_by_key(rank).unwrap_or(0)
}
