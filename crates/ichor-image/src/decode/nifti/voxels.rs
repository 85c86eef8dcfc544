//! Reads the voxels of a volume row by row into the planes of its slices.

use super::header::VolumeHeader;
use super::storage::Storage;
use crate::error::{Error, Result};
use crate::series::{FileRow, VolumeGrid};
use crate::slice::{Plane, Scale, StoredPlane};
use nifti::NiftiType;
use std::io::Read;

/// Replacement for NaN and infinite values, HU.
pub(super) const AIR: f32 = -1000.0;

/// The planes of a volume, in the order of the slices.
pub(super) struct Voxels {
    pub(super) planes: Vec<StoredPlane>,
    /// Lowest value of all planes.
    pub(super) lowest: f32,
    /// Number of NaN and infinite values, which are replaced by air.
    pub(super) replaced: usize,
}

/// Reads the first volume; `reader` is positioned at the first voxel, and the sizes were checked.
///
/// Besides the planes, one row of the file is in memory. A plane is allocated when the file reaches it, so that a file
/// that ends early takes little memory.
///
/// # Errors
/// As [`for_each_row`].
pub(super) fn read(
    reader: &mut impl Read,
    header: &VolumeHeader,
    grid: &VolumeGrid,
    storage: Storage,
) -> Result<Voxels> {
    let mut writer = VolumeWriter {
        planes: Planes::new(grid, storage),
        finished: vec![None; grid.sizes()[2]],
        scaling: header.scaling,
        lowest: f32::INFINITY,
        replaced: 0,
    };
    // If the slices are contiguous in the file, each is compressed as soon as its last row is read.
    let [_, last_row, _] = header.dimensions.map(|n| n - 1);
    let is_contiguous = grid.axes[2] == 2;
    for_each_row(reader, header, |numbers, position| {
        let slice = writer.write_row(numbers, grid, position);
        if is_contiguous && position.0 == last_row {
            writer.finish(slice, grid);
        }
    })?;
    (0..writer.finished.len()).for_each(|slice| writer.finish(slice, grid));
    let VolumeWriter { finished, lowest, replaced, .. } = writer;
    Ok(Voxels { planes: finished.into_iter().flatten().collect(), lowest, replaced })
}

/// Moves `reader` from `position` in the file to the first voxel.
///
/// # Errors
/// [`Error::Undecodable`] if the file is damaged before it.
pub(super) fn skip_to_first(
    reader: &mut impl Read,
    header: &VolumeHeader,
    position: u64,
) -> Result<()> {
    let mut skipped = reader.by_ref().take(header.offset.saturating_sub(position));
    std::io::copy(&mut skipped, &mut std::io::sink()).map_err(|_| too_short())?;
    Ok(())
}

/// Calls `f` with the stored numbers of each row `(0.., j, k)` of the first volume and with `(j, k)`; `reader` is
/// positioned at the first voxel.
///
/// # Errors
/// [`Error::Undecodable`] if the file ends before its last voxel.
pub(super) fn for_each_row(
    reader: &mut impl Read,
    header: &VolumeHeader,
    mut f: impl FnMut(&[f64], (usize, usize)),
) -> Result<()> {
    let [ni, nj, nk] = header.dimensions;
    let mut raw = vec![0; ni * header.sample.size_of()];
    let mut numbers = Vec::with_capacity(ni);
    for (j, k) in (0..nk).flat_map(|k| (0..nj).map(move |j| (j, k))) {
        reader.read_exact(&mut raw).map_err(|_| too_short())?;
        convert(header, &raw, &mut numbers);
        f(&numbers, (j, k));
    }
    Ok(())
}

fn too_short() -> Error {
    Error::Undecodable("it ends or is damaged before its last voxel".into())
}

/// State of [`read`].
struct VolumeWriter {
    planes: Planes,
    /// Complete planes, by slice.
    finished: Vec<Option<StoredPlane>>,
    scaling: [f64; 2],
    lowest: f32,
    replaced: usize,
}

/// Samples of the planes that are not complete, by slice; empty before the first sample and after the last.
enum Planes {
    Exact(Vec<Vec<u16>>, Scale),
    Rounded(Vec<Vec<u16>>, Scale),
    Floats(Vec<Vec<f32>>),
}

impl Planes {
    fn new(grid: &VolumeGrid, storage: Storage) -> Self {
        match storage {
            Storage::Exact(scale) => Self::Exact(empty_planes(grid), scale),
            Storage::Rounded(scale) => Self::Rounded(empty_planes(grid), scale),
            Storage::Floats => Self::Floats(empty_planes(grid)),
        }
    }

    /// Allocates a plane if it is empty.
    fn allocate(&mut self, slice: usize, [columns, rows, _]: [usize; 3]) {
        match self {
            Self::Exact(planes, _) | Self::Rounded(planes, _) if planes[slice].is_empty() => {
                planes[slice] = vec![0; columns * rows];
            }
            Self::Floats(planes) if planes[slice].is_empty() => {
                planes[slice] = vec![0.0; columns * rows];
            }
            _ => {}
        }
    }

    /// Removes the samples of a plane.
    fn take(&mut self, slice: usize, [width, height, _]: [usize; 3]) -> StoredPlane {
        match self {
            Self::Exact(planes, scale) | Self::Rounded(planes, scale) => {
                StoredPlane::steps(width, height, std::mem::take(&mut planes[slice]), *scale)
            }
            Self::Floats(planes) => {
                Plane { width, height, samples: std::mem::take(&mut planes[slice]) }.into()
            }
        }
    }
}

/// One empty plane per slice.
fn empty_planes<T>(grid: &VolumeGrid) -> Vec<Vec<T>> {
    let [_, _, slices] = grid.sizes();
    (0..slices).map(|_| Vec::new()).collect()
}

impl VolumeWriter {
    /// Compresses a complete slice, once.
    fn finish(&mut self, slice: usize, grid: &VolumeGrid) {
        if self.finished[slice].is_none() {
            self.finished[slice] = Some(self.planes.take(slice, grid.sizes()));
        }
    }

    /// Scales row `(j, k)` of the file and writes it to the planes. Returns the slice of its last voxel.
    fn write_row(&mut self, numbers: &[f64], grid: &VolumeGrid, (j, k): (usize, usize)) -> usize {
        let row = grid.file_row(j, k);
        let ends = [row.at(0).0, row.at(numbers.len().saturating_sub(1)).0];
        (ends[0].min(ends[1])..=ends[0].max(ends[1]))
            .for_each(|slice| self.planes.allocate(slice, grid.sizes()));
        let values = |replaced: &mut usize| -> Vec<f32> {
            numbers.iter().map(|&number| scale_or_air(self.scaling, number, replaced)).collect()
        };
        let lowest = match &mut self.planes {
            Planes::Exact(planes, scale) => {
                // The sum with 2^52 has the integer in its lowest bits; the compiler vectorizes this conversion.
                const INTEGER_BITS: f64 = (1_u64 << 52) as f64;
                let first = f64::from(scale.first);
                let step = |&number: &f64| (number - first + INTEGER_BITS).to_bits() as u16;
                let steps: Vec<u16> = numbers.iter().map(step).collect();
                copy_row(&row, &steps, planes);
                let ends = [steps.iter().min(), steps.iter().max()];
                ends.into_iter()
                    .flatten()
                    .map(|&step| scale.apply(step))
                    .fold(f32::INFINITY, f32::min)
            }
            Planes::Rounded(planes, scale) => {
                let values = values(&mut self.replaced);
                let step = |&value: &f32| (f64::from(value) - scale.intercept) / scale.slope;
                let steps: Vec<u16> = values.iter().map(|v| step(v).round() as u16).collect();
                copy_row(&row, &steps, planes);
                values.into_iter().fold(f32::INFINITY, f32::min)
            }
            Planes::Floats(planes) => {
                let values = values(&mut self.replaced);
                copy_row(&row, &values, planes);
                values.into_iter().fold(f32::INFINITY, f32::min)
            }
        };
        self.lowest = self.lowest.min(lowest);
        ends[1]
    }
}

/// Writes the values of a row to their positions in the planes.
fn copy_row<T: Copy>(row: &FileRow, values: &[T], planes: &mut [Vec<T>]) {
    match row.in_slice() {
        Some((slice, first, 1)) => {
            planes[slice][first..first + values.len()].copy_from_slice(values);
        }
        Some((slice, first, -1)) => {
            let samples = planes[slice][..=first].iter_mut().rev();
            samples.zip(values).for_each(|(sample, &value)| *sample = value);
        }
        _ => {
            for (i, &value) in values.iter().enumerate() {
                let (slice, sample) = row.at(i);
                planes[slice][sample] = value;
            }
        }
    }
}

/// The scaled value, or [`AIR`] if it is NaN or infinite.
fn scale_or_air([slope, intercept]: [f64; 2], number: f64, replaced: &mut usize) -> f32 {
    let value = (slope * number + intercept) as f32;
    if value.is_finite() {
        return value;
    }
    *replaced += 1;
    AIR
}

/// Converts the samples of a row to numbers.
fn convert(header: &VolumeHeader, raw: &[u8], values: &mut Vec<f64>) {
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
        // `VolumeHeader::read` accepts no other type.
        _ => values.resize(raw.len() / header.sample.size_of(), f64::NAN),
    }
}
