//! Accuracy measures: pixel confusion, overlap, area under the ROC curve and calibration error.

use crate::mask::Mask;
use serde::Serialize;

/// Pixel counts of a predicted mask against the true one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Confusion {
    /// Hemorrhage that is predicted as hemorrhage.
    pub true_positive: u64,
    /// Background that is predicted as hemorrhage.
    pub false_positive: u64,
    /// Hemorrhage that is predicted as background.
    pub false_negative: u64,
    /// Background that is predicted as background.
    pub true_negative: u64,
}

impl Confusion {
    /// Counts the pixels of one slice. Both masks must have the same size.
    pub fn from_masks(predicted: &Mask, truth: &Mask) -> Self {
        let mut counts = Self::default();
        for (&p, &t) in predicted.pixels.iter().zip(&truth.pixels) {
            match (p, t) {
                (true, true) => counts.true_positive += 1,
                (true, false) => counts.false_positive += 1,
                (false, true) => counts.false_negative += 1,
                (false, false) => counts.true_negative += 1,
            }
        }
        counts
    }

    /// Adds the counts of another slice.
    pub fn add(&mut self, other: Self) {
        self.true_positive += other.true_positive;
        self.false_positive += other.false_positive;
        self.false_negative += other.false_negative;
        self.true_negative += other.true_negative;
    }

    /// The counts with background as the positive class.
    pub fn swap_classes(self) -> Self {
        Self {
            true_positive: self.true_negative,
            false_positive: self.false_negative,
            false_negative: self.false_positive,
            true_negative: self.true_positive,
        }
    }

    /// Dice coefficient (F1), 0 to 1; `None` where both masks are empty.
    pub fn dice(self) -> Option<f64> {
        ratio(
            2 * self.true_positive,
            2 * self.true_positive + self.false_positive + self.false_negative,
        )
    }

    /// Dice coefficient, and 0 where both masks are empty: on a positive slice whose true mask lost its pixels in the
    /// resize, the bleed was missed.
    pub fn dice_or_zero(self) -> f64 {
        self.dice().unwrap_or(0.0)
    }

    /// Intersection over union, 0 to 1, and 0 where both masks are empty.
    pub fn iou_or_zero(self) -> f64 {
        let union = self.true_positive + self.false_positive + self.false_negative;
        ratio(self.true_positive, union).unwrap_or(0.0)
    }

    /// Difference between predicted and true area, relative to the true area or one pixel, whichever is larger.
    pub fn area_error(self) -> f64 {
        let truth = self.true_positive + self.false_negative;
        let found = self.true_positive + self.false_positive;
        found.abs_diff(truth) as f64 / truth.max(1) as f64
    }

    /// Pixel scores of this class; `auc` is the area under the ROC curve of its probabilities.
    pub fn scores(self, auc: Option<f64>) -> ClassScores {
        let Self { true_positive: tp, false_positive: fp, false_negative: fneg, true_negative: tn } =
            self;
        ClassScores {
            precision: ratio(tp, tp + fp),
            recall: ratio(tp, tp + fneg),
            f1: self.dice(),
            accuracy: ratio(tp + tn, tp + fp + fneg + tn),
            auc,
            iou: ratio(tp, tp + fp + fneg),
        }
    }
}

/// Pixel scores of one class over the pooled pixels of all slices; `None` where the denominator is 0.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ClassScores {
    /// Share of the predicted pixels that are correct.
    pub precision: Option<f64>,
    /// Share of the true pixels that are predicted.
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall: the pooled Dice coefficient.
    pub f1: Option<f64>,
    /// Share of all pixels that are correct. An empty prediction scores almost 1, as most pixels are background.
    pub accuracy: Option<f64>,
    /// Area under the ROC curve over pixels.
    pub auc: Option<f64>,
    /// Intersection over union.
    pub iou: Option<f64>,
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Mean of the values; `None` without any.
pub fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

/// Histograms of the scores, 0 to 1, of positives and negatives, from which a ROC curve over many pixels is computed.
#[derive(Debug, Clone)]
pub struct ScoreHistogram {
    positive: Vec<u64>,
    negative: Vec<u64>,
}

impl Default for ScoreHistogram {
    /// 1001 bins: an 8-bit probability map has the same area under its curve as without bins.
    fn default() -> Self {
        Self::new(1001)
    }
}

impl ScoreHistogram {
    /// Histograms of one score per slice, in a million bins, so that scores rarely share one.
    pub fn from_slice_scores(labels: &[bool], scores: &[f32]) -> Self {
        let mut histogram = Self::new(1_000_001);
        labels.iter().zip(scores).for_each(|(&label, &score)| histogram.add(score, label));
        histogram
    }

    /// Sensitivity, 0 to 1, at a specificity: the share of positives above the bin that the share `specificity` of the
    /// negatives does not exceed. `None` without positives or negatives.
    pub fn sensitivity_at(&self, specificity: f64) -> Option<f64> {
        let positives: u64 = self.positive.iter().sum();
        let negatives: u64 = self.negative.iter().sum();
        if positives == 0 || negatives == 0 {
            return None;
        }
        // The order statistic, from 1, of numpy's quantile with the method "higher", which training uses.
        let wanted = ((negatives - 1) as f64 * specificity).ceil() as u64 + 1;
        let mut below = 0;
        let level = self.negative.iter().position(|n| {
            below += n;
            below >= wanted
        })?;
        let above: u64 = self.positive[level + 1..].iter().sum();
        Some(above as f64 / positives as f64)
    }

    /// Empty histograms of `bins` equal bins.
    pub fn new(bins: usize) -> Self {
        Self { positive: vec![0; bins], negative: vec![0; bins] }
    }

    /// Adds one score, which is clamped to [0, 1].
    #[inline]
    pub fn add(&mut self, score: f32, positive: bool) {
        let last = self.positive.len() - 1;
        let bin = (score.clamp(0.0, 1.0) * last as f32).round() as usize;
        let side = if positive { &mut self.positive } else { &mut self.negative };
        side[bin] += 1;
    }

    /// Adds the counts of other histograms, which must have the same number of bins.
    pub fn merge(&mut self, other: &Self) {
        let sides = [(&mut self.positive, &other.positive), (&mut self.negative, &other.negative)];
        for (mine, theirs) in sides {
            mine.iter_mut().zip(theirs).for_each(|(m, t)| *m += t);
        }
    }

    /// Area under the ROC curve, 0 to 1, by the Mann-Whitney statistic. A pair within one bin counts half. `None` without
    /// positives or negatives.
    pub fn auc(&self) -> Option<f64> {
        let (mut below, mut wins) = (0.0, 0.0);
        for (&p, &n) in self.positive.iter().zip(&self.negative) {
            wins += p as f64 * (below + n as f64 / 2.0);
            below += n as f64;
        }
        let positives = self.positive.iter().sum::<u64>() as f64;
        (positives > 0.0 && below > 0.0).then(|| wins / (positives * below))
    }
}

/// Expected calibration error (Naeini et al. 2015, *Obtaining well calibrated probabilities using Bayesian binning*):
/// |share of positives - mean probability| over ten bins of equal width, weighted by their counts. `None` without slices.
pub fn calibration_error(labels: &[bool], probabilities: &[f32]) -> Option<f64> {
    const BINS: usize = 10;
    let (mut counts, mut gaps) = ([0.0_f64; BINS], [0.0_f64; BINS]);
    for (&label, &p) in labels.iter().zip(probabilities) {
        let bin = ((f64::from(p) * BINS as f64) as usize).min(BINS - 1);
        counts[bin] += 1.0;
        gaps[bin] += f64::from(u8::from(label)) - f64::from(p);
    }
    let all: f64 = counts.iter().sum();
    (all > 0.0).then(|| gaps.iter().map(|gap| gap.abs()).sum::<f64>() / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(bits: &str) -> Mask {
        let pixels: Vec<bool> = bits.chars().map(|c| c == '1').collect();
        Mask { width: pixels.len(), height: 1, pixels }
    }

    #[test]
    fn scores_equal_a_count_by_hand() {
        let counts = Confusion::from_masks(&mask("11100000"), &mask("01111000"));
        let scores = counts.scores(None);
        assert_eq!(scores.precision, Some(2.0 / 3.0));
        assert_eq!(scores.recall, Some(0.5));
        assert_eq!(scores.iou, Some(0.4));
        assert_eq!(scores.f1, Some(4.0 / 7.0));
        assert_eq!(scores.accuracy, Some(5.0 / 8.0));
        let background = counts.swap_classes().scores(None);
        assert_eq!(background.precision, Some(3.0 / 5.0));
        assert_eq!(background.recall, Some(3.0 / 4.0));
    }

    #[test]
    fn dice_of_two_empty_masks_is_none() {
        assert_eq!(Confusion::from_masks(&mask("000"), &mask("000")).dice(), None);
        assert_eq!(Confusion::from_masks(&mask("100"), &mask("000")).dice(), Some(0.0));
    }

    #[test]
    fn the_area_under_the_curve_counts_ties_half() {
        let mut scores = ScoreHistogram::new(101);
        for (score, positive) in [(0.9, true), (0.5, true), (0.5, false), (0.1, false)] {
            scores.add(score, positive);
        }
        assert_eq!(scores.auc(), Some(3.5 / 4.0));
        assert_eq!(ScoreHistogram::new(11).auc(), None);
    }

    #[test]
    fn calibration_error_and_sensitivity_equal_a_count_by_hand() {
        let labels = [false, false, true, true];
        let error = |p: [f32; 4]| calibration_error(&labels, &p).unwrap();
        assert_eq!(error([0.0, 0.0, 1.0, 1.0]), 0.0);
        assert_eq!(error([0.5; 4]), 0.0);
        assert!((error([0.9; 4]) - 0.4).abs() < 1e-6);
        assert_eq!(calibration_error(&[], &[]), None);
        let scores = ScoreHistogram::from_slice_scores(&labels, &[0.1, 0.4, 0.3, 0.9]);
        assert_eq!(scores.sensitivity_at(0.9), Some(0.5));
    }

    #[test]
    fn area_error_equals_a_count_by_hand_and_empty_masks_score_zero() {
        let counts = Confusion::from_masks(&mask("11100000"), &mask("01111000"));
        assert_eq!((counts.area_error(), counts.iou_or_zero()), (0.25, 0.4));
        let nothing = Confusion::from_masks(&mask("000"), &mask("000"));
        assert_eq!((nothing.dice_or_zero(), nothing.area_error()), (0.0, 0.0));
    }
}
