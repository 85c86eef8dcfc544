//! Input assessment: how the grey values of a slice are to be read, by rules and without a network.

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
    /// A picture in a window that the models were made for; its grey values go to the network as they are.
    WindowKnown,
    /// A picture in another window, which was estimated from the grey values.
    WindowEstimated(WindowLevel),
    /// The grey values cannot be interpreted, or the content is no axial CT of a head.
    Unreadable,
}

impl GrayScale {
    /// Name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hounsfield => "hounsfield",
            Self::WindowKnown => "window_known",
            Self::WindowEstimated(_) => "window_estimated",
            Self::Unreadable => "unreadable",
        }
    }

    /// The estimated window, where there is one.
    pub fn estimated_window(self) -> Option<WindowLevel> {
        match self {
            Self::WindowEstimated(window) => Some(window),
            _ => None,
        }
    }
}

/// What was learnt of one slice before the network sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// How its grey values are read.
    pub gray_scale: GrayScale,
    /// Why it is unreadable, or what was assumed.
    pub warnings: Vec<Warning>,
    /// Where the head lies, where one was recognized.
    pub head: Option<HeadBox>,
    /// What a slice of Hounsfield units says of the scale of its series.
    evidence: Option<Evidence>,
    /// Longer side of the skull, mm, where one with brain inside was found.
    across_mm: Option<f32>,
}

/// A rectangle round a head, px; `x`, `y` are the first column and row. It is as exact as a cell of the
/// assessment's grid, which has at most 128 cells per side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadBox {
    /// First column.
    pub x: usize,
    /// First row.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Assessment {
    /// A slice that is read as `gray_scale` says, without warnings.
    pub fn new(gray_scale: GrayScale) -> Self {
        Self { gray_scale, warnings: Vec::new(), head: None, evidence: None, across_mm: None }
    }

    /// A slice that cannot be interpreted, and why.
    pub fn unreadable(warning: Warning) -> Self {
        Self { warnings: vec![warning], ..Self::new(GrayScale::Unreadable) }
    }

    /// Whether the slice cannot be interpreted.
    pub fn is_unreadable(&self) -> bool {
        self.warnings.iter().any(|warning| warning.doubt == Some(Doubt::Unreadable))
    }
}

/// Assesses a slice by itself; `plane` holds its samples.
pub fn assess(slice: &CtSlice, plane: &Plane) -> Assessment {
    match slice.intensity {
        Intensity::Hounsfield => assess_hounsfield(slice, plane),
        Intensity::Display => picture::assess_picture(plane),
    }
}

/// Assesses the slices of a series of Hounsfield units together: a vertex slice with little brain says nothing
/// against its head, and a shifted scale is shifted on every slice. Pictures keep their own assessments.
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

/// The slices' warnings that leave nothing in doubt, each kind once.
fn notes(slices: &[&Assessment]) -> Vec<Warning> {
    let mut notes: Vec<Warning> = Vec::new();
    for warning in slices.iter().flat_map(|slice| &slice.warnings) {
        if warning.doubt.is_none() && notes.iter().all(|note| note.code != warning.code) {
            notes.push(warning.clone());
        }
    }
    notes
}

/// Greys below this are taken for cut off by the window, which mostly is air.
const CUT_OFF_GREY: f32 = 2.5 / 255.0;

/// Hounsfield units of a picture's grey in its window. What the window cuts off at black becomes air: where a
/// window begins at 0 HU, its black would otherwise be as bright as water.
pub fn to_hounsfield(window: WindowLevel, grey: f32) -> f32 {
    let below = (1.0 - grey / CUT_OFF_GREY).max(0.0);
    window.to_hu(grey) - 1000.0 * below
}
