//! What the slices of one head say of each other.

use super::{Calibration, StrongestCell};
use serde::{Deserialize, Serialize};

/// Furthest that one slice's evidence moves the others, in log odds; beyond, doubles lose the odds.
const MOST_EVIDENCE: f64 = 30.0;

/// A hidden Markov chain along a head, of whose slices each bleeds or does not, as its neighbours do:
/// the end of a bleed that no reader would call on its slice alone is known by the slice beside it, and
/// a bright speck that neither neighbour has is less likely one (Rabiner 1989, forward and backward).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesChain {
    /// Chance that a slice bleeds beside one that does not.
    pub onset: f32,
    /// Chance that a slice does not bleed beside one that does.
    pub end: f32,
    /// Distance of the neighbours that both were counted on, mm.
    pub slice_spacing_mm: f32,
    /// What the evidence of a slice takes from its mask, beside its logit of `any`.
    pub cell: StrongestCell,
    /// From that evidence to the probability of the slice alone.
    pub calibration: Calibration,
    /// Below this probability of `any` in the series, a slice's mask is emptied.
    pub slice_threshold: f32,
    /// Threshold of a slice that bleeds more likely than not and outlines nothing at the model's own.
    pub faint_threshold: f32,
}

/// Probability in the series from which a slice is looked at for faint blood.
pub const LIKELY: f32 = 0.5;

impl SeriesChain {
    /// Probability of each slice in the light of all. `evidence` is, slice by slice, its logit of `any`
    /// and its part of the mask; `steps` are the distances from each to the next, in
    /// [`SeriesChain::slice_spacing_mm`], one less than slices.
    ///
    /// Slices nearer than that are no witnesses of their own: what they tell their neighbours counts
    /// by their distance.
    pub fn probabilities(&self, evidence: &[f32], steps: &[f32]) -> Vec<f32> {
        let (onset, end) = (f64::from(self.onset), f64::from(self.end));
        let prior = onset / (onset + end);
        let odds = |&evidence: &f32| {
            let alone = self.calibration.slope * evidence + self.calibration.intercept;
            (f64::from(alone) - logit(prior)).clamp(-MOST_EVIDENCE, MOST_EVIDENCE)
        };
        let own: Vec<f64> = evidence.iter().map(odds).collect();
        // Of two states the memory of a step decays by what neither change takes.
        let kept = (1.0 - onset - end).max(0.0);
        let steps: Vec<f64> = steps.iter().map(|&step| f64::from(step).max(0.0)).collect();
        let below = expected(own.iter().zip(&steps), prior, kept);
        let mut above = expected(own.iter().rev().zip(steps.iter().rev()), prior, kept);
        above.reverse();
        // Either side knows the prior, which counts once.
        let joined = |(own, (below, above)): (&f64, (&f64, &f64))| {
            let odds = own + logit(*below) + logit(*above) - logit(prior);
            (1.0 / (1.0 + (-odds).exp())) as f32
        };
        own.iter().zip(below.iter().zip(&above)).map(joined).collect()
    }
}

/// Of each slice, the chance that it bleeds by all that come before it; `slices` gives the evidence of
/// each and its distance to the next, and ends one early.
fn expected<'a>(
    slices: impl Iterator<Item = (&'a f64, &'a f64)>,
    prior: f64,
    kept: f64,
) -> Vec<f64> {
    let next = |before: &mut f64, (evidence, step): (&f64, &f64)| {
        let odds = logit(*before) + evidence * step.min(1.0);
        let now = 1.0 / (1.0 + (-odds).exp());
        *before =
            (prior + kept.powf(*step) * (now - prior)).clamp(f64::EPSILON, 1.0 - f64::EPSILON);
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
            faint_threshold: 0.15,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By Bayes' rule over every way in which the slices may bleed.
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
    fn slices_are_weighed_as_by_bayes_rule_written_out() {
        let evidence = [-3.0, 4.0, 1.0, -0.5, -6.0, 2.0];
        let found = SeriesChain::example().probabilities(&evidence, &[1.0; 5]);
        for (found, expected) in found.iter().zip(enumerated(&evidence)) {
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    #[test]
    fn far_slices_say_nothing_of_each_other() {
        let (chain, evidence) = (SeriesChain::example(), [5.0, -2.0, 1.0]);
        let found = chain.probabilities(&evidence, &[1e6, 1e6]);
        for (found, evidence) in found.iter().zip(evidence) {
            assert!((found - chain.calibration.probability(evidence)).abs() < 1e-5);
        }
        assert_eq!(chain.probabilities(&[], &[]), Vec::<f32>::new());
    }

    #[test]
    fn many_thin_slices_count_as_the_few_thick_ones_they_replace() {
        let chain = SeriesChain::example();
        let thick = chain.probabilities(&[-1.0, 3.0, 3.0], &[1.0; 2])[0];
        let mut evidence = vec![3.0; 21];
        evidence[..11].fill(-1.0);
        let thin = chain.probabilities(&evidence, &[0.1; 20])[0];
        assert!((thin - thick).abs() < 0.2, "{thin} {thick}");
        // Evidence that goes to infinity stays a number.
        let sure = chain.probabilities(&[f32::INFINITY, -1e9, 0.0], &[0.0, 1.0]);
        assert!(sure.iter().all(|p| p.is_finite()), "{sure:?}");
    }
}
