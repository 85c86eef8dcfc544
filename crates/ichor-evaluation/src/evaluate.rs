//! Scores a model on a labelled data set: at the resolution of its images, or on the network's
//! grid, where training measures the checkpoint that the model came from.

mod answers;
mod figures;
mod lesions;

pub use figures::Evaluation;

use crate::components::{Component, Run, label_components};
use crate::dataset::{LabelledSlice, read_dataset};
use crate::decode::Limits;
use crate::engine::Logits;
use crate::error::{Error, Result};
use crate::mask::Mask;
use crate::metrics::{Confusion, ScoreHistogram};
use crate::prepare::mask_on_grid;
use crate::segmenter::{MaskGate, NoObserver, SegmentRequest, SegmentedSlice, Segmenter};
use answers::AnswerFiles;
use figures::{Overlap, SliceScore, summarise};
use lesions::{LesionFile, LesionRows};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The grid on which masks are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// In the geometry of each image.
    Image,
    /// On the network's grid, the truth cut and resized like the image.
    Grid,
}

/// Options of an evaluation.
#[derive(Debug, Clone, Copy)]
pub struct EvaluationOptions {
    /// The grid on which masks are compared.
    pub resolution: Resolution,
    /// Whether the slices of a patient are smoothed by the series chain; otherwise each is segmented as a single
    /// picture.
    pub series: bool,
}

/// Segments the data set at `root` with `model` and compares the results with its labels. `progress` is called with
/// the number of slices done and the number of all.
///
/// On the network's grid `output` names a folder for the output of the network: `mask_logits.npy`,
/// `slice_logits.npy`, `answers.csv`, and `lesions.csv` with the features of the lesions.
///
/// # Errors
/// [`Error::Dataset`] for the first row that cannot be read, [`Error::InvalidParameter`] for an `output` at another
/// resolution, [`ichor_image::Error::Io`] where it cannot be written.
pub fn evaluate(
    root: &Path,
    model: &Segmenter,
    options: EvaluationOptions,
    output: Option<&Path>,
    progress: impl Fn(usize, usize) + Sync,
) -> Result<Evaluation> {
    if output.is_some() && options.resolution != Resolution::Grid {
        let reason =
            "The network's answers are written on its grid only. Give --grid beside --output";
        return Err(Error::InvalidParameter(reason.into()));
    }
    let rows = read_dataset(root)?;
    let mut answers =
        output.map(|output| AnswerFiles::create(output, model.spec(), rows.len())).transpose()?;
    let mut lesions = output.map(LesionFile::create).transpose()?;
    let mut heads: BTreeMap<&str, Vec<&LabelledSlice>> = BTreeMap::new();
    rows.iter().for_each(|row| heads.entry(&row.patient).or_default().push(row));
    let done = AtomicUsize::new(0);
    let read = |row: &&LabelledSlice| {
        let read = read_slice(row, model, options, output.is_some());
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, rows.len());
        read
    };
    let mut scores = Vec::with_capacity(rows.len());
    // One head at a time, and no more of it than a series may have: this bounds the memory.
    let max_slices = Limits::default().max_slices;
    for head in heads.values().flat_map(|head| head.chunks(max_slices)) {
        let mut slices = head.par_iter().map(read).collect::<Result<Vec<_>>>()?;
        if options.series {
            smooth(model, head, &mut slices);
        }
        if let Some(file) = &mut lesions {
            for (row, slice) in head.iter().zip(&slices) {
                let kept = !slice.segmented.result.lesions.is_empty();
                slice.lesions.as_ref().map_or(Ok(()), |lesions| file.write(row, lesions, kept))?;
            }
        }
        let logits: Vec<_> = slices.iter_mut().map(|slice| slice.logits.take()).collect();
        let first = scores.len();
        scores.extend(
            head.par_iter().zip(slices).map(|(row, slice)| slice.score(row)).collect::<Vec<_>>(),
        );
        if let Some(files) = &mut answers {
            for ((row, logits), score) in head.iter().zip(logits).zip(&scores[first..]) {
                logits.map_or(Ok(()), |logits| files.write(row, logits, score))?;
            }
        }
    }
    lesions.map_or(Ok(()), LesionFile::finish)?;
    answers.map_or(Ok(()), AnswerFiles::finish)?;
    Ok(summarise(model, &scores))
}

/// Smooths the slices of a head by their numbers; where one is not a number, by the order of the table.
fn smooth(model: &Segmenter, rows: &[&LabelledSlice], slices: &mut [EvaluatedSlice]) {
    let numbers: Option<Vec<u64>> = rows.iter().map(|row| row.slice.parse().ok()).collect();
    let numbers = numbers.unwrap_or_else(|| (0..rows.len() as u64).collect());
    let results = slices.iter_mut().map(|slice| &mut slice.segmented.result);
    model.smooth_numbered(numbers.into_iter().zip(results).collect());
    slices.iter_mut().for_each(|slice| slice.segmented.clear_mask_if_gated());
}

/// One slice as the model segments it, and its true mask.
struct EvaluatedSlice {
    segmented: SegmentedSlice,
    truth: Option<Mask>,
    /// Output of the network, where it is written to files.
    logits: Option<Logits>,
    /// Features of its lesions, where they are written to a file.
    lesions: Option<LesionRows>,
    /// Area of one pixel of the mask as a share of the network's grid.
    pixel_share: f64,
}

fn read_slice(
    row: &LabelledSlice,
    model: &Segmenter,
    options: EvaluationOptions,
    keep_logits: bool,
) -> Result<EvaluatedSlice> {
    let slice = row.read(&Limits::default())?;
    let truth = row.read_mask(slice.plane.width, slice.plane.height)?;
    let [_, _, height, width] = model.spec().input.shape;
    let gate = if options.series { MaskGate::Deferred } else { MaskGate::PerSlice };
    match options.resolution {
        Resolution::Grid => {
            let (prepared, logits) = model.logits(&slice)?;
            let on_grid = |mask: Mask| mask_on_grid(mask, &prepared, width, height);
            let truth = truth.map(on_grid).transpose()?;
            let kept = keep_logits.then(|| logits.clone());
            let input = keep_logits.then(|| prepared.clone());
            let segmented = model.read_out_on_grid(prepared, logits, gate);
            let measure = |input| {
                LesionRows::measure(
                    row,
                    &slice,
                    &input,
                    model.spec(),
                    &segmented.mask,
                    truth.as_ref(),
                )
            };
            let lesions = input.map(measure).transpose()?;
            let pixel_share = 1.0 / (width * height) as f64;
            Ok(EvaluatedSlice { segmented, truth, logits: kept, lesions, pixel_share })
        }
        Resolution::Image => {
            let request = SegmentRequest { gate, ..SegmentRequest::default() };
            let segmented = model.segment_slice(&slice, &request, &NoObserver)?;
            let pixel_share = 1.0 / (segmented.crop.side as f64).powi(2);
            Ok(EvaluatedSlice { segmented, truth, logits: None, lesions: None, pixel_share })
        }
    }
}

impl EvaluatedSlice {
    fn score(self, row: &LabelledSlice) -> SliceScore {
        let Self { segmented, truth, pixel_share, .. } = self;
        SliceScore {
            patient: row.patient.clone(),
            hemorrhage: row.hemorrhage,
            // A slice that cannot be interpreted counts as free of hemorrhage.
            probability: segmented.result.probability.unwrap_or(0.0),
            mask_px: segmented.mask.area_px(),
            detected: !segmented.result.lesions.is_empty(),
            overlap: truth.map(|truth| overlap(&segmented, &truth, pixel_share)),
        }
    }
}

fn overlap(segmented: &SegmentedSlice, truth: &Mask, pixel_share: f64) -> Overlap {
    let mut pixels = ScoreHistogram::default();
    for (&p, &t) in segmented.map.probabilities().samples.iter().zip(&truth.pixels) {
        pixels.add(p, t);
    }
    let lesions = label_components(truth);
    let hit = |lesion: &&Component| {
        let pixels =
            |run: &Run| &segmented.mask.pixels[run.row * truth.width..][run.start..run.end];
        lesions.runs(lesion).iter().any(|run| pixels(run).contains(&true))
    };
    Overlap {
        counts: Confusion::from_masks(&segmented.mask, truth),
        pixels,
        lesions: lesions.found.len(),
        lesions_hit: lesions.found.iter().filter(hit).count(),
        truth_share: truth.area_px() as f64 * pixel_share,
    }
}
