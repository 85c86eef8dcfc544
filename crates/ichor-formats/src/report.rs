//! The report of an analysis as JSON, the same for the API and the command line.

mod partial;
mod pictures;
mod series;

pub use partial::{PartialReport, write_final_slice_report, write_partial_report};
pub use pictures::{Include, Picture, Pictures, Samples};
pub use series::{
    SeriesFacts, SeriesReport, SeriesSlice, SeriesSubtypeFinding, write_series_report,
};

use crate::assess::GrayScale;
use crate::error::{Error, Result};
use crate::model_spec::{ModelSpec, SliceClass, Verdict};
use crate::postprocess::Lesion;
use crate::segmenter::{Analysis, Observer, Readout, Segmenter, StageTimings};
use crate::slice::{CtSlice, Placement, Warning};
use crate::summary::{Language, Patterns, Summary, Translated, report_text};
use crate::window::WindowLevel;
use serde::Serialize;
use std::borrow::Cow;

/// Part of every report.
pub const DISCLAIMER: &str = "For research and teaching only. Not a medical device; never use it for diagnosis or treatment.";

/// The report of one input: of a slice or of a series.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// One slice.
    Slice(Box<SliceReport>),
    /// Several slices.
    Series(Box<SeriesReport>),
}

impl Report {
    /// The report with the identifier of its request.
    pub fn with_request_id(mut self, id: String) -> Self {
        match &mut self {
            Self::Slice(report) => report.request_id = Some(id),
            Self::Series(report) => report.request_id = Some(id),
        }
        self
    }
}

/// The report of one slice.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct SliceReport {
    /// The model that was used.
    pub model: ModelVersion,
    /// Properties of the image.
    pub image: ImageFacts,
    /// Position and directions of the slice in the patient; `null` where the file has none.
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
    /// The requested pictures.
    #[serde(flatten)]
    pub pictures: Pictures,
    /// The requested texts.
    #[serde(flatten)]
    pub texts: Texts,
    /// Warnings.
    pub warnings: Vec<Warning>,
    /// Time of each stage, ms.
    pub timings_ms: Timings,
    /// [`DISCLAIMER`].
    pub disclaimer: &'static str,
    /// Identifier of the request, for support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// What is written of a finding for readers.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Texts {
    /// The finding as a paragraph, where requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Translated<String>>,
    /// What a textbook considers for the types and places of the lesions; left out where no rule applies.
    #[serde(skip_serializing_if = "Patterns::is_empty")]
    #[cfg_attr(feature = "schemas", schemars(with = "Vec<crate::summary::Pattern>"))]
    pub patterns: Patterns,
}

impl Texts {
    /// Writes what `include` requests.
    fn write(include: Include, spec: &ModelSpec, analysis: &Analysis) -> Self {
        let patterns = include.patterns.then(|| Patterns::from_analysis(analysis));
        let text = include.text.then(|| {
            let summary = Summary::from_analysis(spec, analysis);
            let text = |language| report_text(&summary, language);
            Translated { en: text(Language::English), de: text(Language::German) }
        });
        Self { text, patterns: patterns.unwrap_or_default() }
    }
}

/// The model that was used.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct ModelVersion {
    /// Name of the model.
    pub name: String,
    /// Version of the model.
    pub version: String,
    /// SHA-256 of the ONNX file, hexadecimal.
    pub sha256: String,
}

impl From<&ModelSpec> for ModelVersion {
    fn from(spec: &ModelSpec) -> Self {
        Self { name: spec.name.clone(), version: spec.version.clone(), sha256: spec.sha256.clone() }
    }
}

/// Properties of the image.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct ImageFacts {
    /// Columns, px.
    pub width: usize,
    /// Rows, px.
    pub height: usize,
    /// Distance between rows and between columns, mm; `null` where unknown.
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

/// Hemorrhage on a slice or in a series, with its probability. `S` is the entry of one type.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Finding<S> {
    /// Whether a mask holds a lesion; `null` where this is unknown, for the reason in a warning.
    pub detected: Option<bool>,
    /// Calibrated probability of any hemorrhage on the slice; of a series the highest of its
    /// slices, which is not a probability of the head. `null` where nothing could be interpreted.
    pub probability: Option<f32>,
    /// The probability in one of three words; of a series that of its highest slice. `null` where the model has
    /// no bands for it, where nothing could be interpreted, and in place of `unlikely` where `detected` is `null`.
    pub verdict: Option<Verdict>,
    /// Threshold of the masks.
    pub threshold: f32,
    /// The hemorrhage types, where the model distinguishes them; else empty.
    pub subtypes: Vec<S>,
}

/// One hemorrhage type.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct SubtypeFinding {
    /// `EDH`, `SDH`, `SAH`, `IPH` or `IVH`.
    pub code: Cow<'static, str>,
    /// Display name.
    pub name: Cow<'static, str>,
    /// Probability on the slice; of a series the highest of its slices.
    pub probability: f32,
    /// Whether the model does not distinguish the type better than chance yet.
    pub experimental: bool,
}

/// Time of each stage and in total, ms.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Timings {
    /// The stages of the segmenter.
    #[serde(flatten)]
    pub stages: StageTimings,
    /// Pictures to PNG and base64.
    pub encode: f64,
    /// All stages and the encoding.
    pub total: f64,
}

impl ImageFacts {
    fn new(slice: &CtSlice, window: Option<WindowLevel>, gray_scale: GrayScale) -> Self {
        Self {
            width: slice.plane.width,
            height: slice.plane.height,
            spacing_mm: slice.spacing_mm,
            modality: slice.modality.clone(),
            window,
            gray_scale: gray_scale.name(),
            estimated_window: gray_scale.estimated_window(),
        }
    }
}

/// Writes the report of an analysis: of a slice where the input held one slice, of a series otherwise.
///
/// # Errors
/// As [`crate::png::encode_png`].
pub fn write_report(
    model: &Segmenter,
    analysis: Analysis,
    include: Include,
    observer: &dyn Observer,
) -> Result<Report> {
    match analysis.is_single_slice {
        true => write_slice_report(model, analysis, include, observer)
            .map(|report| Report::Slice(Box::new(report))),
        false => write_series_report(model, analysis, include, observer)
            .map(|report| Report::Series(Box::new(report))),
    }
}

fn write_slice_report(
    model: &Segmenter,
    mut analysis: Analysis,
    include: Include,
    observer: &dyn Observer,
) -> Result<SliceReport> {
    let started = observer.elapsed_ms();
    let texts = Texts::write(include, model.spec(), &analysis);
    let empty = || Error::unprocessable("The file holds no slices.");
    let mut result = analysis.slices.pop().ok_or_else(empty)?;
    // One slice alone has no volume.
    result.lesions.iter_mut().for_each(|lesion| lesion.volume_ml = None);
    let slice = analysis.series.slices.first().ok_or_else(empty)?;
    let window = analysis.window_of(slice);
    let pictures = Pictures::draw(
        include,
        slice,
        || analysis.masks[0].unpack(),
        |mask| model.overlay(slice, mask, window),
        result.probability_png.as_deref(),
    )?;
    let stages = analysis.timings;
    let encode = observer.elapsed_ms() - started;
    let total = stages.decode + stages.preprocess + stages.inference + stages.postprocess + encode;
    let classes = model.spec().subtypes().zip(&result.subtype_probabilities);
    Ok(SliceReport {
        model: model.spec().into(),
        image: ImageFacts::new(slice, window, result.gray_scale),
        placement: slice.placement,
        readout: result.readout,
        probability_alone: (result.probability != result.probability_alone)
            .then_some(result.probability_alone)
            .flatten(),
        hemorrhage: Finding {
            detected: result.detected,
            probability: result.probability,
            verdict: verdict(model, result.probability, result.detected),
            threshold: result.mask_threshold(),
            subtypes: classes.map(|(class, &p)| SubtypeFinding::new(class, p)).collect(),
        },
        lesions: result.lesions,
        pictures,
        texts,
        warnings: result.warnings,
        timings_ms: Timings { stages, encode, total },
        disclaimer: DISCLAIMER,
        request_id: None,
    })
}

fn verdict(model: &Segmenter, probability: Option<f32>, detected: Option<bool>) -> Option<Verdict> {
    model.spec().verdicts.and_then(|bands| bands.reported_verdict(probability, detected))
}

/// Codes and names of the types in every shipped model.
const USUAL_NAMES: [&str; 10] = [
    "EDH",
    "SDH",
    "SAH",
    "IPH",
    "IVH",
    "Epidural",
    "Subdural",
    "Subarachnoid",
    "Intraparenchymal",
    "Intraventricular",
];

/// A text without a copy where it is one of the usual ones.
fn shared(text: &str) -> Cow<'static, str> {
    let usual = USUAL_NAMES.into_iter().find(|usual| *usual == text);
    usual.map_or_else(|| Cow::Owned(text.to_owned()), Cow::Borrowed)
}

impl SubtypeFinding {
    fn new(class: &SliceClass, probability: f32) -> Self {
        let SliceClass { code, name, experimental } = class;
        Self { code: shared(code), name: shared(name), probability, experimental: *experimental }
    }
}
