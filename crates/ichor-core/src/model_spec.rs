//! `model.json`: the one contract between training and serving.

mod chain;
mod rules;
#[cfg(test)]
mod tests;
mod verdicts;

pub use chain::{LIKELY, SeriesChain};
pub use verdicts::{Verdict, VerdictBands};

use crate::engine::{IoSpec, SliceOutput as SliceLogits};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// What a model is, what it needs and what it answers.
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
    /// Steps from slice to tensor, in order.
    pub preprocessing: Vec<Step>,
    /// From probabilities to mask.
    pub postprocessing: Postprocessing,
    /// From the slice logit to a probability.
    pub calibration: Calibration,
    /// How the slices of a series inform each other; without, each stands alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<SeriesChain>,
    /// Which calibrated probabilities count as likely and as unlikely; a model may leave them out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdicts: Option<VerdictBands>,
    /// Figures by data set, as the training wrote them.
    pub metrics: serde_json::Value,
    /// Data, licences and split of the training.
    pub training: serde_json::Value,
    /// Licence of the weights.
    pub license: String,
    /// What the model is for.
    pub intended_use: String,
    /// What it is not for.
    pub out_of_scope: String,
}

/// A class of the mask.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MaskClass {
    /// Short code.
    pub code: String,
    /// Name for people.
    pub name: String,
    /// `#RRGGBB`, safe for the colour-blind.
    pub color: String,
}

/// A class of the slice head.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SliceClass {
    /// `any`, `EDH`, `SDH`, `SAH`, `IPH` or `IVH`.
    pub code: String,
    /// Name for people.
    pub name: String,
    /// Whether its measured interval includes chance.
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
    /// What the first class' logit takes from the mask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strongest_cell: Option<StrongestCell>,
}

/// What a slice takes from its mask: `weight` times the highest mean logit of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrongestCell {
    /// Side of the square cells that tile the network's grid, px.
    pub side_px: usize,
    /// Its weight.
    pub weight: f32,
}

/// One preprocessing step; `preprocess` applies them in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Hounsfield units to [0, 1]; 8-bit images count as already windowed.
    Window {
        /// Centre, HU.
        center_hu: f32,
        /// Width, HU.
        width_hu: f32,
    },
    /// Square box round the largest bright component.
    CropToHead {
        /// Grey level in [0, 1] above which a pixel may belong to the head.
        threshold: f32,
        /// Margin as a fraction of the box side.
        margin: f32,
    },
    /// Bilinear resize with antialiasing.
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
        /// Tiles a side.
        tiles: usize,
    },
    /// Linear stretch between two percentiles.
    ContrastStretch {
        /// Percentile that becomes 0.
        low_percentile: f32,
        /// Percentile that becomes 1.
        high_percentile: f32,
    },
    /// Changes nothing, but has the mask end where the skull does. After `resize`.
    FindSkull {
        /// Grey level in [0, 1] from which a pixel may be bone.
        bone: f32,
    },
    /// `(x - mean) / std`.
    Normalize {
        /// Mean of the training images.
        mean: f32,
        /// Standard deviation of the training images.
        std: f32,
    },
    /// Repeats the plane into channels, NCHW.
    Reshape {
        /// Number of channels.
        channels: usize,
    },
}

/// How probabilities become a mask.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postprocessing {
    /// Pixels at or above it are hemorrhage.
    pub threshold: f32,
    /// Below this probability of `any`, the mask is emptied.
    #[serde(default)]
    pub slice_threshold: Option<f32>,
    /// Components smaller than this, counted on the network's grid, are dropped.
    pub min_lesion_px: usize,
}

/// Platt scaling of the slice logit (Platt 1999).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Calibration {
    /// `platt`.
    pub method: String,
    /// Multiplies the logit.
    pub slope: f32,
    /// Added to the logit.
    pub intercept: f32,
}

impl Calibration {
    /// Calibrated probability of a logit.
    pub fn probability(&self, logit: f32) -> f32 {
        sigmoid(self.slope * logit + self.intercept)
    }
}

/// The logistic function.
pub fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

impl ModelSpec {
    /// Parses and checks a `model.json`.
    ///
    /// # Errors
    /// [`Error::Model`] naming the field that is wrong.
    pub fn from_json(label: &str, json: &[u8]) -> Result<Self> {
        let fail = |reason: String| Error::Model { model: label.into(), reason };
        let spec: Self = serde_json::from_slice(json)
            .map_err(|e| fail(format!("model.json is not valid: {e}")))?;
        rules::check(&spec).map_err(fail)?;
        Ok(spec)
    }

    /// Names and shapes of the network's tensors.
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

    /// Classes of the slice head after `any`: the hemorrhage types.
    pub fn subtypes(&self) -> impl Iterator<Item = &SliceClass> {
        self.outputs.slice.iter().flat_map(|slice| slice.classes.iter().skip(1))
    }
}
