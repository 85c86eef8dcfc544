//! What the series that were not taken may hold, and what is said of them.

use super::choice::Choice;
use super::counted;
use super::groups::Group;
use super::order::direction;
use crate::slice::{DicomReference, Warning};
use crate::vector::{cross, dot};

/// A stack of this height holds the whole head, mm: from the skull base to the vertex it is 110 to
/// 150 mm.
const HEAD_MM: f64 = 110.0;
/// Series that a warning lists.
pub(super) const MAX_LISTED: usize = 8;

/// How a group that was not taken stands to the one that was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
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

impl<'a> Choice<'a> {
    /// What is to be said of the choice; `is_same` compares the samples of two slices.
    pub(crate) fn warnings(&self, is_same: &dyn Fn(usize, usize) -> bool) -> Vec<Warning> {
        let mut warnings = self.notes.clone();
        warnings.extend(self.left_out(is_same));
        warnings
    }

    pub(super) fn others(&self) -> impl Iterator<Item = (&Group<'a>, Relation)> {
        let taken = self.groups.get(self.taken);
        let others = self.groups.iter().enumerate().filter(|(index, _)| *index != self.taken);
        others.filter_map(move |(_, other)| Some((other, relation(taken?, other))))
    }

    pub(super) fn left_out(&self, is_same: &dyn Fn(usize, usize) -> bool) -> Vec<Warning> {
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
            true => labelled(n, &group.label()),
            false => labelled(n, &format!("{}, another patient", group.label())),
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

/// "2 (series 3, kernel BONE, 5 mm, 9 slices)".
pub(super) fn labelled(number: usize, label: &str) -> String {
    format!("{number} ({label})")
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
