//! What a reader reports of a lesion beside its size: features that describe it, and its type.
//!
//! Everything is measured on the network's grid, where every head has about the same size, also in pictures without a
//! pixel size. The features and the fitted types: `docs/lesions.md`.

mod density;
mod features;
mod frame;
mod grid;
mod inside;
mod location;
#[cfg(test)]
mod phantom;
mod region;
#[cfg(test)]
mod tests;
mod types;

pub use density::Density;
pub use features::{FEATURES, Features, MeasuredLesion};
pub use frame::Frame;
pub use grid::GridLesions;
pub use inside::Inside;
pub use location::{Depth, Location, Side, SliceLocation};
pub use region::Region;
pub use types::{FeatureScale, LesionClass, LesionType, LesionTypes, TYPES, TypeProbability};

pub(crate) use density::DensitySums;
pub(crate) use location::LocatedPart;
pub(crate) use region::HeadHeight;

use crate::model_spec::{ModelSpec, Step};
use crate::preprocess::NetworkInput;

/// Measures the lesions of one slice, in the order of their labels in `lesions`. `None` where the inside of the skull was not
/// found, which leaves every feature without a unit.
pub fn measure_lesions(
    input: &NetworkInput,
    spec: &ModelSpec,
    lesions: &GridLesions,
) -> Option<Vec<MeasuredLesion>> {
    let within = input.within.as_ref()?;
    let grey = GreyScale::from_spec(spec)?;
    let inside = Inside::find(&input.tensor, within, grey.bone, lesions)?;
    let image_px = input.crop.side as f64 / lesions.width.max(1) as f64;
    Some(features::measure(&input.tensor, grey, &inside, lesions, image_px))
}

/// How the samples of the network's input relate to grey levels of the model's window, 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GreyScale {
    /// Grey level of a sample of 0.
    mean: f32,
    /// Grey levels per unit of a sample.
    std: f32,
    /// Grey level from which a pixel may be bone.
    level: f32,
    /// The same as a sample.
    bone: f32,
}

impl GreyScale {
    /// `None` for a model that does not look for the skull, or that changes the contrast.
    pub(crate) fn from_spec(spec: &ModelSpec) -> Option<Self> {
        let (mut mean, mut std, mut level) = (0.0, 1.0, None);
        for step in &spec.preprocessing {
            match *step {
                Step::FindSkull { bone } => level = Some(bone),
                Step::Normalize { mean: m, std: s } => (mean, std) = (m, s),
                Step::HistogramEqualization {}
                | Step::Clahe { .. }
                | Step::ContrastStretch { .. } => return None,
                _ => {}
            }
        }
        level.map(|level| Self { mean, std, level, bone: (level - mean) / std })
    }

    /// The grey level of a sample, up to that of bone.
    fn grey(self, sample: f32) -> f32 {
        (sample * self.std + self.mean).min(self.level)
    }
}
