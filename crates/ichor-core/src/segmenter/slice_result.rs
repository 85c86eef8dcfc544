//! The result of one slice.

use crate::assess::{Assessment, GrayScale};
use crate::geometry::CropBox;
use crate::mask::Mask;
use crate::postprocess::{Lesion, LogitMap};
use crate::slice::Warning;

/// One segmented slice, in the geometry of the input.
#[derive(Debug, Clone)]
pub struct SegmentedSlice {
    /// The result.
    pub result: SliceResult,
    /// The mask.
    pub mask: Mask,
    /// The network's output for each pixel, before small components are dropped.
    pub map: LogitMap,
    /// The part of the slice that was the network's input.
    pub crop: CropBox,
}

/// The result of one slice, alone or in a series.
#[derive(Debug, Clone)]
pub struct SliceResult {
    /// Regions of the mask, largest first. `volume_ml` is the part of the total volume.
    pub lesions: Vec<Lesion>,
    /// Whether the mask holds a lesion; `None` where that is unknown, for the reason in a warning.
    pub detected: Option<bool>,
    /// How the grey values were read.
    pub gray_scale: GrayScale,
    /// Assessment of the input, which the assessment of the series is made of.
    pub assessment: Assessment,
    /// Calibrated probability of any hemorrhage on the slice; in a series smoothed by the series chain, where
    /// the model has one. `None` where the slice could not be interpreted.
    pub probability: Option<f32>,
    /// The same before smoothing.
    pub probability_alone: Option<f32>,
    /// Log-odds of hemorrhage that the series chain takes as its input; `None` for models without a chain.
    pub evidence: Option<f32>,
    /// Probabilities of the slice classes after `any`, in the order of the spec.
    pub subtype_probabilities: Vec<f32>,
    /// The threshold used.
    pub threshold: f32,
    /// In a series: the lower threshold at which the mask was found, where there is none at `threshold`.
    pub fallback_threshold: Option<f32>,
    /// How probabilities become the mask at another threshold.
    pub readout: Readout,
    /// The probabilities as an 8-bit grey PNG, 255 for 1, where asked for.
    pub probability_png: Option<Vec<u8>>,
    /// Warnings.
    pub warnings: Vec<Warning>,
    /// Whether the pixel size is plausible, so that lengths and areas can be given.
    pub is_measurable: bool,
    /// Time of each stage, ms.
    pub timings: StageTimings,
}

impl SliceResult {
    /// Removes all lesions. `detected` becomes `false`, unless it is unknown.
    pub(super) fn clear_lesions(&mut self) {
        self.lesions.clear();
        self.fallback_threshold = None;
        self.detected = self.detected.map(|_| false);
    }

    /// Area of `area_px` pixels of the slice, mm²; `None` where the spacing is unknown or implausible.
    pub fn area_mm2(&self, area_px: usize, spacing_mm: Option<[f32; 2]>) -> Option<f32> {
        let spacing_mm = spacing_mm.filter(|_| self.is_measurable);
        spacing_mm.map(|[row, column]| area_px as f32 * row * column)
    }

    /// The threshold that the mask was made with.
    pub fn mask_threshold(&self) -> f32 {
        self.fallback_threshold.unwrap_or(self.threshold)
    }
}

#[cfg(test)]
impl SliceResult {
    /// A slice of a bleeding head without lesions of its own, for tests to change.
    pub(super) fn sample(gray_scale: GrayScale) -> Self {
        Self {
            lesions: Vec::new(),
            detected: Some(true),
            gray_scale,
            assessment: Assessment::new(gray_scale),
            probability: Some(0.5),
            probability_alone: Some(0.5),
            evidence: None,
            subtype_probabilities: Vec::new(),
            threshold: 0.5,
            fallback_threshold: None,
            readout: Readout { open: true, min_lesion_px: 0.0 },
            probability_png: None,
            warnings: Vec::new(),
            is_measurable: true,
            timings: StageTimings::default(),
        }
    }
}

/// What decides on the mask of a slice beside the threshold. With it, the mask at another threshold follows
/// from the probabilities.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Readout {
    /// Whether the slice's probability is at or above the cut-off; otherwise the mask is empty at every
    /// threshold.
    pub open: bool,
    /// Smallest region that counts, px of the image.
    pub min_lesion_px: f64,
}

/// Time by stage, ms.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub struct StageTimings {
    /// Bytes to samples.
    pub decode: f64,
    /// Samples to tensor.
    pub preprocess: f64,
    /// Tensor to logits.
    pub inference: f64,
    /// Logits to mask and lesions.
    pub postprocess: f64,
}

impl std::ops::Add for StageTimings {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            decode: self.decode + other.decode,
            preprocess: self.preprocess + other.preprocess,
            inference: self.inference + other.inference,
            postprocess: self.postprocess + other.postprocess,
        }
    }
}
