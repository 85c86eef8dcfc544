//! Whatever a file or several hold: one slice or a series.

use super::series::SeriesSegmentation;
use super::{Clock, SegmentOptions, Segmentation, Segmenter};
use crate::decode::{Decoded, Limits, decode, decode_path};
use crate::error::{Error, Result};
use crate::series::{Series, assemble};
use crate::slice::Warning;
use std::borrow::Cow;
use std::path::Path;

/// Slices that were decoded, and when that began and ended by the clock.
#[derive(Debug)]
pub struct Given {
    /// The slices and how a volume was cut.
    pub decoded: Decoded,
    /// What the clock said before the first byte was looked at, ms.
    pub started: f64,
    /// How long decoding took, ms.
    pub decode_ms: f64,
}

impl Given {
    /// Decodes one file.
    ///
    /// # Errors
    /// As [`decode`]; [`Error::TooLarge`] for more slices than the limit.
    pub fn from_bytes(bytes: &[u8], limits: &Limits, clock: Clock<'_>) -> Result<Self> {
        Self::timed(|| decode(bytes, limits), limits, clock)
    }

    /// Decodes one file on disk, without holding it in memory beside its slices.
    ///
    /// # Errors
    /// As [`Given::from_bytes`]; [`Error::Io`] for a file that cannot be read.
    pub fn from_path(path: &Path, limits: &Limits, clock: Clock<'_>) -> Result<Self> {
        Self::timed(|| decode_path(path, limits), limits, clock)
    }

    fn timed(
        decode: impl FnOnce() -> Result<Decoded>,
        limits: &Limits,
        clock: Clock<'_>,
    ) -> Result<Self> {
        let started = clock();
        let decoded = decode()?;
        if decoded.slices.len() > limits.max_slices {
            return Err(Error::TooLarge {
                what: "The number of slices",
                limit: limits.max_slices as u64,
                remedy: "Send fewer at a time, or run `ichor segment` on your own machine.",
            });
        }
        Ok(Self { decoded, started, decode_ms: clock() - started })
    }
}

/// What was found in a file.
#[derive(Debug)]
pub enum Found {
    /// It held one slice.
    Slice {
        /// The slice, as a series of one.
        series: Box<Series>,
        /// What was found on it.
        found: Box<Segmentation>,
    },
    /// It held several.
    Series(Box<SeriesSegmentation>),
}

impl Segmenter {
    /// Puts the slices in order and segments them; `progress` hears how many of all are done.
    ///
    /// # Errors
    /// As [`assemble`] and [`Segmenter::segment_series`].
    pub fn segment_given(
        &self,
        given: Given,
        options: SegmentOptions,
        progress: &(dyn Fn(usize, usize) + Sync),
        clock: Clock<'_>,
    ) -> Result<Found> {
        let several = given.decoded.slices.len() > 1;
        let series = assemble(given.decoded.slices, given.decoded.grid)?;
        if several {
            let mut found = self.segment_series(series, options, progress, clock)?;
            found.timings.decode = given.decode_ms;
            return Ok(Found::Series(Box::new(found)));
        }
        let empty = || Error::Unprocessable("The file holds no slices.".into());
        let slice = series.slices.first().ok_or_else(empty)?;
        let mut found = Box::new(self.segment_slice(slice, options, clock)?);
        found.finding.timings.decode = given.decode_ms;
        progress(1, 1);
        Ok(Found::Slice { series: Box::new(series), found })
    }
}

impl Found {
    /// The finding as a series, for exports: a single slice is a series of one.
    ///
    /// # Errors
    /// As [`SeriesSegmentation::gather`].
    pub fn as_series(&self, clock: Clock<'_>) -> Result<Cow<'_, SeriesSegmentation>> {
        match self {
            Self::Series(found) => Ok(Cow::Borrowed(found)),
            Self::Slice { series, found } => {
                let finding = (found.finding.clone(), found.mask.pack());
                SeriesSegmentation::gather((**series).clone(), vec![finding], clock).map(Cow::Owned)
            }
        }
    }

    /// Adds cautions of what was made from the finding.
    pub fn warn(&mut self, warnings: impl IntoIterator<Item = Warning>) {
        match self {
            Self::Slice { found, .. } => found.finding.warnings.extend(warnings),
            Self::Series(found) => found.warnings.extend(warnings),
        }
    }
}
