//! Summaries for tests to change.

use super::{LesionSummary, Summary, TypeSummary};
use crate::model_spec::Verdict;

/// A single slice without lesions.
pub(crate) fn summary(
    detected: Option<bool>,
    probability: Option<f32>,
    verdict: Option<Verdict>,
) -> Summary<'static> {
    Summary {
        model: ["unet", "0.3.0"],
        series_slices: None,
        detected,
        probability,
        verdict,
        total_volume_ml: None,
        total_volume_interval_ml: None,
        lesions: Vec::new(),
        warnings: &[],
    }
}

/// A lesion of a type, with its probability.
pub(crate) fn lesion(id: usize, code: &'static str, probability: f32) -> LesionSummary {
    let lesion_type = TypeSummary { best: Some((code, probability)), extra_axial: None };
    LesionSummary { id, lesion_type: Some(lesion_type), pixels: 400, ..LesionSummary::default() }
}
