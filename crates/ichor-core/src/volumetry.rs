//! Volumes and lengths of the lesions of a whole series, in mL and mm.

mod lesions;
mod shape;
#[cfg(test)]
mod tests;

use crate::mask::PackedMask;
use crate::series::Series;
use crate::slice::Warning;
use lesions::{LesionPart, connect};
use serde::Serialize;
use shape::{SlicePlane, abc2, largest_diameter_mm};

/// What was measured in a series. Unknown sizes are `None`, never zero.
#[derive(Debug, Clone, Serialize)]
pub struct Volumetry {
    /// Volume of all lesions, mL.
    pub total_volume_ml: Option<f32>,
    /// Regions connected in space, largest first.
    pub lesions: Vec<VolumeLesion>,
    /// The slice with the largest masked area, as index into the series' slices.
    pub key_slice: Option<usize>,
    /// Why sizes are unknown.
    pub warnings: Vec<Warning>,
}

/// One region connected in space; slice numbers are indices into the series' slices.
#[derive(Debug, Clone, Serialize)]
pub struct VolumeLesion {
    /// 1 for the largest.
    pub id: usize,
    /// Sum of pixel area times the slice's extent, mL.
    pub volume_ml: Option<f32>,
    /// Pixels of all its slices.
    pub voxels: usize,
    /// Lowest slice.
    pub first_slice: usize,
    /// Highest slice.
    pub last_slice: usize,
    /// Slice of its largest area.
    pub key_slice: usize,
    /// Largest distance between two points of its surface, mm.
    pub largest_diameter_mm: Option<f32>,
    /// The bedside estimate.
    pub abc2: Option<Abc2>,
}

/// The bedside estimate of a hematoma's volume, half the product of three lengths (Kothari et al.,
/// *Stroke* 1996;27:1304-1305).
#[derive(Debug, Clone, Serialize)]
pub struct Abc2 {
    /// Largest diameter on the slice of the largest area, mm.
    pub a_mm: f32,
    /// Width at right angles to A on that slice, mm.
    pub b_mm: f32,
    /// Sum of the slices' extents, mm: whole where the area is over 75 % of the largest slice's,
    /// half from 25 to 75 %, none below.
    pub c_mm: f32,
    /// A * B * C / 2, mL.
    pub volume_ml: f32,
}

impl Volumetry {
    /// Makes every length and volume unknown; voxels and slice numbers stay.
    pub fn forget_sizes(&mut self) {
        self.total_volume_ml = None;
        for lesion in &mut self.lesions {
            lesion.volume_ml = None;
            lesion.largest_diameter_mm = None;
            lesion.abc2 = None;
        }
    }
}

/// Measures the masks of a series, one a slice in the series' order.
///
/// Regions are connected with 26 neighbours: 8 in the slice and 9 in each adjacent one, at the
/// place where a perpendicular meets it (a tilted gantry shifts slices against each other). Only
/// slices of one size and pixel spacing connect.
pub fn measure(series: &Series, masks: &[PackedMask]) -> Volumetry {
    let planes: Vec<SlicePlane> = series
        .slices
        .iter()
        .enumerate()
        .map(|(index, slice)| SlicePlane::of(slice, series.extents_mm.as_deref(), index))
        .collect();
    let mut lesions: Vec<VolumeLesion> =
        connect(&planes, masks).iter().map(|parts| lesion(parts, &planes)).collect();
    lesions.sort_by(|a, b| {
        let size = |l: &VolumeLesion| (l.volume_ml.unwrap_or(0.0), l.voxels);
        size(b).0.total_cmp(&size(a).0).then(size(b).1.cmp(&size(a).1))
    });
    lesions.iter_mut().enumerate().for_each(|(index, lesion)| lesion.id = index + 1);
    let known = planes.iter().all(|plane| plane.voxel_mm3().is_some());
    Volumetry {
        total_volume_ml: known.then(|| {
            // In f64: thousands of specks must not lose the last digits. From 0: `sum` of nothing is -0.
            let volumes = lesions.iter().filter_map(|lesion| lesion.volume_ml).map(f64::from);
            volumes.fold(0.0, |sum, volume| sum + volume) as f32
        }),
        key_slice: key_slice(&planes, masks),
        lesions,
        warnings: if known { Vec::new() } else { vec![unknown(series, &planes)] },
    }
}

/// Measures one lesion; its parts are in slice order.
fn lesion(parts: &[LesionPart], planes: &[SlicePlane]) -> VolumeLesion {
    let slices = parts.iter().map(|p| p.slice);
    let (first_slice, last_slice) =
        (slices.clone().min().unwrap_or_default(), slices.max().unwrap_or_default());
    let volume_mm3: Option<f64> =
        parts.iter().map(|p| Some(p.area_px as f64 * planes[p.slice].voxel_mm3()?)).sum();
    let areas = areas(parts, planes);
    let key_slice = largest(&areas).map_or(first_slice, |(slice, _)| slice);
    VolumeLesion {
        id: 0,
        volume_ml: volume_mm3.map(|v| (v / 1000.0) as f32),
        voxels: parts.iter().map(|p| p.area_px).sum(),
        first_slice,
        last_slice,
        key_slice,
        largest_diameter_mm: largest_diameter_mm(parts, planes).map(|d| d as f32),
        abc2: abc2(parts, planes, &areas, key_slice),
    }
}

/// Area of the lesion on each of its slices, mm² (px where the spacing is unknown).
fn areas(parts: &[LesionPart], planes: &[SlicePlane]) -> Vec<(usize, f64)> {
    let mut areas: Vec<(usize, f64)> = Vec::new();
    for part in parts {
        let area = part.area_px as f64 * planes[part.slice].pixel_mm2().unwrap_or(1.0);
        match areas.last_mut() {
            Some((slice, sum)) if *slice == part.slice => *sum += area,
            _ => areas.push((part.slice, area)),
        }
    }
    areas
}

/// The first slice of the largest area above 0.
fn largest(areas: &[(usize, f64)]) -> Option<(usize, f64)> {
    areas.iter().copied().filter(|a| a.1 > 0.0).rev().max_by(|a, b| a.1.total_cmp(&b.1))
}

fn key_slice(planes: &[SlicePlane], masks: &[PackedMask]) -> Option<usize> {
    let area = |(index, (plane, mask)): (usize, (&SlicePlane, &PackedMask))| {
        (index, mask.area_px() as f64 * plane.pixel_mm2().unwrap_or(1.0))
    };
    let areas: Vec<_> = planes.iter().zip(masks).enumerate().map(area).collect();
    largest(&areas).map(|(slice, _)| slice)
}

fn unknown(series: &Series, planes: &[SlicePlane]) -> Warning {
    let without = planes.iter().filter(|p| p.pixel_mm2().is_none()).count();
    let message = if without > 0 {
        format!(
            "Volumes are not known: {without} of {} slices carry no pixel spacing.",
            planes.len()
        )
    } else if series.tilt_degrees.is_some_and(|t| t > crate::series::MAX_TILT_DEGREES) {
        "Volumes are not known: positions and orientations of the slices contradict each other."
            .into()
    } else {
        "Volumes are not known: the slices carry no positions to tell their distance.".into()
    };
    Warning::new("volume_unknown", message)
}
