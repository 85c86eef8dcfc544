//! The square crop that the network sees, and the mapping of its output back to the image.

mod resample;
mod surround;
mod turn;

pub use surround::remove_surround;
pub use turn::Turn;

use crate::components::{BoundingBox, label_components};
use crate::error::{Error, Result};
use crate::mask::Mask;
use crate::slice::Plane;
use resample::{Cutout, reach};
use std::ops::Range;

/// A square region of an image. It may reach beyond the image, where samples are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CropBox {
    /// First column; may be negative.
    pub x: i64,
    /// First row; may be negative.
    pub y: i64,
    /// Columns and rows, px.
    pub side: usize,
}

/// Smallest part of the picture that a head takes up; smaller components are noise.
const MIN_HEAD_SHARE: f64 = 0.02;

impl CropBox {
    /// The smallest square around the whole image, centred on it.
    pub fn whole(plane: &Plane) -> Self {
        Self::around(BoundingBox::whole(plane.width, plane.height), 0.0)
    }

    /// The square around the largest component at or above `threshold`, with `margin` times its longer side added on
    /// each side. `picture` is the part of the plane without surround; `None` where the component takes up less than
    /// 2 % of it.
    pub fn head(plane: &Plane, picture: BoundingBox, threshold: f32, margin: f32) -> Option<Self> {
        let bright = Mask::from_plane(plane, threshold);
        let smallest = MIN_HEAD_SHARE * picture.area_px() as f64;
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

    /// The part of a grid of `side` x `side` px, onto which the box was resized, that shows pixels of `picture`.
    pub fn visible_part(self, picture: BoundingBox, side: usize) -> BoundingBox {
        let scale = side as f64 / self.side.max(1) as f64;
        let along = |first: i64, from: usize, length: usize| {
            let place = |at: usize| (at as i64 - first) as f64 * scale;
            let start = (place(from).ceil().max(0.0) as usize).min(side);
            let end = (place(from + length).floor().max(0.0) as usize).min(side);
            (start, end.saturating_sub(start))
        };
        let (x, width) = along(self.x, picture.x, picture.width);
        let (y, height) = along(self.y, picture.y, picture.height);
        BoundingBox { x, y, width, height }
    }

    /// The samples of `source` in the box; 0 outside of the image.
    pub fn cut(self, source: &Plane) -> Plane {
        let mut out = Plane::filled(self.side, self.side, 0.0);
        let side = self.side as i64;
        let (x0, x1) = (self.x.max(0), (self.x + side).min(source.width as i64));
        let (y0, y1) = (self.y.max(0), (self.y + side).min(source.height as i64));
        let columns = (x1 - x0).max(0) as usize;
        for y in y0..y1 {
            let inside = ((y - self.y) * side + x0 - self.x) as usize;
            let outside = y as usize * source.width + x0 as usize;
            out.samples[inside..][..columns].copy_from_slice(&source.samples[outside..][..columns]);
        }
        out
    }

    /// As [`CropBox::cut`] and then [`resize`], without the copy in between.
    ///
    /// # Errors
    /// [`ichor_image::Error::Unprocessable`] for a box without pixels.
    pub fn cut_and_resize(self, source: &Plane, width: usize, height: usize) -> Result<Plane> {
        let (start, size) = ([self.x, self.y], [self.side; 2]);
        resized(Cutout { plane: source, start, size }, width, height)
    }

    /// Resizes `grid`, which shows the whole box, back to the pixels of an image of `width` x `height` px. The result
    /// covers the pixels on which the columns and rows `cells` of the grid have an influence.
    pub fn map_back(
        self,
        grid: &Plane,
        cells: [Range<usize>; 2],
        [width, height]: [usize; 2],
    ) -> Patch {
        let [columns, rows] = cells;
        let columns = self.influenced_pixels(columns, grid.width, self.x, width);
        let rows = self.influenced_pixels(rows, grid.height, self.y, height);
        let (x, y) = (columns.start as i64 + self.x, rows.start as i64 + self.y);
        let size = [grid.width, grid.height];
        let from = Cutout { plane: grid, start: [0, 0], size };
        let plane = from.resized([self.side; 2], [columns, rows]);
        // `influenced_pixels` lie within the image, so that neither is negative.
        Patch { x: x.max(0) as usize, y: y.max(0) as usize, plane }
    }

    /// Pixels along one side of the box on which `cells`, of `count` cells along that side, have an influence. The box
    /// begins at pixel `first` of the image, whose side has `length` pixels.
    fn influenced_pixels(
        self,
        cells: Range<usize>,
        count: usize,
        first: i64,
        length: usize,
    ) -> Range<usize> {
        let scale = count as f64 / self.side as f64;
        let reach = reach(count, self.side);
        let place = |cell: f64| cell / scale - 0.5;
        let start = place(cells.start as f64 + 0.5 - reach).floor().max(0.0) as usize;
        let end = place(cells.end as f64 - 0.5 + reach).ceil() as usize + 1;
        let start = start.max((-first).max(0) as usize);
        let end = end.min(self.side).min((length as i64 - first).max(0) as usize);
        if cells.is_empty() { start..start } else { start..end.max(start) }
    }
}

/// A rectangle of an image with its samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    /// First column of the image, px.
    pub x: usize,
    /// First row of the image, px.
    pub y: usize,
    /// Its samples.
    pub plane: Plane,
}

impl Patch {
    /// Its rows, each with the row-major index of its first pixel in the image, which has `width` columns.
    pub fn rows(&self, width: usize) -> impl Iterator<Item = (usize, &[f32])> {
        let rows = self.plane.samples.chunks_exact(self.plane.width.max(1)).enumerate();
        rows.map(move |(row, samples)| ((self.y + row) * width + self.x, samples))
    }

    /// The samples of `columns` in a row of the image.
    ///
    /// # Panics
    /// Where these do not lie in the patch.
    #[inline]
    pub fn columns(&self, row: usize, columns: Range<usize>) -> &[f32] {
        let start = (row - self.y) * self.plane.width + columns.start - self.x;
        &self.plane.samples[start..][..columns.len()]
    }
}

/// Resizes bilinearly. Where the result is smaller, the triangle filter is as wide as the ratio, which avoids aliasing.
///
/// # Errors
/// [`ichor_image::Error::Unprocessable`] for a plane without pixels.
pub fn resize(source: &Plane, width: usize, height: usize) -> Result<Plane> {
    let size = [source.width, source.height];
    resized(Cutout { plane: source, start: [0, 0], size }, width, height)
}

fn resized(from: Cutout<'_>, width: usize, height: usize) -> Result<Plane> {
    if from.size.contains(&0) {
        return Err(Error::unprocessable("The image has no pixels to resize."));
    }
    Ok(from.resized([width, height], [0..width, 0..height]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(width: usize, height: usize) -> Plane {
        let samples = (0..width * height).map(|i| i as f32).collect();
        Plane { width, height, samples }
    }

    #[test]
    fn a_crop_that_is_mapped_back_returns_every_pixel() {
        for (width, height) in [(7, 5), (5, 7), (6, 6), (1, 9)] {
            let source = gradient(width, height);
            let whole = CropBox::whole(&source);
            let (cut, all) = (whole.cut(&source), [0..whole.side, 0..whole.side]);
            assert_eq!(whole.cut_and_resize(&source, whole.side, whole.side).unwrap(), cut);
            let back = whole.map_back(&cut, all, [width, height]);
            assert_eq!(back, Patch { x: 0, y: 0, plane: source }, "{width}x{height}");
        }
    }

    #[test]
    fn a_part_that_is_mapped_back_equals_that_part_of_the_whole() {
        let source = gradient(40, 30);
        for (x, y, side) in [(0, 0, 30), (-5, 3, 50), (8, -9, 21), (60, 0, 9), (3, 3, 1)] {
            let crop = CropBox { x, y, side };
            let small = crop.cut_and_resize(&source, 12, 12).unwrap();
            let expected = resize(&crop.cut(&source), 12, 12).unwrap();
            assert_eq!(small, expected, "{crop:?}");
            let whole = crop.map_back(&small, [0..12, 0..12], [40, 30]);
            let part = crop.map_back(&small, [4..6, 3..9], [40, 30]);
            assert_eq!(part.plane.samples.is_empty(), x >= 40, "{crop:?}");
            let columns = part.x..part.x + part.plane.width;
            for row in (part.y..part.y + part.plane.height).filter(|_| !columns.is_empty()) {
                let columns = columns.clone();
                assert_eq!(part.columns(row, columns.clone()), whole.columns(row, columns));
            }
        }
    }

    #[test]
    fn the_head_crop_is_square_and_holds_the_bright_part() {
        let mut plane = Plane::filled(100, 80, 0.0);
        for y in 20..60 {
            for x in 50..70 {
                plane.samples[y * 100 + x] = 0.8;
            }
        }
        assert_eq!(
            CropBox::head(&plane, BoundingBox::whole(100, 80), 0.5, 0.0),
            Some(CropBox { x: 40, y: 20, side: 40 })
        );
    }

    #[test]
    fn a_black_image_has_no_head() {
        let plane = Plane::filled(40, 40, 0.0);
        assert_eq!(CropBox::head(&plane, BoundingBox::whole(40, 40), 0.15, 0.04), None);
    }

    #[test]
    fn resize_preserves_the_mean_and_a_constant() {
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
