//! Volumes of masks.

use crate::mask::Mask;
use crate::series::Series;
use crate::slice::Warning;
use serde::Serialize;

/// Volumes of one series.
#[derive(Debug, Clone, Serialize)]
pub struct Volumetry {
    /// All lesions, mL.
    pub total_volume_ml: Option<f32>,
    /// Three-dimensional regions, largest first.
    pub lesions: Vec<VolumeLesion>,
    /// Index of the slice with the largest area.
    pub key_slice: Option<usize>,
    /// Cautions.
    pub warnings: Vec<Warning>,
}

/// One region across slices.
#[derive(Debug, Clone, Serialize)]
pub struct VolumeLesion {
    /// 1 for the largest.
    pub id: usize,
    /// Volume, mL.
    pub volume_ml: Option<f32>,
    /// Voxels.
    pub voxels: usize,
    /// First slice.
    pub first_slice: usize,
    /// Last slice.
    pub last_slice: usize,
    /// Slice with its largest area.
    pub key_slice: usize,
    /// Largest diameter, mm.
    pub largest_diameter_mm: Option<f32>,
    /// ABC/2.
    pub abc2: Option<Abc2>,
}

/// ABC/2 with its inputs.
#[derive(Debug, Clone, Serialize)]
pub struct Abc2 {
    /// A, mm.
    pub a_mm: f32,
    /// B, mm.
    pub b_mm: f32,
    /// C, mm.
    pub c_mm: f32,
    /// Volume, mL.
    pub volume_ml: f32,
}

/// Measures masks.
pub fn measure(series: &Series, masks: &[Mask]) -> Volumetry {
    let areas: Vec<usize> = masks.iter().map(Mask::area_px).collect();
    let total = series.extents_mm.as_ref().map(|extents| {
        areas
            .iter()
            .zip(extents)
            .zip(&series.slices)
            .map(|((&area, extent), slice)| {
                let [r, c] = slice.spacing_mm.unwrap_or([0.0; 2]);
                area as f32 * extent * r * c / 1000.0
            })
            .sum()
    });
    let key = areas.iter().enumerate().max_by_key(|(_, a)| **a).filter(|(_, a)| **a > 0);
    Volumetry {
        total_volume_ml: total,
        lesions: Vec::new(),
        key_slice: key.map(|(i, _)| i),
        warnings: Vec::new(),
    }
}
