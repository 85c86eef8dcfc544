//! Binary masks in the geometry of their image.

use crate::error::{Error, Result};
use crate::slice::Plane;
use image::{GrayImage, ImageFormat};

/// A binary mask, row-major, one `bool` a pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// Columns, px.
    pub width: usize,
    /// Rows, px.
    pub height: usize,
    /// Row by row; `true` is hemorrhage.
    pub pixels: Vec<bool>,
}

impl Mask {
    /// An all-false mask.
    pub fn empty(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![false; width * height] }
    }

    /// Pixels at or above `threshold`.
    pub fn from_plane(plane: &Plane, threshold: f32) -> Self {
        Self {
            width: plane.width,
            height: plane.height,
            pixels: plane.samples.iter().map(|&p| p >= threshold).collect(),
        }
    }

    /// Binarises a grey mask image with Otsu's threshold (Otsu 1979), as lossy mask files
    /// are not exactly 0 and 255. An image of one value has no foreground.
    pub fn from_grey_otsu(grey: &GrayImage) -> Self {
        let first = grey.as_raw().first().copied();
        let uniform = grey.as_raw().iter().all(|&v| Some(v) == first);
        let level = imageproc::contrast::otsu_level(grey);
        Self {
            width: grey.width() as usize,
            height: grey.height() as usize,
            pixels: grey.as_raw().iter().map(|&v| !uniform && v > level).collect(),
        }
    }

    /// Number of `true` pixels.
    pub fn area_px(&self) -> usize {
        self.pixels.iter().filter(|&&p| p).count()
    }

    /// The mask as 1.0 and 0.0.
    pub fn to_plane(&self) -> Plane {
        Plane {
            width: self.width,
            height: self.height,
            samples: self.pixels.iter().map(|&p| f32::from(u8::from(p))).collect(),
        }
    }

    /// The mask as an 8-bit image of 0 and 255.
    pub fn to_grey(&self) -> GrayImage {
        let (width, height) = (self.width as u32, self.height as u32);
        GrayImage::from_fn(width, height, |x, y| {
            let inside = self.pixels[y as usize * self.width + x as usize];
            image::Luma([if inside { 255 } else { 0 }])
        })
    }
}

/// Encodes an image as PNG.
///
/// # Errors
/// [`Error::Undecodable`] if the encoder refuses, which only a size of zero can cause.
pub fn encode_png(image: &image::DynamicImage) -> Result<Vec<u8>> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|_| Error::Undecodable("the result could not be encoded as PNG".into()))?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn otsu_separates_a_lossy_mask() {
        let grey = GrayImage::from_raw(4, 1, vec![3, 0, 250, 255]).unwrap();
        assert_eq!(Mask::from_grey_otsu(&grey).pixels, [false, false, true, true]);
    }

    #[test]
    fn otsu_of_a_uniform_image_is_empty() {
        for value in [0, 255] {
            let grey = GrayImage::from_pixel(5, 5, image::Luma([value]));
            assert_eq!(Mask::from_grey_otsu(&grey).area_px(), 0);
        }
    }
}
