//! The report of a series.

use super::{
    DISCLAIMER, Finding, ImageFacts, Include, ModelVersion, Pictures, SubtypeFinding, Texts,
    Timings, verdict,
};
use crate::error::Result;
use crate::postprocess::Lesion;
use crate::segmenter::{Analysis, Observer, Readout, Segmenter, SliceResult};
use crate::series::Series;
use crate::slice::{Placement, Warning};
use crate::stack::Stack;
use crate::volumetry::Volumetry;
use serde::Serialize;

/// The report of a series.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct SeriesReport {
    /// The model that was used.
    pub model: ModelVersion,
    /// Properties of the series.
    pub series: SeriesFacts,
    /// The finding.
    pub hemorrhage: Finding<SeriesSubtypeFinding>,
    /// Volumes across the slices; its warnings are among those of the report.
    pub volume: Volumetry,
    /// Slice by slice, in the order of the series.
    pub slices: Vec<SeriesSlice>,
    /// The requested texts.
    #[serde(flatten)]
    pub texts: Texts,
    /// Warnings, each kind once.
    pub warnings: Vec<Warning>,
    /// Milliseconds by stage, summed over slices that ran in parallel; `total` is the elapsed time.
    pub timings_ms: Timings,
    /// [`DISCLAIMER`].
    pub disclaimer: &'static str,
    /// Identifier of the request, for support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Properties of the series.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct SeriesFacts {
    /// Number of slices.
    pub slices: usize,
    /// Properties of the first slice.
    #[serde(flatten)]
    pub image: ImageFacts,
    /// Distance between slices along their normal, mm; `null` where positions are unknown or uneven.
    pub slice_spacing_mm: Option<f32>,
    /// Angle between the slices' normal and the line through their positions, degrees.
    pub tilt_degrees: Option<f32>,
    /// Index in `slices` of the slice to show first.
    pub key_slice: usize,
}

/// One hemorrhage type in the series.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct SeriesSubtypeFinding {
    /// The type.
    #[serde(flatten)]
    pub subtype: SubtypeFinding,
    /// Volume of the type, mL: each slice's volume is divided between the types in proportion to their probabilities. An estimate, as
    /// the model types slices and not pixels.
    pub experimental_volume_ml: Option<f32>,
}

/// One slice of the series.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct SeriesSlice {
    /// Place in the series, from 0.
    pub index: usize,
    /// Place in the input, files and frames in their order, from 0.
    pub source: usize,
    /// Its position and directions in the patient; `null` where the file has none.
    pub placement: Option<Placement>,
    /// Length along the normal that it stands for, mm; `null` where positions are unknown.
    pub extent_mm: Option<f32>,
    /// Calibrated probability of any hemorrhage on the slice, smoothed with its neighbours.
    pub probability: Option<f32>,
    /// The probability before smoothing.
    pub probability_alone: Option<f32>,
    /// Threshold of its mask: that of the series, or a lower one where that leaves the mask of a likely slice
    /// empty.
    pub threshold: f32,
    /// How probabilities become the mask at another threshold.
    pub readout: Readout,
    /// Pixels of the mask.
    pub area_px: usize,
    /// Area of the mask, mm²; `null` where the pixel size is unknown or implausible.
    pub area_mm2: Option<f32>,
    /// Regions on the slice, largest first.
    pub lesions: Vec<Lesion>,
    /// The requested pictures of the key slice, or of all slices with [`Include::every_slice`].
    #[serde(flatten)]
    pub pictures: Pictures,
}

/// Writes the report of a series, even where the input held one slice.
///
/// # Errors
/// As [`crate::png::encode_png`].
pub fn write_series_report(
    model: &Segmenter,
    mut analysis: Analysis,
    include: Include,
    observer: &dyn Observer,
) -> Result<SeriesReport> {
    let started = observer.elapsed_ms();
    let series = series_facts(&analysis);
    let texts = Texts::write(include, model.spec(), &analysis);
    let mut slices = Vec::with_capacity(analysis.slices.len());
    for index in 0..analysis.slices.len() {
        slices.push(series_slice(model, &analysis, index, include)?);
        // Frees the samples, so that the pictures of a long series need no more memory.
        analysis.series.slices[index].plane.release();
    }
    let now = observer.elapsed_ms();
    Ok(SeriesReport {
        model: model.spec().into(),
        series,
        hemorrhage: Finding {
            detected: analysis.detected,
            probability: analysis.probability,
            verdict: verdict(model, analysis.probability, analysis.detected),
            threshold: analysis.threshold,
            subtypes: subtypes(model, &analysis),
        },
        volume: analysis.volume,
        slices,
        texts,
        warnings: analysis.warnings,
        timings_ms: Timings { stages: analysis.timings, encode: now - started, total: now },
        disclaimer: DISCLAIMER,
        request_id: None,
    })
}

fn series_slice(
    model: &Segmenter,
    analysis: &Analysis,
    index: usize,
    include: Include,
) -> Result<SeriesSlice> {
    let (series, result, mask) =
        (&analysis.series, &analysis.slices[index], &analysis.masks[index]);
    let is_shown = include.every_slice || index == analysis.key_slice;
    let pictures = match is_shown {
        true => Pictures::draw(
            include,
            &series.slices[index],
            || mask.unpack(),
            |mask| {
                let slice = &series.slices[index];
                model.overlay(slice, mask, analysis.window_of(slice))
            },
            result.probability_png.as_deref(),
        )?,
        false => Pictures::default(),
    };
    Ok(SeriesSlice::new(series, index, result, mask.area_px(), pictures))
}

impl SeriesSlice {
    pub(super) fn new(
        series: &Series,
        index: usize,
        result: &SliceResult,
        area_px: usize,
        pictures: Pictures,
    ) -> Self {
        let slice = &series.slices[index];
        let extents_mm = series.extents_mm.as_ref();
        Self {
            index,
            source: series.sources[index],
            placement: slice.placement,
            extent_mm: extents_mm.and_then(|mm| mm.get(index)).copied(),
            probability: result.probability,
            probability_alone: result.probability_alone,
            threshold: result.mask_threshold(),
            readout: result.readout,
            area_px,
            area_mm2: result.area_mm2(area_px, slice.spacing_mm),
            lesions: result.lesions.clone(),
            pictures,
        }
    }
}

fn series_facts(analysis: &Analysis) -> SeriesFacts {
    let series = &analysis.series;
    let first = &series.slices[0];
    let even_stack =
        Stack::from_series(series).filter(|stack| stack.even && series.slices.len() > 1);
    SeriesFacts {
        slices: series.slices.len(),
        image: ImageFacts::new(first, analysis.window_of(first), analysis.gray_scale),
        slice_spacing_mm: even_stack.map(|stack| stack.slice_spacing_mm() as f32),
        tilt_degrees: series.tilt_degrees,
        key_slice: analysis.key_slice,
    }
}

fn subtypes(model: &Segmenter, analysis: &Analysis) -> Vec<SeriesSubtypeFinding> {
    let classes = model.spec().subtypes().zip(&analysis.subtypes);
    classes
        .map(|(class, subtype)| SeriesSubtypeFinding {
            subtype: SubtypeFinding::new(class, subtype.probability),
            experimental_volume_ml: subtype.volume_ml,
        })
        .collect()
}
