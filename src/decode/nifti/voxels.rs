//! The voxels of one volume, read row by row into the planes of its slices.

use super::header::VolumeHeader;
use crate::error::{Error, Result};
use crate::series::VolumeGrid;
use crate::slice::Plane;
use nifti::NiftiType;
use std::io::Read;

/// What stands in for values that are no numbers, HU.
const AIR: f32 = -1000.0;

/// The slices' samples and what they hold.
pub(super) struct Voxels {
    pub(super) planes: Vec<Plane>,
    /// Lowest value.
    pub(super) lowest: f32,
    /// Values that were NaN or infinite, and read as air.
    pub(super) replaced: usize,
}

/// Reads the first volume; `reader` stands behind the header, whose sizes were checked.
///
/// One row of the file is in memory beside the planes. Zeroed pages of the planes cost nothing
/// until a row is written, so a file that ends early has taken little.
pub(super) fn read(
    reader: &mut impl Read,
    header: &VolumeHeader,
    grid: &VolumeGrid,
) -> Result<Voxels> {
    let too_short = |_| Error::Undecodable("it ends or is damaged before its last voxel".into());
    let mut skipped = reader.by_ref().take(header.bytes_to_skip());
    std::io::copy(&mut skipped, &mut std::io::sink()).map_err(too_short)?;
    let [columns, rows, count] = grid.sizes();
    // One by one: clones of a plane would be copied, and so be in memory at once.
    let planes = (0..count).map(|_| Plane::filled(columns, rows, 0.0)).collect();
    let mut voxels = Voxels { planes, lowest: f32::INFINITY, replaced: 0 };
    let [ni, nj, nk] = header.dimensions;
    let mut raw = vec![0; ni * header.sample.size_of()];
    let mut values = Vec::with_capacity(ni);
    for (j, k) in (0..nk).flat_map(|k| (0..nj).map(move |j| (j, k))) {
        reader.read_exact(&mut raw).map_err(too_short)?;
        widen(header, &raw, &mut values);
        voxels.place(&values, header.scaling, grid, (j, k));
    }
    Ok(voxels)
}

impl Voxels {
    /// Scales one row of the file and writes it where it lies in the slices.
    fn place(
        &mut self,
        values: &[f64],
        [slope, intercept]: [f64; 2],
        grid: &VolumeGrid,
        (j, k): (usize, usize),
    ) {
        let row = grid.file_row(j, k);
        for (i, value) in values.iter().enumerate() {
            let mut value = (slope * value + intercept) as f32;
            if !value.is_finite() {
                value = AIR;
                self.replaced += 1;
            }
            self.lowest = self.lowest.min(value);
            let (slice, sample) = row.at(i);
            self.planes[slice].samples[sample] = value;
        }
    }
}

/// Stored samples to numbers.
fn widen(header: &VolumeHeader, raw: &[u8], values: &mut Vec<f64>) {
    values.clear();
    macro_rules! numbers {
        ($number:ty) => {{
            let (samples, _) = raw.as_chunks::<{ size_of::<$number>() }>();
            if header.little_endian {
                values.extend(samples.iter().map(|b| <$number>::from_le_bytes(*b) as f64));
            } else {
                values.extend(samples.iter().map(|b| <$number>::from_be_bytes(*b) as f64));
            }
        }};
    }
    match header.sample {
        NiftiType::Uint8 => numbers!(u8),
        NiftiType::Int8 => numbers!(i8),
        NiftiType::Uint16 => numbers!(u16),
        NiftiType::Int16 => numbers!(i16),
        NiftiType::Uint32 => numbers!(u32),
        NiftiType::Int32 => numbers!(i32),
        NiftiType::Uint64 => numbers!(u64),
        NiftiType::Int64 => numbers!(i64),
        NiftiType::Float32 => numbers!(f32),
        NiftiType::Float64 => numbers!(f64),
        // The header's check let no other type through.
        _ => values.resize(raw.len() / header.sample.size_of(), f64::NAN),
    }
}
