//! Parameters of a segmentation.

use crate::error::{Error, Result};
use crate::series::{Series, SeriesRequest};
use crate::window::WindowLevel;
use serde::{Deserialize, Serialize};

/// Parameters of a segmentation.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct SegmentRequest {
    /// Replaces the model's own threshold, in (0, 1).
    pub threshold: Option<f32>,
    /// Whether lesions carry their contours.
    pub contours: bool,
    /// Whether slices carry their probabilities as a picture.
    #[serde(default)]
    pub probabilities: bool,
    /// Window of the overlay in place of the model's input window; the result stays the same.
    pub window: Option<WindowLevel>,
    /// Whether several pictures are slices of one head.
    #[serde(default)]
    pub as_series: bool,
    /// Which of several series to segment, by its number in the warning that lists them, from 1.
    #[serde(default)]
    pub series: Option<u32>,
    /// What decides on the mask of a picture that is the only slice of its input.
    #[serde(skip)]
    pub gate: MaskGate,
}

impl SegmentRequest {
    /// The part that concerns the choice of the series.
    pub fn series_request(&self) -> SeriesRequest {
        SeriesRequest { series: self.series, as_series: self.as_series }
    }

    /// Checks the values, before any work is done.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a threshold outside (0, 1).
    pub fn check(&self) -> Result<()> {
        if self.threshold.is_none_or(|threshold| threshold > 0.0 && threshold < 1.0) {
            return Ok(());
        }
        Err(Error::InvalidParameter(
            "threshold must lie between 0 and 1, both excluded; leave it out for the model's own"
                .into(),
        ))
    }
}

/// What decides whether a slice keeps its mask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MaskGate {
    /// The slice's own probability.
    #[default]
    PerSlice,
    /// The series chain, once the probabilities of all slices are known ([`super::Segmenter::smooth_series`]).
    /// Until then the mask is that of the pixels alone. For models without a
    /// [`crate::model_spec::SeriesChain`] the same as `PerSlice`.
    Deferred,
}

impl MaskGate {
    /// The gate for the slices of a series: deferred if they are of one head.
    pub fn of_series(series: &Series) -> Self {
        if series.is_one_head { Self::Deferred } else { Self::PerSlice }
    }
}
