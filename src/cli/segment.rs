//! `segment`: slices and series, in parallel over the cores.

mod heads;
mod inputs;
mod lines;
mod outputs;
mod shortfall;

use super::models::load_one;
use super::progress_bar;
use crate::config::{OutputFormat, SegmentArgs};
use crate::decode::{Decoded, Heard, Limits, decode_path, decode_path_heard};
use crate::embedded::Embedded;
use crate::error::{Error, Result};
use crate::report::{Answer, Include, write_answer};
use crate::segmenter::{Found, Gate, SegmentOptions, Segmenter};
use crate::slice::{CtSlice, Warning};
use indicatif::ProgressBar;
use inputs::{Content, Input, gather};
use lines::Lines;
use outputs::Outputs;
use rayon::prelude::*;
use shortfall::Shortfall;
use std::path::PathBuf;
use std::time::Instant;

/// Files of a series decoded at a time.
const BATCH: usize = 16;

/// What all inputs share.
struct Run<'a> {
    model: &'a Segmenter,
    options: SegmentOptions,
    outputs: Outputs,
    bar: ProgressBar,
}

pub(super) fn segment(args: SegmentArgs, embedded: &Embedded) -> Result<()> {
    let inputs = gather(&args.inputs)?;
    let (places, inputs) = heads::together(inputs);
    let models = load_one(&args.model_dir, embedded, args.model.as_deref())?;
    let options = SegmentOptions {
        threshold: args.threshold,
        contours: true,
        window: args.window,
        as_series: args.as_series,
        series: args.series,
    };
    let run = Run {
        model: models.default_model(),
        options,
        outputs: Outputs::create(&args.output, &args.format)?,
        bar: progress_bar(inputs.len()),
    };
    let mut lines = Lines::default();
    let mut shortfall = Shortfall::default();
    let mut rest = places.iter();
    for batch in heads::batches(&inputs, args.alone) {
        let gate = if args.alone { Gate::Own } else { Gate::Series };
        let mut found: Vec<Result<Work>> = batch
            .par_iter()
            .map(|input| run.find(input, gate).inspect_err(|_| run.bar.inc(1)))
            .collect();
        if !args.alone {
            heads::join(run.model, batch, &mut found, |work| &mut work.found);
        }
        let answers: Vec<Result<(Answer, Vec<OutputFormat>)>> =
            batch.par_iter().zip(found).map(|(input, work)| run.answer(input, work?)).collect();
        for ((input, answer), &place) in batch.iter().zip(answers).zip(&mut rest) {
            shortfall.add(&answer, &run.outputs);
            lines.add(place, &input.shown, answer.map(|(answer, _)| answer), &run.bar)?;
        }
    }
    run.bar.finish_and_clear();
    shortfall.report(inputs.len())
}

/// What was found on an input, before it is written.
struct Work {
    found: Found,
    begun: Instant,
    /// What the clock since then said when decoding began, ms.
    started: f64,
}

impl Run<'_> {
    /// `gate` says who decides on the mask of a picture.
    fn find(&self, input: &Input, gate: Gate) -> Result<Work> {
        let begun = Instant::now();
        let clock = || begun.elapsed().as_secs_f64() * 1e3;
        let limits = Limits::default();
        // Until it was decoded, every input counted as one slice.
        let counted = |decoded: &Decoded| {
            self.bar.inc_length(decoded.slices.len().saturating_sub(1) as u64);
        };
        let mut cautions: Vec<Warning> = Vec::new();
        let mut decode = |heard: Heard<'_>| match &input.content {
            Content::File { path, .. } => decode_path_heard(path, &limits, heard).inspect(counted),
            Content::Series { files, left_out } => {
                let (decoded, unreadable) = decode_files(files, &limits, heard)?;
                cautions.extend(left_out_warning(*left_out).into_iter().chain(unreadable));
                counted(&decoded);
                Ok(decoded)
            }
        };
        let progress = |_, _| self.bar.inc(1);
        let (model, options) = (self.model, self.options);
        let (mut found, started) =
            model.segment_decoding(&mut decode, &limits, options, gate, &progress, &clock)?;
        found.warn(cautions);
        Ok(Work { found, begun, started })
    }

    /// The report, and the formats that the input could not be written in.
    fn answer(&self, input: &Input, work: Work) -> Result<(Answer, Vec<OutputFormat>)> {
        let Work { mut found, begun, started } = work;
        let clock = || begun.elapsed().as_secs_f64() * 1e3;
        let written = self.outputs.write(&input.stem, self.model, &found, self.options, &clock)?;
        found.warn(written.warnings);
        // The pictures lie beside; a line of JSON stays readable.
        let include = Include { contours: true, ..Include::NOTHING };
        let answer = write_answer(self.model, found, self.options, include, started, &clock)?;
        self.outputs.write_report(&input.stem, &answer)?;
        Ok((answer, written.missing))
    }
}

fn left_out_warning(count: usize) -> Option<Warning> {
    let warning = || {
        let message = format!("{count} files in the folder are not images and were left out.");
        Warning::new("files_left_out", message)
    };
    (count > 0).then(warning)
}

/// The slices of all files in their order, never more of them in memory than a series may have;
/// what cannot be read is left out, and said.
///
/// # Errors
/// The first file's where none can be read; [`Error::TooLarge`].
fn decode_files(
    files: &[PathBuf],
    limits: &Limits,
    heard: Heard<'_>,
) -> Result<(Decoded, Option<Warning>)> {
    let mut slices: Vec<CtSlice> = Vec::new();
    let (mut unreadable, mut first_failure) = (0, None);
    for batch in files.chunks(BATCH) {
        let decoded: Vec<Result<Decoded>> =
            batch.par_iter().map(|file| decode_path(file, limits)).collect();
        for decoded in decoded {
            match decoded {
                Ok(decoded) => {
                    decoded.slices.iter().for_each(&mut *heard);
                    slices.extend(decoded.slices);
                }
                Err(error) => {
                    unreadable += 1;
                    first_failure.get_or_insert(error);
                }
            }
        }
        check_series(&slices, limits)?;
    }
    let Some(failure) = first_failure else { return Ok((slices.into(), None)) };
    if slices.is_empty() {
        return Err(failure);
    }
    let message = format!(
        "Files of the series that could not be read and are missing here: {unreadable}. The first: \
         {failure}"
    );
    Ok((slices.into(), Some(Warning::new("files_unreadable", message))))
}

fn check_series(slices: &[CtSlice], limits: &Limits) -> Result<()> {
    let remedy = "Segment fewer files at a time.";
    let bytes: u64 = slices.iter().map(|slice| slice.plane.sample_count() as u64 * 4).sum();
    if slices.len() > limits.max_slices {
        let limit = limits.max_slices as u64;
        return Err(Error::TooLarge { what: "The number of slices", limit, remedy });
    }
    if bytes > limits.max_series_bytes {
        let limit = limits.max_series_bytes;
        return Err(Error::TooLarge {
            what: "The decoded size of the series in bytes",
            limit,
            remedy,
        });
    }
    Ok(())
}
