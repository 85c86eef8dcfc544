//! The JSON answer, the same for the API and the command line.

mod answer;
mod partial;
mod pictures;
pub mod series;

pub use answer::{Answer, write_answer};
pub use partial::{PartialReport, write_partial_report};
pub use pictures::{Include, Picture, Pictures, Samples};

use crate::error::Result;
use crate::model_spec::{ModelSpec, SliceClass};
use crate::postprocess::Lesion;
use crate::segmenter::{Clock, Readout, Segmentation, Segmenter, StageTimings};
use crate::slice::{CtSlice, Placement, Warning};
use crate::window::WindowLevel;
use pictures::probability_picture;
use serde::Serialize;

/// Said with every answer.
pub const DISCLAIMER: &str = "For research and teaching only. Not a medical device; never use it for diagnosis or treatment.";

/// The answer for one slice.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The model that answered.
    pub model: ModelVersion,
    /// What was read.
    pub image: ImageFacts,
    /// Where the slice lies in the patient, where the file says so.
    pub placement: Option<Placement>,
    /// The finding.
    pub hemorrhage: Finding<SubtypeFinding>,
    /// Probability by this slice alone, where neighbours changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability_alone: Option<f32>,
    /// How probabilities become the mask at another threshold.
    pub readout: Readout,
    /// Regions, largest first.
    pub lesions: Vec<Lesion>,
    /// The pictures asked for.
    #[serde(flatten)]
    pub pictures: Pictures,
    /// Cautions.
    pub warnings: Vec<Warning>,
    /// Milliseconds by stage.
    pub timings_ms: Timings,
    /// Not for diagnosis.
    pub disclaimer: &'static str,
    /// Identifier of the request, for support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Which model answered.
#[derive(Debug, Clone, Serialize)]
pub struct ModelVersion {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Checksum of the network.
    pub sha256: String,
}

impl From<&ModelSpec> for ModelVersion {
    fn from(spec: &ModelSpec) -> Self {
        Self { name: spec.name.clone(), version: spec.version.clone(), sha256: spec.sha256.clone() }
    }
}

/// What was read of the image.
#[derive(Debug, Serialize)]
pub struct ImageFacts {
    /// Columns, px.
    pub width: usize,
    /// Rows, px.
    pub height: usize,
    /// Row and column spacing.
    pub spacing_mm: Option<[f32; 2]>,
    /// DICOM modality.
    pub modality: Option<String>,
    /// Window applied for display; `null` for pictures, which come windowed.
    pub window: Option<WindowLevel>,
    /// How the grey values were read: `hounsfield`, `window_known`, `window_estimated` or `unreadable`.
    pub gray_scale: &'static str,
    /// The window that a picture was estimated to be shown in, where its grey values were mapped by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_window: Option<WindowLevel>,
}

/// Whether and how surely there is hemorrhage on a slice or in a series, whose types are `S`.
#[derive(Debug, Serialize)]
pub struct Finding<S> {
    /// `null` where it cannot be said, for the reason in a warning.
    pub detected: Option<bool>,
    /// Calibrated probability of any hemorrhage on the slice; of a series the highest of its
    /// slices, which is not a probability of the head. `null` where nothing could be interpreted.
    pub probability: Option<f32>,
    /// Threshold of the masks.
    pub threshold: f32,
    /// Types, where the model tells them.
    pub subtypes: Vec<S>,
}

/// One hemorrhage type.
#[derive(Debug, Serialize)]
pub struct SubtypeFinding {
    /// `EDH`, `SDH`, `SAH`, `IPH` or `IVH`.
    pub code: String,
    /// Name for people.
    pub name: String,
    /// Probability on the slice; of a series the highest of its slices.
    pub probability: f32,
    /// Whether the type is not yet told apart better than by chance.
    pub experimental: bool,
}

/// Milliseconds by stage and in total.
#[derive(Debug, Serialize)]
pub struct Timings {
    /// The stages of the segmenter.
    #[serde(flatten)]
    pub stages: StageTimings,
    /// Pictures to PNG and base64.
    pub encode: f64,
    /// All stages.
    pub total: f64,
}

/// Writes the report of the segmentation of `slice`.
///
/// # Errors
/// As [`crate::png::encode_png`].
pub fn write_report(
    model: &Segmenter,
    slice: &CtSlice,
    found: Segmentation,
    include: Include,
    clock: Clock<'_>,
) -> Result<Report> {
    let start = clock();
    let pictures = Pictures::draw(
        include,
        slice,
        || &found.mask,
        || model.overlay(slice, &found),
        || Ok(probability_picture(&found.map.probabilities())),
    )?;
    let encode = clock() - start;
    let finding = found.finding;
    let stages = finding.timings;
    let total = stages.decode + stages.preprocess + stages.inference + stages.postprocess + encode;
    let classes = model.spec().subtypes().zip(&finding.subtype_probabilities);
    Ok(Report {
        model: model.spec().into(),
        image: ImageFacts {
            width: found.mask.width,
            height: found.mask.height,
            spacing_mm: found.spacing_mm,
            modality: found.modality,
            window: found.window,
            gray_scale: finding.gray_scale.name(),
            estimated_window: finding.gray_scale.estimated_window(),
        },
        placement: slice.placement,
        readout: finding.readout,
        probability_alone: (finding.probability != finding.probability_alone)
            .then_some(finding.probability_alone)
            .flatten(),
        hemorrhage: Finding {
            detected: finding.detected,
            probability: finding.probability,
            threshold: finding.mask_threshold(),
            subtypes: classes.map(|(class, &p)| SubtypeFinding::of(class, p)).collect(),
        },
        lesions: finding.lesions,
        pictures,
        warnings: finding.warnings,
        timings_ms: Timings { stages, encode, total },
        disclaimer: DISCLAIMER,
        request_id: None,
    })
}

impl SubtypeFinding {
    fn of(class: &SliceClass, probability: f32) -> Self {
        let SliceClass { code, name, experimental } = class;
        let (code, name) = (code.clone(), name.clone());
        Self { code, name, probability, experimental: *experimental }
    }
}
