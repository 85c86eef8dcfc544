//! Pictures inside the JSON answer.

use crate::error::Result;
use crate::mask::{Mask, encode_png};
use crate::slice::{CtSlice, Intensity, Plane};
use base64::Engine as _;
use image::{DynamicImage, GrayImage, ImageBuffer, Luma, RgbImage};
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
    /// The samples of the slice itself.
    pub samples: bool,
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
        samples: false,
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
    /// The samples of the slice itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<Samples>,
}

/// A picture inside JSON.
#[derive(Debug, Serialize)]
pub struct Picture {
    /// `image/png`.
    pub media_type: &'static str,
    /// Its bytes.
    pub base64: String,
}

/// The samples of a slice inside JSON: a value is `stored * scale + offset`, in `unit`.
#[derive(Debug, Serialize)]
pub struct Samples {
    /// 16-bit grey PNG of Hounsfield units, 8-bit of a picture's grey levels.
    #[serde(flatten)]
    pub picture: Picture,
    /// `HU`, or `grey` from 0 (black) to 255 for what came windowed.
    pub unit: &'static str,
    /// Units between neighbouring stored values.
    pub scale: i32,
    /// The value that 0 stands for.
    pub offset: i32,
}

impl Pictures {
    /// Draws and encodes those that `include` asks for, of `slice` and its `mask`.
    pub(super) fn draw(
        include: Include,
        slice: &CtSlice,
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
            samples: include.samples.then(|| Samples::of(slice)).transpose()?,
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

/// Lowest value of a signed 16-bit integer, which 0 stands for in an unsigned one.
const LOWEST_HU: f32 = i16::MIN as f32;

impl Samples {
    /// Hounsfield units rounded to whole ones, grey levels to 8 bit.
    fn of(slice: &CtSlice) -> Result<Self> {
        let Plane { width, height, samples } = &slice.plane.expand();
        let at = |x: u32, y: u32| samples[y as usize * width + x as usize];
        let (width, height) = (*width as u32, *height as u32);
        let (image, unit, offset): (DynamicImage, _, _) = match slice.intensity {
            Intensity::Hounsfield => {
                // A cast saturates, so what lies outside of 16 bit becomes its nearest value.
                let stored = |x, y| Luma([(at(x, y).round() - LOWEST_HU) as u16]);
                (ImageBuffer::from_fn(width, height, stored).into(), "HU", i32::from(i16::MIN))
            }
            Intensity::Display => {
                let stored = |x, y| Luma([(at(x, y) * 255.0).round() as u8]);
                (GrayImage::from_fn(width, height, stored).into(), "grey", 0)
            }
        };
        Ok(Self { picture: encode_png(&image).map(Picture::png)?, unit, scale: 1, offset })
    }
}

/// 8-bit grey, 255 is probability 1.
pub(super) fn probability_picture(plane: &Plane) -> GrayImage {
    GrayImage::from_fn(plane.width as u32, plane.height as u32, |x, y| {
        let value = plane.samples[y as usize * plane.width + x as usize];
        image::Luma([(value * 255.0).round() as u8])
    })
}
