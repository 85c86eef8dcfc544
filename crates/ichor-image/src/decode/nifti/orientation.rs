//! Orientation of a volume in the patient, and which of its axes run to the left, to the back and up.
//!
//! The world coordinates of NIfTI have x to the right, y to the front and z up; those of DICOM have x to the left and y
//! to the back (PS3.3 C.7.6.2.1.1).

use super::header::VolumeHeader;
use crate::series::VolumeGrid;
use crate::slice::{Placement, Warning};
use crate::vector::{cross, dot, normalised};

/// Plausible sides of a CT voxel, mm.
const PLAUSIBLE_SIDES_MM: std::ops::RangeInclusive<f64> = 0.01..=100.0;
/// Angle from which slices visibly differ from the patient's axial plane.
const OBLIQUE_DEGREES: f64 = 3.0;

/// Three rows of a map from voxel indices to world coordinates, mm; the fourth column is the origin.
type Affine = [[f64; 4]; 3];

/// The voxel-to-world map of a file.
pub(super) struct Orientation {
    /// Voxel (i, j, k) to NIfTI world, mm.
    pub(super) affine: Affine,
    source: Source,
    /// Whether `sform`, or `qform` without `sform`, was declared and not usable.
    fell_back: bool,
    /// Whether the file has a third axis, so that the distance of its slices is known.
    has_slices: bool,
}

/// Origin of the affine map.
#[derive(Clone, Copy, PartialEq)]
enum Source {
    /// `sform` or `qform`.
    Declared,
    /// Only the voxel sides are known.
    Sides,
    /// Not in the file; voxels of 1 mm are assumed.
    Unknown,
}

impl Orientation {
    /// Uses `sform`, else `qform`, else the voxel sides (methods 3, 2 and 1 of `nifti1.h`).
    pub(super) fn from_header(header: &VolumeHeader) -> Self {
        let fields = &header.fields;
        let unit = millimetres(fields.xyzt_units);
        let sform = (fields.sform_code > 0).then(|| sform(header, unit));
        let qform = (fields.qform_code > 0).then(|| qform(header, unit));
        let declared: Vec<Affine> = [sform, qform].into_iter().flatten().collect();
        let usable = declared.iter().position(is_plausible);
        let has_slices = header.dimensionality > 2;
        let sides = sides(header, unit);
        let (affine, source) = match usable {
            Some(index) => (declared[index], Source::Declared),
            None if sides.iter().all(|s| PLAUSIBLE_SIDES_MM.contains(s)) => {
                (diagonal(sides), Source::Sides)
            }
            None => (diagonal([1.0; 3]), Source::Unknown),
        };
        let fell_back = !declared.is_empty() && usable != Some(0);
        Self { affine, source, fell_back, has_slices }
    }

    /// The file axes nearest to left-right, front-back and up-down, and for each whether columns (to the left), rows
    /// (to the back) or slices (up) run in its opposite direction.
    pub(super) fn nearest_axes(&self) -> ([usize; 3], [bool; 3]) {
        const ORDERS: [[usize; 3]; 6] =
            [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let along = |world: usize, axis: usize| self.direction(axis)[world];
        let fit = |order: &[usize; 3]| (0..3).map(|w| along(w, order[w]).abs()).sum::<f64>();
        let best = ORDERS.into_iter().rev().max_by(|a, b| fit(a).total_cmp(&fit(b)));
        let axes = best.unwrap_or(ORDERS[0]);
        let reversed = [along(0, axes[0]) > 0.0, along(1, axes[1]) > 0.0, along(2, axes[2]) < 0.0];
        (axes, reversed)
    }

    /// Warnings about the geometry.
    pub(super) fn warnings(&self, grid: &VolumeGrid) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if self.fell_back {
            warnings.push(Warning::new(
                "orientation_unusable",
                "The header's orientation (sform or qform) holds impossible numbers and was not \
                 used.",
            ));
        }
        match self.source {
            Source::Declared => {}
            Source::Sides => warnings.push(Warning::new(
                "orientation_assumed",
                "The header gives no usable orientation: its axes are taken to run to the right, \
                 the front and the head. Left and right may be exchanged.",
            )),
            Source::Unknown => warnings.push(Warning::new(
                "spacing_unknown",
                "The header gives neither a usable orientation nor usable voxel sides; sizes are \
                 not known, and left and right may be exchanged.",
            )),
        }
        let off = |(world, axis): (usize, usize)| {
            self.direction(axis)[world].abs().min(1.0).acos().to_degrees()
        };
        let degrees = grid.axes.into_iter().enumerate().map(off).fold(0.0, f64::max);
        if degrees > OBLIQUE_DEGREES {
            let message = format!(
                "The volume lies {degrees:.1} degrees oblique; its slices are cut along its own \
                 nearest axes, not resampled."
            );
            warnings.push(Warning::new("oblique_volume", message));
        }
        if self.slice_geometry(grid).placement(0).is_none() && self.source == Source::Declared {
            warnings.push(Warning::new(
                "sheared_pixels",
                "The header shears rows against columns; sizes are not known.",
            ));
        }
        warnings
    }

    /// Spacing and positions of the slices.
    pub(super) fn slice_geometry(&self, grid: &VolumeGrid) -> SliceGeometry {
        let to_dicom = |v: [f64; 3]| [-v[0], -v[1], v[2]];
        let toward = |out: usize| {
            let direction = to_dicom(self.direction(grid.axes[out]));
            if grid.reversed[out] { direction.map(|v| -v) } else { direction }
        };
        let (row, column) = (toward(0), toward(1));
        let normal = normalised(cross(row, column)).unwrap_or_default();
        let [columns, rows, slices] = grid.axes.map(|axis| length(self.column(axis)));
        let known = self.source != Source::Unknown && dot(row, column).abs() < 0.02;
        SliceGeometry {
            spacing_mm: known.then_some([rows as f32, columns as f32]),
            thickness_mm: (known && self.has_slices)
                .then(|| (slices * dot(toward(2), normal).abs()) as f32),
            corner: known.then(|| to_dicom(self.corner(grid))),
            step: toward(2).map(|v| v * slices),
            row,
            column,
        }
    }

    /// World coordinates of the first sample of the first slice.
    fn corner(&self, grid: &VolumeGrid) -> [f64; 3] {
        let mut voxel = [0.0; 3];
        for (axis, reversed) in grid.axes.into_iter().zip(grid.reversed) {
            voxel[axis] = if reversed { grid.dimensions[axis] as f64 - 1.0 } else { 0.0 };
        }
        self.affine.map(|row| dot([row[0], row[1], row[2]], voxel) + row[3])
    }

    /// The vector from a voxel to the next one along a file axis, mm.
    fn column(&self, axis: usize) -> [f64; 3] {
        column(&self.affine, axis)
    }

    fn direction(&self, axis: usize) -> [f64; 3] {
        normalised(self.column(axis)).unwrap_or_default()
    }
}

/// Geometry of the slices of a volume, in the patient coordinates of DICOM.
pub(super) struct SliceGeometry {
    pub(super) spacing_mm: Option<[f32; 2]>,
    /// Distance of the slices along their normal, mm.
    pub(super) thickness_mm: Option<f32>,
    corner: Option<[f64; 3]>,
    step: [f64; 3],
    row: [f64; 3],
    column: [f64; 3],
}

impl SliceGeometry {
    /// Position and orientation of a slice; `None` if they are unknown.
    pub(super) fn placement(&self, slice: usize) -> Option<Placement> {
        let corner = self.corner?;
        let position_mm = std::array::from_fn(|w| corner[w] + slice as f64 * self.step[w]);
        Some(Placement { position_mm, row: self.row, column: self.column })
    }
}

/// Millimetres per unit of `xyzt_units`; a file without unit uses millimetres.
fn millimetres(xyzt_units: u8) -> f64 {
    match xyzt_units & 0b111 {
        1 => 1000.0,
        3 => 0.001,
        _ => 1.0,
    }
}

/// Sides of a voxel, mm; 1 for axes that the file does not have, because their `pixdim` is arbitrary.
fn sides(header: &VolumeHeader, unit: f64) -> [f64; 3] {
    std::array::from_fn(|axis| {
        let side = f64::from(header.fields.pixdim[axis + 1]).abs() * unit;
        let absent = axis >= header.dimensionality;
        if absent && !PLAUSIBLE_SIDES_MM.contains(&side) { 1.0 } else { side }
    })
}

/// The affine map of voxels with these sides, without rotation.
fn diagonal(sides: [f64; 3]) -> Affine {
    std::array::from_fn(|w| std::array::from_fn(|axis| if axis == w { sides[w] } else { 0.0 }))
}

/// Method 3 of `nifti1.h`: the affine map in the header.
fn sform(header: &VolumeHeader, unit: f64) -> Affine {
    let fields = &header.fields;
    let mut affine =
        [fields.srow_x, fields.srow_y, fields.srow_z].map(|row| row.map(|v| f64::from(v) * unit));
    // A single slice may omit the direction of its third axis.
    if header.dimensions[2] == 1 && length(column(&affine, 2)) == 0.0 {
        let side = sides(header, unit)[2];
        if let Some(normal) = normalised(cross(column(&affine, 0), column(&affine, 1))) {
            affine.iter_mut().zip(normal).for_each(|(row, n)| row[2] = n * side);
        }
    }
    affine
}

/// Method 2 of `nifti1.h`: a rotation as quaternion (a, b, c, d), the voxel sides, and `pixdim[0]` as sign of the third
/// axis.
fn qform(header: &VolumeHeader, unit: f64) -> Affine {
    let fields = &header.fields;
    let [mut b, mut c, mut d] =
        [fields.quatern_b, fields.quatern_c, fields.quatern_d].map(f64::from);
    let squares = b * b + c * c + d * d;
    // Near a rotation by 180 degrees the root would amplify rounding errors of b, c and d; `nifti1_io.c` uses the same
    // threshold.
    let a = if 1.0 - squares < 1e-7 { 0.0 } else { (1.0 - squares).sqrt() };
    if a == 0.0 {
        [b, c, d] = [b, c, d].map(|v| v / squares.sqrt());
    }
    let rotation = [
        [a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), 2.0 * (b * d + a * c)],
        [2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d - a * b)],
        [2.0 * (b * d - a * c), 2.0 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ];
    let mut sides = sides(header, unit);
    if fields.pixdim[0] < 0.0 {
        sides[2] = -sides[2];
    }
    let origin = [fields.quatern_x, fields.quatern_y, fields.quatern_z];
    std::array::from_fn(|w| {
        let [x, y, z] = std::array::from_fn(|axis| rotation[w][axis] * sides[axis]);
        [x, y, z, f64::from(origin[w]) * unit]
    })
}

/// Whether an affine map is plausible for CT: its voxel sides, three independent axes, and an origin within a
/// kilometre.
fn is_plausible(affine: &Affine) -> bool {
    let axes = [0, 1, 2].map(|axis| column(affine, axis));
    let has_sides = axes.iter().all(|axis| PLAUSIBLE_SIDES_MM.contains(&length(*axis)));
    let is_near = affine.iter().all(|row| row[3].abs() < 1e6);
    let [x, y, z] = axes.map(|axis| normalised(axis).unwrap_or_default());
    has_sides && is_near && dot(cross(x, y), z).abs() > 0.1
}

fn column(affine: &Affine, axis: usize) -> [f64; 3] {
    affine.map(|row| row[axis])
}

fn length(v: [f64; 3]) -> f64 {
    dot(v, v).sqrt()
}
