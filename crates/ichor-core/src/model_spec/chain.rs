//! The series chain: how the slices of one head inform each other.

use super::{Calibration, StrongestCell};
use serde::{Deserialize, Serialize};

/// Largest evidence of one slice, in log odds. Beyond it the odds of its neighbours are lost to rounding in `f64`.
const MAX_EVIDENCE: f64 = 30.0;

/// A hidden Markov model over the slices of a head, each of which bleeds or does not (Rabiner 1989, *A tutorial on
/// hidden Markov models*, forward-backward algorithm).
///
/// The end of a bleed that is weak on its own slice is recognized by the slice beside it. A bright speck that
/// neither neighbour shows is less likely a bleed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesChain {
    /// Probability in (0, 1) that a slice bleeds beside one that does not.
    pub onset: f32,
    /// Probability in (0, 1) that a slice does not bleed beside one that does.
    pub end: f32,
    /// Distance between the neighbouring slices on which both were counted, mm.
    pub slice_spacing_mm: f32,
    /// The term of the mask in a slice's evidence, which is added to its logit of `any`.
    pub cell: StrongestCell,
    /// From that evidence to the probability of the slice by itself.
    pub calibration: Calibration,
    /// Cut-off of a slice in the series: below this probability, 0 to 1, its mask is emptied.
    pub slice_threshold: f32,
    /// Second, lower threshold of a pixel, in (0, 1). It applies to a slice whose probability in the series is at
    /// least [`MIN_FALLBACK_PROBABILITY`] and whose mask at the model's own threshold is empty.
    #[serde(rename = "faint_threshold")]
    pub fallback_threshold: f32,
}

/// Probability in the series from which a slice with an empty mask gets the lower threshold.
pub const MIN_FALLBACK_PROBABILITY: f32 = 0.5;

impl SeriesChain {
    /// The probability of each slice given the evidence of all.
    ///
    /// `evidence` holds one value per slice, its logit of `any` plus the term of its mask. `steps` holds the
    /// distance from each slice to the next in units of [`SeriesChain::slice_spacing_mm`], one value fewer.
    ///
    /// The evidence of slices that lie closer than one unit is not independent, so its weight for the neighbours is
    /// the distance.
    pub fn probabilities(&self, evidence: &[f32], steps: &[f32]) -> Vec<f32> {
        let (onset, end) = (f64::from(self.onset), f64::from(self.end));
        let prior = onset / (onset + end);
        let odds = |&evidence: &f32| {
            let alone = self.calibration.slope * evidence + self.calibration.intercept;
            (f64::from(alone) - logit(prior)).clamp(-MAX_EVIDENCE, MAX_EVIDENCE)
        };
        let own: Vec<f64> = evidence.iter().map(odds).collect();
        // Second eigenvalue of the transition matrix: the correlation of neighbours one unit apart.
        let correlation = (1.0 - onset - end).max(0.0);
        let steps: Vec<f64> = steps.iter().map(|&step| f64::from(step).max(0.0)).collect();
        let below = priors_by_preceding(own.iter().zip(&steps), prior, correlation);
        let mut above =
            priors_by_preceding(own.iter().rev().zip(steps.iter().rev()), prior, correlation);
        above.reverse();
        // Both sides contain the prior, which must count once.
        let joined = |(own, (below, above)): (&f64, (&f64, &f64))| {
            let odds = own + logit(*below) + logit(*above) - logit(prior);
            (1.0 / (1.0 + (-odds).exp())) as f32
        };
        own.iter().zip(below.iter().zip(&above)).map(joined).collect()
    }
}

/// For each slice, the probability that it bleeds given the evidence of the slices before it. `slices` gives the
/// evidence of each but the last and its distance to the next.
fn priors_by_preceding<'a>(
    slices: impl Iterator<Item = (&'a f64, &'a f64)>,
    prior: f64,
    correlation: f64,
) -> Vec<f64> {
    let next = |before: &mut f64, (evidence, step): (&f64, &f64)| {
        let odds = logit(*before) + evidence * step.min(1.0);
        let now = 1.0 / (1.0 + (-odds).exp());
        *before = (prior + correlation.powf(*step) * (now - prior))
            .clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        Some(*before)
    };
    std::iter::once(prior).chain(slices.scan(prior, next)).collect()
}

fn logit(probability: f64) -> f64 {
    (probability / (1.0 - probability)).ln()
}

#[cfg(test)]
impl SeriesChain {
    pub(crate) fn example() -> Self {
        Self {
            onset: 0.03,
            end: 0.2,
            slice_spacing_mm: 5.0,
            cell: StrongestCell { side_px: 8, weight: 1.0 },
            calibration: Calibration { method: "platt".into(), slope: 1.0, intercept: -1.0 },
            slice_threshold: 0.3,
            fallback_threshold: 0.15,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bayes' rule, summed over every combination of bleeding slices.
    fn enumerated(evidence: &[f32]) -> Vec<f64> {
        let chain = SeriesChain::example();
        let (onset, end) = (f64::from(chain.onset), f64::from(chain.end));
        let prior = onset / (onset + end);
        let mut sums = vec![0.0; evidence.len()];
        let mut all = 0.0;
        for states in 0..1_u32 << evidence.len() {
            let bleeds = |at: usize| states >> at & 1 == 1;
            let mut weight = if bleeds(0) { prior } else { 1.0 - prior };
            for at in 1..evidence.len() {
                weight *= match (bleeds(at - 1), bleeds(at)) {
                    (false, true) => onset,
                    (false, false) => 1.0 - onset,
                    (true, true) => 1.0 - end,
                    (true, false) => end,
                };
            }
            for at in (0..evidence.len()).filter(|&at| bleeds(at)) {
                let alone = f64::from(chain.calibration.probability(evidence[at]));
                weight *= (alone / (1.0 - alone)) / (prior / (1.0 - prior));
            }
            all += weight;
            (0..sums.len()).filter(|&at| bleeds(at)).for_each(|at| sums[at] += weight);
        }
        sums.into_iter().map(|sum| sum / all).collect()
    }

    #[test]
    fn probabilities_equal_bayes_rule_by_enumeration() {
        let evidence = [-3.0, 4.0, 1.0, -0.5, -6.0, 2.0];
        let found = SeriesChain::example().probabilities(&evidence, &[1.0; 5]);
        for (found, expected) in found.iter().zip(enumerated(&evidence)) {
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    #[test]
    fn slices_that_lie_far_apart_are_independent() {
        let (chain, evidence) = (SeriesChain::example(), [5.0, -2.0, 1.0]);
        let found = chain.probabilities(&evidence, &[1e6, 1e6]);
        for (found, evidence) in found.iter().zip(evidence) {
            assert!((found - chain.calibration.probability(evidence)).abs() < 1e-5);
        }
        assert_eq!(chain.probabilities(&[], &[]), Vec::<f32>::new());
    }

    #[test]
    fn thin_slices_have_the_weight_of_the_thick_ones_they_replace() {
        let chain = SeriesChain::example();
        let thick = chain.probabilities(&[-1.0, 3.0, 3.0], &[1.0; 2])[0];
        let mut evidence = vec![3.0; 21];
        evidence[..11].fill(-1.0);
        let thin = chain.probabilities(&evidence, &[0.1; 20])[0];
        assert!((thin - thick).abs() < 0.2, "{thin} {thick}");
        // Infinite evidence gives finite probabilities.
        let sure = chain.probabilities(&[f32::INFINITY, -1e9, 0.0], &[0.0, 1.0]);
        assert!(sure.iter().all(|p| p.is_finite()), "{sure:?}");
    }
}
