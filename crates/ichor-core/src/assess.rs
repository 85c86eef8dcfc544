//! Input assessment: how the grey values of a slice relate to Hounsfield units, by rules and without a network.
//!
//! The rules and their figures: `docs/assessment.md`.

mod bits;
mod cells;
mod hounsfield;
#[cfg(test)]
mod phantom;
mod picture;
mod size;
mod structure;
#[cfg(test)]
mod tests;
mod window;

use crate::slice::{CtSlice, Doubt, Intensity, Plane, Warning};
use crate::window::WindowLevel;
use hounsfield::{Evidence, assess_hounsfield, judge};

pub use size::volume_warning;

/// How grey values relate to Hounsfield units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GrayScale {
    /// The samples are Hounsfield units.
    Hounsfield,
    /// A picture in a window that the models were trained on. Its grey values are used as they are.
    WindowKnown,
    /// A picture in another window, which was estimated from its grey values.
    WindowEstimated(WindowLevel),
    /// The grey values cannot be interpreted, or the image is not an axial CT of a head.
    Unreadable,
}

impl GrayScale {
    /// Its name in reports: the value of `image.gray_scale`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hounsfield => "hounsfield",
            Self::WindowKnown => "window_known",
            Self::WindowEstimated(_) => "window_estimated",
            Self::Unreadable => "unreadable",
        }
    }

    /// The estimated window; `None` where none was estimated.
    pub fn estimated_window(self) -> Option<WindowLevel> {
        match self {
            Self::WindowEstimated(window) => Some(window),
            _ => None,
        }
    }
}

/// The result of the assessment of one slice, or of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// How its grey values relate to Hounsfield units.
    pub gray_scale: GrayScale,
    /// Why it is unreadable, or what was assumed.
    pub warnings: Vec<Warning>,
    /// The place of the head; `None` where none was recognized.
    pub head: Option<HeadBox>,
    /// Evidence of this slice for or against Hounsfield units in its series; `None` for a picture.
    evidence: Option<Evidence>,
    /// Longer side of the skull, mm; `None` without spacing or without a skull that encloses brain.
    skull_mm: Option<f32>,
}

/// A rectangle around a head. Its sides are multiples of a cell of the assessment's grid, which has at most 128 cells
/// per side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadBox {
    /// First column, px.
    pub x: usize,
    /// First row, px.
    pub y: usize,
    /// Columns, px.
    pub width: usize,
    /// Rows, px.
    pub height: usize,
}

impl Assessment {
    /// An assessment without warnings.
    pub fn new(gray_scale: GrayScale) -> Self {
        Self { gray_scale, warnings: Vec::new(), head: None, evidence: None, skull_mm: None }
    }

    /// The assessment of a slice that cannot be interpreted, for the reason that `warning` gives.
    pub fn unreadable(warning: Warning) -> Self {
        Self { warnings: vec![warning], ..Self::new(GrayScale::Unreadable) }
    }

    /// Whether the slice cannot be interpreted.
    pub fn is_unreadable(&self) -> bool {
        self.warnings.iter().any(|warning| warning.doubt == Some(Doubt::Unreadable))
    }
}

/// Assesses a slice by itself. `plane` holds its samples, HU or grey values in [0, 1].
pub fn assess(slice: &CtSlice, plane: &Plane) -> Assessment {
    match slice.intensity {
        Intensity::Hounsfield => assess_hounsfield(slice, plane),
        Intensity::Display => picture::assess_picture(plane),
    }
}

/// Assesses the slices of a series together.
///
/// Where all are in Hounsfield units, the series is judged as a whole: a vertex slice without brain does not make it
/// unreadable, and a shifted scale is shifted on every slice. For pictures, returns the assessment of the first slice
/// that can be read, or of the first.
pub fn assess_series(slices: &[&Assessment]) -> Assessment {
    let evidence: Vec<Evidence> = slices.iter().filter_map(|slice| slice.evidence).collect();
    if evidence.len() == slices.len() && !evidence.is_empty() {
        return match judge(&evidence) {
            Some(fault) => Assessment::unreadable(fault.warning()),
            None => Assessment {
                warnings: notes(slices).into_iter().chain(size::series_warning(slices)).collect(),
                ..Assessment::new(GrayScale::Hounsfield)
            },
        };
    }
    let readable = |assessment: &&&Assessment| !assessment.is_unreadable();
    match slices.iter().find(readable).or(slices.first()) {
        Some(assessment) => (*assessment).clone(),
        None => Assessment::new(GrayScale::Unreadable),
    }
}

/// The warnings of the slices that leave nothing in doubt, each code once.
fn notes(slices: &[&Assessment]) -> Vec<Warning> {
    let mut notes: Vec<Warning> = Vec::new();
    for warning in slices.iter().flat_map(|slice| &slice.warnings) {
        if warning.doubt.is_none() && notes.iter().all(|note| note.code != warning.code) {
            notes.push(warning.clone());
        }
    }
    notes
}

/// Grey values below this lie under the lower end of the window, and are mostly air.
const CLIPPED_GREY: f32 = 2.5 / 255.0;

/// Converts a grey value in [0, 1] of a picture to Hounsfield units by its window. Black becomes air, -1000 HU below the
/// lower end of the window: in a window that begins at 0 HU it would otherwise be as bright as water.
#[inline]
pub fn to_hounsfield(window: WindowLevel, grey: f32) -> f32 {
    let below = (1.0 - grey / CLIPPED_GREY).max(0.0);
    window.to_hu(grey) - 1000.0 * below
}
