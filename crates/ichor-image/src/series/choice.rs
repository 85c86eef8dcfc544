//! Which of several series is taken, and what the others may hold.

use super::Member;
use super::content::{head_content, is_capture, is_localizer};
use super::groups::{Group, groups, heads, is_derived};
use super::kernel::is_sharp;
use super::left_out::{MAX_LISTED, Relation, labelled};
use crate::error::{Error, Result};
use crate::slice::{Intensity, Warning};
use std::cmp::Reverse;

/// What was chosen, and beside what.
pub(crate) struct Choice<'a> {
    /// Places of the slices that were chosen, in the order given; empty where none is of a head.
    pub(crate) chosen: Vec<usize>,
    /// All groups, in the order of their numbers.
    pub(super) groups: Vec<Group<'a>>,
    /// Which of them was taken.
    pub(super) taken: usize,
    /// What was repaired or set aside before.
    pub(super) notes: Vec<Warning>,
}

/// Chooses among slices of perhaps several heads; `wanted` is the number of a group.
///
/// # Errors
/// [`Error::InvalidParameter`] where there is no group of that number.
pub(crate) fn choose<'a>(members: &[Member<'a>], wanted: Option<u32>) -> Result<Choice<'a>> {
    let mut notes = Vec::new();
    let images = head_content(members, &mut notes);
    let mut all = Vec::new();
    for (head, of_head) in heads(&images, &mut notes).iter().enumerate() {
        all.extend(groups(of_head, head, &mut notes));
    }
    // The same numbers whatever the names and the order of the files.
    all.sort_by_cached_key(|group| (group.head, group.number(), group.first_index()));
    let taken = match wanted {
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
    let chosen = all.get(taken).map_or_else(Vec::new, indices);
    Ok(Choice { chosen, groups: all, taken, notes })
}

/// One head of a folder.
pub struct HeadChoice {
    /// Places of the slices that it takes to segment the head.
    pub kept: Vec<usize>,
    /// Whether one series was chosen, so that no other can be asked for.
    pub is_decided: bool,
    /// What is to be said of those.
    pub warnings: Vec<Warning>,
}

/// Sorts slices, of which the headers alone are known, into heads, and chooses in each. Returns the
/// heads, and the places of localisers and pages that are of none of them.
///
/// # Errors
/// [`Error::InvalidParameter`](crate::Error::InvalidParameter) where no series has the number `wanted`.
pub fn choose_heads(
    members: &[Member<'_>],
    wanted: Option<u32>,
    max_slices: usize,
) -> Result<(Vec<HeadChoice>, Vec<usize>)> {
    let heads = heads(members, &mut Vec::new());
    let is_content =
        |head: &Vec<Member<'_>>| !head.iter().all(|m| is_localizer(m.slice) || is_capture(m.slice));
    let (mut with_content, mut aside): (Vec<_>, Vec<_>) = heads.into_iter().partition(is_content);
    if with_content.is_empty() {
        with_content.append(&mut aside);
    }
    let chosen = with_content.iter().map(|head| choose_in(head, wanted, max_slices));
    let aside = aside.iter().flatten().map(|member| member.index).collect();
    Ok((chosen.collect::<Result<_>>()?, aside))
}

fn choose_in(head: &[Member<'_>], wanted: Option<u32>, max_slices: usize) -> Result<HeadChoice> {
    let all: Vec<usize> = head.iter().map(|member| member.index).collect();
    let choice = choose(head, wanted)?;
    if choice.chosen.is_empty() {
        return Ok(HeadChoice { kept: all, is_decided: false, warnings: Vec::new() });
    }
    // What was repaired is said again of the slices that are decoded, what was left out is not.
    let is_left_out = |note: &&Warning| note.code.ends_with("_left_out");
    let mut warnings: Vec<Warning> = choice.notes.iter().filter(is_left_out).cloned().collect();
    let mut content: Vec<usize> =
        choice.groups.iter().flat_map(|group| &group.members).map(|m| m.index).collect();
    content.sort_unstable();
    // Only samples can tell a copy from a second scan, and only if all can be decoded.
    let needs_samples = content.len() <= max_slices
        && choice.others().any(|(_, relation)| relation == Relation::SamePlaces);
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

/// The group to take: whole stacks before lone slices, then original, axial, soft and plain ones,
/// then the one with most slices; of equals the first.
fn preferred(groups: &[Group<'_>]) -> usize {
    let most = groups.iter().map(|g| g.members.len()).max().unwrap_or(0);
    let tallest = groups.iter().filter_map(Group::extent_mm).fold(0.0, f64::max);
    let is_stack = |group: &Group<'_>| {
        group.members.len() * 4 >= most
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
