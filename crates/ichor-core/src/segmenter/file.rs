//! Whatever a file or several hold: one slice or a series.

use super::series::SeriesSegmentation;
use super::stream::{Decode, Streamed};
use super::{Clock, Gate, SegmentOptions, Segmentation, Segmenter, SliceFinding};
use crate::decode::{Decoded, Limits, decode};
use crate::error::{Error, Result};
use crate::mask::PackedMask;
use crate::series::{Series, assemble};
use crate::slice::{Intensity, Warning};
use std::borrow::Cow;

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
    /// As [`decode`]; [`ichor_image::Error::TooLarge`] for more slices than the limit.
    pub fn from_bytes(bytes: &[u8], limits: &Limits, clock: Clock<'_>) -> Result<Self> {
        Self::timed(|| Ok(decode(bytes, limits)?), limits, clock)
    }

    fn timed(
        decode: impl FnOnce() -> Result<Decoded>,
        limits: &Limits,
        clock: Clock<'_>,
    ) -> Result<Self> {
        let started = clock();
        Self::of(decode()?, started, limits, clock)
    }

    fn of(decoded: Decoded, started: f64, limits: &Limits, clock: Clock<'_>) -> Result<Self> {
        if decoded.slices.len() > limits.max_slices {
            return Err(ichor_image::Error::TooLarge {
                what: "The number of slices",
                limit: limits.max_slices as u64,
                remedy: "Send fewer at a time, or run `ichor segment` on your own machine.",
            }
            .into());
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
    /// Decodes a file or several and segments what they hold; engines that take batches begin before
    /// the last slice is decoded, and "decode" then counts its waiting for them, too. `gate` says who
    /// decides on the mask of a single slice. Gives what was found and when the clock said that it began.
    ///
    /// # Errors
    /// As `decode`, [`assemble`] and [`Segmenter::segment_series`]; [`ichor_image::Error::TooLarge`] for more slices
    /// than the limit.
    pub fn segment_decoding(
        &self,
        decode: Decode<'_>,
        limits: &Limits,
        options: SegmentOptions,
        gate: Gate,
        progress: &(dyn Fn(usize, usize) + Sync),
        clock: Clock<'_>,
    ) -> Result<(Found, f64)> {
        let started = clock();
        if self.engine().is_none_or(|engine| engine.max_batch() == 1) {
            let given = Given::of(decode(&mut |_| ())?, started, limits, clock)?;
            return Ok((self.segment_given(given, options, gate, progress, clock)?, started));
        }
        let (decoded, streamed) = self.stream(decode, options, progress, clock)?;
        let given = Given::of(decoded, started, limits, clock)?;
        if given.decoded.slices.len() < 2 {
            return Ok((self.segment_given(given, options, gate, progress, clock)?, started));
        }
        let series = assemble(given.decoded, options.series_request())?;
        let found = in_order(&series, streamed)?;
        let mut found = self.gather(series, found, clock)?;
        found.timings.decode = given.decode_ms;
        Ok((Found::Series(Box::new(found)), started))
    }

    /// Puts the slices in order and segments them; `gate` says who decides on the mask of a single one.
    /// `progress` hears how many of all are done.
    ///
    /// # Errors
    /// As [`assemble`] and [`Segmenter::segment_series`].
    pub fn segment_given(
        &self,
        given: Given,
        options: SegmentOptions,
        gate: Gate,
        progress: &(dyn Fn(usize, usize) + Sync),
        clock: Clock<'_>,
    ) -> Result<Found> {
        let several = given.decoded.slices.len() > 1;
        let series = assemble(given.decoded, options.series_request())?;
        if several {
            let mut found = self.segment_series(series, options, progress, clock)?;
            found.timings.decode = given.decode_ms;
            return Ok(Found::Series(Box::new(found)));
        }
        let empty = || Error::unprocessable("The file holds no slices.");
        let slice = series.slices.first().ok_or_else(empty)?;
        // A single slice has no series that its assessment could wait for.
        let gate = if slice.intensity == Intensity::Hounsfield { Gate::Own } else { gate };
        let infer = |prepared: &_| self.infer(prepared);
        let mut found = Box::new(self.segment_with(slice, options, gate, clock, &infer)?);
        found.finding.timings.decode = given.decode_ms;
        // What the rest of the file leaves in doubt is in doubt of its only slice.
        found
            .finding
            .warnings
            .extend(series.warnings.iter().filter(|w| w.doubt.is_some()).cloned());
        found.settle();
        progress(1, 1);
        Ok(Found::Slice { series: Box::new(series), found })
    }
}

/// Findings of the slices of a series, which were made in the order of the file; those of slices that
/// the series left out are dropped.
fn in_order(
    series: &Series,
    mut streamed: Vec<Option<Streamed>>,
) -> Result<Vec<(SliceFinding, PackedMask)>> {
    let lost = || Error::Inference("a slice was lost on its way".into());
    let places = series.sources.iter().zip(&series.slices);
    places
        .map(|(&source, slice)| {
            let found = streamed.get_mut(source).and_then(Option::take).ok_or_else(lost)?;
            let Streamed { mut finding, mask, warned } = found;
            // What the end of the file said of all slices came after this one was computed.
            let late = slice.warnings[warned..].iter().cloned();
            finding.warnings.splice(warned..warned, late);
            Ok((finding, mask))
        })
        .collect()
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

    /// Adds warnings, and takes back what they leave in doubt.
    pub fn warn(&mut self, warnings: impl IntoIterator<Item = Warning>) {
        match self {
            Self::Slice { found, .. } => {
                found.finding.warnings.extend(warnings);
                found.settle();
            }
            Self::Series(found) => {
                found.warnings.extend(warnings);
                found.apply_doubts();
            }
        }
    }
}
