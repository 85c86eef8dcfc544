//! Summarizes the scores of the slices of a data set. The figures are defined as in `training/figures.py`.

use crate::metrics::{ClassScores, Confusion, ScoreHistogram, calibration_error, mean};
use crate::segmenter::Segmenter;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Specificity at which sensitivity is reported.
const SPECIFICITY: f64 = 0.9;
/// Smallest share of the network's grid that a medium bleed covers: 400 pixels of 256 x 256.
const MEDIUM_SHARE: f64 = 0.006;
/// Smallest share of the network's grid that a large bleed covers: 1,500 pixels of 256 x 256.
const LARGE_SHARE: f64 = 0.023;

/// The accuracy of a model on a data set.
///
/// Dice, IoU, area error and lesion sensitivity refer to positive slices with a known mask. The pixel scores of
/// `classes` refer to all slices with a known mask, negative slices included. Shares are 0 to 1. A figure is `None`
/// where the data set has no slices to compute it from.
#[derive(Debug, Serialize)]
pub struct Evaluation {
    /// Model name.
    pub model: String,
    /// Number of slices.
    pub slices: usize,
    /// Number of patients.
    pub patients: usize,
    /// Number of positive slices with a known mask.
    pub masked_slices: usize,
    /// Number of patients with such slices.
    pub masked_patients: usize,
    /// Pixel scores by class, over the pooled pixels of all slices with a known mask.
    pub classes: BTreeMap<&'static str, ClassScores>,
    /// Mean Dice coefficient over slices.
    pub dice_mean_over_slices: Option<f64>,
    /// Mean over patients of the mean Dice coefficient over their slices.
    pub dice_mean_over_patients: Option<f64>,
    /// Dice coefficient of the pooled pixels.
    pub dice_pooled: Option<f64>,
    /// Mean Dice coefficient of slices whose true mask covers less than 0.6 % of the network's grid.
    pub dice_small: Option<f64>,
    /// Mean Dice coefficient of slices whose true mask covers at least 0.6 % and less than 2.3 %.
    pub dice_medium: Option<f64>,
    /// Mean Dice coefficient of slices whose true mask covers at least 2.3 %.
    pub dice_large: Option<f64>,
    /// Mean intersection over union.
    pub iou_mean_over_slices: Option<f64>,
    /// Mean difference between predicted and true area, relative to the true area.
    pub area_error: Option<f64>,
    /// Share of the true lesions that the predicted mask overlaps.
    pub lesion_sensitivity: Option<f64>,
    /// Area under the ROC curve of the slice probability against the slice label.
    pub slice_auc: Option<f64>,
    /// Sensitivity of the slice probability at a specificity of 90 %.
    pub sensitivity_at_90_specificity: Option<f64>,
    /// Expected calibration error of the slice probability, ten bins ([`calibration_error`]).
    pub calibration_error: Option<f64>,
    /// Share of positive slices on which the predicted mask is not empty.
    pub slice_sensitivity: Option<f64>,
    /// Share of negative slices on which the predicted mask is not empty.
    pub negative_slices_with_mask: Option<f64>,
}

/// The result of one slice, beside its label.
pub(super) struct SliceScore {
    /// Identifier of the patient.
    pub(super) patient: String,
    /// Whether the slice is labelled as hemorrhage.
    pub(super) hemorrhage: bool,
    /// Probability of hemorrhage, 0 to 1.
    pub(super) probability: f32,
    /// Whether the predicted mask is not empty.
    pub(super) detected: bool,
    /// Pixels of the predicted mask.
    pub(super) mask_px: usize,
    /// The comparison of the masks; `None` where the true mask is unknown.
    pub(super) overlap: Option<Overlap>,
}

/// The comparison of the predicted mask of one slice with the true one.
pub(super) struct Overlap {
    /// Pixel counts.
    pub(super) counts: Confusion,
    /// Probabilities of the pixels, by their true class.
    pub(super) pixels: ScoreHistogram,
    /// Number of true lesions.
    pub(super) lesions: usize,
    /// Number of true lesions that the predicted mask overlaps.
    pub(super) lesions_hit: usize,
    /// Share of the network's grid that the true mask covers.
    pub(super) truth_share: f64,
}

/// Computes the figures of a data set from the scores of its slices.
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
    let dice_of_size = |from: f64, below: f64| {
        let within = outlined().filter(|o| (from..below).contains(&o.truth_share));
        mean(within.map(|o| o.counts.dice_or_zero()))
    };
    let (labels, probabilities): (Vec<bool>, Vec<f32>) =
        scores.iter().map(|s| (s.hemorrhage, s.probability)).unzip();
    let slice_scores = ScoreHistogram::from_slice_scores(&labels, &probabilities);
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
            ("background", all.swap_classes().scores(auc)),
            ("hemorrhage", all.scores(auc)),
        ]),
        dice_mean_over_slices: mean(by_patient.values().flatten().copied()),
        dice_mean_over_patients: mean(by_patient.values().filter_map(|d| mean(d.iter().copied()))),
        dice_pooled: pooled.dice(),
        dice_small: dice_of_size(0.0, MEDIUM_SHARE),
        dice_medium: dice_of_size(MEDIUM_SHARE, LARGE_SHARE),
        dice_large: dice_of_size(LARGE_SHARE, f64::INFINITY),
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
