//! The figures of a data set from the scores of its slices, defined as in `training/figures.py`.

use crate::metrics::{ClassScores, Confusion, ScoreHistogram, calibration_error, mean};
use crate::segmenter::Segmenter;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Specificity at which sensitivity is told.
const SPECIFICITY: f64 = 0.9;
/// Bounds between small, medium and large bleeds, as shares of what the network sees: 400 and 1,500
/// pixels of a grid of 256 x 256.
const MEDIUM_SHARE: f64 = 0.006;
const LARGE_SHARE: f64 = 0.023;

/// A model's figures on a data set.
///
/// Mean Dice, IoU, area error and lesion sensitivity are over positive slices with a drawn mask;
/// precision, recall and the pixel figures of `classes` also over negative slices. `None` where
/// nothing was there to measure.
#[derive(Debug, Serialize)]
pub struct Evaluation {
    /// Model name.
    pub model: String,
    /// Rows of the data set.
    pub slices: usize,
    /// Patients.
    pub patients: usize,
    /// Positive slices with a drawn mask.
    pub masked_slices: usize,
    /// Patients with such slices.
    pub masked_patients: usize,
    /// Pixel scores by class, pooled over slices whose mask is known.
    pub classes: BTreeMap<&'static str, ClassScores>,
    /// Mean Dice over slices.
    pub dice_mean_over_slices: Option<f64>,
    /// Mean over patients of their mean Dice over slices.
    pub dice_mean_over_patients: Option<f64>,
    /// Dice of the pooled pixels of positive slices.
    pub dice_pooled: Option<f64>,
    /// Mean Dice of slices whose true mask covers less than 0.6 % of the network's grid.
    pub dice_small: Option<f64>,
    /// Mean Dice of slices from 0.6 and below 2.3 % of it.
    pub dice_medium: Option<f64>,
    /// Mean Dice of slices from 2.3 % of it.
    pub dice_large: Option<f64>,
    /// Mean intersection over union.
    pub iou_mean_over_slices: Option<f64>,
    /// Mean difference of the areas as a share of the true one.
    pub area_error: Option<f64>,
    /// Share of the true connected regions that the model's mask touches.
    pub lesion_sensitivity: Option<f64>,
    /// Area under the ROC curve of the slice probability against the slice label.
    pub slice_auc: Option<f64>,
    /// Share of positive slices scored above 90 % of the negative ones.
    pub sensitivity_at_90_specificity: Option<f64>,
    /// Expected calibration error of the slice probability, ten bins (Naeini 2015).
    pub calibration_error: Option<f64>,
    /// Share of positive slices with any mask drawn by the model.
    pub slice_sensitivity: Option<f64>,
    /// Share of negative slices with any mask drawn by the model.
    pub negative_slices_with_mask: Option<f64>,
}

/// One slice against its label.
pub(super) struct SliceScore {
    pub(super) patient: String,
    pub(super) hemorrhage: bool,
    pub(super) probability: f32,
    pub(super) detected: bool,
    pub(super) mask_px: usize,
    pub(super) overlap: Option<Overlap>,
}

/// One slice against its known mask.
pub(super) struct Overlap {
    pub(super) counts: Confusion,
    pub(super) pixels: ScoreHistogram,
    pub(super) lesions: usize,
    pub(super) lesions_hit: usize,
    pub(super) truth_share: f64,
}

pub(super) fn summarise(model: &Segmenter, scores: &[SliceScore]) -> Evaluation {
    let mut pixels = ScoreHistogram::default();
    let (mut all, mut pooled) = (Confusion::default(), Confusion::default());
    let mut by_patient: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let known = || scores.iter().filter_map(|s| s.overlap.as_ref().map(|o| (s, o)));
    let outlined = || known().filter(|(score, _)| score.hemorrhage).map(|(_, overlap)| overlap);
    known().for_each(|(_, overlap)| {
        all.add(overlap.counts);
        pixels.merge(&overlap.pixels);
    });
    for (score, overlap) in known().filter(|(score, _)| score.hemorrhage) {
        pooled.add(overlap.counts);
        by_patient.entry(&score.patient).or_default().push(overlap.counts.dice_or_zero());
    }
    let sized = |from: f64, below: f64| {
        let within = outlined().filter(|o| (from..below).contains(&o.truth_share));
        mean(within.map(|o| o.counts.dice_or_zero()))
    };
    let (labels, probabilities): (Vec<bool>, Vec<f32>) =
        scores.iter().map(|s| (s.hemorrhage, s.probability)).unzip();
    let slice_scores = ScoreHistogram::fine(&labels, &probabilities);
    let share_detected = |hemorrhage: bool| {
        let of_label = scores.iter().filter(|s| s.hemorrhage == hemorrhage);
        mean(of_label.map(|s| f64::from(u8::from(s.detected))))
    };
    let auc = pixels.auc();
    let patients: BTreeSet<&str> = scores.iter().map(|s| s.patient.as_str()).collect();
    let lesions: usize = outlined().map(|o| o.lesions).sum();
    let hit: usize = outlined().map(|o| o.lesions_hit).sum();
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
        dice_pooled: pooled.dice(),
        dice_small: sized(0.0, MEDIUM_SHARE),
        dice_medium: sized(MEDIUM_SHARE, LARGE_SHARE),
        dice_large: sized(LARGE_SHARE, f64::INFINITY),
        iou_mean_over_slices: mean(outlined().map(|o| o.counts.iou_or_zero())),
        area_error: mean(outlined().map(|o| o.counts.area_error())),
        lesion_sensitivity: (lesions > 0).then(|| hit as f64 / lesions as f64),
        slice_auc: slice_scores.auc(),
        sensitivity_at_90_specificity: slice_scores.sensitivity_at(SPECIFICITY),
        calibration_error: calibration_error(&labels, &probabilities),
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
            ("Dice, bleeds under 0.6 % of the grid", self.dice_small),
            ("Dice, 0.6 to 2.3 %", self.dice_medium),
            ("Dice, from 2.3 %", self.dice_large),
            ("IoU, mean over positive slices", self.iou_mean_over_slices),
            ("area error", self.area_error),
            ("bleeds touched by the mask", self.lesion_sensitivity),
            ("slice AUC", self.slice_auc),
            ("sensitivity at 90 % specificity", self.sensitivity_at_90_specificity),
            ("expected calibration error", self.calibration_error),
            ("slice sensitivity", self.slice_sensitivity),
            ("negative slices with a mask", self.negative_slices_with_mask),
        ];
        rows.iter().try_for_each(|(name, value)| write!(f, "\n{name:<37} {}", show(*value)))
    }
}
