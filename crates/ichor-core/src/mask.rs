//! Binary masks on the pixels of their image.

use crate::components::Run;
use crate::slice::Plane;
use image::GrayImage;

/// A binary mask, row-major, one `bool` per pixel.
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
    /// A mask without hemorrhage.
    pub fn empty(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![false; width * height] }
    }

    /// The pixels whose samples are at or above `threshold`.
    pub fn from_plane(plane: &Plane, threshold: f32) -> Self {
        Self {
            width: plane.width,
            height: plane.height,
            pixels: plane.samples.iter().map(|&p| p >= threshold).collect(),
        }
    }

    /// Binarizes a grey mask image with Otsu's threshold (Otsu 1979, *A threshold selection method from gray-level
    /// histograms*), as lossy files do not hold exactly 0 and 255. An image of one value gives an empty mask.
    pub fn from_grey_otsu(grey: &GrayImage) -> Self {
        let first = grey.as_raw().first().copied();
        let is_uniform = grey.as_raw().iter().all(|&v| Some(v) == first);
        let level = imageproc::contrast::otsu_level(grey);
        Self {
            width: grey.width() as usize,
            height: grey.height() as usize,
            pixels: grey.as_raw().iter().map(|&v| !is_uniform && v > level).collect(),
        }
    }

    /// Number of hemorrhage pixels.
    pub fn area_px(&self) -> usize {
        self.pixels.iter().filter(|&&p| p).count()
    }

    /// Dilation: every pixel that has one of the mask within `reach` rows and columns.
    pub fn dilate(&self, reach: usize) -> Self {
        let mut dilated = Self::empty(self.width, self.height);
        let mut rows = vec![false; self.pixels.len()];
        for run in crate::components::runs(self) {
            let (start, end) = (run.start.saturating_sub(reach), (run.end + reach).min(self.width));
            rows[run.row * self.width..][start..end].fill(true);
        }
        for row in 0..self.height {
            let target = &mut dilated.pixels[row * self.width..][..self.width];
            for near in row.saturating_sub(reach)..(row + reach + 1).min(self.height) {
                let from = &rows[near * self.width..][..self.width];
                target.iter_mut().zip(from).for_each(|(to, &from)| *to |= from);
            }
        }
        dilated
    }

    /// Whether no pixel is hemorrhage.
    pub fn is_empty(&self) -> bool {
        // A fold without an early exit compiles to vector instructions.
        !self.pixels.iter().fold(false, |any, &inside| any | inside)
    }

    /// The mask as samples of 1.0 and 0.0.
    pub fn to_plane(&self) -> Plane {
        Plane {
            width: self.width,
            height: self.height,
            samples: self.pixels.iter().map(|&p| f32::from(u8::from(p))).collect(),
        }
    }

    /// The mask as an 8-bit image of 0 and 255.
    pub fn into_grey(self) -> GrayImage {
        // Of elements of one size, `collect` uses the memory of the mask again.
        let pixels = self.pixels.into_iter().map(|inside| if inside { 255 } else { 0 }).collect();
        let (width, height) = (self.width as u32, self.height as u32);
        // The buffer has one byte per pixel, so that `from_raw` cannot fail.
        GrayImage::from_raw(width, height, pixels).unwrap_or_default()
    }
}

impl Mask {
    /// The mask with one bit per pixel.
    pub fn pack(&self) -> PackedMask {
        let (eights, rest) = self.pixels.as_chunks::<8>();
        let mut bits = Vec::with_capacity(self.pixels.len().div_ceil(8));
        bits.extend(eights.iter().map(|eight| {
            // The product moves the lowest bit of each byte into its highest byte, in order.
            let bytes = u64::from_le_bytes(eight.map(u8::from));
            (bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
        }));
        if !rest.is_empty() {
            let last = rest.iter().enumerate().map(|(place, &inside)| u8::from(inside) << place);
            bits.push(last.sum());
        }
        PackedMask { width: self.width, height: self.height, bits }
    }
}

/// A mask with one bit per pixel, as series store them: 512 masks of 512 x 512 px take 16 MiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedMask {
    /// Columns, px.
    pub width: usize,
    /// Rows, px.
    pub height: usize,
    /// Pixels row by row, the first in the lowest bit. Bits after the last pixel are 0.
    bits: Vec<u8>,
}

impl PackedMask {
    /// The mask with one `bool` per pixel.
    pub fn unpack(&self) -> Mask {
        let mut mask = Mask::empty(self.width, self.height);
        for (eight, &bits) in mask.pixels.chunks_mut(8).zip(&self.bits).filter(|(_, b)| **b != 0) {
            eight.iter_mut().enumerate().for_each(|(at, inside)| *inside = bits >> at & 1 == 1);
        }
        mask
    }

    /// The runs of its pixels, in reading order.
    pub(crate) fn runs(&self) -> impl Iterator<Item = Run> + '_ {
        let (width, mut from) = (self.width, 0);
        std::iter::from_fn(move || {
            let start = self.find_from(from, true)?;
            let row = start / width;
            let row_end = (row + 1) * width;
            let end = self.find_from(start, false).unwrap_or(row_end).min(row_end);
            from = end;
            Some(Run { row, start: start - row * width, end: end - row * width })
        })
    }

    /// The row-major index of the first pixel at or after `from` that has this value.
    fn find_from(&self, from: usize, value: bool) -> Option<usize> {
        let count = self.width * self.height;
        let other = if value { 0 } else { u8::MAX };
        let mut at = from;
        while at < count {
            // Bytes without the value are skipped as a whole.
            if at.is_multiple_of(8) && self.bits[at / 8] == other {
                at += 8;
            } else if self.contains(at) == value {
                return Some(at);
            } else {
                at += 1;
            }
        }
        None
    }

    /// Whether the pixel at this row-major index is hemorrhage.
    ///
    /// # Panics
    /// For an index beyond the last pixel.
    #[inline]
    pub fn contains(&self, pixel: usize) -> bool {
        self.bits[pixel / 8] >> (pixel % 8) & 1 == 1
    }

    /// Number of hemorrhage pixels.
    pub fn area_px(&self) -> usize {
        self.bits.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    /// Whether no pixel is hemorrhage.
    pub fn is_empty(&self) -> bool {
        self.bits.iter().all(|byte| *byte == 0)
    }
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
    fn packing_preserves_every_pixel() {
        for (width, height) in [(1, 1), (3, 3), (8, 2), (5, 13)] {
            let pixels: Vec<bool> = (0..width * height).map(|i| i * 7 % 3 == 1).collect();
            let mask = Mask { width, height, pixels };
            let packed = mask.pack();
            assert_eq!((packed.unpack(), packed.area_px()), (mask.clone(), mask.area_px()));
            assert_eq!(packed.is_empty(), mask.area_px() == 0);
            assert!(packed.runs().eq(crate::components::runs(&mask)), "{width} x {height}");
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
