//! Turns a slice to the orientation that the networks were trained on, and back.

use super::CropBox;
use crate::slice::{CtSlice, Placement, Plane};
use std::f64::consts::FRAC_1_SQRT_2;

/// One of the eight orientations of an image: rows and columns exchanged or not, then each reversed or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turn {
    /// Whether rows and columns are exchanged.
    transpose: bool,
    /// Whether columns are reversed, after the exchange.
    flip_x: bool,
    /// Whether rows are reversed, after the exchange.
    flip_y: bool,
}

impl Turn {
    /// Leaves an image as it is.
    pub const NONE: Self = Self { transpose: false, flip_x: false, flip_y: false };

    /// The turn after which columns of an axial slice run to the patient's left and rows to the back, by the nearest
    /// axes. The NIfTI reader slices volumes in the same way. Slices that are not axial, and those without a
    /// placement, are not turned.
    pub fn to_standard_orientation(slice: &CtSlice) -> Self {
        let Some(Placement { row, column, .. }) = slice.placement else { return Self::NONE };
        let up = row[0] * column[1] - row[1] * column[0];
        if up.is_nan() || up.abs() < FRAC_1_SQRT_2 {
            return Self::NONE;
        }
        let transpose = row[1].abs() + column[0].abs() > row[0].abs() + column[1].abs();
        let (to_left, to_back) = if transpose { (column, row) } else { (row, column) };
        Self { transpose, flip_x: to_left[0] < 0.0, flip_y: to_back[1] < 0.0 }
    }

    /// The turn that undoes this one.
    pub fn inverse(self) -> Self {
        match self.transpose {
            true => Self { transpose: true, flip_x: self.flip_y, flip_y: self.flip_x },
            false => self,
        }
    }

    /// Columns and rows, px, of an image of `[width, height]` px after the turn.
    pub fn size(self, [width, height]: [usize; 2]) -> [usize; 2] {
        if self.transpose { [height, width] } else { [width, height] }
    }

    /// Turns the pixels of an image of `[width, height]` px, row-major.
    pub fn apply<T: Copy>(self, pixels: Vec<T>, size: [usize; 2]) -> Vec<T> {
        if self == Self::NONE {
            return pixels;
        }
        let [columns, rows] = self.size(size);
        let mirrored = |flip: bool, place: usize, count: usize| match flip {
            true => count - 1 - place,
            false => place,
        };
        let mut turned = Vec::with_capacity(pixels.len());
        for y in (0..rows).map(|y| mirrored(self.flip_y, y, rows)) {
            for x in (0..columns).map(|x| mirrored(self.flip_x, x, columns)) {
                let (column, row) = if self.transpose { (y, x) } else { (x, y) };
                turned.push(pixels[row * size[0] + column]);
            }
        }
        turned
    }

    /// Turns a plane.
    pub fn plane(self, plane: Plane) -> Plane {
        let size = [plane.width, plane.height];
        let [width, height] = self.size(size);
        Plane { width, height, samples: self.apply(plane.samples, size) }
    }

    /// The box that shows the same pixels after an image of `size` px is turned.
    pub fn crop(self, crop: CropBox, size: [usize; 2]) -> CropBox {
        let [columns, rows] = self.size(size);
        let (x, y) = if self.transpose { (crop.y, crop.x) } else { (crop.x, crop.y) };
        let mirrored = |flip: bool, start: i64, count: usize| match flip {
            true => count as i64 - start - crop.side as i64,
            false => start,
        };
        CropBox {
            x: mirrored(self.flip_x, x, columns),
            y: mirrored(self.flip_y, y, rows),
            side: crop.side,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slice::Intensity;

    fn all() -> impl Iterator<Item = Turn> {
        (0..8).map(|bits| Turn {
            transpose: bits & 1 > 0,
            flip_x: bits & 2 > 0,
            flip_y: bits & 4 > 0,
        })
    }

    fn numbered(width: usize, height: usize) -> Plane {
        let samples = (0..width * height).map(|place| place as f32).collect();
        Plane { width, height, samples }
    }

    fn slice(row: [f64; 3], column: [f64; 3]) -> CtSlice {
        CtSlice {
            placement: Some(Placement { position_mm: [0.0; 3], row, column }),
            ..CtSlice::bare(numbered(3, 2), Intensity::Hounsfield)
        }
    }

    #[test]
    fn every_turn_is_undone_by_its_inverse() {
        let plane = numbered(5, 3);
        let mut seen: Vec<Vec<f32>> = Vec::new();
        for turn in all() {
            let turned = turn.plane(plane.clone());
            assert_eq!([turned.width, turned.height], turn.size([5, 3]));
            assert_eq!(turn.inverse().plane(turned.clone()), plane, "{turn:?}");
            assert!(!seen.contains(&turned.samples), "{turn:?}");
            seen.push(turned.samples);
        }
    }

    #[test]
    fn a_box_cut_from_the_turned_image_is_the_turned_box() {
        let plane = numbered(7, 4);
        for turn in all() {
            for (x, y, side) in [(0, 0, 4), (2, 1, 3), (-3, -1, 9), (5, 2, 4)] {
                let crop = CropBox { x, y, side };
                let turned = turn.crop(crop, [7, 4]).cut(&turn.plane(plane.clone()));
                assert_eq!(turned, turn.plane(crop.cut(&plane)), "{turn:?} {crop:?}");
                assert_eq!(turn.inverse().crop(turn.crop(crop, [7, 4]), turn.size([7, 4])), crop);
            }
        }
    }

    /// The samples are the coordinates of the pixels in the patient, which must rise along columns and rows.
    #[test]
    fn columns_run_to_the_left_and_rows_to_the_back() {
        let directions = [1.0, -1.0].into_iter().flat_map(|a| [1.0, -1.0].map(|b| (a, b)));
        for (a, b) in directions {
            for (row, column) in [([a, 0.1, 0.2], [-0.1, b, 0.0]), ([0.1, a, 0.0], [b, -0.1, 0.2])]
            {
                let slice = slice(row, column);
                let place = |axis: usize| {
                    let at = |i: usize| (i % 3) as f64 * row[axis] + (i / 3) as f64 * column[axis];
                    let samples = (0..6).map(|i| at(i) as f32).collect();
                    Turn::to_standard_orientation(&slice).plane(Plane {
                        width: 3,
                        height: 2,
                        samples,
                    })
                };
                let (x, y) = (place(0), place(1));
                let rows = x.samples.chunks(x.width);
                assert!(rows.into_iter().all(|row| row.is_sorted()), "{row:?} {column:?}");
                let lower = y.samples.iter().skip(y.width);
                assert!(y.samples.iter().zip(lower).all(|(a, b)| a < b), "{row:?} {column:?}");
            }
        }
    }

    #[test]
    fn slices_in_standard_unknown_or_other_orientation_are_not_turned() {
        let (sin, cos) = 25_f64.to_radians().sin_cos();
        let unplaced = CtSlice::bare(numbered(3, 2), Intensity::Display);
        for slice in [
            slice([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]),
            slice([1.0, 0.0, 0.0], [0.0, cos, sin]),
            slice([cos, sin, 0.0], [-sin, cos, 0.0]),
            slice([1.0, 0.0, 0.0], [0.0, 0.0, -1.0]),
            slice([0.0, -1.0, 0.0], [0.0, 0.0, -1.0]),
            slice([f64::NAN; 3], [0.0, -1.0, 0.0]),
            unplaced,
        ] {
            assert_eq!(Turn::to_standard_orientation(&slice), Turn::NONE, "{:?}", slice.placement);
        }
        let prone = slice([-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]);
        let expected = Turn { transpose: false, flip_x: true, flip_y: true };
        assert_eq!(Turn::to_standard_orientation(&prone), expected);
    }
}
