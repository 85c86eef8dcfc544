//! The lattice that the slices of a series lie on, in the patient's coordinates.

use crate::series::Series;
use crate::slice::Placement;
use crate::vector::{cross, dot, minus, normalised};

/// Positions of samples as steps from the first one: mm, x to the patient's left, y to the back,
/// z to the head (DICOM PS3.3 C.7.6.2.1.1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stack {
    /// Centre of the first sample of the first slice.
    pub origin_mm: [f64; 3],
    /// From one column, row and slice to the next.
    pub steps_mm: [[f64; 3]; 3],
    /// Whether all slices have one orientation.
    pub parallel: bool,
    /// Whether all slices have one pixel spacing.
    pub one_spacing: bool,
    /// Whether every slice is as far along the normal as the steps say.
    pub even: bool,
    /// Whether the first sample of every slice lies in its plane where the steps say: not where the
    /// field of view was moved or resized within the series.
    pub aligned: bool,
    /// Whether slices are stacked along their normal, as a gantry without tilt leaves them.
    pub upright: bool,
}

/// How far a slice may lie from where the steps put it, in steps and in mm, whichever is more:
/// beyond what rounded positions cause, and what the series' own warning of uneven spacing takes.
const TOLERANCE: f64 = 0.02;
const TOLERANCE_MM: f64 = 0.1;

/// Sine of the angle up to which a stack counts as upright, a tenth of a degree.
const UPRIGHT: f64 = 0.0017;

impl Stack {
    /// The lattice of a series; `None` where a slice has no position or no spacing. A single
    /// slice steps by its thickness, or by 1 mm where that is unknown.
    pub fn of(series: &Series) -> Option<Self> {
        let placed: Vec<Placement> =
            series.slices.iter().map(|s| s.placement).collect::<Option<_>>()?;
        let (first, last) = (placed.first()?, placed.last()?);
        let slice = series.slices.first()?;
        let [row_mm, column_mm] = slice.spacing_mm?.map(f64::from);
        let normal = normalised(cross(first.row, first.column))?;
        let step = match placed.len() {
            1 => scale(normal, slice.thickness_mm.map_or(1.0, f64::from)),
            count => scale(minus(last.position_mm, first.position_mm), 1.0 / (count - 1) as f64),
        };
        // How far a slice lies from where the steps put it: along the normal, and in its plane.
        let off = |(index, p): (usize, &Placement)| {
            let from_first = minus(p.position_mm, first.position_mm);
            let off = minus(from_first, scale(step, index as f64));
            let along = dot(off, normal);
            [along.abs(), length(minus(off, scale(normal, along)))]
        };
        let farther = |a: [f64; 2], b: [f64; 2]| [a[0].max(b[0]), a[1].max(b[1])];
        let [along, across] = placed.iter().enumerate().map(off).fold([0.0; 2], farther);
        let parallel = placed.iter().all(|p| {
            length(minus(p.row, first.row)).max(length(minus(p.column, first.column))) < 1e-3
        });
        let one_spacing = series.slices.iter().all(|s| s.spacing_mm == slice.spacing_mm);
        let height = length(step);
        let tolerance = (TOLERANCE * height).max(TOLERANCE_MM);
        Some(Self {
            origin_mm: first.position_mm,
            steps_mm: [scale(first.row, column_mm), scale(first.column, row_mm), step],
            parallel,
            one_spacing,
            even: parallel && along <= tolerance,
            aligned: across <= tolerance,
            upright: length(cross(step, normal)) <= UPRIGHT * height,
        })
    }

    /// Distance between neighbouring slices along their normal, mm.
    pub fn slice_spacing_mm(&self) -> f64 {
        let [column, row, slice] = self.steps_mm;
        let normal = cross(column, row);
        (dot(slice, normal) / length(normal)).abs()
    }
}

fn length(a: [f64; 3]) -> f64 {
    dot(a, a).sqrt()
}

fn scale(a: [f64; 3], by: f64) -> [f64; 3] {
    a.map(|v| v * by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slice::{CtSlice, Intensity, Plane};

    /// Axial slices at the given positions.
    fn series(positions: &[[f64; 3]]) -> Series {
        let slice = |&position_mm: &[f64; 3]| CtSlice {
            spacing_mm: Some([0.5, 0.4]),
            placement: Some(Placement {
                position_mm,
                row: [1.0, 0.0, 0.0],
                column: [0.0, 1.0, 0.0],
            }),
            ..CtSlice::bare(Plane::filled(4, 4, 0.0), Intensity::Hounsfield)
        };
        Series {
            slices: positions.iter().map(slice).collect(),
            sources: (0..positions.len()).collect(),
            extents_mm: None,
            tilt_degrees: None,
            grid: None,
            is_one_head: true,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn steps_evenness_and_tilt_come_from_the_positions() {
        let cases = [
            (vec![[0.0, 0.0, 0.0], [0.0, 0.0, 5.0], [0.0, 0.0, 10.0]], 5.0, true, true),
            (vec![[0.0, 0.0, 0.0], [0.0, 0.0, 5.0], [0.0, 0.0, 15.0]], 7.5, false, true),
            (vec![[0.0, 0.0, 0.0], [0.0, 1.0, 5.0], [0.0, 2.0, 10.0]], 5.0, true, false),
            (vec![[0.0, 0.0, 0.0]], 1.0, true, true),
        ];
        for (positions, spacing, even, upright) in cases {
            let stack = Stack::of(&series(&positions)).unwrap();
            assert_eq!((stack.even, stack.upright), (even, upright), "{positions:?}");
            assert!((stack.slice_spacing_mm() - spacing).abs() < 1e-9, "{positions:?}");
            assert!((stack.steps_mm[0][0] - 0.4).abs() < 1e-6, "columns step by column spacing");
            assert!(stack.aligned && stack.one_spacing, "{positions:?}");
        }
    }

    #[test]
    fn a_field_of_view_that_moves_or_grows_leaves_distances_even() {
        let moved = series(&[[0.0; 3], [0.0, 0.0, 5.0], [8.0, 0.0, 10.0]]);
        let mut grown = series(&[[0.0; 3], [0.0, 0.0, 5.0], [0.0, 0.0, 10.0]]);
        grown.slices[2].spacing_mm = Some([0.6, 0.4]);
        for (series, expected) in [(moved, [true, false, true]), (grown, [true, true, false])] {
            let stack = Stack::of(&series).unwrap();
            assert_eq!([stack.even, stack.aligned, stack.one_spacing], expected);
            assert!((stack.slice_spacing_mm() - 5.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_slice_without_position_has_no_lattice() {
        let mut series = series(&[[0.0; 3], [0.0, 0.0, 5.0]]);
        series.slices[1].placement = None;
        assert_eq!(Stack::of(&series), None);
    }
}
