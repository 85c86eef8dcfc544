//! Slices of one head in the light of each other.

use super::{Segmenter, SliceFinding};
use crate::model_spec::{LIKELY, SeriesChain};

impl Segmenter {
    /// Has the slices of one head, in their order, inform each other: each gets its probability in the
    /// light of all, and by it keeps its mask or not. `gaps_mm` are the distances from each slice to the
    /// next; where they are unknown, slices count as far apart as the model's own.
    ///
    /// A slice alone, and every slice of a model without a [`SeriesChain`], keeps its own probability and
    /// decision. Slices must have been segmented with [`super::Gate::Series`]; whoever holds their masks
    /// empties those of slices without regions.
    pub fn join(&self, slices: &mut [&mut SliceFinding], gaps_mm: Option<&[f32]>) {
        let between = slices.len().saturating_sub(1);
        let chain = self.spec.series.as_ref();
        let gaps = gaps_mm.filter(|gaps| gaps.len() == between).zip(chain);
        let steps = match gaps {
            Some((gaps, chain)) => gaps.iter().map(|gap| gap / chain.slice_spacing_mm).collect(),
            None => vec![1.0; between],
        };
        decide(chain, slices, &steps);
    }

    /// As [`Segmenter::join`], of slices that are known by their numbers alone, in any order; the next
    /// number counts as far as the model's own distance.
    pub fn join_numbered(&self, mut slices: Vec<(u64, &mut SliceFinding)>) {
        slices.sort_by_key(|(number, _)| *number);
        let steps: Vec<f32> =
            slices.windows(2).map(|pair| (pair[1].0 - pair[0].0) as f32).collect();
        let mut slices: Vec<&mut SliceFinding> = slices.into_iter().map(|(_, one)| one).collect();
        decide(self.spec.series.as_ref(), &mut slices, &steps);
    }
}

/// Decides on each slice as if it were the only one, as [`super::Gate::Own`] does: without neighbours
/// nothing speaks for lesions of the fallback threshold.
pub(super) fn judge_alone(slices: &mut [&mut SliceFinding]) {
    for slice in slices.iter_mut().filter(|slice| slice.fallback_threshold.is_some()) {
        slice.clear_lesions();
    }
    clear_closed(slices);
}

/// Has slices `steps` apart inform each other where there is a chain, and clears those that it closes.
fn decide(chain: Option<&SeriesChain>, slices: &mut [&mut SliceFinding], steps: &[f32]) {
    if let Some(chain) = chain {
        inform(chain, slices, steps);
    }
    clear_closed(slices);
    if chain.is_some() {
        slices.iter_mut().for_each(|slice| slice.warn_if_undecided());
    }
}

fn inform(chain: &SeriesChain, slices: &mut [&mut SliceFinding], steps: &[f32]) {
    // A slice without evidence is passed over: its neighbours lie as far apart as both its steps.
    let (mut evidence, mut between, mut distance) = (Vec::new(), Vec::new(), 0.0);
    for (slice, step) in slices.iter().zip(steps.iter().copied().chain([0.0])) {
        if let Some(value) = slice.evidence {
            if !evidence.is_empty() {
                between.push(distance);
            }
            evidence.push(value);
            distance = 0.0;
        }
        distance += step;
    }
    if evidence.len() < 2 {
        return;
    }
    let informed = slices.iter_mut().filter(|slice| slice.evidence.is_some());
    for (slice, probability) in informed.zip(chain.probabilities(&evidence, &between)) {
        slice.probability = Some(probability);
        slice.readout.open = probability >= chain.slice_threshold;
    }
}

/// Drops the lesions of slices below the cut-off, and those of the fallback threshold on slices below [`LIKELY`].
fn clear_closed(slices: &mut [&mut SliceFinding]) {
    let is_likely = |slice: &SliceFinding| slice.probability.is_some_and(|p| p >= LIKELY);
    let unlikely = |slice: &SliceFinding| slice.fallback_threshold.is_some() && !is_likely(slice);
    for slice in slices.iter_mut().filter(|slice| !slice.readout.open || unlikely(slice)) {
        slice.clear_lesions();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::GrayScale;

    fn finding(evidence: f32) -> SliceFinding {
        SliceFinding { evidence: Some(evidence), ..SliceFinding::sample(GrayScale::WindowKnown) }
    }

    fn informed(evidence: &[f32], steps: &[f32]) -> Vec<SliceFinding> {
        let mut findings: Vec<SliceFinding> = evidence.iter().copied().map(finding).collect();
        let mut slices: Vec<&mut SliceFinding> = findings.iter_mut().collect();
        decide(Some(&SeriesChain::example()), &mut slices, steps);
        findings
    }

    #[test]
    fn a_slice_between_two_that_bleed_opens_and_a_lonely_one_closes() {
        let beside = informed(&[4.0, -1.0, 4.0], &[1.0; 2]);
        let lonely = informed(&[-6.0, -1.0, -6.0], &[1.0; 2]);
        assert!(beside[1].readout.open && beside[1].detected == Some(true));
        assert!(!lonely[1].readout.open && lonely[1].detected == Some(false));
        assert!(beside[1].probability.unwrap() > 0.5 && lonely[1].probability.unwrap() < 0.05);
        assert_eq!(beside[1].probability_alone, Some(0.5));
    }

    #[test]
    fn lesions_of_the_fallback_threshold_stay_on_likely_slices() {
        let mut findings = [4.0, -1.5, 4.0, -2.5].map(finding);
        findings.iter_mut().for_each(|finding| finding.fallback_threshold = Some(0.15));
        let mut slices: Vec<&mut SliceFinding> = findings.iter_mut().collect();
        decide(Some(&SeriesChain::example()), &mut slices, &[1.0; 3]);
        let [_, between, _, end] = findings;
        assert!(between.probability.unwrap() > LIKELY && between.fallback_threshold.is_some());
        assert!(
            end.readout.open
                && end.probability.unwrap() < LIKELY
                && end.fallback_threshold.is_none(),
            "{end:?}"
        );
        // Above the cut-off, and yet nothing is outlined.
        assert_eq!((end.detected, end.warnings[0].code), (None, "nothing_outlined"));
    }

    #[test]
    fn a_slice_without_evidence_is_passed_over() {
        let mut findings = [4.0, 0.0, -1.0].map(finding);
        findings[1].evidence = None;
        let mut slices: Vec<&mut SliceFinding> = findings.iter_mut().collect();
        decide(Some(&SeriesChain::example()), &mut slices, &[1.0, 1.0]);
        let apart = informed(&[4.0, -1.0], &[2.0]);
        assert_eq!(findings[2].probability, apart[1].probability);
        assert_eq!(findings[1].probability, Some(0.5));
    }

    #[test]
    fn distance_weakens_what_a_neighbour_says() {
        let at = |step: f32| informed(&[4.0, -1.0], &[step])[1].probability.unwrap();
        assert!(at(1.0) > at(4.0) && at(4.0) > at(20.0));
    }

    #[test]
    fn one_slice_and_slices_without_evidence_stay_as_they_are() {
        assert_eq!(informed(&[9.0], &[])[0].probability, Some(0.5));
        let mut findings = [finding(4.0), finding(-9.0)];
        findings[0].evidence = None;
        inform(&SeriesChain::example(), &mut findings.iter_mut().collect::<Vec<_>>(), &[1.0]);
        assert!(findings.iter().all(|f| f.probability == Some(0.5) && f.readout.open));
    }
}
