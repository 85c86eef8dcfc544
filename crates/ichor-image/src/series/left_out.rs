//! Warnings about the groups that were not chosen, by their relation to the chosen one.

use super::choice::Choice;
use super::counted;
use super::groups::Group;
use super::order::direction;
use crate::slice::{DicomReference, Warning};
use crate::vector::{cross, dot};

/// Minimum height of a stack that shows a complete head, mm: from skull base to vertex it is 110 to 150 mm.
const HEAD_MM: f64 = 110.0;
/// Maximum number of series that a warning lists.
pub(super) const MAX_LISTED: usize = 8;

/// Relation of a group to the chosen one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// Of another patient.
    OtherPatient,
    /// Of another examination of the same patient.
    OtherExamination,
    /// A scout or a reformat.
    OtherDirection,
    /// Another reconstruction of the same positions: another kernel, size or thickness, or with contrast agent.
    OtherReconstruction,
    /// The same reconstruction at the same positions: a copy, or a second scan.
    SamePositions,
    /// Possibly another part of the same head.
    Elsewhere,
}

impl<'a> Choice<'a> {
    /// All warnings about the choice. `is_same` returns whether the slices at two indices show the same.
    pub(crate) fn warnings(&self, is_same: &dyn Fn(usize, usize) -> bool) -> Vec<Warning> {
        let mut warnings = self.notes.clone();
        warnings.extend(self.left_out(is_same));
        warnings
    }

    /// The groups that were not chosen.
    pub(super) fn others(&self) -> impl Iterator<Item = (&Group<'a>, Relation)> {
        let chosen = self.groups.get(self.chosen_group);
        let others =
            self.groups.iter().enumerate().filter(|(index, _)| *index != self.chosen_group);
        others.filter_map(move |(_, other)| Some((other, relation(chosen?, other))))
    }

    /// Warnings about the groups that were not chosen.
    pub(super) fn left_out(&self, is_same: &dyn Fn(usize, usize) -> bool) -> Vec<Warning> {
        let Some(chosen) = self.groups.get(self.chosen_group).filter(|_| self.groups.len() > 1)
        else {
            return Vec::new();
        };
        let slices = |relation: Relation| -> usize {
            self.others().filter(|(_, r)| *r == relation).map(|(g, _)| g.members.len()).sum()
        };
        let (mut copies, mut scans) = (0, 0);
        for (other, _) in self.others().filter(|(_, r)| *r == Relation::SamePositions) {
            match is_copy(chosen, other, is_same) {
                true => copies += other.members.len(),
                false => scans += other.members.len(),
            }
        }
        let mut warnings = vec![self.listing()];
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
            slices(Relation::OtherReconstruction) + copies,
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

    /// The warning that lists the chosen group and the others, with their numbers.
    fn listing(&self) -> Warning {
        let number = self.chosen_group + 1;
        let chosen = self.groups.get(self.chosen_group).map_or_else(String::new, Group::label);
        let others = self.groups.iter().zip(1..).filter(|(_, n)| *n != number);
        let patient = |group: &Group<'_>| group.reference().map(|r| r.tags.patient.clone());
        let chosen_patient = self.groups.get(self.chosen_group).and_then(patient);
        let entry = |(group, n): (&Group<'_>, usize)| match patient(group) == chosen_patient {
            true => labelled(n, &group.label()),
            false => labelled(n, &format!("{}, another patient", group.label())),
        };
        let mut listed: Vec<String> = others.take(MAX_LISTED).map(entry).collect();
        let more = self.groups.len().saturating_sub(listed.len() + 1);
        if more > 0 {
            listed.push(format!("{more} more"));
        }
        let message = format!(
            "Of {} series, number {number} was segmented: {chosen}. Left out: {}. Take another with \
             --series NUMBER at the command line or series=NUMBER in a request.",
            self.groups.len(),
            listed.join("; "),
        );
        Warning::new("series_chosen", message)
    }
}

/// A number with a label, such as "2 (series 3, kernel BONE, 5 mm, 9 slices)".
pub(super) fn labelled(number: usize, label: &str) -> String {
    format!("{number} ({label})")
}

/// Whether each slice of `other` shows the same as the nearest slice of `chosen`.
fn is_copy(chosen: &Group<'_>, other: &Group<'_>, is_same: &dyn Fn(usize, usize) -> bool) -> bool {
    let (Some(here), Some(there)) = (chosen.heights(), other.heights()) else { return false };
    other.members.iter().zip(there).all(|(copy, height)| {
        let distance = |at: &f64| (at - height).abs();
        let nearest = chosen
            .members
            .iter()
            .zip(&here)
            .min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
        nearest.is_some_and(|(original, _)| is_same(original.index, copy.index))
    })
}

/// Study Date, if the file contains it.
fn day(reference: Option<&DicomReference>) -> Option<&str> {
    reference?.tags.study_time.split(' ').next().filter(|day| !day.is_empty())
}

fn relation(chosen: &Group<'_>, other: &Group<'_>) -> Relation {
    let (a, b) = (chosen.reference(), other.reference());
    let is_whole_head = chosen.extent_mm().is_some_and(|extent| extent >= HEAD_MM);
    if a.map(|r| &r.tags.patient) != b.map(|r| &r.tags.patient) {
        return Relation::OtherPatient;
    }
    if chosen.head != other.head {
        let on_other_days = day(a).zip(day(b)).is_some_and(|(a, b)| a != b);
        return match is_whole_head || on_other_days {
            true => Relation::OtherExamination,
            false => Relation::Elsewhere,
        };
    }
    if let (Some(a), Some(b)) = (direction(chosen.slice()), direction(other.slice())) {
        let [a, b] = [a, b].map(|[row, column]| cross(row, column));
        // Up to 30 degrees a stack may be tilted; beyond, it is a reformat of the same head.
        if dot(a, b).abs() < 0.866 {
            return Relation::OtherDirection;
        }
    }
    if !chosen.covers(other, is_whole_head) {
        return Relation::Elsewhere;
    }
    match chosen.is_same_reconstruction(other) {
        true => Relation::SamePositions,
        false => Relation::OtherReconstruction,
    }
}
