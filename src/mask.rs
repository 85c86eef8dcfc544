//! Binary masks in the geometry of their image.

use crate::error::{Error, Result};
use crate::slice::Plane;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, GrayImage};

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
        let pixels = self.pixels.iter().map(|&inside| if inside { 255 } else { 0 }).collect();
        let (width, height) = (self.width as u32, self.height as u32);
        // The buffer has the size that the image asks for.
        GrayImage::from_raw(width, height, pixels).unwrap_or_default()
    }
}

impl Mask {
    /// The mask at a bit a pixel.
    pub fn pack(&self) -> PackedMask {
        let mut bits = vec![0_u8; self.pixels.len().div_ceil(8)];
        for (index, _) in self.pixels.iter().enumerate().filter(|(_, inside)| **inside) {
            bits[index / 8] |= 1 << (index % 8);
        }
        PackedMask { width: self.width, height: self.height, bits }
    }
}

/// A mask at a bit a pixel, as whole series keep theirs: 512 of 512 px a side take 16 MiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedMask {
    /// Columns, px.
    pub width: usize,
    /// Rows, px.
    pub height: usize,
    /// Pixels row by row, the first in the lowest bit; bits behind the last pixel are 0.
    bits: Vec<u8>,
}

impl PackedMask {
    /// The mask at a `bool` a pixel.
    pub fn unpack(&self) -> Mask {
        let pixels = (0..self.width * self.height).map(|pixel| self.contains(pixel)).collect();
        Mask { width: self.width, height: self.height, pixels }
    }

    /// Whether a pixel, counted row by row, is hemorrhage.
    pub fn contains(&self, pixel: usize) -> bool {
        self.bits[pixel / 8] >> (pixel % 8) & 1 == 1
    }

    /// Number of `true` pixels.
    pub fn area_px(&self) -> usize {
        self.bits.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    /// Whether no pixel is hemorrhage.
    pub fn is_empty(&self) -> bool {
        self.bits.iter().all(|byte| *byte == 0)
    }
}

/// Encodes an image as PNG.
///
/// # Errors
/// [`Error::Undecodable`] if the encoder refuses, which only a size of zero can cause.
pub fn encode_png(image: &DynamicImage) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // Where levels follow each other smoothly one filter packs as well as the best of five tried on
    // each row; a mask packs best as it is.
    let filter = match image {
        DynamicImage::ImageLuma8(grey) if grey.iter().all(|v| matches!(v, 0 | 255)) => {
            FilterType::NoFilter
        }
        _ => FilterType::Paeth,
    };
    image
        .write_with_encoder(PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, filter))
        .map_err(|_| Error::Undecodable("the result could not be encoded as PNG".into()))?;
    Ok(bytes)
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
    fn packing_keeps_every_pixel() {
        for (width, height) in [(1, 1), (3, 3), (8, 2), (5, 13)] {
            let pixels: Vec<bool> = (0..width * height).map(|i| i * 7 % 3 == 1).collect();
            let mask = Mask { width, height, pixels };
            let packed = mask.pack();
            assert_eq!((packed.unpack(), packed.area_px()), (mask.clone(), mask.area_px()));
            assert_eq!(packed.is_empty(), mask.area_px() == 0);
        }
    }

    #[test]
    fn otsu_of_a_uniform_image_is_empty() {
        for value in [0, 255] {
            let grey = GrayImage::from_pixel(5, 5, image::Luma([value]));
            assert_eq!(Mask::from_grey_otsu(&grey).area_px(), 0);
        }
    }
}
