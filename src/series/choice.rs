//! Which of several series is taken, and what the others may hold.

use super::content::{head_content, is_capture, is_localizer};
use super::groups::{Group, groups, heads, heights, is_derived};
use super::kernel::is_sharp;
use super::order::direction;
use super::{Member, counted, cross, dot};
use crate::error::{Error, Result};
use crate::slice::{CtSlice, DicomReference, Intensity, Warning};
use std::cmp::Reverse;

/// A stack of this height holds the whole head, mm: from the skull base to the vertex it is 110 to
/// 150 mm.
const HEAD_MM: f64 = 110.0;
/// Ends of two reconstructions of one acquisition may differ by this much, mm.
const END_MM: f64 = 10.0;
/// Series that a warning lists.
const MAX_LISTED: usize = 8;

/// What was chosen, and beside what.
pub(crate) struct Choice<'a> {
    /// Places of the slices that were chosen, in the order given; empty where none is of a head.
    pub(crate) chosen: Vec<usize>,
    /// All groups, in the order of their numbers.
    groups: Vec<Group<'a>>,
    taken: usize,
    /// What was repaired or set aside before.
    notes: Vec<Warning>,
}

/// How a group that was not taken stands to the one that was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    OtherPatient,
    OtherExamination,
    /// A scout or a reformat.
    OtherDirection,
    /// The same slices by another kernel, size or thickness, or with contrast agent.
    SameSlices,
    /// At the same places by the same reconstruction: a copy, or a second scan.
    SamePlaces,
    /// Perhaps another part of the same head.
    Elsewhere,
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
pub(crate) struct HeadChoice {
    /// Places of the slices that it takes to segment the head.
    pub(crate) kept: Vec<usize>,
    /// Whether one series was chosen, so that no other can be asked for.
    pub(crate) is_decided: bool,
    /// What is to be said of those.
    pub(crate) warnings: Vec<Warning>,
}

/// Sorts slices, of which the headers alone are known, into heads, and chooses in each. Returns the
/// heads, and the places of localisers and pages that are of none of them.
///
/// # Errors
/// As [`choose`].
pub(crate) fn choose_heads(
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
        groups.iter().zip(1..).take(MAX_LISTED).map(|(g, n)| labelled(n, g)).collect();
    Error::InvalidParameter(format!(
        "There is no series {number}. The input holds {}.",
        listed.join("; ")
    ))
}

/// "2 (series 3, kernel BONE, 5 mm, 9 slices)".
fn labelled(number: usize, group: &Group<'_>) -> String {
    format!("{number} ({})", group.label())
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

impl<'a> Choice<'a> {
    /// What is to be said of the choice; `is_same` compares the samples of two slices.
    pub(crate) fn warnings(&self, is_same: &dyn Fn(usize, usize) -> bool) -> Vec<Warning> {
        let mut warnings = self.notes.clone();
        warnings.extend(self.left_out(is_same));
        warnings
    }

    fn others(&self) -> impl Iterator<Item = (&Group<'a>, Relation)> {
        let taken = self.groups.get(self.taken);
        let others = self.groups.iter().enumerate().filter(|(index, _)| *index != self.taken);
        others.filter_map(move |(_, other)| Some((other, relation(taken?, other))))
    }

    fn left_out(&self, is_same: &dyn Fn(usize, usize) -> bool) -> Vec<Warning> {
        let Some(taken) = self.groups.get(self.taken).filter(|_| self.groups.len() > 1) else {
            return Vec::new();
        };
        let slices = |wanted: Relation| -> usize {
            self.others().filter(|(_, r)| *r == wanted).map(|(g, _)| g.members.len()).sum()
        };
        let (mut copies, mut scans) = (0, 0);
        for (other, _) in self.others().filter(|(_, r)| *r == Relation::SamePlaces) {
            match is_copy(taken, other, is_same) {
                true => copies += other.members.len(),
                false => scans += other.members.len(),
            }
        }
        let mut warnings = vec![self.named()];
        let mut left_out =
            |count: usize, warning: fn(&'static str, String) -> Warning, code, why| {
                if count > 0 {
                    warnings.push(warning(code, format!("{} left out: {why}", counted(count))));
                }
            };
        left_out(
            slices(Relation::OtherPatient),
            Warning::new,
            "other_patients_left_out",
            "of another patient. Send each patient by itself.",
        );
        left_out(
            slices(Relation::OtherExamination),
            Warning::new,
            "other_examinations_left_out",
            "of another examination. Send each by itself.",
        );
        left_out(
            slices(Relation::OtherDirection),
            Warning::new,
            "other_direction_left_out",
            "cut in another direction than the others (a scout or a reformat).",
        );
        left_out(
            slices(Relation::SameSlices) + copies,
            Warning::new,
            "other_reconstruction_left_out",
            "of another series, kernel, size or thickness, at the places of those that were \
             segmented.",
        );
        left_out(
            scans,
            Warning::incomplete,
            "repeated_acquisition",
            "of a second acquisition of the same places, which differs. Segment it as well before \
             you rely on the result.",
        );
        left_out(
            slices(Relation::Elsewhere),
            Warning::incomplete,
            "mixed_series",
            "of another series, size or kind than the largest consistent group, and perhaps of \
             another part of the same head. Segment them as well before you rely on the result.",
        );
        warnings
    }

    /// Names the group that was taken, and those that may be asked for.
    fn named(&self) -> Warning {
        let number = self.taken + 1;
        let taken = self.groups.get(self.taken).map_or_else(String::new, Group::label);
        let others = self.groups.iter().zip(1..).filter(|(_, n)| *n != number);
        let patient = |group: &Group<'_>| group.reference().map(|r| r.tags.patient.clone());
        let of_taken = self.groups.get(self.taken).and_then(patient);
        let named = |(group, n): (&Group<'_>, usize)| match patient(group) == of_taken {
            true => labelled(n, group),
            false => format!("{}, of another patient", labelled(n, group)),
        };
        let mut listed: Vec<String> = others.take(MAX_LISTED).map(named).collect();
        let more = self.groups.len().saturating_sub(listed.len() + 1);
        if more > 0 {
            listed.push(format!("{more} more"));
        }
        let message = format!(
            "Of {} series, number {number} was segmented: {taken}. Left out: {}. Take another with \
             --series NUMBER at the command line or series=NUMBER in a request.",
            self.groups.len(),
            listed.join("; "),
        );
        Warning::new("series_chosen", message)
    }
}

/// Whether the slices at the same places are the same.
fn is_copy(taken: &Group<'_>, other: &Group<'_>, is_same: &dyn Fn(usize, usize) -> bool) -> bool {
    let (Some(here), Some(there)) = (taken.heights(), other.heights()) else { return false };
    other.members.iter().zip(there).all(|(copy, height)| {
        let distance = |at: &f64| (at - height).abs();
        let nearest = taken
            .members
            .iter()
            .zip(&here)
            .min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
        nearest.is_some_and(|(original, _)| is_same(original.index, copy.index))
    })
}

/// The day of the examination, where the file names it.
fn day(reference: Option<&DicomReference>) -> Option<&str> {
    reference?.tags.study_time.split(' ').next().filter(|day| !day.is_empty())
}

fn relation(taken: &Group<'_>, other: &Group<'_>) -> Relation {
    let (a, b) = (taken.reference(), other.reference());
    let whole = taken.extent_mm().is_some_and(|extent| extent >= HEAD_MM);
    if a.map(|r| &r.tags.patient) != b.map(|r| &r.tags.patient) {
        return Relation::OtherPatient;
    }
    if taken.head != other.head {
        let on_other_days = day(a).zip(day(b)).is_some_and(|(a, b)| a != b);
        return match whole || on_other_days {
            true => Relation::OtherExamination,
            false => Relation::Elsewhere,
        };
    }
    if let (Some(a), Some(b)) = (direction(taken.slice()), direction(other.slice())) {
        let [a, b] = [a, b].map(|[row, column]| cross(row, column));
        // Within 30 degrees a stack may be tilted; beyond, it shows the same head another way.
        if dot(a, b).abs() < 0.866 {
            return Relation::OtherDirection;
        }
    }
    if !taken.covers(other, whole) {
        return Relation::Elsewhere;
    }
    match taken.is_same_reconstruction(other) {
        true => Relation::SamePlaces,
        false => Relation::SameSlices,
    }
}

impl<'a> Group<'a> {
    /// The slice that speaks for the others in what they have in common.
    fn slice(&self) -> &'a CtSlice {
        // Groups are never empty; `first` of an empty one would have no slice to give.
        self.members[0].slice
    }

    fn reference(&self) -> Option<&'a DicomReference> {
        self.slice().reference.as_deref()
    }

    fn first_index(&self) -> usize {
        self.members.first().map_or(0, |member| member.index)
    }

    /// Series and acquisition, for a stable order.
    fn number(&self) -> (Option<i32>, Option<i32>) {
        self.reference().map_or((None, None), |r| (r.tags.series_number, r.tags.acquisition_number))
    }

    fn is_one_acquisition(&self) -> bool {
        let number = |m: &Member<'_>| m.slice.reference.as_ref()?.tags.acquisition_number;
        let mut numbers = self.members.iter().map(number);
        let first = numbers.next();
        numbers.all(|number| Some(number) == first)
    }

    fn has_contrast(&self) -> bool {
        self.reference().is_some_and(|r| r.tags.has_contrast)
    }

    fn is_axial(&self) -> bool {
        let normal = direction(self.slice()).map(|[row, column]| cross(row, column));
        normal.is_none_or(|normal| normal[2].abs() >= std::f64::consts::FRAC_1_SQRT_2)
    }

    /// Heights along the normal where all are placed, else the locations that the files say, mm.
    fn heights(&self) -> Option<Vec<f64>> {
        let location = |m: &Member<'_>| m.slice.reference.as_ref()?.tags.slice_location_mm;
        heights(&self.members).or_else(|| self.members.iter().map(location).collect())
    }

    /// From the lowest to the highest, with half a step beyond either, mm.
    fn extent_mm(&self) -> Option<f64> {
        let heights = self.heights()?;
        let (low, high) = range(&heights)?;
        let steps = heights.len().saturating_sub(1).max(1) as f64;
        Some((high - low) * (steps + 1.0) / steps)
    }

    /// Whether this group shows every place that the other shows; `whole` says that it holds a head
    /// from end to end.
    fn covers(&self, other: &Self, whole: bool) -> bool {
        let frame = |group: &Self| group.reference().and_then(|r| r.frame_of_reference_uid.clone());
        if frame(self) != frame(other) {
            return whole;
        }
        let (Some(mut here), Some(there)) = (self.heights(), other.heights()) else { return whole };
        here.sort_by(f64::total_cmp);
        let Some((low, high)) = range(&here) else { return false };
        let widest = here.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
        let usual = (high - low) / here.len().saturating_sub(1).max(1) as f64;
        let thickness = self.slice().thickness_mm.map_or(0.0, f64::from);
        let reach = (0.6 * usual).max(0.6 * thickness).min(widest.max(thickness));
        there.iter().all(|&height| {
            if height < low || height > high {
                return whole || height > low - END_MM && height < high + END_MM;
            }
            here.iter().any(|at| (at - height).abs() <= reach)
        })
    }

    fn is_same_reconstruction(&self, other: &Self) -> bool {
        let key = |group: &Self| {
            let slice = group.slice();
            let thickness = slice.thickness_mm.map(|mm| (mm * 100.0).round() as i32);
            let kernel = group.reference().map(|r| r.tags.kernel.clone());
            let size = (slice.plane.width, slice.plane.height);
            (kernel, size, thickness, group.has_contrast(), is_derived(slice))
        };
        key(self) == key(other)
    }

    /// What distinguishes it, without a word of the patient.
    fn label(&self) -> String {
        let mut parts = Vec::new();
        let slice = self.slice();
        if let Some(tags) = self.reference().map(|r| &r.tags) {
            parts.extend(tags.series_number.map(|number| format!("series {number}")));
            let acquisition = tags.acquisition_number.filter(|_| self.is_one_acquisition());
            parts.extend(acquisition.map(|number| format!("acquisition {number}")));
            let kernel: String =
                tags.kernel.chars().filter(|c| c.is_ascii_graphic()).take(16).collect();
            parts.extend((!kernel.is_empty()).then(|| format!("kernel {kernel}")));
            parts.extend(tags.has_contrast.then(|| "with contrast agent".to_owned()));
            parts.extend(is_derived(slice).then(|| "derived".to_owned()));
        }
        parts.extend(slice.thickness_mm.map(|mm| format!("{mm} mm")));
        parts.push(format!("{} x {} px", slice.plane.width, slice.plane.height));
        let count = self.members.len();
        parts.push(if count == 1 { "1 slice".into() } else { format!("{count} slices") });
        parts.join(", ")
    }
}

fn range(heights: &[f64]) -> Option<(f64, f64)> {
    let low = heights.iter().copied().min_by(f64::total_cmp)?;
    let high = heights.iter().copied().max_by(f64::total_cmp)?;
    Some((low, high))
}
