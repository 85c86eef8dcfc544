//! `model.json`: the one contract between training and serving.

mod chain;
#[cfg(test)]
mod lesion_type_tests;
mod rules;
#[cfg(test)]
mod tests;
mod verdicts;

pub use chain::{MIN_FALLBACK_PROBABILITY, SeriesChain};
pub use verdicts::{Verdict, VerdictBands};

use crate::engine::{IoSpec, SliceOutput as SliceLogits};
use crate::error::{Error, Result};
use crate::lesion::LesionTypes;
use serde::{Deserialize, Serialize};

/// A parsed and checked `model.json`: the network's input and outputs, and every step before and after it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// Version of this contract; 1.
    pub schema: u32,
    /// Folder name and API name.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Semantic version of the weights.
    pub version: String,
    /// File name of the network beside this file.
    pub file: String,
    /// Lower-case hex SHA-256 of the network file.
    pub sha256: String,
    /// One line on the network.
    pub architecture: String,
    /// `segmentation`.
    pub task: String,
    /// DICOM modalities the model was made for.
    pub modalities: Vec<String>,
    /// Mask classes; one here.
    pub classes: Vec<MaskClass>,
    /// The network's input.
    pub input: TensorSpec,
    /// The network's outputs.
    pub outputs: Outputs,
    /// Steps from slice to tensor, in the order in which they are applied.
    pub preprocessing: Vec<Step>,
    /// How probabilities become a mask.
    pub postprocessing: Postprocessing,
    /// How the slice logit becomes a probability.
    pub calibration: Calibration,
    /// The series chain; without it each slice of a series is judged by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<SeriesChain>,
    /// Which calibrated probabilities count as likely and as unlikely; a model may leave them out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdicts: Option<VerdictBands>,
    /// How the type of a lesion is computed from its features; a model may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lesion_types: Option<LesionTypes>,
    /// Accuracy by data set, as the training wrote it.
    pub metrics: serde_json::Value,
    /// Data, licences and split of the training.
    pub training: serde_json::Value,
    /// Licence of the weights.
    pub license: String,
    /// What the model is for.
    pub intended_use: String,
    /// What the model is not for.
    pub out_of_scope: String,
}

/// A class of the mask.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct MaskClass {
    /// Short code.
    pub code: String,
    /// Name for people.
    pub name: String,
    /// Colour of the overlay, `#RRGGBB`; distinct for colour-blind readers.
    pub color: String,
}

/// A class of the slice head.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct SliceClass {
    /// `any`, `EDH`, `SDH`, `SAH`, `IPH` or `IVH`.
    pub code: String,
    /// Name for people.
    pub name: String,
    /// Whether the confidence interval of its measured accuracy includes chance.
    pub experimental: bool,
}

/// Name and shape of the input tensor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TensorSpec {
    /// Tensor name in the network.
    pub name: String,
    /// `[1, channels, height, width]`.
    pub shape: [usize; 4],
    /// `NCHW`.
    pub layout: String,
}

/// The outputs of the network.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outputs {
    /// Logits of the mask, `[1, 1, height, width]`.
    pub mask: OutputSpec,
    /// Logits of the slice classes, `[1, classes]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<SliceOutput>,
}

/// One output by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutputSpec {
    /// Tensor name in the network.
    pub name: String,
    /// `sigmoid`.
    pub activation: String,
}

/// The slice head.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SliceOutput {
    /// Tensor name in the network.
    pub name: String,
    /// `sigmoid`.
    pub activation: String,
    /// The classes, the first being `any`.
    pub classes: Vec<SliceClass>,
    /// How the highest cell of the mask corrects the logit of the first class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strongest_cell: Option<StrongestCell>,
}

/// A term of a slice's evidence: `weight` times the highest mean mask logit of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrongestCell {
    /// Side of the square cells that tile the network's grid, px.
    pub side_px: usize,
    /// Factor of the cell's mean logit.
    pub weight: f32,
}

/// One preprocessing step, applied by [`crate::preprocess::preprocess`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Maps Hounsfield units to [0, 1]. Pictures are taken as already windowed.
    Window {
        /// Centre, HU.
        center_hu: f32,
        /// Width, HU.
        width_hu: f32,
    },
    /// Crops to a square around the largest bright component.
    CropToHead {
        /// Grey level in (0, 1) from which a pixel may belong to the head.
        threshold: f32,
        /// Margin on each side, as a fraction of the component's longer side, 0 to 1.
        margin: f32,
    },
    /// Resizes bilinearly, with antialiasing where the result is smaller.
    Resize {
        /// Columns, px.
        width: usize,
        /// Rows, px.
        height: usize,
    },
    /// Global histogram equalisation.
    HistogramEqualization {},
    /// Contrast limited adaptive histogram equalisation (Zuiderveld 1994).
    Clahe {
        /// Clip limit as a multiple of the mean bin height.
        clip_limit: f32,
        /// Tiles per side, 1 to 64.
        tiles: usize,
    },
    /// Stretches linearly between two percentiles of the samples.
    ContrastStretch {
        /// Percentile that becomes 0, at least 0.
        low_percentile: f32,
        /// Percentile that becomes 1, at most 100.
        high_percentile: f32,
    },
    /// Finds the skull, outside of which no mask is drawn. Leaves the samples as they are. After `resize`.
    FindSkull {
        /// Grey level in (0, 1) from which a pixel may be bone.
        bone: f32,
    },
    /// `(x - mean) / std`.
    Normalize {
        /// Mean of the training images.
        mean: f32,
        /// Standard deviation of the training images.
        std: f32,
    },
    /// Repeats the plane once per channel, NCHW.
    Reshape {
        /// Number of channels.
        channels: usize,
    },
}

/// How probabilities become a mask.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Postprocessing {
    /// Probability in (0, 1) from which a pixel enters the mask.
    pub threshold: f32,
    /// Cut-off of the slice: below this uncalibrated probability of `any`, 0 to 1, the mask is emptied.
    #[serde(default)]
    pub slice_threshold: Option<f32>,
    /// Area of the smallest lesion that is kept, pixels of the network's grid.
    pub min_lesion_px: usize,
}

/// Platt scaling of the slice logit (Platt 1999, *Probabilistic outputs for support vector machines*).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Calibration {
    /// `platt`.
    pub method: String,
    /// Factor of the logit.
    pub slope: f32,
    /// Added to the scaled logit.
    pub intercept: f32,
}

impl Calibration {
    /// The calibrated probability, 0 to 1, of a logit.
    #[inline]
    pub fn probability(&self, logit: f32) -> f32 {
        sigmoid(self.slope * logit + self.intercept)
    }
}

/// The logistic function: a logit to a probability, 0 to 1.
#[inline]
pub fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

impl ModelSpec {
    /// Parses and checks a `model.json`; `label` names the model in errors.
    ///
    /// # Errors
    /// [`Error::Model`] naming the field that is wrong, its value and what it must be.
    pub fn from_json(label: &str, json: &[u8]) -> Result<Self> {
        let fail = |reason: String| Error::Model { model: label.into(), reason };
        let mut spec: Self = serde_json::from_slice(json)
            .map_err(|e| fail(format!("model.json is not valid: {e}")))?;
        rules::check(&spec).map_err(fail)?;
        if let (Some(types), Some(slice)) = (&spec.lesion_types, &mut spec.outputs.slice) {
            // The types of a slice follow from its lesions, and so does whether they are recognized.
            let classes = slice.classes.iter_mut().skip(1).zip(&types.classes);
            classes.for_each(|(class, of_lesion)| class.experimental = !of_lesion.assessed);
        }
        Ok(spec)
    }

    /// Names and shapes of the network's tensors, as the engine needs them.
    pub fn io(&self) -> IoSpec {
        let slice = self.outputs.slice.as_ref();
        IoSpec {
            input: self.input.name.clone(),
            input_shape: self.input.shape,
            mask: self.outputs.mask.name.clone(),
            slice: slice
                .map(|slice| SliceLogits { name: slice.name.clone(), len: slice.classes.len() }),
        }
    }

    /// The hemorrhage types that the slice head knows: its classes after `any`.
    pub fn subtypes(&self) -> impl Iterator<Item = &SliceClass> {
        self.outputs.slice.iter().flat_map(|slice| slice.classes.iter().skip(1))
    }
}
