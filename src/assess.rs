//! Input assessment: how the grey values of a slice are to be read, by rules and without a network.

use crate::slice::{CtSlice, Doubt, Intensity, Plane, Warning};
use crate::window::WindowLevel;

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
}

impl Assessment {
    /// A slice that cannot be interpreted, and why.
    pub fn unreadable(warning: Warning) -> Self {
        Self { gray_scale: GrayScale::Unreadable, warnings: vec![warning] }
    }

    /// Whether the slice cannot be interpreted.
    pub fn is_unreadable(&self) -> bool {
        self.warnings.iter().any(|warning| warning.doubt == Some(Doubt::Unreadable))
    }
}

/// Assesses a slice by itself; `plane` holds its samples.
pub fn assess(slice: &CtSlice, plane: &Plane) -> Assessment {
    let _ = plane;
    let gray_scale = match slice.intensity {
        Intensity::Hounsfield => GrayScale::Hounsfield,
        Intensity::Display => GrayScale::WindowKnown,
    };
    Assessment { gray_scale, warnings: Vec::new() }
}

/// Assesses the slices of a series of Hounsfield units together: a vertex slice with little brain says nothing
/// against its head, and a shifted scale is shifted on every slice. Pictures keep their own assessments.
pub fn assess_series(slices: &[&Assessment]) -> Assessment {
    let readable = |assessment: &&&Assessment| !assessment.is_unreadable();
    match slices.iter().find(readable).or(slices.first()) {
        Some(assessment) => (*assessment).clone(),
        None => Assessment { gray_scale: GrayScale::Unreadable, warnings: Vec::new() },
    }
}
