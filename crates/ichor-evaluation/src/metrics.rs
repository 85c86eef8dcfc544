//! Figures of merit: pixel confusion, overlap, detection.

use crate::mask::Mask;
use serde::Serialize;

/// Pixel counts of a prediction against the truth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Confusion {
    /// Hemorrhage called hemorrhage.
    pub true_positive: u64,
    /// Background called hemorrhage.
    pub false_positive: u64,
    /// Hemorrhage called background.
    pub false_negative: u64,
    /// Background called background.
    pub true_negative: u64,
}

impl Confusion {
    /// Counts one slice; both masks have the same size.
    pub fn of(predicted: &Mask, truth: &Mask) -> Self {
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

    /// Adds another slice's counts.
    pub fn add(&mut self, other: Self) {
        self.true_positive += other.true_positive;
        self.false_positive += other.false_positive;
        self.false_negative += other.false_negative;
        self.true_negative += other.true_negative;
    }

    /// The same counts seen from the background class.
    pub fn swapped(self) -> Self {
        Self {
            true_positive: self.true_negative,
            false_positive: self.false_negative,
            false_negative: self.false_positive,
            true_negative: self.true_positive,
        }
    }

    /// Dice coefficient (F1); `None` where neither mask holds anything.
    pub fn dice(self) -> Option<f64> {
        ratio(
            2 * self.true_positive,
            2 * self.true_positive + self.false_positive + self.false_negative,
        )
    }

    /// Dice with 0 where neither mask holds anything: a bleed that vanished was not found.
    pub fn dice_or_zero(self) -> f64 {
        self.dice().unwrap_or(0.0)
    }

    /// Intersection over union, likewise.
    pub fn iou_or_zero(self) -> f64 {
        let union = self.true_positive + self.false_positive + self.false_negative;
        ratio(self.true_positive, union).unwrap_or(0.0)
    }

    /// Difference of predicted and true area as a share of the true one, which counts as one pixel
    /// at least.
    pub fn area_error(self) -> f64 {
        let truth = self.true_positive + self.false_negative;
        let found = self.true_positive + self.false_positive;
        found.abs_diff(truth) as f64 / truth.max(1) as f64
    }

    /// Overlap measures of this class; `auc` is measured elsewhere.
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

/// Pixel-wise scores of one class, all slices pooled; `None` where nothing was there to score.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ClassScores {
    /// Share of the called pixels that are right.
    pub precision: Option<f64>,
    /// Share of the true pixels that are found.
    pub recall: Option<f64>,
    /// Harmonic mean of both; the pooled Dice.
    pub f1: Option<f64>,
    /// Share of all pixels that are right; nearly 1 for an empty prediction as well.
    pub accuracy: Option<f64>,
    /// Area under the ROC curve over pixels.
    pub auc: Option<f64>,
    /// Intersection over union.
    pub iou: Option<f64>,
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Mean of the values that exist.
pub fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

/// Scores in [0, 1] binned by class, for an area under the ROC curve over many pixels.
#[derive(Debug, Clone)]
pub struct ScoreHistogram {
    positive: Vec<u64>,
    negative: Vec<u64>,
}

impl Default for ScoreHistogram {
    /// Fine enough that an 8-bit probability map has the same area under its curve.
    fn default() -> Self {
        Self::new(1001)
    }
}

impl ScoreHistogram {
    /// Of one score a slice, so fine that hardly two fall together.
    pub fn fine(labels: &[bool], scores: &[f32]) -> Self {
        let mut made = Self::new(1_000_001);
        labels.iter().zip(scores).for_each(|(&label, &score)| made.add(score, label));
        made
    }

    /// Share of the positives in bins above the one that `specificity` of the negatives stay
    /// below or in; `None` unless both classes are there.
    pub fn sensitivity_at(&self, specificity: f64) -> Option<f64> {
        let positives: u64 = self.positive.iter().sum();
        let negatives: u64 = self.negative.iter().sum();
        if positives == 0 || negatives == 0 {
            return None;
        }
        // The order statistic that numpy's "higher" quantile takes, counted from 1.
        let wanted = ((negatives - 1) as f64 * specificity).ceil() as u64 + 1;
        let mut below = 0;
        let level = self.negative.iter().position(|n| {
            below += n;
            below >= wanted
        })?;
        let above: u64 = self.positive[level + 1..].iter().sum();
        Some(above as f64 / positives as f64)
    }

    /// An empty histogram of `bins` equal bins; ties within a bin count half.
    pub fn new(bins: usize) -> Self {
        Self { positive: vec![0; bins], negative: vec![0; bins] }
    }

    /// Adds one score.
    pub fn add(&mut self, score: f32, positive: bool) {
        let last = self.positive.len() - 1;
        let bin = (score.clamp(0.0, 1.0) * last as f32).round() as usize;
        let side = if positive { &mut self.positive } else { &mut self.negative };
        side[bin] += 1;
    }

    /// Adds another histogram of the same number of bins.
    pub fn merge(&mut self, other: &Self) {
        let sides = [(&mut self.positive, &other.positive), (&mut self.negative, &other.negative)];
        for (mine, theirs) in sides {
            mine.iter_mut().zip(theirs).for_each(|(m, t)| *m += t);
        }
    }

    /// Area under the ROC curve (Mann-Whitney); `None` unless both classes are there.
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

/// Expected calibration error (Naeini 2015): |share of positives - mean probability| over ten bins
/// of equal width, weighted by their counts; `None` without slices.
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
    fn scores_agree_with_a_hand_count() {
        let counts = Confusion::of(&mask("11100000"), &mask("01111000"));
        let scores = counts.scores(None);
        assert_eq!(scores.precision, Some(2.0 / 3.0));
        assert_eq!(scores.recall, Some(0.5));
        assert_eq!(scores.iou, Some(0.4));
        assert_eq!(scores.f1, Some(4.0 / 7.0));
        assert_eq!(scores.accuracy, Some(5.0 / 8.0));
        let background = counts.swapped().scores(None);
        assert_eq!(background.precision, Some(3.0 / 5.0));
        assert_eq!(background.recall, Some(3.0 / 4.0));
    }

    #[test]
    fn dice_of_nothing_against_nothing_is_not_a_number_to_average() {
        assert_eq!(Confusion::of(&mask("000"), &mask("000")).dice(), None);
        assert_eq!(Confusion::of(&mask("100"), &mask("000")).dice(), Some(0.0));
    }

    #[test]
    fn auc_counts_pairs_and_halves_ties() {
        let mut scores = ScoreHistogram::new(101);
        for (score, positive) in [(0.9, true), (0.5, true), (0.5, false), (0.1, false)] {
            scores.add(score, positive);
        }
        assert_eq!(scores.auc(), Some(3.5 / 4.0));
        assert_eq!(ScoreHistogram::new(11).auc(), None);
    }

    #[test]
    fn calibration_error_and_sensitivity_by_hand() {
        let labels = [false, false, true, true];
        let error = |p: [f32; 4]| calibration_error(&labels, &p).unwrap();
        assert_eq!(error([0.0, 0.0, 1.0, 1.0]), 0.0);
        assert_eq!(error([0.5; 4]), 0.0);
        assert!((error([0.9; 4]) - 0.4).abs() < 1e-6);
        assert_eq!(calibration_error(&[], &[]), None);
        let scores = ScoreHistogram::fine(&labels, &[0.1, 0.4, 0.3, 0.9]);
        assert_eq!(scores.sensitivity_at(0.9), Some(0.5));
    }

    #[test]
    fn area_error_and_vanished_bleeds_by_hand() {
        let counts = Confusion::of(&mask("11100000"), &mask("01111000"));
        assert_eq!((counts.area_error(), counts.iou_or_zero()), (0.25, 0.4));
        let nothing = Confusion::of(&mask("000"), &mask("000"));
        assert_eq!((nothing.dice_or_zero(), nothing.area_error()), (0.0, 0.0));
    }
}
