//! `segment`: slices and series, in parallel over the cores.

mod heads;
mod inputs;
mod lines;
mod outputs;
mod shortfall;

use super::models::load_one;
use super::progress_bar;
use crate::config::{OutputFormat, SegmentArgs};
use crate::decode::{
    Decoded, Heard, Limits, Origin, Several, decode_heard, decode_path, decode_path_heard,
};
use crate::embedded::Embedded;
use crate::error::Result;
use crate::report::{Answer, Include, write_answer};
use crate::segmenter::{Found, Gate, SegmentOptions, Segmenter};
use crate::slice::Warning;
use indicatif::ProgressBar;
use inputs::{Content, HeadFiles, Input, gather};
use lines::Lines;
use outputs::Outputs;
use rayon::prelude::*;
use shortfall::Shortfall;
use std::path::Path;
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
    let inputs = gather(&args.inputs, args.series)?;
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
    for batch in heads::batches(&inputs, args.as_series) {
        let gate = if args.as_series { Gate::Series } else { Gate::Own };
        let mut found: Vec<Result<Work>> = batch
            .par_iter()
            .map(|input| run.find(input, gate).inspect_err(|_| run.bar.inc(1)))
            .collect();
        if args.as_series {
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
        let mut decode = |heard: Heard<'_>| {
            let decoded = match &input.content {
                Content::File { path, .. } => {
                    decode_path_heard(path, &limits, heard).inspect(counted)
                }
                Content::Bytes(bytes) => decode_heard(bytes, &limits, heard).inspect(counted),
                Content::Head(head) => {
                    cautions.extend(head.warnings.iter().cloned());
                    decode_head(head, &limits, heard).inspect(counted)
                }
                Content::Refused(reason) => Err(ichor_image::Error::Unprocessable(reason.clone())),
            };
            Ok(decoded?)
        };
        let progress = |_, _| self.bar.inc(1);
        let (model, mut options) = (self.model, self.options);
        if matches!(&input.content, Content::Head(head) if head.is_decided) {
            options.series = None;
        }
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

/// The slices of a head in the order of their files, never more of them in memory than a series may
/// have; what cannot be read is left out, and said.
///
/// # Errors
/// The first file's where none can be read; [`ichor_image::Error::TooLarge`].
fn decode_head(
    head: &HeadFiles,
    limits: &Limits,
    heard: Heard<'_>,
) -> ichor_image::Result<Decoded> {
    let mut several = Several::new(Origin::Files, limits);
    for batch in head.files.chunks(BATCH) {
        let decoded: Vec<ichor_image::Result<Decoded>> =
            batch.par_iter().map(|(file, frames)| decode_frames(file, frames, limits)).collect();
        for decoded in decoded {
            match decoded {
                Ok(decoded) => several.add(decoded, heard)?,
                Err(error) => several.fail(error),
            }
        }
    }
    several.finish()
}

/// The frames of a file that are of the series.
fn decode_frames(file: &Path, frames: &[usize], limits: &Limits) -> ichor_image::Result<Decoded> {
    let slices = decode_path(file, limits)?.slices;
    let wanted = slices.into_iter().enumerate().filter(|(frame, _)| frames.contains(frame));
    Ok(wanted.map(|(_, slice)| slice).collect::<Vec<_>>().into())
}
