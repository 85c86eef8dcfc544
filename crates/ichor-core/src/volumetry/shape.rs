//! Lengths of a lesion, from the convex hulls of its parts.

use super::Abc2;
use super::lesions::LesionPart;
use crate::components::hull;
use crate::slice::{CtSlice, Placement};
use crate::vector::{cross, dot, minus, normalised, scaled_sum};
use ichor_image::parallel;

/// Spacing, extent and placement of one slice; `None` where the file does not give them.
#[derive(Debug, Clone)]
pub(super) struct SlicePlane {
    /// Distance between rows and between columns, mm.
    spacing_mm: Option<[f64; 2]>,
    /// Length along the normal that the slice represents, mm.
    extent_mm: Option<f64>,
    placement: Option<Placement>,
}

impl SlicePlane {
    /// The plane of a slice; `extents_mm` holds the extents of all slices of the series, and `index` is its own.
    pub(super) fn new(slice: &CtSlice, extents_mm: Option<&[f32]>, index: usize) -> Self {
        let is_positive = |mm: &f64| mm.is_finite() && *mm > 0.0;
        Self {
            spacing_mm: slice
                .spacing_mm
                .map(|s| s.map(f64::from))
                .filter(|s| s.iter().all(is_positive)),
            extent_mm: extents_mm
                .and_then(|e| e.get(index))
                .map(|e| f64::from(*e))
                .filter(is_positive),
            placement: slice.placement,
        }
    }

    /// Area of a pixel, mm².
    pub(super) fn pixel_mm2(&self) -> Option<f64> {
        self.spacing_mm.map(|[rows, columns]| rows * columns)
    }

    /// Volume of a pixel over the slice's extent, mm³.
    pub(super) fn voxel_mm3(&self) -> Option<f64> {
        Some(self.pixel_mm2()? * self.extent_mm?)
    }

    /// Columns and rows from a pixel of `upper` to the pixel of this slice that lies perpendicularly below it. `None`
    /// where the spacings differ by more than 1 %.
    pub(super) fn shift_px(&self, upper: &Self) -> Option<[i64; 2]> {
        let (Some(here), Some(there)) = (self.spacing_mm, upper.spacing_mm) else {
            let both_unknown = self.spacing_mm.is_none() && upper.spacing_mm.is_none();
            return both_unknown.then_some([0, 0]);
        };
        if here.iter().zip(there).any(|(a, b)| (a / b - 1.0).abs() > 0.01) {
            return None;
        }
        let (Some(below), Some(above)) = (self.placement, upper.placement) else {
            return Some([0, 0]);
        };
        let step = minus(above.position_mm, below.position_mm);
        // The limit lies beyond any image and avoids an overflow in later sums.
        let pixels = |along, mm: f64| (dot(step, along) / mm).clamp(-1e6, 1e6).round() as i64;
        Some([pixels(below.row, here[1]), pixels(below.column, here[0])])
    }

    /// A point of the slice in patient coordinates, mm: `x` columns and `y` rows from the first sample, and `up` mm along
    /// the normal. A slice without placement, which is only measured by itself, gets a default one. `None` without
    /// spacing.
    fn point(&self, [x, y]: [f64; 2], up: f64) -> Option<[f64; 3]> {
        let [rows, columns] = self.spacing_mm?;
        let place = self.placement.unwrap_or(Placement {
            position_mm: [0.0; 3],
            row: [1.0, 0.0, 0.0],
            column: [0.0, 1.0, 0.0],
        });
        let normal = normalised(cross(place.row, place.column))?;
        let (along, across) = ((x * columns, place.row), (y * rows, place.column));
        Some(scaled_sum(place.position_mm, along, across, (up, normal)))
    }
}

/// Largest number of points of which every pair is measured. Of more points only the outermost are kept.
const MAX_CANDIDATES: usize = 4096;

/// Largest distance between two points of the lesion's surface, mm: the maximum 3D diameter of the Image Biomarker
/// Standardisation Initiative. The surface lies half a voxel outside of the centres of the outermost voxels, along each
/// axis. `None` without spacing, or without extents where the lesion lies on several slices.
///
/// Exact for up to 4096 points of the surface. Beyond that it may be too small by 0.3 %.
pub(super) fn largest_diameter_mm(parts: &[LesionPart], planes: &[SlicePlane]) -> Option<f64> {
    let is_on_one_slice = parts.iter().all(|p| p.slice == parts[0].slice);
    let mut points = Vec::new();
    for part in parts {
        let plane = &planes[part.slice];
        // On one slice of unknown thickness the in-plane diameter is still known.
        let half = plane.extent_mm.or(is_on_one_slice.then_some(0.0))? / 2.0;
        for &[x, y] in &part.hull {
            let (x, y) = (x as f64, y as f64);
            for centre in edge_midpoints([x, y]) {
                points.push(plane.point(centre, 0.0)?);
            }
            points.push(plane.point([x, y], half)?);
            points.push(plane.point([x, y], -half)?);
        }
    }
    if points.len() > MAX_CANDIDATES {
        points = outermost(&points);
    }
    let distance = |index: usize, a: &[f64; 3]| {
        points[index..].iter().map(|b| square(minus(*a, *b))).fold(0.0, f64::max)
    };
    Some(parallel::map(&points, distance).into_iter().fold(0.0, f64::max).sqrt())
}

fn square(a: [f64; 3]) -> f64 {
    dot(a, a)
}

/// The midpoints of a pixel's four edges.
fn edge_midpoints([x, y]: [f64; 2]) -> [[f64; 2]; 4] {
    [[x - 0.5, y], [x + 0.5, y], [x, y - 0.5], [x, y + 0.5]]
}

/// The points that lie farthest in each of 1024 evenly distributed directions (Fibonacci lattice). The direction of the
/// farthest pair is at most 0.08 rad from one of them, and cos(0.08) = 0.997.
fn outermost(points: &[[f64; 3]]) -> Vec<[f64; 3]> {
    const DIRECTIONS: usize = 1024;
    let golden_angle = std::f64::consts::PI * (3.0 - 5.0_f64.sqrt());
    let farthest = |n: usize, _: &()| {
        let z = (n as f64 + 0.5) / DIRECTIONS as f64;
        let (radius, angle) = ((1.0 - z * z).sqrt(), n as f64 * golden_angle);
        let direction = [radius * angle.cos(), radius * angle.sin(), z];
        let (mut low, mut high) = ((f64::INFINITY, 0), (f64::NEG_INFINITY, 0));
        for (index, point) in points.iter().enumerate() {
            let along = dot(*point, direction);
            if along < low.0 {
                low = (along, index);
            }
            if along > high.0 {
                high = (along, index);
            }
        }
        [points[low.1], points[high.1]]
    };
    parallel::map(&[(); DIRECTIONS], farthest).concat()
}

/// ABC/2 of one lesion; `areas` holds its slices and its area on each, mm². `None` without spacing or extents.
pub(super) fn abc2(
    parts: &[LesionPart],
    planes: &[SlicePlane],
    areas: &[(usize, f64)],
    key_slice: usize,
) -> Option<Abc2> {
    let key_area = areas.iter().find(|(slice, _)| *slice == key_slice)?.1;
    // Weights of Kothari et al. 1996, by the share of the largest slice's area.
    let weight = |area: f64| match area / key_area {
        share if share > 0.75 => 1.0,
        share if share >= 0.25 => 0.5,
        _ => 0.0,
    };
    let extents = areas.iter().map(|(slice, area)| Some(weight(*area) * planes[*slice].extent_mm?));
    let c = extents.sum::<Option<f64>>()?;
    let [rows, columns] = planes[key_slice].spacing_mm?;
    let on_key = parts.iter().filter(|p| p.slice == key_slice).flat_map(|p| &p.hull);
    // In half pixels, in which the midpoints of edges have integer coordinates.
    let midpoints = on_key.flat_map(|&[x, y]| {
        let (x, y) = (2 * x, 2 * y);
        [[x - 1, y], [x + 1, y], [x, y - 1], [x, y + 1]]
    });
    let to_mm = |[x, y]: [i64; 2]| [x as f64 / 2.0 * columns, y as f64 / 2.0 * rows];
    let points: Vec<[f64; 2]> = hull(midpoints).into_iter().map(to_mm).collect();
    let (a, direction) = longest(&points)?;
    let across = points.iter().map(|[x, y]| y * direction[0] - x * direction[1]);
    let b = across.clone().fold(f64::NEG_INFINITY, f64::max) - across.fold(f64::INFINITY, f64::min);
    Some(Abc2 {
        a_mm: a as f32,
        b_mm: b as f32,
        c_mm: c as f32,
        volume_ml: (a * b * c / 2000.0) as f32,
    })
}

/// The longest distance between two points, and its direction as a unit vector; `None` where all coincide.
fn longest(points: &[[f64; 2]]) -> Option<(f64, [f64; 2])> {
    let from = |(index, a): (usize, &[f64; 2])| {
        let to = |b: &[f64; 2]| [b[0] - a[0], b[1] - a[1]];
        let length = |d: &[f64; 2]| d[0].hypot(d[1]);
        points[index..].iter().map(to).max_by(|a, b| length(a).total_cmp(&length(b)))
    };
    let lines = points.iter().enumerate().filter_map(from);
    let (length, line) =
        lines.map(|line| (line[0].hypot(line[1]), line)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (length > 0.0).then(|| (length, line.map(|d| d / length)))
}
