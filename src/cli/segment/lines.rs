//! One line of stdout per input, in the order in which the inputs were named.

use crate::error::{Error, Result};
use crate::report::Report;
use indicatif::ProgressBar;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The file, then its report in the form of the API, or the error.
#[derive(Serialize)]
struct Line {
    file: String,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    Report(Report),
    Failure { error: String },
}

/// Prints lines of stdout in order; a line that is ready early is held until those before it are printed.
#[derive(Default)]
pub(super) struct Lines {
    next: usize,
    waiting: BTreeMap<usize, String>,
}

impl Lines {
    /// Adds the line of the file that was named at `place`, from 0.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be written as JSON.
    pub(super) fn add(
        &mut self,
        place: usize,
        file: &Path,
        report: Result<Report>,
        bar: &ProgressBar,
    ) -> Result<()> {
        let outcome = match report {
            Ok(report) => Outcome::Report(report),
            Err(error) => Outcome::Failure { error: error.to_string() },
        };
        let line = Line { file: file.display().to_string(), outcome };
        let line = serde_json::to_string(&line).map_err(|e| Error::Internal(e.to_string()))?;
        self.waiting.insert(place, line);
        while let Some(line) = self.waiting.remove(&self.next) {
            bar.suspend(|| println!("{line}"));
            self.next += 1;
        }
        Ok(())
    }
}
