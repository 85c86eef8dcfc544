//! From a [`CtSlice`] to the network's input tensor, by the steps of a [`ModelSpec`].
//!
//! Training has no implementation of its own: it reads tensors that `ichor prepare` wrote with this one.

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

/// The network's input tensor for one slice, and the crop that maps its output back to the slice.
#[derive(Debug, Clone)]
pub struct NetworkInput {
    /// NCHW samples, `1 * channels * height * width`.
    pub tensor: Vec<f32>,
    /// `[1, channels, height, width]`.
    pub shape: [usize; 4],
    /// How the slice was turned to the network's orientation. Every other field refers to the turned image.
    pub turn: Turn,
    /// The part of the turned image that the tensor shows.
    pub crop: CropBox,
    /// Whether a crop step found no head, so that the whole image was used.
    pub head_missing: bool,
    /// Pixels of the tensor's grid in which a hemorrhage may be outlined: bone and what it encloses. `None` without a
    /// `find_skull` step.
    pub within: Option<Mask>,
    /// The state of the skull on the slice. `None` without a `find_skull` step.
    pub skull: Option<Skull>,
    /// How the grey values were read.
    pub assessment: Assessment,
}

/// Applies the steps of `spec` to `slice`.
///
/// # Errors
/// [`ichor_image::Error::Unprocessable`] if the slice has no pixels, [`Error::Model`] if the steps do not
/// end in the declared input shape.
pub fn preprocess(slice: &CtSlice, spec: &ModelSpec) -> Result<NetworkInput> {
    let mut plane = slice.plane.expand();
    let assessment = assess(slice, &plane);
    let turn = Turn::to_standard_orientation(slice);
    plane = turn.plane(plane);
    let mut crop = CropBox::whole(&plane);
    let mut channels = 1;
    let mut head_missing = false;
    let mut within: Option<Mask> = None;
    let mut skull = None;
    let mut picture = BoundingBox::whole(plane.width, plane.height);
    // The crop is deferred to the next step. That is usually a resize, which reads the crop without a copy.
    let mut is_crop_pending = false;
    for step in &spec.preprocessing {
        if is_crop_pending && !matches!(step, Step::Resize { .. }) {
            plane = crop.cut(&plane);
            is_crop_pending = false;
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
                let visible = crop.visible_part(picture, plane.width);
                let cranium = cranium::find_cranium(&plane, bone, visible);
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
                is_crop_pending = true;
                plane
            }
            // Without a crop step the image is padded to a square, which keeps its proportions.
            Step::Resize { width, height } if is_crop_pending || plane.width != plane.height => {
                is_crop_pending = false;
                crop.cut_and_resize(&plane, width, height)?
            }
            Step::Resize { width, height } => resize(&plane, width, height)?,
            Step::HistogramEqualization {} => contrast::equalize_histogram(&plane),
            Step::Clahe { clip_limit, tiles } => contrast::clahe(&plane, clip_limit, tiles),
            Step::ContrastStretch { low_percentile, high_percentile } => {
                contrast::stretch(plane, low_percentile, high_percentile)
            }
            Step::Normalize { mean, std } => plane.map(|v| (v - mean) / std),
            Step::Reshape { channels: count } => {
                channels = count;
                plane
            }
        };
    }
    if is_crop_pending {
        plane = crop.cut(&plane);
    }
    let shape = [1, channels, plane.height, plane.width];
    let has_other_size = |mask: &Mask| (mask.width, mask.height) != (plane.width, plane.height);
    if shape != spec.input.shape || within.as_ref().is_some_and(has_other_size) {
        return Err(Error::Model {
            model: spec.name.clone(),
            reason: "model.json: the preprocessing steps do not end in input.shape. Put crop_to_head before \
                     resize, and find_skull after it"
                .into(),
        });
    }
    let tensor = match channels {
        1 => plane.samples,
        _ => plane.samples.repeat(channels),
    };
    Ok(NetworkInput { tensor, shape, turn, crop, head_missing, within, skull, assessment })
}
