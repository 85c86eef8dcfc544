//! [`CtSlice`] to network tensor, by the steps of a [`ModelSpec`].
//!
//! This is the only implementation: training reads tensors that `ichor prepare` wrote with it.

mod contrast;
mod cranium;

pub use cranium::{SKULL_NOT_FOUND, Skull};

use crate::assess::{Assessment, GrayScale, assess, to_hounsfield};
use crate::components::BoundingBox;
use crate::error::{Error, Result};
use crate::geometry::{CropBox, Turn, remove_surround, resize};
use crate::mask::Mask;
use crate::model_spec::{ModelSpec, Step};
use crate::slice::{CtSlice, Intensity};
use crate::window::WindowLevel;

/// What the network eats, and how its answer finds the way back.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// NCHW samples, `1 * channels * height * width`.
    pub tensor: Vec<f32>,
    /// `[1, channels, height, width]`.
    pub shape: [usize; 4],
    /// What brought the slice to the network's orientation; everything here is in that orientation.
    pub turn: Turn,
    /// The part of the turned image that the tensor shows.
    pub crop: CropBox,
    /// Whether a crop step was asked for and found no head; the whole image was taken.
    pub head_missing: bool,
    /// On the grid of the tensor, where a hemorrhage may be outlined: bone and what it encloses; `None` where that
    /// was not asked for.
    pub within: Option<Mask>,
    /// What was seen of the skull; `None` where that was not asked for.
    pub skull: Option<Skull>,
    /// How the grey values were read.
    pub assessment: Assessment,
}

/// Applies the steps of `spec` to `slice`.
///
/// # Errors
/// [`ichor_image::Error::Unprocessable`] if the slice has no pixels, [`Error::Model`] if the steps do not
/// end in the declared input shape.
pub fn preprocess(slice: &CtSlice, spec: &ModelSpec) -> Result<Prepared> {
    let mut plane = slice.plane.expand();
    let assessment = assess(slice, &plane);
    let turn = Turn::to_left_and_back(slice);
    plane = turn.plane(plane);
    let mut crop = CropBox::whole(&plane);
    let mut channels = 1;
    let mut head_missing = false;
    let mut within: Option<Mask> = None;
    let mut skull = None;
    let mut picture = BoundingBox::whole(plane.width, plane.height);
    // A crop waits for the step after it, which as a rule resizes and needs no copy.
    let mut uncut = false;
    for step in &spec.preprocessing {
        if uncut && !matches!(step, Step::Resize { .. }) {
            plane = crop.cut(&plane);
            uncut = false;
        }
        plane = match *step {
            Step::Window { center_hu, width_hu } => {
                let window = WindowLevel { center_hu, width_hu };
                match (slice.intensity, assessment.gray_scale) {
                    (Intensity::Hounsfield, _) => window.show(plane),
                    (_, GrayScale::WindowEstimated(estimated)) => {
                        plane.map(|grey| window.apply(to_hounsfield(estimated, grey)))
                    }
                    _ => plane,
                }
            }
            Step::FindSkull { bone } => {
                let shown = crop.shown(picture, plane.width);
                let cranium = cranium::cranium(&plane, bone, shown);
                within = Some(cranium.within);
                skull = Some(cranium.skull);
                plane
            }
            Step::CropToHead { threshold, margin } => {
                let mut plane = plane;
                picture = remove_surround(&mut plane, threshold).unwrap_or(picture);
                let head = CropBox::head(&plane, picture, threshold, margin);
                head_missing = head.is_none();
                crop = head.unwrap_or(crop);
                uncut = true;
                plane
            }
            // Without a crop step the whole image is made square, so that proportions are kept.
            Step::Resize { width, height } if uncut || plane.width != plane.height => {
                uncut = false;
                crop.cut_to(&plane, width, height)?
            }
            Step::Resize { width, height } => resize(&plane, width, height)?,
            Step::HistogramEqualization {} => contrast::equalize_histogram(&plane),
            Step::Clahe { clip_limit, tiles } => contrast::clahe(&plane, clip_limit, tiles),
            Step::ContrastStretch { low_percentile, high_percentile } => {
                contrast::stretch(plane, low_percentile, high_percentile)
            }
            Step::Normalize { mean, std } => plane.map(|v| (v - mean) / std),
            Step::Reshape { channels: wanted } => {
                channels = wanted;
                plane
            }
        };
    }
    if uncut {
        plane = crop.cut(&plane);
    }
    let shape = [1, channels, plane.height, plane.width];
    let misplaced = |mask: &Mask| (mask.width, mask.height) != (plane.width, plane.height);
    if shape != spec.input.shape || within.as_ref().is_some_and(misplaced) {
        return Err(Error::Model {
            model: spec.name.clone(),
            reason: "the preprocessing does not end in input.shape, or seeks the skull before it"
                .into(),
        });
    }
    let tensor = match channels {
        1 => plane.samples,
        _ => plane.samples.repeat(channels),
    };
    Ok(Prepared { tensor, shape, turn, crop, head_missing, within, skull, assessment })
}
