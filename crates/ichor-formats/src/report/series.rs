//! The JSON answer for a series.

use super::pictures::probability_picture;
use super::{
    DISCLAIMER, Finding, ImageFacts, Include, ModelVersion, Pictures, SubtypeFinding, Timings,
};
use crate::error::Result;
use crate::postprocess::Lesion;
use crate::segmenter::series::SeriesSegmentation;
use crate::segmenter::{Clock, Readout, SegmentOptions, Segmenter, SliceFinding};
use crate::slice::{Placement, Warning};
use crate::stack::Stack;
use crate::volumetry::Volumetry;
use serde::Serialize;

/// The answer for a whole series.
#[derive(Debug, Serialize)]
pub struct SeriesReport {
    /// The model that answered.
    pub model: ModelVersion,
    /// What was read.
    pub series: SeriesFacts,
    /// The finding.
    pub hemorrhage: Finding<SeriesSubtypeFinding>,
    /// Volumes across the slices; its warnings are among those of the report.
    pub volume: Volumetry,
    /// Slice by slice, in the order of the series.
    pub slices: Vec<SliceReport>,
    /// Cautions, each kind once.
    pub warnings: Vec<Warning>,
    /// Milliseconds by stage, summed over slices that ran in parallel; `total` is what passed.
    pub timings_ms: Timings,
    /// Not for diagnosis.
    pub disclaimer: &'static str,
    /// Identifier of the request, for support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// What was read of the series.
#[derive(Debug, Serialize)]
pub struct SeriesFacts {
    /// Number of slices.
    pub slices: usize,
    /// What was read of the first slice.
    #[serde(flatten)]
    pub image: ImageFacts,
    /// Distance between slices along their normal; `null` where positions are unknown or uneven.
    pub slice_spacing_mm: Option<f32>,
    /// Angle between the slices' normal and the line through their positions.
    pub tilt_degrees: Option<f32>,
    /// Index in `slices` of the one to look at first.
    pub key_slice: usize,
}

/// One hemorrhage type in the series.
#[derive(Debug, Serialize)]
pub struct SeriesSubtypeFinding {
    /// The type.
    #[serde(flatten)]
    pub subtype: SubtypeFinding,
    /// Each slice's volume shared out by the types' probabilities on it; an estimate, as types
    /// are told by slice and not by pixel.
    pub experimental_volume_ml: Option<f32>,
}

/// One slice of the series.
#[derive(Debug, Serialize)]
pub struct SliceReport {
    /// Place in the series, from 0.
    pub index: usize,
    /// Place in what was sent, files and frames in their order, from 0.
    pub source: usize,
    /// Where it lies in the patient, where the file says so.
    pub placement: Option<Placement>,
    /// Length along the normal that it stands for, mm; `null` where positions are unknown.
    pub extent_mm: Option<f32>,
    /// Calibrated probability of any hemorrhage on the slice, in the light of its neighbours.
    pub probability: Option<f32>,
    /// The same by this slice alone.
    pub probability_alone: Option<f32>,
    /// Threshold of its mask: that of the series, or a lower one where the slice outlines nothing at
    /// that and yet bleeds more likely than not.
    pub threshold: f32,
    /// How probabilities become the mask at another threshold.
    pub readout: Readout,
    /// Pixels of the mask.
    pub area_px: usize,
    /// Area of the mask, `null` without spacing.
    pub area_mm2: Option<f32>,
    /// Regions on the slice, largest first.
    pub lesions: Vec<Lesion>,
    /// Of the key slice, or of all where asked for.
    #[serde(flatten)]
    pub pictures: Pictures,
}

/// Writes the report of a segmented series. `started` is what `clock` said when work on the
/// series began.
///
/// # Errors
/// As [`crate::png::encode_png`], and as [`Segmenter::segment_slice`] where probabilities are asked for.
pub fn write_series_report(
    model: &Segmenter,
    mut found: SeriesSegmentation,
    options: SegmentOptions,
    include: Include,
    started: f64,
    clock: Clock<'_>,
) -> Result<SeriesReport> {
    let start = clock();
    let series = facts(model, &found, options);
    let mut slices = Vec::with_capacity(found.slices.len());
    for index in 0..found.slices.len() {
        slices.push(slice_report(model, &found, index, options, include)?);
        // The pictures of a long series take the room that its samples leave.
        found.series.slices[index].plane.release();
    }
    let now = clock();
    Ok(SeriesReport {
        model: model.spec().into(),
        series,
        hemorrhage: Finding {
            detected: found.detected,
            probability: found.probability,
            threshold: found.threshold,
            subtypes: subtypes(model, &found),
        },
        volume: found.volume,
        slices,
        warnings: found.warnings,
        timings_ms: Timings { stages: found.timings, encode: now - start, total: now - started },
        disclaimer: DISCLAIMER,
        request_id: None,
    })
}

fn slice_report(
    model: &Segmenter,
    found: &SeriesSegmentation,
    index: usize,
    options: SegmentOptions,
    include: Include,
) -> Result<SliceReport> {
    let (slice, mask) = (&found.series.slices[index], &found.masks[index]);
    let SliceFinding { lesions, probability, probability_alone, readout, .. } =
        &found.slices[index];
    let extents_mm = found.series.extents_mm.as_ref();
    let shown = include.every_slice || index == found.key_slice;
    let area_px = mask.area_px();
    Ok(SliceReport {
        index,
        source: found.series.sources[index],
        placement: slice.placement,
        extent_mm: extents_mm.and_then(|mm| mm.get(index)).copied(),
        probability: *probability,
        probability_alone: *probability_alone,
        threshold: found.slices[index].mask_threshold(),
        readout: *readout,
        area_px,
        area_mm2: found.slices[index].area_mm2(area_px, slice.spacing_mm),
        lesions: lesions.clone(),
        pictures: Pictures::draw(
            if shown { include } else { Include::NOTHING },
            slice,
            || mask.unpack(),
            || model.overlay_of(found, index, options),
            // Computed again when asked for: kept planes would double the memory of every series.
            || {
                let again = model.segment_slice(slice, options, &|| 0.0)?;
                Ok(probability_picture(&again.map.probabilities()))
            },
        )?,
    })
}

fn facts(model: &Segmenter, found: &SeriesSegmentation, options: SegmentOptions) -> SeriesFacts {
    let series = &found.series;
    let first = &series.slices[0];
    let even = Stack::of(series).filter(|stack| stack.even && series.slices.len() > 1);
    let slice_spacing_mm = even.map(|stack| stack.slice_spacing_mm() as f32);
    SeriesFacts {
        slices: series.slices.len(),
        image: ImageFacts {
            width: first.plane.width,
            height: first.plane.height,
            spacing_mm: first.spacing_mm,
            modality: first.modality.clone(),
            window: model.display_window(first, options.window),
            gray_scale: found.gray_scale.name(),
            estimated_window: found.gray_scale.estimated_window(),
        },
        slice_spacing_mm,
        tilt_degrees: series.tilt_degrees,
        key_slice: found.key_slice,
    }
}

fn subtypes(model: &Segmenter, found: &SeriesSegmentation) -> Vec<SeriesSubtypeFinding> {
    let classes = model.spec().subtypes().zip(&found.subtypes);
    classes
        .map(|(class, subtype)| SeriesSubtypeFinding {
            subtype: SubtypeFinding::of(class, subtype.probability),
            experimental_volume_ml: subtype.volume_ml,
        })
        .collect()
}
