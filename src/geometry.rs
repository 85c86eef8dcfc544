//! The square crop that the network sees, and the way back.

use crate::components::{BoundingBox, label_components};
use crate::error::{Error, Result};
use crate::mask::Mask;
use crate::slice::Plane;
use fast_image_resize as fir;
use fir::images::{TypedImage, TypedImageRef};
use fir::pixels::F32;

/// A square region of the source image; it may reach beyond the edges, where it is black.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CropBox {
    /// First column; may be negative.
    pub x: i64,
    /// First row; may be negative.
    pub y: i64,
    /// Columns and rows, px.
    pub side: usize,
}

/// A head smaller than this part of the image is taken for noise.
const SMALLEST_HEAD: f64 = 0.02;

impl CropBox {
    /// The smallest centred square that holds the whole image.
    pub fn whole(plane: &Plane) -> Self {
        Self::around(BoundingBox { x: 0, y: 0, width: plane.width, height: plane.height }, 0.0)
    }

    /// The square round the largest component brighter than `threshold`, plus `margin` of
    /// its side; `None` where nothing is large enough to be a head.
    pub fn head(plane: &Plane, threshold: f32, margin: f32) -> Option<Self> {
        let bright = Mask::from_plane(plane, threshold);
        let smallest = SMALLEST_HEAD * plane.samples.len() as f64;
        let found = label_components(&bright).found;
        let head = found.first().filter(|c| c.area_px as f64 >= smallest)?;
        Some(Self::around(head.bbox, margin))
    }

    fn around(bbox: BoundingBox, margin: f32) -> Self {
        let longest = bbox.width.max(bbox.height);
        let side = (longest as f32 * (1.0 + 2.0 * margin)).round() as usize;
        let start =
            |first: usize, len: usize| first as i64 + (len as i64 - side as i64).div_euclid(2);
        Self { x: start(bbox.x, bbox.width), y: start(bbox.y, bbox.height), side }
    }

    /// Cuts the box out of `source`; outside the image the result is 0.
    pub fn cut(self, source: &Plane) -> Plane {
        let mut out = Plane::filled(self.side, self.side, 0.0);
        self.for_each_row(source.width, source.height, |row| {
            out.samples[row.inside..row.inside + row.len]
                .copy_from_slice(&source.samples[row.outside..row.outside + row.len]);
        });
        out
    }

    /// Puts a plane of the box's size back into an image of `width` x `height`, 0 elsewhere.
    pub fn paste(self, part: &Plane, width: usize, height: usize) -> Plane {
        let mut out = Plane::filled(width, height, 0.0);
        self.for_each_row(width, height, |row| {
            out.samples[row.outside..row.outside + row.len]
                .copy_from_slice(&part.samples[row.inside..row.inside + row.len]);
        });
        out
    }

    fn for_each_row(self, width: usize, height: usize, mut f: impl FnMut(Row)) {
        let side = self.side as i64;
        let (x0, x1) = (self.x.max(0), (self.x + side).min(width as i64));
        let (y0, y1) = (self.y.max(0), (self.y + side).min(height as i64));
        for y in y0..y1 {
            f(Row {
                inside: ((y - self.y) * side + x0 - self.x) as usize,
                outside: y as usize * width + x0 as usize,
                len: (x1 - x0).max(0) as usize,
            });
        }
    }
}

/// One row that box and image share: offsets into each, and its length.
struct Row {
    inside: usize,
    outside: usize,
    len: usize,
}

/// Bilinear resize, antialiased when shrinking (triangle filter scaled by the ratio).
///
/// # Errors
/// [`Error::Unprocessable`] for a plane without pixels.
pub fn resize(source: &Plane, width: usize, height: usize) -> Result<Plane> {
    if (source.width, source.height) == (width, height) {
        return Ok(source.clone());
    }
    let mut samples = vec![0.0_f32; width * height];
    let empty = || Error::Unprocessable("The image has no pixels to resize.".into());
    let from = TypedImageRef::<F32>::new(
        source.width as u32,
        source.height as u32,
        bytemuck::cast_slice(&source.samples),
    );
    let to = TypedImage::<F32>::from_pixels_slice(
        width as u32,
        height as u32,
        bytemuck::cast_slice_mut(&mut samples),
    );
    let (Ok(from), Ok(mut to)) = (from, to) else { return Err(empty()) };
    let options = fir::ResizeOptions::new()
        .resize_alg(fir::ResizeAlg::Convolution(fir::FilterType::Bilinear));
    fir::Resizer::new().resize_typed(&from, &mut to, &options).map_err(|_| empty())?;
    Ok(Plane { width, height, samples })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(width: usize, height: usize) -> Plane {
        let samples = (0..width * height).map(|i| i as f32).collect();
        Plane { width, height, samples }
    }

    #[test]
    fn cut_and_paste_return_every_pixel() {
        for (width, height) in [(7, 5), (5, 7), (6, 6), (1, 9)] {
            let source = gradient(width, height);
            let whole = CropBox::whole(&source);
            let back = whole.paste(&whole.cut(&source), width, height);
            assert_eq!(back, source, "{width}x{height}");
        }
    }

    #[test]
    fn head_box_is_square_and_holds_the_bright_part() {
        let mut plane = Plane::filled(100, 80, 0.0);
        for y in 20..60 {
            for x in 50..70 {
                plane.samples[y * 100 + x] = 0.8;
            }
        }
        assert_eq!(CropBox::head(&plane, 0.5, 0.0), Some(CropBox { x: 40, y: 20, side: 40 }));
    }

    #[test]
    fn a_black_image_has_no_head() {
        let plane = Plane::filled(40, 40, 0.0);
        assert_eq!(CropBox::head(&plane, 0.15, 0.04), None);
    }

    #[test]
    fn resize_keeps_the_mean_and_a_constant() {
        let small = resize(&gradient(64, 64), 16, 16).unwrap();
        let mean = small.samples.iter().sum::<f32>() / 256.0;
        assert!((mean - 2047.5).abs() < 1.0);
        assert!(
            resize(&Plane::filled(9, 5, 0.3), 20, 31)
                .unwrap()
                .samples
                .iter()
                .all(|s| (s - 0.3).abs() < 1e-6)
        );
    }
}
