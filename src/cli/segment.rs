//! `segment`: segments slices and series, in parallel over the cores.

mod heads;
mod inputs;
mod lines;
mod outputs;
mod shortfall;

use super::models::load_one;
use super::progress_bar;
use crate::config::{OutputFormat, SegmentArgs};
use crate::decode::{Input as ImageInput, Limits, open};
use crate::embedded::Embedded;
use crate::error::Result;
use crate::report::{Include, Report, write_report};
use crate::segmenter::{Analysis, MaskGate, Observer, SegmentRequest, Segmenter};
use crate::stopwatch::Stopwatch;
use indicatif::ProgressBar;
use inputs::{Content, Input, list_inputs};
use lines::Lines;
use outputs::Outputs;
use rayon::prelude::*;
use shortfall::Shortfall;

/// State that all inputs share.
struct Run<'a> {
    model: &'a Segmenter,
    request: SegmentRequest,
    outputs: Outputs,
    include: Include,
    bar: ProgressBar,
}

pub(super) fn segment(args: SegmentArgs, embedded: &Embedded) -> Result<()> {
    let inputs = list_inputs(&args.inputs, args.series)?;
    let (places, inputs) = heads::order_by_head(inputs);
    let models = load_one(&args.model_dir, embedded, args.model.as_deref())?;
    let request = SegmentRequest {
        threshold: args.threshold,
        contours: true,
        probabilities: false,
        window: args.window,
        as_series: args.as_series,
        series: args.series,
        gate: if args.as_series { MaskGate::Deferred } else { MaskGate::PerSlice },
    };
    let run = Run {
        model: models.default_model(),
        request,
        outputs: Outputs::create(&args)?,
        include: Include { patterns: !args.no_patterns, ..Include::NOTHING },
        bar: progress_bar(inputs.len()),
    };
    let mut lines = Lines::default();
    let mut shortfall = Shortfall::default();
    let mut rest = places.iter();
    for batch in heads::split_into_batches(&inputs, args.as_series) {
        let mut analyses: Vec<Result<(Analysis, Progress<'_>)>> = batch
            .par_iter()
            .map(|input| run.analyse(input).inspect_err(|_| run.bar.inc(1)))
            .collect();
        if args.as_series {
            heads::smooth(run.model, batch, &mut analyses, |(analysis, _)| analysis)?;
        }
        let reports: Vec<Result<(Report, Vec<OutputFormat>)>> = batch
            .par_iter()
            .zip(analyses)
            .map(|(input, analysed)| {
                analysed.and_then(|(a, progress)| run.write(input, a, &progress))
            })
            .collect();
        for ((input, report), &place) in batch.iter().zip(reports).zip(&mut rest) {
            shortfall.add(&report, &run.outputs);
            lines.add(place, &input.shown, report.map(|(report, _)| report), &run.bar)?;
        }
    }
    run.bar.finish_and_clear();
    shortfall.report(inputs.len())
}

/// Times the work on one input, and moves the progress bar slice by slice.
struct Progress<'a> {
    stopwatch: Stopwatch,
    bar: &'a ProgressBar,
}

impl Observer for Progress<'_> {
    fn elapsed_ms(&self) -> f64 {
        self.stopwatch.elapsed_ms()
    }

    fn on_decoded(&self, slices: usize) {
        // An input counts as one slice until it is decoded.
        self.bar.inc_length(slices.saturating_sub(1) as u64);
    }

    fn on_slice(&self) {
        self.bar.inc(1);
    }
}

impl Run<'_> {
    fn analyse(&self, input: &Input) -> Result<(Analysis, Progress<'_>)> {
        let progress = Progress { stopwatch: Stopwatch::start(), bar: &self.bar };
        let mut request = self.request;
        let mut warnings = &[][..];
        let image = match &input.content {
            Content::File { path, .. } => ImageInput::Path(path),
            Content::Bytes(bytes) => ImageInput::Bytes(bytes),
            Content::Head(head) => {
                // The series was chosen by the headers already.
                request.series = request.series.filter(|_| !head.is_decided);
                warnings = &head.warnings;
                ImageInput::Frames(&head.files)
            }
            Content::Refused(reason) => {
                return Err(ichor_image::Error::Unprocessable(reason.clone()).into());
            }
        };
        let slices = open(image, &Limits::default())?;
        let mut analysis = self.model.segment(slices, &request, &progress)?;
        analysis.add_warnings(warnings.iter().cloned());
        Ok((analysis, progress))
    }

    /// Writes the results of an input; returns its report and the formats that it could not be written in.
    fn write(
        &self,
        input: &Input,
        mut analysis: Analysis,
        progress: &Progress<'_>,
    ) -> Result<(Report, Vec<OutputFormat>)> {
        let written = self.outputs.write(&input.stem, self.model, &analysis)?;
        analysis.add_warnings(written.warnings);
        self.outputs.write_readable(&input.stem, self.model, &analysis, self.include.patterns)?;
        // The pictures are separate files, so that a line of JSON stays readable.
        let report = write_report(self.model, analysis, self.include, progress)?;
        self.outputs.write_report(&input.stem, &report)?;
        Ok((report, written.missing))
    }
}
