//! Slices of one head, in anatomical order.

use crate::slice::{CtSlice, Warning};

/// Slices that belong together.
#[derive(Debug, Clone)]
pub struct Series {
    /// From the lowest along the normal to the highest where all are placed; else as given.
    pub slices: Vec<CtSlice>,
    /// For each slice, its place in the list that was given: files and frames in their order.
    pub sources: Vec<usize>,
    /// For each slice, the length along the stacking direction that it stands for, mm: half the way
    /// to either neighbour. `None` where positions are unknown.
    pub extents_mm: Option<Vec<f32>>,
    /// Angle between the slices' normal and the line through their positions, degrees.
    pub tilt_degrees: Option<f32>,
    /// How the volume was cut, where it came as one file.
    pub grid: Option<VolumeGrid>,
    /// Cautions of the whole series, beside those of its slices.
    pub warnings: Vec<Warning>,
}

/// A NIfTI volume's own grid, and how its voxels map to the slices cut from it.
#[derive(Debug, Clone, PartialEq)]
pub struct VolumeGrid {
    /// Voxels along the file's axes i, j, k.
    pub dimensions: [usize; 3],
    /// Voxel (i, j, k) to NIfTI world coordinates, mm (x right, y front, z up): three rows of four.
    pub affine: [[f64; 4]; 3],
    /// Which of the file's axes the slices' columns, rows and slice numbers run along.
    pub axes: [usize; 3],
    /// Whether each runs against the file's axis.
    pub reversed: [bool; 3],
}

/// Puts slices in order.
///
/// # Errors
/// None yet.
pub fn assemble(slices: Vec<CtSlice>, grid: Option<VolumeGrid>) -> crate::error::Result<Series> {
    let sources = (0..slices.len()).collect();
    Ok(Series { slices, sources, extents_mm: None, tilt_degrees: None, grid, warnings: Vec::new() })
}
