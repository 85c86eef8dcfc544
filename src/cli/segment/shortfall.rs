//! Counts of the files and formats that could not be written in a run.

use super::outputs::Outputs;
use crate::config::OutputFormat;
use crate::error::{Error, Result};
use crate::report::Report;

/// Counts of missing results.
#[derive(Default)]
pub(super) struct Shortfall {
    /// Files that were not segmented.
    failed: usize,
    /// Files that were segmented but could be written in no requested format.
    unwritten: usize,
    /// Formats, each with the number of files that are written in other formats only.
    missing: Vec<(OutputFormat, usize)>,
}

impl Shortfall {
    pub(super) fn add(&mut self, report: &Result<(Report, Vec<OutputFormat>)>, outputs: &Outputs) {
        let Ok((_, missing)) = report else {
            self.failed += 1;
            return;
        };
        if !outputs.writes_any_but(missing) {
            self.unwritten += 1;
            return;
        }
        for &format in missing {
            match self.missing.iter_mut().find(|(known, _)| *known == format) {
                Some((_, count)) => *count += 1,
                None => self.missing.push((format, 1)),
            }
        }
    }

    /// Prints a line on stderr for each format that is missing beside others.
    ///
    /// # Errors
    /// [`Error::Unprocessable`] where a file has no result at all.
    pub(super) fn report(&self, all: usize) -> Result<()> {
        for (format, count) in &self.missing {
            eprintln!(
                "ichor: {count} of {all} files could not be written as {format}; the warnings on stdout say \
                 why. Their other results are there."
            );
        }
        let mut reasons = Vec::new();
        if self.failed > 0 {
            let failed = self.failed;
            reasons.push(format!("{failed} of {all} files could not be segmented"));
        }
        if self.unwritten > 0 {
            let unwritten = self.unwritten;
            reasons.push(format!(
                "{unwritten} of {all} files could not be written in any format of --format"
            ));
        }
        if reasons.is_empty() {
            return Ok(());
        }
        let reasons = reasons.join(", and ");
        Err(Error::unprocessable(format!(
            "{reasons}; their lines on stdout say why. The others are done."
        )))
    }
}
