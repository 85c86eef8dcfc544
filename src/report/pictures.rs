//! Pictures inside the JSON answer.

use crate::error::Result;
use crate::mask::{Mask, encode_png};
use crate::slice::Plane;
use base64::Engine as _;
use image::{DynamicImage, GrayImage, RgbImage};
use serde::{Deserialize, Serialize};

/// Which pictures the answer carries.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Include {
    /// The mask PNG.
    pub mask: bool,
    /// The overlay PNG.
    pub overlay: bool,
    /// The probability PNG.
    pub probabilities: bool,
    /// Contours of the lesions.
    pub contours: bool,
    /// The pictures of every slice of a series, not of its key slice only.
    pub every_slice: bool,
}

impl Include {
    /// Neither pictures nor contours.
    pub const NOTHING: Self = Self {
        mask: false,
        overlay: false,
        probabilities: false,
        contours: false,
        every_slice: false,
    };
}

impl Default for Include {
    fn default() -> Self {
        Self { mask: true, overlay: true, contours: true, ..Self::NOTHING }
    }
}

/// The pictures of one slice, in the input's size.
#[derive(Debug, Serialize)]
pub struct Pictures {
    /// 8-bit grey PNG of 0 and 255.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<Picture>,
    /// RGB PNG.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlay: Option<Picture>,
    /// 8-bit grey PNG, 255 is probability 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<Picture>,
}

/// A picture inside JSON.
#[derive(Debug, Serialize)]
pub struct Picture {
    /// `image/png`.
    pub media_type: &'static str,
    /// Its bytes.
    pub base64: String,
}

impl Pictures {
    /// Draws and encodes those that `include` asks for.
    pub(super) fn draw(
        include: Include,
        mask: &Mask,
        overlay: impl FnOnce() -> RgbImage,
        probabilities: impl FnOnce() -> Result<GrayImage>,
    ) -> Result<Self> {
        let picture = |image: DynamicImage| encode_png(&image).map(Picture::png);
        Ok(Self {
            mask: include.mask.then(|| picture(mask.to_grey().into())).transpose()?,
            overlay: include.overlay.then(|| picture(overlay().into())).transpose()?,
            probabilities: include
                .probabilities
                .then(|| picture(probabilities()?.into()))
                .transpose()?,
        })
    }
}

impl Picture {
    fn png(bytes: Vec<u8>) -> Self {
        Self {
            media_type: "image/png",
            base64: base64::engine::general_purpose::STANDARD.encode(bytes),
        }
    }
}

/// 8-bit grey, 255 is probability 1.
pub(super) fn probability_picture(plane: &Plane) -> GrayImage {
    GrayImage::from_fn(plane.width as u32, plane.height as u32, |x, y| {
        let value = plane.samples[y as usize * plane.width + x as usize];
        image::Luma([(value * 255.0).round() as u8])
    })
}
