//! Volumes, in mL, and lengths, in mm, of the lesions of a series.

mod lesions;
mod shape;
#[cfg(test)]
mod tests;

use crate::lesion::{Density, LesionType, Location};
use crate::mask::PackedMask;
use crate::series::Series;
use crate::slice::Warning;
use lesions::{LesionPart, connect};
use serde::Serialize;
use shape::{SlicePlane, abc2, largest_diameter_mm};

/// The lesions of a series with their sizes. A size that the file does not allow to compute is `None`, never zero.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Volumetry {
    /// Volume of all lesions, mL; `None` where a slice lacks spacing or position.
    pub total_volume_ml: Option<f32>,
    /// Volume of the same lesions at 1.5 times and at half the odds of the threshold, mL: how much it depends on the
    /// threshold, which is no confidence interval. `None` where the total is.
    pub total_volume_interval_ml: Option<[f32; 2]>,
    /// Lesions of the volume, largest first.
    pub lesions: Vec<VolumeLesion>,
    /// Index of the slice with the largest masked area; `None` for empty masks.
    pub key_slice: Option<usize>,
    /// The warning `volume_unknown`, where the total volume is unknown.
    pub warnings: Vec<Warning>,
}

/// One lesion of a volume: a region that is connected across slices. Slices are given by their index in the series.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct VolumeLesion {
    /// 1 for the largest.
    pub id: usize,
    /// Volume, mL: the sum over its pixels of pixel area times slice extent.
    pub volume_ml: Option<f32>,
    /// Number of its pixels on all slices.
    pub voxels: usize,
    /// Its first slice.
    pub first_slice: usize,
    /// Its last slice.
    pub last_slice: usize,
    /// The slice on which its area is largest.
    pub key_slice: usize,
    /// Largest distance between two points of its surface, mm.
    pub largest_diameter_mm: Option<f32>,
    /// The estimate of its volume by ABC/2.
    pub abc2: Option<Abc2>,
    /// Its type: the mean of its parts on the slices, by area. Left out where the model does not distinguish types of
    /// lesions.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub lesion_type: Option<LesionType>,
    /// Where it lies in the head, where the inside of the skull was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Largest thickness perpendicular to the inner table on a slice, mm, of a lesion that lies along the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thickness_mm: Option<f32>,
    /// How dense it is, where the samples are Hounsfield units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub density: Option<Density>,
    /// Slice and place among the regions of that slice, largest first, of each of its parts.
    #[serde(skip)]
    pub(crate) parts: Vec<[usize; 2]>,
}

/// The ABC/2 estimate of a hematoma's volume: half the product of three lengths (Kothari et al., *Stroke*
/// 1996;27:1304-1305).
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Abc2 {
    /// Largest diameter on the slice with the largest area, mm.
    pub a_mm: f32,
    /// Width perpendicular to A on that slice, mm.
    pub b_mm: f32,
    /// Weighted sum of the slices' extents, mm. A slice counts fully where its area is over 75 % of the largest, half
    /// from 25 to 75 %, and not below.
    pub c_mm: f32,
    /// A * B * C / 2, mL.
    pub volume_ml: f32,
}

impl Volumetry {
    /// Sets the total volume to `None`.
    pub fn clear_total(&mut self) {
        (self.total_volume_ml, self.total_volume_interval_ml) = (None, None);
    }

    /// Sets every length and volume to `None`. Numbers of voxels and slices stay.
    pub fn clear_sizes(&mut self) {
        self.clear_total();
        for lesion in &mut self.lesions {
            lesion.volume_ml = None;
            lesion.largest_diameter_mm = None;
            lesion.abc2 = None;
            lesion.thickness_mm = None;
        }
    }
}

/// Measures the masks of a series, one per slice in the order of the series.
///
/// Voxels are connected to 26 neighbours: 8 in the slice and 9 in each adjacent slice, around the point where the
/// perpendicular meets that slice. Under a tilted gantry slices are shifted against each other. Only slices of the same
/// size and pixel spacing are connected.
pub fn measure(series: &Series, masks: &[PackedMask]) -> Volumetry {
    let planes: Vec<SlicePlane> = series
        .slices
        .iter()
        .enumerate()
        .map(|(index, slice)| SlicePlane::new(slice, series.extents_mm.as_deref(), index))
        .collect();
    let mut lesions: Vec<VolumeLesion> =
        connect(&planes, masks).iter().map(|parts| lesion(parts, &planes)).collect();
    lesions.sort_by(|a, b| {
        let size = |l: &VolumeLesion| (l.volume_ml.unwrap_or(0.0), l.voxels);
        size(b).0.total_cmp(&size(a).0).then(size(b).1.cmp(&size(a).1))
    });
    lesions.iter_mut().enumerate().for_each(|(index, lesion)| lesion.id = index + 1);
    let is_known = planes.iter().all(|plane| plane.voxel_mm3().is_some());
    Volumetry {
        total_volume_ml: is_known.then(|| {
            // In `f64`, as `f32` loses digits in a sum over thousands of lesions. From 0, as `sum` of nothing is -0.
            let volumes = lesions.iter().filter_map(|lesion| lesion.volume_ml).map(f64::from);
            volumes.fold(0.0, |sum, volume| sum + volume) as f32
        }),
        total_volume_interval_ml: None,
        key_slice: key_slice(&planes, masks),
        lesions,
        warnings: if is_known { Vec::new() } else { vec![volume_unknown(series, &planes)] },
    }
}

/// Measures one lesion, whose parts are in slice order.
fn lesion(parts: &[LesionPart], planes: &[SlicePlane]) -> VolumeLesion {
    let slices = parts.iter().map(|p| p.slice);
    let (first_slice, last_slice) =
        (slices.clone().min().unwrap_or_default(), slices.max().unwrap_or_default());
    let volume_mm3: Option<f64> =
        parts.iter().map(|p| Some(p.area_px as f64 * planes[p.slice].voxel_mm3()?)).sum();
    let areas = areas(parts, planes);
    let key_slice = largest(areas.iter().copied()).map_or(first_slice, |(slice, _)| slice);
    VolumeLesion {
        id: 0,
        volume_ml: volume_mm3.map(|v| (v / 1000.0) as f32),
        voxels: parts.iter().map(|p| p.area_px).sum(),
        first_slice,
        last_slice,
        key_slice,
        largest_diameter_mm: largest_diameter_mm(parts, planes).map(|d| d as f32),
        abc2: abc2(parts, planes, &areas, key_slice),
        lesion_type: None,
        location: None,
        thickness_mm: None,
        density: None,
        parts: parts.iter().map(|part| [part.slice, part.region]).collect(),
    }
}

/// Area of the lesion on each of its slices, mm², or pixels where the spacing is unknown.
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

/// The first slice with the largest area; `None` where every area is 0.
fn largest(areas: impl DoubleEndedIterator<Item = (usize, f64)>) -> Option<(usize, f64)> {
    areas.filter(|area| area.1 > 0.0).rev().max_by(|a, b| a.1.total_cmp(&b.1))
}

fn key_slice(planes: &[SlicePlane], masks: &[PackedMask]) -> Option<usize> {
    let area = |(index, (plane, mask)): (usize, (&SlicePlane, &PackedMask))| {
        (index, mask.area_px() as f64 * plane.pixel_mm2().unwrap_or(1.0))
    };
    largest(planes.iter().zip(masks).enumerate().map(area)).map(|(slice, _)| slice)
}

/// The warning that explains why the total volume is unknown.
fn volume_unknown(series: &Series, planes: &[SlicePlane]) -> Warning {
    let without = planes.iter().filter(|p| p.pixel_mm2().is_none()).count();
    let message = if without > 0 {
        format!("Volumes are unknown: {without} of {} slices have no pixel spacing.", planes.len())
    } else if series.tilt_degrees.is_some_and(|t| t > crate::series::MAX_TILT_DEGREES) {
        "Volumes are unknown: positions and orientations of the slices contradict each other."
            .into()
    } else {
        "Volumes are unknown: the slices have no positions from which to compute their distance."
            .into()
    };
    Warning::new("volume_unknown", message)
}
