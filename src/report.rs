//! The JSON answer, the same for the API and the command line.

mod answer;
pub mod series;

pub use answer::{Answer, write_answer};

use crate::error::Result;
use crate::mask::encode_png;
use crate::model_spec::ModelSpec;
use crate::postprocess::Lesion;
use crate::segmenter::{Clock, Segmentation, Segmenter, StageTimings};
use crate::slice::{Plane, Warning};
use base64::Engine as _;
use image::{DynamicImage, GrayImage};
use serde::Serialize;

/// Said with every answer.
pub const DISCLAIMER: &str = "For research and teaching only. Not a medical device; never use it for diagnosis or treatment.";

/// Which pictures the answer carries.
#[derive(Debug, Clone, Copy)]
pub struct Include {
    /// The mask PNG.
    pub mask: bool,
    /// The overlay PNG.
    pub overlay: bool,
    /// The probability PNG.
    pub probabilities: bool,
    /// Contours of the lesions.
    pub contours: bool,
    /// The pictures of every slice of a series, not of its key slice only.
    pub every_slice: bool,
}

impl Include {
    /// Neither pictures nor contours.
    pub const NOTHING: Self = Self {
        mask: false,
        overlay: false,
        probabilities: false,
        contours: false,
        every_slice: false,
    };
}

impl Default for Include {
    fn default() -> Self {
        Self { mask: true, overlay: true, contours: true, ..Self::NOTHING }
    }
}

/// The answer for one slice.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The model that answered.
    pub model: ModelVersion,
    /// What was read.
    pub image: ImageFacts,
    /// The finding.
    pub hemorrhage: Finding,
    /// Regions, largest first.
    pub lesions: Vec<Lesion>,
    /// 8-bit grey PNG of 0 and 255 in the input's size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<Picture>,
    /// RGB PNG in the input's size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlay: Option<Picture>,
    /// 8-bit grey PNG, 255 is probability 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<Picture>,
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
    pub window: Option<crate::window::WindowLevel>,
}

/// Whether and how surely there is hemorrhage.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// `null` if the model was not made for this kind of image.
    pub detected: Option<bool>,
    /// Calibrated probability of any hemorrhage on the slice.
    pub probability: f32,
    /// Threshold of the mask.
    pub threshold: f32,
    /// Types, where the model tells them.
    pub subtypes: Vec<SubtypeFinding>,
}

/// One hemorrhage type.
#[derive(Debug, Serialize)]
pub struct SubtypeFinding {
    /// `EDH`, `SDH`, `SAH`, `IPH` or `IVH`.
    pub code: String,
    /// Name for people.
    pub name: String,
    /// Probability on the slice.
    pub probability: f32,
    /// Whether the type is not yet told apart better than by chance.
    pub experimental: bool,
}

/// A picture inside JSON.
#[derive(Debug, Serialize)]
pub struct Picture {
    /// `image/png`.
    pub media_type: &'static str,
    /// Its bytes.
    pub base64: String,
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

/// Writes the report of one segmentation.
///
/// # Errors
/// As [`encode_png`].
pub fn write_report(
    model: &Segmenter,
    found: Segmentation,
    include: Include,
    clock: Clock<'_>,
) -> Result<Report> {
    let start = clock();
    let picture = |wanted: bool, image: &dyn Fn() -> DynamicImage| {
        wanted.then(|| encode_png(&image()).map(Picture::png)).transpose()
    };
    let mask = picture(include.mask, &|| found.mask.to_grey().into())?;
    let overlay = picture(include.overlay, &|| model.overlay(&found).into())?;
    let probabilities =
        picture(include.probabilities, &|| probability_picture(&found.probabilities).into())?;
    let encode = clock() - start;
    let stages = found.timings;
    let total = stages.decode + stages.preprocess + stages.inference + stages.postprocess + encode;
    Ok(Report {
        model: model.spec().into(),
        image: ImageFacts {
            width: found.mask.width,
            height: found.mask.height,
            spacing_mm: found.spacing_mm,
            modality: found.modality,
            window: found.window,
        },
        hemorrhage: Finding {
            detected: found.detected,
            probability: found.probability,
            threshold: found.threshold,
            subtypes: subtypes(model.spec(), &found.subtype_probabilities),
        },
        lesions: found.lesions,
        mask,
        overlay,
        probabilities,
        warnings: found.warnings,
        timings_ms: Timings { stages, encode, total },
        disclaimer: DISCLAIMER,
        request_id: None,
    })
}

/// 8-bit grey, 255 is probability 1.
fn probability_picture(plane: &Plane) -> GrayImage {
    GrayImage::from_fn(plane.width as u32, plane.height as u32, |x, y| {
        let value = plane.samples[y as usize * plane.width + x as usize];
        image::Luma([(value * 255.0).round() as u8])
    })
}

fn subtypes(spec: &ModelSpec, probabilities: &[f32]) -> Vec<SubtypeFinding> {
    let classes = spec.outputs.slice.iter().flat_map(|s| s.classes.iter().skip(1));
    classes
        .zip(probabilities)
        .map(|(class, &probability)| SubtypeFinding {
            code: class.code.clone(),
            name: class.name.clone(),
            probability,
            experimental: class.experimental,
        })
        .collect()
}

impl Picture {
    fn png(bytes: Vec<u8>) -> Self {
        Self {
            media_type: "image/png",
            base64: base64::engine::general_purpose::STANDARD.encode(bytes),
        }
    }
}
