//! The report of one slice of a series, written before the others are done.

use super::{ImageFacts, Include, Pictures, SeriesSlice};
use crate::error::Result;
use crate::mask::Mask;
use crate::segmenter::{Analysis, SegmentRequest, SegmentedSlice, Segmenter, SliceResult};
use crate::series::Series;
use crate::window::WindowLevel;
use serde::Serialize;

/// The report of a slice by itself. Volumes are `null` until all slices are segmented. The series chain may
/// empty the mask later; the report is then written again.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct PartialReport {
    /// The slice, as in the report of the series.
    #[serde(flatten)]
    pub slice: SeriesSlice,
    /// Properties of the image.
    pub image: ImageFacts,
}

/// Writes the report of slice `index` of `series`. It has the requested pictures, whatever slice it is, as the
/// key slice is not known yet.
///
/// # Errors
/// As [`crate::png::encode_png`].
pub fn write_partial_report(
    model: &Segmenter,
    series: &Series,
    index: usize,
    segmented: &SegmentedSlice,
    request: &SegmentRequest,
    include: Include,
) -> Result<PartialReport> {
    let window = model.display_window(&series.slices[index], request.window);
    write(model, series, index, &segmented.result, &segmented.mask, window, include)
}

/// Writes the same report again, with the mask after smoothing by the series.
///
/// # Errors
/// As [`crate::png::encode_png`].
pub fn write_final_slice_report(
    model: &Segmenter,
    analysis: &Analysis,
    index: usize,
    include: Include,
) -> Result<PartialReport> {
    let window = analysis.window_of(&analysis.series.slices[index]);
    let (result, mask) = (&analysis.slices[index], analysis.masks[index].unpack());
    write(model, &analysis.series, index, result, &mask, window, include)
}

fn write(
    model: &Segmenter,
    series: &Series,
    index: usize,
    result: &SliceResult,
    mask: &Mask,
    window: Option<WindowLevel>,
    include: Include,
) -> Result<PartialReport> {
    let slice = &series.slices[index];
    let pictures = Pictures::draw(
        include,
        slice,
        || mask.clone(),
        |mask| model.overlay(slice, mask, window),
        result.probability_png.as_deref(),
    )?;
    Ok(PartialReport {
        slice: SeriesSlice::new(series, index, result, mask.area_px(), pictures),
        image: ImageFacts::new(slice, window, result.gray_scale),
    })
}
