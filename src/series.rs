//! Slices of one head, in anatomical order.

mod grid;
mod selection;
mod spacing;
#[cfg(test)]
mod tests;
mod vector;

pub(crate) use grid::FileRow;
pub use grid::VolumeGrid;
pub use spacing::MAX_TILT_DEGREES;
pub(crate) use vector::{cross, dot, minus, normalised, scaled_sum};

use crate::error::{Error, Result};
use crate::slice::{CtSlice, Warning};

/// Slices that belong together.
#[derive(Debug, Clone)]
pub struct Series {
    /// From the lowest along the normal to the highest where all are placed; else as given.
    pub slices: Vec<CtSlice>,
    /// For each slice, its place in the list that was given: files and frames in their order.
    pub sources: Vec<usize>,
    /// For each slice, the length along the slices' normal that it stands for, mm: half the way to
    /// either neighbour. `None` where positions are unknown or contradict each other.
    pub extents_mm: Option<Vec<f32>>,
    /// Angle between the slices' normal and the line through their positions, degrees.
    pub tilt_degrees: Option<f32>,
    /// How the volume was cut, where it came as one file; its slices are then `slices`.
    pub grid: Option<VolumeGrid>,
    /// Cautions of the whole series, beside those of its slices.
    pub warnings: Vec<Warning>,
}

/// A slice and its place in the list that was given.
type Numbered = (usize, CtSlice);

/// Puts slices into anatomical order and measures the stack.
///
/// Localisers, slices of another series, size or direction and repeated positions are left out.
/// Slices without positions keep the order in which they were given. What was left out or is odd
/// about the stack is said in [`Series::warnings`].
///
/// # Errors
/// [`Error::Unprocessable`] where nothing but localisers was given, or nothing at all.
pub fn assemble(slices: Vec<CtSlice>, grid: Option<VolumeGrid>) -> Result<Series> {
    let given = slices.len();
    let mut warnings = Vec::new();
    let numbered = slices.into_iter().enumerate().collect();
    let axial = selection::without_localizers(numbered, &mut warnings);
    let chosen = selection::largest_group(axial, &mut warnings);
    let mut chosen = selection::majority_direction(chosen, &mut warnings);
    if chosen.is_empty() {
        return Err(Error::Unprocessable(
            "The series holds no axial slice, at most localisers. Send the slices themselves."
                .into(),
        ));
    }
    let stack = match spacing::normal(&chosen) {
        Some(normal) => spacing::sort_and_measure(&mut chosen, normal, &mut warnings),
        None => spacing::unplaced(&chosen, &mut warnings),
    };
    let (sources, slices): (Vec<_>, Vec<_>) = chosen.into_iter().unzip();
    // Masks can be put back into the file's voxels if every slice of it is there, in its order.
    let whole = slices.len() == given && sources.is_sorted();
    let grid = grid.filter(|grid| whole && given == grid.sizes()[2]);
    Ok(Series {
        slices,
        sources,
        extents_mm: stack.extents_mm,
        tilt_degrees: stack.tilt_degrees,
        grid,
        warnings,
    })
}
