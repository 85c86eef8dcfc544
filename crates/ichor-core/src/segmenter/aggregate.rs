//! The analysis of a series from the results of its slices.

use super::observer::Observer;
use super::segment::SliceResults;
use super::smooth::gate_per_slice;
use super::{Analysis, SegmentRequest, Segmenter, SliceResult};
use crate::assess::{Assessment, assess_series};
use crate::error::Result;
use crate::preprocess::{SKULL_NOT_FOUND, Skull};
use crate::series::Series;
use crate::slice::{Intensity, Warning};

impl Segmenter {
    /// Assesses the series, smooths its probabilities ([`Segmenter::smooth_series`]) and measures across its slices.
    pub(super) fn aggregate(
        &self,
        mut series: Series,
        mut results: SliceResults,
        is_single_slice: bool,
        request: &SegmentRequest,
        observer: &dyn Observer,
    ) -> Result<Analysis> {
        let started = observer.elapsed_ms();
        let slices: Vec<&mut SliceResult> = results.iter_mut().map(|(result, _)| result).collect();
        match is_single_slice {
            true => inherit_doubts(&series.warnings, slices),
            false => self.assess_and_gate(&mut series, slices),
        }
        let window = self.hounsfield_window(request.window);
        let mut analysis = Analysis::new(series, results, *request, is_single_slice, window)?;
        analysis.timings.postprocess += observer.elapsed_ms() - started;
        Ok(analysis)
    }

    fn assess_and_gate(&self, series: &mut Series, mut slices: Vec<&mut SliceResult>) {
        let assessments: Vec<&Assessment> = slices.iter().map(|slice| &slice.assessment).collect();
        let assessment = assess_series(&assessments);
        if series.slices.iter().all(|slice| slice.intensity == Intensity::Hounsfield) {
            series.warnings.extend(assessment.warnings);
        }
        let lacks_skull = |slice: &&mut SliceResult| {
            slice.warnings.iter().any(|warning| warning.code == SKULL_NOT_FOUND)
        };
        if slices.iter().all(lacks_skull) {
            series.warnings.push(Skull::missing_skull_warning());
        }
        match series.is_one_head {
            true => self.smooth_series(&mut slices, series.gaps_mm().as_deref()),
            false => gate_per_slice(&mut slices),
        }
    }
}

/// Copies the warnings of the series that leave the result in doubt to its only slice.
fn inherit_doubts(warnings: &[Warning], slices: Vec<&mut SliceResult>) {
    for slice in slices {
        slice.warnings.extend(warnings.iter().filter(|warning| warning.doubt.is_some()).cloned());
        slice.apply_doubts();
    }
}
