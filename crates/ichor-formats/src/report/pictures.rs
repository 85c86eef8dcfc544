//! Pictures inside the JSON report.

use crate::error::Result;
use crate::mask::Mask;
use crate::overlay::grey;
use crate::png::encode_png;
use crate::slice::{CtSlice, Intensity};
use base64::Engine as _;
use image::{DynamicImage, GrayImage, ImageBuffer};
use serde::{Deserialize, Serialize};

/// What the report contains beside its values: pictures, texts for readers, patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Include {
    /// The mask PNG.
    pub mask: bool,
    /// The overlay PNG.
    pub overlay: bool,
    /// The probability PNG, of an analysis that was requested with
    /// [`crate::segmenter::SegmentRequest::probabilities`].
    pub probabilities: bool,
    /// The samples of the slice itself.
    pub samples: bool,
    /// The pictures of every slice of a series, not of its key slice only.
    pub every_slice: bool,
    /// The finding as a paragraph ([`crate::summary::report_text`]), in each language.
    #[serde(default)]
    pub text: bool,
    /// Causes to consider ([`crate::summary::Patterns`]); they are part of a report unless they are switched off.
    #[serde(default = "is_on")]
    pub patterns: bool,
}

/// The value of a field that is left out.
fn is_on() -> bool {
    true
}

impl Include {
    /// Nothing.
    pub const NOTHING: Self = Self {
        mask: false,
        overlay: false,
        probabilities: false,
        samples: false,
        every_slice: false,
        text: false,
        patterns: false,
    };
}

impl Default for Include {
    fn default() -> Self {
        Self { mask: true, overlay: true, patterns: true, ..Self::NOTHING }
    }
}

/// The pictures of one slice, in the input's size.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Pictures {
    /// 8-bit grey PNG of 0 and 255.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<Picture>,
    /// 8-bit PNG: grey, and RGB where hemorrhage is drawn on it.
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
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Picture {
    /// `image/png`.
    pub media_type: &'static str,
    /// The file, base64 with padding.
    pub base64: String,
}

/// The samples of a slice inside JSON: a value is `stored * scale + offset`, in `unit`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Samples {
    /// 16-bit grey PNG of Hounsfield units, or 8-bit grey PNG of a picture's grey levels.
    #[serde(flatten)]
    pub picture: Picture,
    /// `HU`, or `grey` from 0 (black) to 255 for a picture, which comes windowed.
    pub unit: &'static str,
    /// Units between neighbouring stored values.
    pub scale: i32,
    /// The value that 0 stands for.
    pub offset: i32,
}

impl Pictures {
    /// Draws and encodes the pictures of `slice` and its `mask` that `include` requests.
    pub(super) fn draw(
        include: Include,
        slice: &CtSlice,
        mask: impl FnOnce() -> Mask,
        overlay: impl FnOnce(&Mask) -> DynamicImage,
        probability_png: Option<&[u8]>,
    ) -> Result<Self> {
        let picture = |image: DynamicImage| encode_png(&image).map(Picture::png);
        let mask = (include.mask || include.overlay).then(mask);
        let overlay = mask.as_ref().filter(|_| include.overlay).map(overlay);
        let mask = mask.filter(|_| include.mask).map(|mask| mask.into_grey().into());
        Ok(Self {
            mask: mask.map(picture).transpose()?,
            overlay: overlay.map(picture).transpose()?,
            probabilities: probability_png.filter(|_| include.probabilities).map(Picture::png),
            samples: include.samples.then(|| Samples::of(slice)).transpose()?,
        })
    }
}

impl Picture {
    fn png(bytes: impl AsRef<[u8]>) -> Self {
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
        let plane = &slice.plane;
        let (width, height) = (plane.width as u32, plane.height as u32);
        // The buffers have width x height samples, so that `from_raw` does not fail.
        let (image, unit, offset): (DynamicImage, _, _) = match slice.intensity {
            Intensity::Hounsfield => {
                // A cast saturates, so what lies outside of 16 bit becomes its nearest value.
                let stored = plane.map(|hu| (hu.round() - LOWEST_HU) as u16);
                let image = ImageBuffer::from_raw(width, height, stored).unwrap_or_default();
                (DynamicImage::ImageLuma16(image), "HU", i32::from(i16::MIN))
            }
            Intensity::Display => {
                let image = GrayImage::from_raw(width, height, plane.levels(grey));
                (image.unwrap_or_default().into(), "grey", 0)
            }
        };
        Ok(Self { picture: encode_png(&image).map(Picture::png)?, unit, scale: 1, offset })
    }
}
