//! Lesions as CSV (RFC 4180). Unknown values are empty.

use crate::error::{Error, Result};
use crate::lesion::{Density, Depth, LesionType, Location, Region, Side};
use crate::segmenter::Analysis;
use serde::Serialize;

/// One three-dimensional lesion.
#[derive(Serialize)]
struct LesionRow {
    lesion: usize,
    volume_ml: Option<f32>,
    voxels: usize,
    first_slice: usize,
    last_slice: usize,
    key_slice: usize,
    largest_diameter_mm: Option<f32>,
    abc2_a_mm: Option<f32>,
    abc2_b_mm: Option<f32>,
    abc2_c_mm: Option<f32>,
    abc2_volume_ml: Option<f32>,
    kind: KindCells,
    brain_region: Option<Region>,
    measures: MeasureCells,
}

/// One region on one slice.
#[derive(Serialize)]
struct RegionRow {
    slice: usize,
    source: usize,
    region: usize,
    area_px: usize,
    area_mm2: Option<f32>,
    volume_ml: Option<f32>,
    bbox_x: usize,
    bbox_y: usize,
    bbox_width: usize,
    bbox_height: usize,
    centroid_x: f64,
    centroid_y: f64,
    mean_probability: f32,
    kind: KindCells,
    measures: MeasureCells,
}

/// Type and place, in both tables.
#[derive(Serialize)]
struct KindCells {
    code: Option<&'static str>,
    probability: Option<f32>,
    side: Option<Side>,
    depth: Option<Depth>,
}

impl KindCells {
    fn new(lesion_type: Option<&LesionType>, location: Option<Location>) -> Self {
        Self {
            code: lesion_type.and_then(|of| of.code),
            probability: lesion_type.and_then(|of| of.probability),
            side: location.and_then(|location| location.side),
            depth: location.map(|location| location.depth),
        }
    }
}

/// Thickness and density, in both tables.
#[derive(Serialize)]
struct MeasureCells {
    thickness_mm: Option<f32>,
    mean_hu: Option<f32>,
    sd_hu: Option<f32>,
    above_60_hu: Option<f32>,
}

impl MeasureCells {
    fn new(thickness_mm: Option<f32>, density: Option<Density>) -> Self {
        Self {
            thickness_mm,
            mean_hu: density.map(|density| density.mean_hu),
            sd_hu: density.map(|density| density.sd_hu),
            above_60_hu: density.map(|density| density.above_60_hu),
        }
    }
}

/// The three-dimensional lesions as CSV, one per row. Volumes are in mL, lengths in mm; slices count from 0, as in
/// the JSON report.
///
/// # Errors
/// [`Error::Internal`] if a row cannot be written, which no value causes.
pub fn lesion_table(analysis: &Analysis) -> Result<Vec<u8>> {
    let header = [
        "lesion",
        "volume_ml",
        "voxels",
        "first_slice",
        "last_slice",
        "key_slice",
        "largest_diameter_mm",
        "abc2_a_mm",
        "abc2_b_mm",
        "abc2_c_mm",
        "abc2_volume_ml",
        "type",
        "type_probability",
        "side",
        "depth",
        "brain_region",
        "thickness_mm",
        "mean_hu",
        "sd_hu",
        "above_60_hu",
    ];
    let rows = analysis.volume.lesions.iter().map(|lesion| {
        let abc2 = lesion.abc2.as_ref();
        LesionRow {
            lesion: lesion.id,
            volume_ml: lesion.volume_ml,
            voxels: lesion.voxels,
            first_slice: lesion.first_slice,
            last_slice: lesion.last_slice,
            key_slice: lesion.key_slice,
            largest_diameter_mm: lesion.largest_diameter_mm,
            abc2_a_mm: abc2.map(|abc2| abc2.a_mm),
            abc2_b_mm: abc2.map(|abc2| abc2.b_mm),
            abc2_c_mm: abc2.map(|abc2| abc2.c_mm),
            abc2_volume_ml: abc2.map(|abc2| abc2.volume_ml),
            kind: KindCells::new(lesion.lesion_type.as_ref(), lesion.location),
            brain_region: lesion.location.and_then(|location| location.region),
            measures: MeasureCells::new(lesion.thickness_mm, lesion.density),
        }
    });
    write(&header, rows)
}

/// The regions of every slice as CSV, one per row. Areas are in px and mm², volumes in mL, positions in px from 0;
/// `source` is the place of the slice in the input, from 0.
///
/// # Errors
/// As [`lesion_table`].
pub fn region_table(analysis: &Analysis) -> Result<Vec<u8>> {
    let header = [
        "slice",
        "source",
        "region",
        "area_px",
        "area_mm2",
        "volume_ml",
        "bbox_x",
        "bbox_y",
        "bbox_width",
        "bbox_height",
        "centroid_x",
        "centroid_y",
        "mean_probability",
        "type",
        "type_probability",
        "side",
        "depth",
        "thickness_mm",
        "mean_hu",
        "sd_hu",
        "above_60_hu",
    ];
    let numbered = analysis.slices.iter().zip(&analysis.series.sources).enumerate();
    let rows = numbered.flat_map(|(slice, (finding, &source))| {
        finding.lesions.iter().map(move |lesion| RegionRow {
            slice,
            source,
            region: lesion.id,
            area_px: lesion.area_px,
            area_mm2: lesion.area_mm2,
            volume_ml: lesion.volume_ml,
            bbox_x: lesion.bbox.x,
            bbox_y: lesion.bbox.y,
            bbox_width: lesion.bbox.width,
            bbox_height: lesion.bbox.height,
            centroid_x: lesion.centroid.x,
            centroid_y: lesion.centroid.y,
            mean_probability: lesion.mean_probability,
            kind: KindCells::new(lesion.lesion_type.as_ref(), lesion.location),
            measures: MeasureCells::new(lesion.thickness_mm, lesion.density),
        })
    });
    write(&header, rows)
}

/// The header is written even where there are no rows: an empty file would look like an error.
fn write(header: &[&str], rows: impl Iterator<Item = impl Serialize>) -> Result<Vec<u8>> {
    let fail = |_| Error::Internal("the table could not be written".into());
    let mut table = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    table.write_record(header).map_err(fail)?;
    for row in rows {
        table.serialize(row).map_err(fail)?;
    }
    table.into_inner().map_err(|_| Error::Internal("the table could not be written".into()))
}
