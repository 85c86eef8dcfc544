//! One answer for whatever a file held.

use super::series::{SeriesReport, write_series_report};
use super::{Include, Report, write_report};
use crate::error::{Error, Result};
use crate::segmenter::{Clock, Found, SegmentOptions, Segmenter};
use serde::Serialize;

/// The answer for a file, whatever it holds.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// One slice.
    Slice(Box<Report>),
    /// Several slices.
    Series(Box<SeriesReport>),
}

impl Answer {
    /// The answer with the identifier of its request.
    pub fn of_request(mut self, id: String) -> Self {
        match &mut self {
            Self::Slice(report) => report.request_id = Some(id),
            Self::Series(report) => report.request_id = Some(id),
        }
        self
    }
}

/// Writes the report of whatever was found. `started` is what `clock` said when work began.
///
/// # Errors
/// As [`write_report`] and [`write_series_report`].
pub fn write_answer(
    model: &Segmenter,
    found: Found,
    options: SegmentOptions,
    include: Include,
    started: f64,
    clock: Clock<'_>,
) -> Result<Answer> {
    match found {
        Found::Slice { series, found } => {
            let empty = || Error::unprocessable("The file holds no slices.");
            let slice = series.slices.first().ok_or_else(empty)?;
            write_report(model, slice, *found, include, clock).map(|r| Answer::Slice(Box::new(r)))
        }
        Found::Series(found) => {
            write_series_report(model, *found, options, include, started, clock)
                .map(|r| Answer::Series(Box::new(r)))
        }
    }
}
