//! Scores a model on a labelled data set: at the resolution of its images, or on the network's
//! grid, where training measures the checkpoint that the model came from.

mod figures;

pub use figures::Evaluation;

use crate::components::{Component, Run, label_components};
use crate::dataset::{LabelledSlice, read_dataset};
use crate::decode::Limits;
use crate::error::Result;
use crate::mask::Mask;
use crate::metrics::{Confusion, ScoreHistogram};
use crate::prepare::mask_on_grid;
use crate::segmenter::{SegmentOptions, Segmentation, Segmenter};
use figures::{Overlap, SliceScore, summarise};
use rayon::prelude::*;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where masks are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// In the geometry of each image.
    Image,
    /// On the network's grid, the truth cut and resized like the image.
    Grid,
}

/// Runs `model` over the data set at `root`; `progress` hears how many of all slices are done.
///
/// # Errors
/// [`crate::error::Error::Dataset`] for the first row that cannot be read.
pub fn evaluate(
    root: &Path,
    model: &Segmenter,
    resolution: Resolution,
    progress: impl Fn(usize, usize) + Sync,
) -> Result<Evaluation> {
    let rows = read_dataset(root)?;
    let done = AtomicUsize::new(0);
    let score = |row: &LabelledSlice| {
        let scored = score_slice(row, model, resolution);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, rows.len());
        scored
    };
    let scores = rows.par_iter().map(score).collect::<Result<Vec<_>>>()?;
    Ok(summarise(model, &scores))
}

fn score_slice(
    row: &LabelledSlice,
    model: &Segmenter,
    resolution: Resolution,
) -> Result<SliceScore> {
    let slice = row.read(&Limits::default())?;
    let truth = row.read_mask(slice.plane.width, slice.plane.height)?;
    let [_, _, height, width] = model.spec().input.shape;
    let (found, truth, pixel_share) = match resolution {
        Resolution::Grid => {
            let (prepared, logits) = model.logits(&slice)?;
            let on_grid = |mask: Mask| mask_on_grid(&mask, prepared.crop, width, height);
            let truth = truth.map(on_grid).transpose()?;
            (model.read_out_on_grid(prepared, logits), truth, 1.0 / (width * height) as f64)
        }
        Resolution::Image => {
            let found = model.segment_slice(&slice, SegmentOptions::default(), &|| 0.0)?;
            let seen = (found.crop.side as f64).powi(2);
            (found, truth, 1.0 / seen)
        }
    };
    Ok(SliceScore {
        patient: row.patient.clone(),
        hemorrhage: row.hemorrhage,
        probability: found.finding.probability,
        detected: !found.finding.lesions.is_empty(),
        overlap: truth.map(|truth| overlap(&found, &truth, pixel_share)),
    })
}

fn overlap(found: &Segmentation, truth: &Mask, pixel_share: f64) -> Overlap {
    let mut pixels = ScoreHistogram::default();
    for (&p, &t) in found.map.probabilities().samples.iter().zip(&truth.pixels) {
        pixels.add(p, t);
    }
    let lesions = label_components(truth);
    let hit = |lesion: &&Component| {
        let pixels = |run: &Run| &found.mask.pixels[run.row * truth.width..][run.start..run.end];
        lesions.runs(lesion).iter().any(|run| pixels(run).contains(&true))
    };
    Overlap {
        counts: Confusion::of(&found.mask, truth),
        pixels,
        lesions: lesions.found.len(),
        lesions_hit: lesions.found.iter().filter(hit).count(),
        truth_share: truth.area_px() as f64 * pixel_share,
    }
}
