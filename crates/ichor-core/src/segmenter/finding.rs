//! What is said of one slice.

use crate::assess::{Assessment, GrayScale};
use crate::geometry::CropBox;
use crate::mask::Mask;
use crate::postprocess::{Lesion, LogitMap};
use crate::series::Series;
use crate::slice::Warning;
use crate::window::WindowLevel;

/// What was found on one slice, in the geometry of the input, with what it was read from.
#[derive(Debug, Clone)]
pub struct Segmentation {
    /// What is said of the slice.
    pub finding: SliceFinding,
    /// The mask.
    pub mask: Mask,
    /// What the network says of each pixel, before small components are dropped.
    pub map: LogitMap,
    /// The window that the slice is shown with; `None` for pictures, which come windowed.
    pub window: Option<WindowLevel>,
    /// The part of the slice that the network saw.
    pub crop: CropBox,
    /// Row and column spacing, mm.
    pub spacing_mm: Option<[f32; 2]>,
    /// DICOM modality.
    pub modality: Option<String>,
}

/// What is said of one slice, alone or in a series.
#[derive(Debug, Clone)]
pub struct SliceFinding {
    /// Regions of the mask, largest first; `volume_ml` is known in a series only, and is the part
    /// of the volume in this slice.
    pub lesions: Vec<Lesion>,
    /// Whether the mask holds anything; `None` where that cannot be said, for the reason in a warning.
    pub detected: Option<bool>,
    /// How the grey values were read.
    pub gray_scale: GrayScale,
    /// What was learnt of the slice before the network saw it, for the assessment of its series.
    pub assessment: Assessment,
    /// Calibrated probability of any hemorrhage on the slice; in a series it counts the neighbours, where
    /// the model has a chain. `None` where the slice could not be interpreted.
    pub probability: Option<f32>,
    /// The same by this slice alone.
    pub probability_alone: Option<f32>,
    /// What the slice tells its neighbours in a series; `None` where the model knows of none.
    pub evidence: Option<f32>,
    /// Probabilities of the slice classes after `any`, in the order of the spec.
    pub subtype_probabilities: Vec<f32>,
    /// The threshold used.
    pub threshold: f32,
    /// In a series the lower threshold at which the mask was found, where there is none at the other.
    pub fallback_threshold: Option<f32>,
    /// How probabilities become the mask at another threshold.
    pub readout: Readout,
    /// Cautions.
    pub warnings: Vec<Warning>,
    /// Whether lengths and areas can be believed where the file gives a spacing.
    pub is_measurable: bool,
    /// How long each stage took, ms.
    pub timings: StageTimings,
}

impl SliceFinding {
    /// Outlines nothing any more; what could not be said before still cannot.
    pub(super) fn clear_lesions(&mut self) {
        self.lesions.clear();
        self.fallback_threshold = None;
        self.detected = self.detected.map(|_| false);
    }

    /// Area of `area_px` pixels of the slice, mm²; `None` where the spacing is unknown or not believed.
    pub fn area_mm2(&self, area_px: usize, spacing_mm: Option<[f32; 2]>) -> Option<f32> {
        let spacing_mm = spacing_mm.filter(|_| self.is_measurable);
        spacing_mm.map(|[row, column]| area_px as f32 * row * column)
    }

    /// The threshold that the mask was made at.
    pub fn mask_threshold(&self) -> f32 {
        self.fallback_threshold.unwrap_or(self.threshold)
    }
}

#[cfg(test)]
impl SliceFinding {
    /// A slice of a bleeding head, without lesions of its own: what tests change to their case.
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
            warnings: Vec::new(),
            is_measurable: true,
            timings: StageTimings::default(),
        }
    }
}

/// Who decides whether a slice keeps its mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// The slice, which is all that there is.
    Own,
    /// The series, once all its slices are known ([`super::Segmenter::join`]); until then the slice
    /// shows whatever its pixels say. Of models without a [`crate::model_spec::SeriesChain`], as `Own`.
    Series,
}

impl Gate {
    /// Who decides on the slices of a series: the series, if they are of one head.
    pub fn of(series: &Series) -> Self {
        if series.is_one_head { Self::Series } else { Self::Own }
    }
}

/// What else than the threshold decides on the mask of a slice; with it, a mask for another
/// threshold follows from the probabilities.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Readout {
    /// Whether the slice's probability lets a mask through; without, it is empty at every threshold.
    pub open: bool,
    /// Smallest region that counts, px of the image.
    pub min_lesion_px: f64,
}

/// Milliseconds by stage.
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
