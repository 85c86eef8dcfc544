//! Where a volume lies in the patient, and which of its axes run to the left, the back and up.
//!
//! NIfTI's world has x to the right, y to the front and z up; DICOM's has x to the left and y to
//! the back (PS3.3 C.7.6.2.1.1).

use super::header::VolumeHeader;
use crate::series::VolumeGrid;
use crate::slice::{Placement, Warning};
use crate::vector::{cross, dot, normalised};

/// Voxel sides of a CT, mm, with a wide margin; outside it the header is wrong.
const SANE_SIDES_MM: std::ops::RangeInclusive<f64> = 0.01..=100.0;
/// Beyond this the cut slices are visibly not the patient's axial ones.
const OBLIQUE_DEGREES: f64 = 3.0;

type Affine = [[f64; 4]; 3];

/// The voxel-to-world map of a file.
pub(super) struct Orientation {
    /// Voxel (i, j, k) to NIfTI world, mm.
    pub(super) affine: Affine,
    source: Source,
    /// A declared map was unusable.
    fell_back: bool,
    /// The file has a third axis, so the distance of its slices is known.
    has_slices: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Source {
    /// `sform` or `qform`.
    Declared,
    /// Only the voxel sides are known.
    Sides,
    /// Nothing is known; voxels of 1 mm stand in.
    Nothing,
}

impl Orientation {
    /// `sform`, else `qform`, else the voxel sides (methods 3, 2 and 1 of `nifti1.h`).
    pub(super) fn of(header: &VolumeHeader) -> Self {
        let fields = &header.fields;
        let unit = millimetres(fields.xyzt_units);
        let sform = (fields.sform_code > 0).then(|| sform(header, unit));
        let qform = (fields.qform_code > 0).then(|| qform(header, unit));
        let declared: Vec<Affine> = [sform, qform].into_iter().flatten().collect();
        let sound = declared.iter().position(is_sound);
        let has_slices = header.dimensionality > 2;
        let sides = sides(header, unit);
        let (affine, source) = match sound {
            Some(index) => (declared[index], Source::Declared),
            None if sides.iter().all(|s| SANE_SIDES_MM.contains(s)) => {
                (diagonal(sides), Source::Sides)
            }
            None => (diagonal([1.0; 3]), Source::Nothing),
        };
        let fell_back = !declared.is_empty() && sound != Some(0);
        Self { affine, source, fell_back, has_slices }
    }

    /// Which file axis runs most to the left or right, to the front or back, and up or down; and
    /// whether columns (to the left), rows (to the back) and slices (up) run against it.
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

    /// Cautions about the geometry.
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
            Source::Nothing => warnings.push(Warning::new(
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
        if self.cut(grid).placement(0).is_none() && self.source == Source::Declared {
            warnings.push(Warning::new(
                "sheared_pixels",
                "The header shears rows against columns; sizes are not known.",
            ));
        }
        warnings
    }

    /// Spacing and place of the slices.
    pub(super) fn cut(&self, grid: &VolumeGrid) -> Cut {
        let world = |v: [f64; 3]| [-v[0], -v[1], v[2]];
        let toward = |out: usize| {
            let direction = world(self.direction(grid.axes[out]));
            if grid.reversed[out] { direction.map(|v| -v) } else { direction }
        };
        let (row, column) = (toward(0), toward(1));
        let normal = normalised(cross(row, column)).unwrap_or_default();
        let [columns, rows, slices] = grid.axes.map(|axis| length(self.column(axis)));
        let known = self.source != Source::Nothing && dot(row, column).abs() < 0.02;
        Cut {
            spacing_mm: known.then_some([rows as f32, columns as f32]),
            thickness_mm: (known && self.has_slices)
                .then(|| (slices * dot(toward(2), normal).abs()) as f32),
            corner: known.then(|| world(self.corner(grid))),
            step: toward(2).map(|v| v * slices),
            row,
            column,
        }
    }

    /// World position of the first slice's first sample.
    fn corner(&self, grid: &VolumeGrid) -> [f64; 3] {
        let mut voxel = [0.0; 3];
        for (axis, reversed) in grid.axes.into_iter().zip(grid.reversed) {
            voxel[axis] = if reversed { grid.dimensions[axis] as f64 - 1.0 } else { 0.0 };
        }
        self.affine.map(|row| dot([row[0], row[1], row[2]], voxel) + row[3])
    }

    /// One step along a file axis, mm.
    fn column(&self, axis: usize) -> [f64; 3] {
        column(&self.affine, axis)
    }

    fn direction(&self, axis: usize) -> [f64; 3] {
        normalised(self.column(axis)).unwrap_or_default()
    }
}

/// Geometry of the slices cut from a volume, in the patient's coordinates.
pub(super) struct Cut {
    pub(super) spacing_mm: Option<[f32; 2]>,
    /// Distance of the slices along their normal.
    pub(super) thickness_mm: Option<f32>,
    corner: Option<[f64; 3]>,
    step: [f64; 3],
    row: [f64; 3],
    column: [f64; 3],
}

impl Cut {
    pub(super) fn placement(&self, slice: usize) -> Option<Placement> {
        let corner = self.corner?;
        let position_mm = std::array::from_fn(|w| corner[w] + slice as f64 * self.step[w]);
        Some(Placement { position_mm, row: self.row, column: self.column })
    }
}

/// Millimetres in one unit of `xyzt_units`; files that name none mean millimetres.
fn millimetres(xyzt_units: u8) -> f64 {
    match xyzt_units & 0b111 {
        1 => 1000.0,
        3 => 0.001,
        _ => 1.0,
    }
}

/// Sides of a voxel, mm; 1 for axes that the file does not have, as their `pixdim` means nothing.
fn sides(header: &VolumeHeader, unit: f64) -> [f64; 3] {
    std::array::from_fn(|axis| {
        let side = f64::from(header.fields.pixdim[axis + 1]).abs() * unit;
        let absent = axis >= header.dimensionality;
        if absent && !SANE_SIDES_MM.contains(&side) { 1.0 } else { side }
    })
}

fn diagonal(sides: [f64; 3]) -> Affine {
    std::array::from_fn(|w| std::array::from_fn(|axis| if axis == w { sides[w] } else { 0.0 }))
}

fn sform(header: &VolumeHeader, unit: f64) -> Affine {
    let fields = &header.fields;
    let mut affine =
        [fields.srow_x, fields.srow_y, fields.srow_z].map(|row| row.map(|v| f64::from(v) * unit));
    // A flat image need not say where its third axis runs.
    if header.dimensions[2] == 1 && length(column(&affine, 2)) == 0.0 {
        let side = sides(header, unit)[2];
        if let Some(normal) = normalised(cross(column(&affine, 0), column(&affine, 1))) {
            affine.iter_mut().zip(normal).for_each(|(row, n)| row[2] = n * side);
        }
    }
    affine
}

/// Method 2 of `nifti1.h`: a rotation as the quaternion (a, b, c, d), the voxel sides, and
/// `pixdim[0]` as the sign of the third axis.
fn qform(header: &VolumeHeader, unit: f64) -> Affine {
    let fields = &header.fields;
    let [mut b, mut c, mut d] =
        [fields.quatern_b, fields.quatern_c, fields.quatern_d].map(f64::from);
    let squares = b * b + c * c + d * d;
    // Near a half turn the root would magnify the rounding of b, c and d; `nifti1_io.c` has the
    // same bound.
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

/// Whether an affine can be a CT's: voxel sides that exist, three axes that span space, a place
/// within a kilometre.
fn is_sound(affine: &Affine) -> bool {
    let axes = [0, 1, 2].map(|axis| column(affine, axis));
    let sides = axes.iter().all(|axis| SANE_SIDES_MM.contains(&length(*axis)));
    let near = affine.iter().all(|row| row[3].abs() < 1e6);
    let [x, y, z] = axes.map(|axis| normalised(axis).unwrap_or_default());
    sides && near && dot(cross(x, y), z).abs() > 0.1
}

fn column(affine: &Affine, axis: usize) -> [f64; 3] {
    affine.map(|row| row[axis])
}

fn length(v: [f64; 3]) -> f64 {
    dot(v, v).sqrt()
}
