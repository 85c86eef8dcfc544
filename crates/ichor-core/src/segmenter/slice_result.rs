//! The result of one slice.

use crate::assess::{Assessment, GrayScale};
use crate::geometry::CropBox;
use crate::lesion::LesionType;
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
    /// Assessment of the slice; that of the series is derived from all slices.
    pub assessment: Assessment,
    /// Calibrated probability of any hemorrhage on the slice; in a series smoothed by the series chain, where
    /// the model has one. `None` where the slice could not be interpreted.
    pub probability: Option<f32>,
    /// The same before smoothing.
    pub probability_alone: Option<f32>,
    /// Log-odds of hemorrhage that the series chain takes as its input; `None` for models without a chain.
    pub evidence: Option<f32>,
    /// Whether the types of the slice follow from those of its lesions; otherwise the network gives them.
    pub has_lesion_types: bool,
    /// Probabilities of the slice classes after `any`, in the order of the spec.
    pub subtype_probabilities: Vec<f32>,
    /// The threshold used.
    pub threshold: f32,
    /// In a series: the lower threshold at which the mask was found, where there is none at `threshold`.
    pub fallback_threshold: Option<f32>,
    /// How probabilities become the mask at another threshold.
    pub readout: Readout,
    /// The probabilities as an 8-bit grey PNG, 255 for 1, where requested.
    pub probability_png: Option<Vec<u8>>,
    /// Warnings of the slice.
    pub warnings: Vec<Warning>,
    /// Whether the pixel size is plausible, so that lengths and areas can be given.
    pub is_measurable: bool,
    /// Areas of the mask at 1.5 times and at half the odds of the threshold, px; `None` without spacing or lesions.
    pub area_interval_px: Option<[usize; 2]>,
    /// Area of the skull and what it encloses, px of the image; `None` where no skull was found.
    pub skull_area_px: Option<f64>,
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

    /// Derives the probability of each type from the lesions: that of hemorrhage on the slice, times that of at least one
    /// lesion of the type. Without lesions it is 0. There is no probability where hemorrhage cannot be excluded, or where the
    /// type of a lesion is not known.
    pub(super) fn derive_types(&mut self) {
        if !self.has_lesion_types || self.subtype_probabilities.is_empty() {
            return;
        }
        let is_unknown = self.detected.is_none() && self.lesions.is_empty()
            || self.lesions.iter().any(|lesion| lesion.lesion_type.is_none());
        match self.probability {
            Some(any) if !is_unknown => {
                let types = self.lesions.iter().filter_map(|lesion| lesion.lesion_type.as_ref());
                for (class, probability) in self.subtype_probabilities.iter_mut().enumerate() {
                    let of_lesion = |of: &LesionType| of.all().get(class).copied().unwrap_or(0.0);
                    let none = types.clone().map(|of| 1.0 - of_lesion(of)).product::<f32>();
                    *probability = any * (1.0 - none);
                }
            }
            _ => self.subtype_probabilities.clear(),
        }
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
    /// The result of a slice with hemorrhage but without lesions, for tests to change.
    pub(super) fn sample(gray_scale: GrayScale) -> Self {
        Self {
            lesions: Vec::new(),
            detected: Some(true),
            gray_scale,
            assessment: Assessment::new(gray_scale),
            probability: Some(0.5),
            probability_alone: Some(0.5),
            evidence: None,
            has_lesion_types: false,
            subtype_probabilities: Vec::new(),
            threshold: 0.5,
            fallback_threshold: None,
            readout: Readout { open: true, min_lesion_px: 0.0 },
            probability_png: None,
            warnings: Vec::new(),
            is_measurable: true,
            area_interval_px: None,
            skull_area_px: None,
            timings: StageTimings::default(),
        }
    }
}

/// The parameters of the mask beside the threshold. With them, the mask at another threshold can be computed
/// from the probabilities.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Readout {
    /// Whether the slice's probability is at or above the cut-off; otherwise the mask is empty at every
    /// threshold.
    pub open: bool,
    /// Smallest region that counts, px of the image.
    pub min_lesion_px: f64,
}

/// Time by stage, ms.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct StageTimings {
    /// Decoding of bytes to samples.
    pub decode: f64,
    /// Preprocessing of samples to the input tensor.
    pub preprocess: f64,
    /// Inference: tensor to logits.
    pub inference: f64,
    /// Postprocessing of logits to mask and lesions.
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
