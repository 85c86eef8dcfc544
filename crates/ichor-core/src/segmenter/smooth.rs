//! Probabilities of the slices of one head, smoothed by the series chain.

use super::{Analysis, Segmenter, SliceResult};
use crate::error::Result;
use crate::model_spec::{MIN_FALLBACK_PROBABILITY, SeriesChain};

impl Segmenter {
    /// Smooths the probabilities of the slices of one head, in their order, by the model's [`SeriesChain`], and
    /// clears the lesions of slices below its cut-off. `gaps_mm` are the distances from each slice to the next;
    /// where they are unknown, slices count as far apart as those that the chain was fitted on.
    ///
    /// A slice alone, and every slice of a model without a chain, keeps its own probability and decision.
    /// Slices must have been segmented with [`super::MaskGate::Deferred`]; the caller empties the masks of
    /// slices without lesions.
    pub fn smooth_series(&self, slices: &mut [&mut SliceResult], gaps_mm: Option<&[f32]>) {
        let between = slices.len().saturating_sub(1);
        let chain = self.spec.series.as_ref();
        let gaps = gaps_mm.filter(|gaps| gaps.len() == between).zip(chain);
        let steps = match gaps {
            Some((gaps, chain)) => gaps.iter().map(|gap| gap / chain.slice_spacing_mm).collect(),
            None => vec![1.0; between],
        };
        smooth_and_gate(chain, slices, &steps);
    }

    /// As [`Segmenter::smooth_series`], of slices that are known by their numbers alone, in any order; two
    /// successive numbers count as the chain's own distance apart.
    pub fn smooth_numbered(&self, mut slices: Vec<(u64, &mut SliceResult)>) {
        slices.sort_by_key(|(number, _)| *number);
        let steps: Vec<f32> =
            slices.windows(2).map(|pair| (pair[1].0 - pair[0].0) as f32).collect();
        let mut slices: Vec<&mut SliceResult> =
            slices.into_iter().map(|(_, slice)| slice).collect();
        smooth_and_gate(self.spec.series.as_ref(), &mut slices, &steps);
    }

    /// As [`Segmenter::smooth_numbered`], of pictures that were analysed one by one.
    ///
    /// # Errors
    /// [`ichor_image::Error::Unprocessable`] for an analysis without slices, which none has.
    pub fn smooth_pictures(&self, mut pictures: Vec<(u64, &mut Analysis)>) -> Result<()> {
        let slices = pictures.iter_mut().filter_map(|(number, analysis)| {
            analysis.slices.first_mut().map(|slice| (*number, slice))
        });
        self.smooth_numbered(slices.collect());
        pictures.into_iter().try_for_each(|(_, analysis)| analysis.summarise())
    }
}

/// Decides on each slice as [`super::MaskGate::PerSlice`] does: lesions of the fallback threshold need neighbours
/// and are cleared.
pub(super) fn gate_per_slice(slices: &mut [&mut SliceResult]) {
    for slice in slices.iter_mut().filter(|slice| slice.fallback_threshold.is_some()) {
        slice.clear_lesions();
    }
    clear_below_cut_off(slices);
}

/// Smooths slices that are `steps` apart where there is a chain, and clears those below the cut-off.
fn smooth_and_gate(chain: Option<&SeriesChain>, slices: &mut [&mut SliceResult], steps: &[f32]) {
    if let Some(chain) = chain {
        smooth(chain, slices, steps);
    }
    clear_below_cut_off(slices);
    if chain.is_some() {
        slices.iter_mut().for_each(|slice| slice.warn_if_undecided());
    }
}

fn smooth(chain: &SeriesChain, slices: &mut [&mut SliceResult], steps: &[f32]) {
    // A slice without evidence is left out: the steps on either side of it add up.
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
    let with_evidence = slices.iter_mut().filter(|slice| slice.evidence.is_some());
    for (slice, probability) in with_evidence.zip(chain.probabilities(&evidence, &between)) {
        slice.probability = Some(probability);
        slice.readout.open = probability >= chain.slice_threshold;
    }
}

/// Drops the lesions of slices below the cut-off, and those of the fallback threshold on slices below [`MIN_FALLBACK_PROBABILITY`].
fn clear_below_cut_off(slices: &mut [&mut SliceResult]) {
    let is_likely =
        |slice: &SliceResult| slice.probability.is_some_and(|p| p >= MIN_FALLBACK_PROBABILITY);
    let unlikely = |slice: &SliceResult| slice.fallback_threshold.is_some() && !is_likely(slice);
    for slice in slices.iter_mut().filter(|slice| !slice.readout.open || unlikely(slice)) {
        slice.clear_lesions();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::GrayScale;

    fn slice(evidence: f32) -> SliceResult {
        SliceResult { evidence: Some(evidence), ..SliceResult::sample(GrayScale::WindowKnown) }
    }

    fn smoothed(evidence: &[f32], steps: &[f32]) -> Vec<SliceResult> {
        let mut results: Vec<SliceResult> = evidence.iter().copied().map(slice).collect();
        let mut slices: Vec<&mut SliceResult> = results.iter_mut().collect();
        smooth_and_gate(Some(&SeriesChain::example()), &mut slices, steps);
        results
    }

    #[test]
    fn a_slice_between_two_with_hemorrhage_keeps_its_mask_and_an_isolated_one_does_not() {
        let beside = smoothed(&[4.0, -1.0, 4.0], &[1.0; 2]);
        let isolated = smoothed(&[-6.0, -1.0, -6.0], &[1.0; 2]);
        assert!(beside[1].readout.open && beside[1].detected == Some(true));
        assert!(!isolated[1].readout.open && isolated[1].detected == Some(false));
        assert!(beside[1].probability.unwrap() > 0.5 && isolated[1].probability.unwrap() < 0.05);
        assert_eq!(beside[1].probability_alone, Some(0.5));
    }

    #[test]
    fn lesions_of_the_fallback_threshold_stay_on_likely_slices() {
        let mut results = [4.0, -1.5, 4.0, -2.5].map(slice);
        results.iter_mut().for_each(|result| result.fallback_threshold = Some(0.15));
        let mut slices: Vec<&mut SliceResult> = results.iter_mut().collect();
        smooth_and_gate(Some(&SeriesChain::example()), &mut slices, &[1.0; 3]);
        let [_, between, _, end] = results;
        assert!(
            between.probability.unwrap() > MIN_FALLBACK_PROBABILITY
                && between.fallback_threshold.is_some()
        );
        assert!(
            end.readout.open
                && end.probability.unwrap() < MIN_FALLBACK_PROBABILITY
                && end.fallback_threshold.is_none(),
            "{end:?}"
        );
        // Above the cut-off, and yet nothing is outlined.
        assert_eq!((end.detected, end.warnings[0].code), (None, "nothing_outlined"));
    }

    #[test]
    fn a_slice_without_evidence_is_left_out() {
        let mut results = [4.0, 0.0, -1.0].map(slice);
        results[1].evidence = None;
        let mut slices: Vec<&mut SliceResult> = results.iter_mut().collect();
        smooth_and_gate(Some(&SeriesChain::example()), &mut slices, &[1.0, 1.0]);
        let apart = smoothed(&[4.0, -1.0], &[2.0]);
        assert_eq!(results[2].probability, apart[1].probability);
        assert_eq!(results[1].probability, Some(0.5));
    }

    #[test]
    fn distance_weakens_the_effect_of_a_neighbour() {
        let at = |step: f32| smoothed(&[4.0, -1.0], &[step])[1].probability.unwrap();
        assert!(at(1.0) > at(4.0) && at(4.0) > at(20.0));
    }

    #[test]
    fn one_slice_and_slices_without_evidence_stay_as_they_are() {
        assert_eq!(smoothed(&[9.0], &[])[0].probability, Some(0.5));
        let mut results = [slice(4.0), slice(-9.0)];
        results[0].evidence = None;
        smooth(&SeriesChain::example(), &mut results.iter_mut().collect::<Vec<_>>(), &[1.0]);
        assert!(results.iter().all(|f| f.probability == Some(0.5) && f.readout.open));
    }
}
