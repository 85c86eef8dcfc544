//! Scores a model on a labelled data set, at the resolution of its images.

use crate::dataset::{LabelledSlice, read_dataset};
use crate::decode::Limits;
use crate::error::Result;
use crate::metrics::{ClassScores, Confusion, ScoreHistogram, mean};
use crate::segmenter::{SegmentOptions, Segmenter};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Fine enough that an 8-bit probability map has the same area under its curve.
const BINS: usize = 1001;

/// A model's figures on a data set.
#[derive(Debug, Serialize)]
pub struct Evaluation {
    /// Model name.
    pub model: String,
    /// Rows of the data set.
    pub slices: usize,
    /// Patients.
    pub patients: usize,
    /// Positive slices with a drawn mask; Dice is over these.
    pub masked_slices: usize,
    /// Patients with such slices.
    pub masked_patients: usize,
    /// Pixel scores by class, pooled over slices whose mask is known.
    pub classes: BTreeMap<&'static str, ClassScores>,
    /// Mean Dice over positive slices with a mask.
    pub dice_mean_over_slices: Option<f64>,
    /// Mean over patients of their mean Dice over positive slices with a mask.
    pub dice_mean_over_patients: Option<f64>,
    /// Dice of the pooled pixels of positive slices with a mask.
    pub dice_pooled: Option<f64>,
    /// Area under the ROC curve of the slice probability against the slice label.
    pub slice_auc: Option<f64>,
    /// Share of positive slices with any mask drawn by the model.
    pub slice_sensitivity: Option<f64>,
    /// Share of negative slices with any mask drawn by the model.
    pub negative_slices_with_mask: Option<f64>,
}

struct SliceScore {
    patient: String,
    hemorrhage: bool,
    probability: f32,
    detected: bool,
    overlap: Option<Overlap>,
}

struct Overlap {
    counts: Confusion,
    pixels: ScoreHistogram,
    positive: bool,
}

/// Runs `model` over the data set at `root`; `progress` hears how many of all slices are done.
///
/// # Errors
/// [`crate::error::Error::Dataset`] for the first row that cannot be read.
pub fn evaluate(
    root: &Path,
    model: &Segmenter,
    progress: impl Fn(usize, usize) + Sync,
) -> Result<Evaluation> {
    let rows = read_dataset(root)?;
    let done = AtomicUsize::new(0);
    let score = |row: &LabelledSlice| {
        let scored = score_slice(row, model);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, rows.len());
        scored
    };
    let scores = rows.par_iter().map(score).collect::<Result<Vec<_>>>()?;
    Ok(summarise(model, &scores))
}

fn score_slice(row: &LabelledSlice, model: &Segmenter) -> Result<SliceScore> {
    let slice = row.read(&Limits::default())?;
    let truth = row.read_mask(slice.plane.width, slice.plane.height)?;
    let found = model.segment_slice(&slice, SegmentOptions::default(), &|| 0.0)?;
    let overlap = truth.map(|truth| {
        let mut pixels = ScoreHistogram::new(BINS);
        for (&p, &t) in found.probabilities.samples.iter().zip(&truth.pixels) {
            pixels.add(p, t);
        }
        let positive = truth.area_px() > 0;
        Overlap { counts: Confusion::of(&found.mask, &truth), pixels, positive }
    });
    Ok(SliceScore {
        patient: row.patient.clone(),
        hemorrhage: row.hemorrhage,
        probability: found.finding.probability,
        detected: !found.finding.lesions.is_empty(),
        overlap,
    })
}

fn summarise(model: &Segmenter, scores: &[SliceScore]) -> Evaluation {
    let mut pixels = ScoreHistogram::new(BINS);
    let (mut all, mut positive) = (Confusion::default(), Confusion::default());
    let mut by_patient: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for score in scores {
        let Some(overlap) = &score.overlap else { continue };
        all.add(overlap.counts);
        pixels.merge(&overlap.pixels);
        if overlap.positive {
            positive.add(overlap.counts);
            by_patient.entry(&score.patient).or_default().extend(overlap.counts.dice());
        }
    }
    let mut slice_scores = ScoreHistogram::new(100_001);
    for score in scores {
        slice_scores.add(score.probability, score.hemorrhage);
    }
    let share_detected = |hemorrhage: bool| {
        let of_label = scores.iter().filter(|s| s.hemorrhage == hemorrhage);
        mean(of_label.map(|s| f64::from(u8::from(s.detected))))
    };
    let auc = pixels.auc();
    let patients: std::collections::BTreeSet<&str> =
        scores.iter().map(|s| s.patient.as_str()).collect();
    Evaluation {
        model: model.spec().name.clone(),
        slices: scores.len(),
        patients: patients.len(),
        masked_slices: by_patient.values().map(Vec::len).sum(),
        masked_patients: by_patient.len(),
        classes: BTreeMap::from([
            ("background", all.swapped().scores(auc)),
            ("hemorrhage", all.scores(auc)),
        ]),
        dice_mean_over_slices: mean(by_patient.values().flatten().copied()),
        dice_mean_over_patients: mean(by_patient.values().filter_map(|d| mean(d.iter().copied()))),
        dice_pooled: positive.dice(),
        slice_auc: slice_scores.auc(),
        slice_sensitivity: share_detected(true),
        negative_slices_with_mask: share_detected(false),
    }
}

impl std::fmt::Display for Evaluation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let show = |v: Option<f64>| v.map_or_else(|| "     -".into(), |v| format!("{v:6.4}"));
        writeln!(
            f,
            "{}: {} slices of {} patients; {} positive slices with a mask, of {} patients\n",
            self.model, self.slices, self.patients, self.masked_slices, self.masked_patients
        )?;
        writeln!(f, "class        precision  recall  F1      accuracy  AUC     IoU")?;
        for (name, s) in &self.classes {
            let [p, r, f1, acc, auc, iou] =
                [s.precision, s.recall, s.f1, s.accuracy, s.auc, s.iou].map(show);
            writeln!(f, "{name:<12} {p}     {r}  {f1}  {acc}    {auc}  {iou}")?;
        }
        let rows = [
            ("Dice, mean over positive slices", self.dice_mean_over_slices),
            ("Dice, mean over patients", self.dice_mean_over_patients),
            ("Dice, pooled", self.dice_pooled),
            ("slice AUC", self.slice_auc),
            ("slice sensitivity", self.slice_sensitivity),
            ("negative slices with a mask", self.negative_slices_with_mask),
        ];
        rows.iter().try_for_each(|(name, value)| write!(f, "\n{name:<32} {}", show(*value)))
    }
}
