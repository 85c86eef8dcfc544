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

/// Has slices `steps` apart inform each other where there is a chain, and clears those that it closes.
fn decide(chain: Option<&SeriesChain>, slices: &mut [&mut SliceFinding], steps: &[f32]) {
    if let Some(chain) = chain {
        inform(chain, slices, steps);
    }
    clear_closed(slices);
}

fn inform(chain: &SeriesChain, slices: &mut [&mut SliceFinding], steps: &[f32]) {
    let evidence: Option<Vec<f32>> = slices.iter().map(|slice| slice.evidence).collect();
    let Some(evidence) = evidence.filter(|evidence| evidence.len() > 1) else { return };
    for (slice, probability) in slices.iter_mut().zip(chain.probabilities(&evidence, steps)) {
        slice.probability = probability;
        slice.readout.open = probability >= chain.slice_threshold;
    }
}

/// Drops the regions of slices that are not open, and faint ones of slices that rather do not bleed.
fn clear_closed(slices: &mut [&mut SliceFinding]) {
    let unlikely = |slice: &SliceFinding| slice.faint.is_some() && slice.probability < LIKELY;
    for slice in slices.iter_mut().filter(|slice| !slice.readout.open || unlikely(slice)) {
        slice.lesions.clear();
        slice.faint = None;
        slice.detected = slice.detected.map(|_| false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segmenter::{Readout, StageTimings};

    fn finding(evidence: f32) -> SliceFinding {
        SliceFinding {
            lesions: Vec::new(),
            detected: Some(true),
            probability: 0.5,
            probability_alone: 0.5,
            evidence: Some(evidence),
            subtype_probabilities: Vec::new(),
            threshold: 0.5,
            faint: None,
            readout: Readout { open: true, min_lesion_px: 0.0 },
            warnings: Vec::new(),
            timings: StageTimings::default(),
        }
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
        assert!(beside[1].probability > 0.5 && lonely[1].probability < 0.05);
        assert_eq!(beside[1].probability_alone, 0.5);
    }

    #[test]
    fn faint_regions_stay_on_slices_that_are_likely_to_bleed() {
        let mut findings = [4.0, -1.5, 4.0, -2.5].map(finding);
        findings.iter_mut().for_each(|finding| finding.faint = Some(0.15));
        let mut slices: Vec<&mut SliceFinding> = findings.iter_mut().collect();
        decide(Some(&SeriesChain::example()), &mut slices, &[1.0; 3]);
        let [_, between, _, end] = findings;
        assert!(between.probability > LIKELY && between.faint.is_some());
        assert!(end.readout.open && end.probability < LIKELY && end.faint.is_none(), "{end:?}");
        assert_eq!(end.detected, Some(false));
    }

    #[test]
    fn distance_weakens_what_a_neighbour_says() {
        let at = |step: f32| informed(&[4.0, -1.0], &[step])[1].probability;
        assert!(at(1.0) > at(4.0) && at(4.0) > at(20.0));
    }

    #[test]
    fn one_slice_and_slices_without_evidence_stay_as_they_are() {
        assert_eq!(informed(&[9.0], &[])[0].probability, 0.5);
        let mut findings = [finding(4.0), finding(-9.0)];
        findings[0].evidence = None;
        inform(&SeriesChain::example(), &mut findings.iter_mut().collect::<Vec<_>>(), &[1.0]);
        assert!(findings.iter().all(|f| f.probability == 0.5 && f.readout.open));
    }
}
