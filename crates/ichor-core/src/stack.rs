//! The regular grid on which the slices of a series lie, in patient coordinates.

use crate::series::Series;
use crate::slice::Placement;
use crate::vector::{cross, dot, minus, normalised};

/// The grid of the samples of a series, in patient coordinates: mm, x to the patient's left, y to the back, z to the
/// head (DICOM PS3.3 C.7.6.2.1.1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stack {
    /// Centre of the first sample of the first slice.
    pub origin_mm: [f64; 3],
    /// Vectors from one column, row and slice to the next.
    pub steps_mm: [[f64; 3]; 3],
    /// Whether all slices have the same orientation.
    pub parallel: bool,
    /// Whether all slices have the same pixel spacing.
    pub one_spacing: bool,
    /// Whether the slices are parallel and evenly spaced along their normal.
    pub even: bool,
    /// Whether the first sample of every slice lies on the grid within its plane. It does not where the field of view
    /// was moved or resized within the series.
    pub aligned: bool,
    /// Whether the slices are stacked along their normal: whether the gantry was not tilted.
    pub upright: bool,
}

/// Largest distance of a slice from its place on the grid, as a share of the step between slices. The larger of this
/// and [`TOLERANCE_MM`] applies. Rounded positions stay below both.
const TOLERANCE: f64 = 0.02;
/// Largest distance of a slice from its place on the grid, mm.
const TOLERANCE_MM: f64 = 0.1;

/// Sine of the largest tilt of an upright stack, a tenth of a degree.
const MAX_TILT_SINE: f64 = 0.0017;

impl Stack {
    /// The grid of a series; `None` where a slice has no position or no spacing. The step of a single slice is its
    /// thickness, or 1 mm where that is unknown.
    pub fn from_series(series: &Series) -> Option<Self> {
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
        // Distance of a slice from its place on the grid: along the normal, and in its plane.
        let deviation = |(index, p): (usize, &Placement)| {
            let from_first = minus(p.position_mm, first.position_mm);
            let from_grid = minus(from_first, scale(step, index as f64));
            let along = dot(from_grid, normal);
            [along.abs(), length(minus(from_grid, scale(normal, along)))]
        };
        let farther = |a: [f64; 2], b: [f64; 2]| [a[0].max(b[0]), a[1].max(b[1])];
        let [along, across] = placed.iter().enumerate().map(deviation).fold([0.0; 2], farther);
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
            upright: length(cross(step, normal)) <= MAX_TILT_SINE * height,
        })
    }

    /// Distance between adjacent slices along their normal, mm.
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
            let stack = Stack::from_series(&series(&positions)).unwrap();
            assert_eq!((stack.even, stack.upright), (even, upright), "{positions:?}");
            assert!((stack.slice_spacing_mm() - spacing).abs() < 1e-9, "{positions:?}");
            assert!((stack.steps_mm[0][0] - 0.4).abs() < 1e-6, "columns step by column spacing");
            assert!(stack.aligned && stack.one_spacing, "{positions:?}");
        }
    }

    #[test]
    fn a_moved_or_resized_field_of_view_leaves_the_slices_evenly_spaced() {
        let moved = series(&[[0.0; 3], [0.0, 0.0, 5.0], [8.0, 0.0, 10.0]]);
        let mut grown = series(&[[0.0; 3], [0.0, 0.0, 5.0], [0.0, 0.0, 10.0]]);
        grown.slices[2].spacing_mm = Some([0.6, 0.4]);
        for (series, expected) in [(moved, [true, false, true]), (grown, [true, true, false])] {
            let stack = Stack::from_series(&series).unwrap();
            assert_eq!([stack.even, stack.aligned, stack.one_spacing], expected);
            assert!((stack.slice_spacing_mm() - 5.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_series_with_a_slice_without_position_has_no_grid() {
        let mut series = series(&[[0.0; 3], [0.0, 0.0, 5.0]]);
        series.slices[1].placement = None;
        assert_eq!(Stack::from_series(&series), None);
    }
}
