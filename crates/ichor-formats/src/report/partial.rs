//! One slice of a series, said before the others are done.

use super::pictures::probability_picture;
use super::series::SliceReport;
use super::{ImageFacts, Include, Pictures};
use crate::error::Result;
use crate::segmenter::{Segmentation, Segmenter};
use crate::series::Series;
use serde::Serialize;

/// What is known of a slice on its own. Volumes are `null`: they are shared out once all are known.
/// Its mask is what its pixels say: whether it stands, the series decides with all slices known; the
/// reports of slices that it empties are written again.
#[derive(Debug, Serialize)]
pub struct PartialReport {
    /// The slice, as in the series answer.
    #[serde(flatten)]
    pub slice: SliceReport,
    /// What was read of it.
    pub image: ImageFacts,
}

/// Writes the report of slice `index` of `series`. The pictures asked for are drawn of every
/// slice: which is the key slice is not known yet.
///
/// # Errors
/// As [`crate::png::encode_png`].
pub fn write_partial_report(
    model: &Segmenter,
    series: &Series,
    index: usize,
    found: &Segmentation,
    include: Include,
) -> Result<PartialReport> {
    let area_px = found.mask.area_px();
    let slice = &series.slices[index];
    let extents_mm = series.extents_mm.as_ref();
    let spacing_mm = found.spacing_mm;
    Ok(PartialReport {
        slice: SliceReport {
            index,
            source: series.sources[index],
            placement: slice.placement,
            extent_mm: extents_mm.and_then(|mm| mm.get(index)).copied(),
            probability: found.finding.probability,
            probability_alone: found.finding.probability_alone,
            threshold: found.finding.mask_threshold(),
            readout: found.finding.readout,
            area_px,
            area_mm2: found.finding.area_mm2(area_px, spacing_mm),
            lesions: found.finding.lesions.clone(),
            pictures: Pictures::draw(
                include,
                slice,
                || &found.mask,
                || model.overlay(slice, found),
                || Ok(probability_picture(&found.map.probabilities())),
            )?,
        },
        image: ImageFacts {
            width: found.mask.width,
            height: found.mask.height,
            spacing_mm,
            modality: found.modality.clone(),
            window: found.window,
            gray_scale: found.finding.gray_scale.name(),
            estimated_window: found.finding.gray_scale.estimated_window(),
        },
    })
}
