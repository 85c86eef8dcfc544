//! Identifiers of jobs, and the keys of their objects.

use std::str::FromStr;
use uuid::Uuid;

/// Identifier of a job: 122 random bits from the operating system, written as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct JobId(Uuid);

impl JobId {
    pub(super) fn new() -> Self {
        Self(Uuid::new_v4())
    }

    /// The identifier in the key of an upload; `None` for other keys.
    pub fn of_upload(key: &str) -> Option<Self> {
        key.strip_prefix(UPLOADS)?.parse().ok()
    }
}

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.simple().fmt(f)
    }
}

impl FromStr for JobId {
    type Err = ();

    /// Accepts only the form that [`JobId`] writes, so that a job has one URL.
    fn from_str(text: &str) -> Result<Self, ()> {
        let is_own_form = text.len() == 32 && !text.bytes().any(|b| b.is_ascii_uppercase());
        is_own_form.then(|| Uuid::try_parse(text).ok().map(Self)).flatten().ok_or(())
    }
}

const UPLOADS: &str = "uploads/";
pub(super) const JOBS: &str = "jobs/";
const SLICE: &str = "slice-";
const LOGITS: &str = "logits-";

pub(super) const RESULT: &str = "result.json";
pub(super) const PROBLEM: &str = "problem.json";

/// The keys of one job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys(JobId);

impl Keys {
    pub(super) fn new(id: JobId) -> Self {
        Self(id)
    }

    pub(super) fn id(self) -> JobId {
        self.0
    }

    pub(super) fn upload(self) -> String {
        format!("{UPLOADS}{}", self.0)
    }

    pub(super) fn folder(self) -> String {
        format!("{JOBS}{}/", self.0)
    }

    pub(super) fn record(self) -> String {
        self.folder() + "job.json"
    }

    pub(super) fn progress(self) -> String {
        self.folder() + "work.json"
    }

    pub(super) fn result(self) -> String {
        self.folder() + RESULT
    }

    pub(super) fn problem(self) -> String {
        self.folder() + PROBLEM
    }

    pub(super) fn slice(self, index: usize) -> String {
        format!("{}{SLICE}{index:04}.json", self.folder())
    }

    pub(super) fn logits(self, index: usize) -> String {
        format!("{}{LOGITS}{index:04}", self.folder())
    }
}

/// Index of the slice whose report has this name in the job's folder.
pub(super) fn slice_index(name: &str) -> Option<usize> {
    name.strip_prefix(SLICE)?.strip_suffix(".json")?.parse().ok()
}

/// Index of the slice whose logits have this name in the job's folder.
pub(super) fn logits_index(name: &str) -> Option<usize> {
    name.strip_prefix(LOGITS)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_written_form_of_identifiers_is_accepted() {
        let id = JobId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(JobId::of_upload(&Keys::new(id).upload()), Some(id));
        let text = id.to_string();
        let dashed = format!(
            "{}-{}-{}-{}-{}",
            &text[..8],
            &text[8..12],
            &text[12..16],
            &text[16..20],
            &text[20..]
        );
        for other in [
            "",
            "..",
            "../../../../etc/passwd0000000000000",
            &text[1..],
            &dashed,
            "A2345678901234567890123456789012",
        ] {
            assert_eq!(other.parse::<JobId>(), Err(()), "{other}");
        }
    }

    #[test]
    fn names_of_slices_give_their_index() {
        let keys = Keys::new(JobId::new());
        for index in [0, 7, 511, 12_345] {
            let key = keys.slice(index);
            assert_eq!(slice_index(key.strip_prefix(&keys.folder()).unwrap()), Some(index));
            let key = keys.logits(index);
            assert_eq!(logits_index(key.strip_prefix(&keys.folder()).unwrap()), Some(index));
        }
        assert_eq!(slice_index("logits-0001"), None);
        assert_eq!(logits_index("logits-0001"), Some(1));
    }
}
