//! `segment` and `evaluate`: many slices, in parallel over the cores.

use super::{load_one, progress_bar};
use crate::config::{EvaluateArgs, SegmentArgs};
use crate::decode::Limits;
use crate::error::{Error, Result};
use crate::evaluate::evaluate;
use crate::mask::encode_png;
use crate::report::{Include, Report, write_report};
use crate::segmenter::{SegmentOptions, Segmenter};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Slices in flight; results are printed in the order of the files, a batch at a time.
const BATCH: usize = 16;

/// One line of stdout: the file, then its report as the API gives it, or what went wrong.
#[derive(Serialize)]
struct Line {
    file: String,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    Report(Box<Report>),
    Failure { error: String },
}

pub(super) fn segment(args: SegmentArgs) -> Result<()> {
    reject_equal_stems(&args.files)?;
    let models = load_one(&args.model_dir, args.model.as_deref())?;
    let model = models.default_model();
    std::fs::create_dir_all(&args.output).map_err(Error::io("The output folder cannot be made"))?;
    let bar = progress_bar(args.files.len());
    let mut failed = 0;
    for batch in args.files.chunks(BATCH) {
        let reports: Vec<Result<Report>> = batch
            .par_iter()
            .map(|file| {
                let report = segment_file(file, model, &args);
                bar.inc(1);
                report
            })
            .collect();
        for (file, report) in batch.iter().zip(reports) {
            let file = file.display().to_string();
            let outcome = match report {
                Ok(report) => Outcome::Report(Box::new(report)),
                Err(error) => {
                    failed += 1;
                    Outcome::Failure { error: error.to_string() }
                }
            };
            let line = serde_json::to_string(&Line { file, outcome })
                .map_err(|e| Error::Inference(e.to_string()))?;
            bar.suspend(|| println!("{line}"));
        }
    }
    bar.finish_and_clear();
    if failed == 0 {
        return Ok(());
    }
    let all = args.files.len();
    Err(Error::Unprocessable(format!(
        "{failed} of {all} files could not be segmented; their lines on stdout say why. The others are done."
    )))
}

fn segment_file(file: &Path, model: &Segmenter, args: &SegmentArgs) -> Result<Report> {
    let start = Instant::now();
    let clock = || start.elapsed().as_secs_f64() * 1e3;
    let bytes = std::fs::read(file).map_err(Error::io("The file cannot be read"))?;
    let options = SegmentOptions { threshold: args.threshold, contours: true, window: None };
    let found = model.segment(&bytes, &Limits::default(), options, &clock)?;
    let write = |suffix: &str, image: image::DynamicImage| {
        let path = args.output.join(format!("{}_{suffix}.png", stem(file)));
        std::fs::write(path, encode_png(&image)?).map_err(Error::io("A result cannot be written"))
    };
    write("mask", found.mask.to_grey().into())?;
    write("overlay", model.overlay(&found).into())?;
    // The pictures lie beside; a line of JSON stays readable.
    let include = Include {
        mask: false,
        overlay: false,
        probabilities: false,
        contours: true,
        every_slice: false,
    };
    write_report(model, found, include, &clock)
}

fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Two inputs of one stem would overwrite each other's results.
fn reject_equal_stems(files: &[PathBuf]) -> Result<()> {
    let mut seen = HashSet::new();
    match files.iter().find(|file| !seen.insert(stem(file))) {
        None => Ok(()),
        Some(file) => Err(Error::InvalidParameter(format!(
            "Two files have the name '{}' and would overwrite each other's results. \
             Segment them into different --output folders.",
            stem(file)
        ))),
    }
}

pub(super) fn evaluate_dataset(args: EvaluateArgs) -> Result<()> {
    let models = load_one(&args.model_dir, args.model.as_deref())?;
    let bar = progress_bar(crate::dataset::read_dataset(&args.dataset)?.len());
    let figures = evaluate(&args.dataset, models.default_model(), || bar.inc(1))?;
    bar.finish_and_clear();
    if args.json {
        let json =
            serde_json::to_string_pretty(&figures).map_err(|e| Error::Inference(e.to_string()))?;
        println!("{json}");
    } else {
        println!("{figures}");
    }
    Ok(())
}
