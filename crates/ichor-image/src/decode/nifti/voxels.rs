//! The voxels of one volume, read row by row into the planes of its slices.

use super::header::VolumeHeader;
use super::kept::Kept;
use crate::error::{Error, Result};
use crate::series::{FileRow, VolumeGrid};
use crate::slice::{Plane, Scale, StoredPlane};
use nifti::NiftiType;
use std::io::Read;

/// What stands in for values that are no numbers, HU.
pub(super) const AIR: f32 = -1000.0;

/// The slices' samples and what they hold.
pub(super) struct Voxels {
    pub(super) planes: Vec<StoredPlane>,
    /// Lowest value.
    pub(super) lowest: f32,
    /// Values that were NaN or infinite, and read as air.
    pub(super) replaced: usize,
}

/// Reads the first volume; `reader` stands at the start of the file, whose sizes were checked.
///
/// One row of the file is in memory beside the planes, and a plane only once the file reaches it: a
/// file that ends early has taken little.
///
/// # Errors
/// As [`for_each_row`].
pub(super) fn read(
    reader: &mut impl Read,
    header: &VolumeHeader,
    grid: &VolumeGrid,
    kept: Kept,
) -> Result<Voxels> {
    let mut filling = Filling {
        planes: Planes::new(grid, kept),
        done: vec![None; grid.sizes()[2]],
        scaling: header.scaling,
        lowest: f32::INFINITY,
        replaced: 0,
    };
    // Where slices follow each other in the file, each is put away when its last row is there.
    let [_, last_row, _] = header.dimensions.map(|n| n - 1);
    let whole_slices = grid.axes[2] == 2;
    for_each_row(reader, header, |numbers, place| {
        let slice = filling.place(numbers, grid, place);
        if whole_slices && place.0 == last_row {
            filling.finish(slice, grid);
        }
    })?;
    (0..filling.done.len()).for_each(|slice| filling.finish(slice, grid));
    let Filling { done, lowest, replaced, .. } = filling;
    Ok(Voxels { planes: done.into_iter().flatten().collect(), lowest, replaced })
}

/// Calls `f` with the stored numbers of each row `(0.., j, k)` of the first volume, and with j and
/// k; `reader` stands at the start of the file.
///
/// # Errors
/// [`Error::Undecodable`] where the file ends before its last voxel.
pub(super) fn for_each_row(
    reader: &mut impl Read,
    header: &VolumeHeader,
    mut f: impl FnMut(&[f64], (usize, usize)),
) -> Result<()> {
    let too_short = |_| Error::Undecodable("it ends or is damaged before its last voxel".into());
    let mut skipped = reader.by_ref().take(header.offset);
    std::io::copy(&mut skipped, &mut std::io::sink()).map_err(too_short)?;
    let [ni, nj, nk] = header.dimensions;
    let mut raw = vec![0; ni * header.sample.size_of()];
    let mut numbers = Vec::with_capacity(ni);
    for (j, k) in (0..nk).flat_map(|k| (0..nj).map(move |j| (j, k))) {
        reader.read_exact(&mut raw).map_err(too_short)?;
        widen(header, &raw, &mut numbers);
        f(&numbers, (j, k));
    }
    Ok(())
}

/// The planes while they are filled.
struct Filling {
    planes: Planes,
    /// Those that are whole, by slice.
    done: Vec<Option<StoredPlane>>,
    scaling: [f64; 2],
    lowest: f32,
    replaced: usize,
}

enum Planes {
    Exact(Vec<Vec<u16>>, Scale),
    Rounded(Vec<Vec<u16>>, Scale),
    Floats(Vec<Vec<f32>>),
}

impl Planes {
    fn new(grid: &VolumeGrid, kept: Kept) -> Self {
        match kept {
            Kept::Exact(scale) => Self::Exact(unopened(grid), scale),
            Kept::Rounded(scale) => Self::Rounded(unopened(grid), scale),
            Kept::Floats => Self::Floats(unopened(grid)),
        }
    }

    /// Makes room for a plane before its first sample.
    fn open(&mut self, slice: usize, [columns, rows, _]: [usize; 3]) {
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

    /// Takes one of the planes, which is empty from then on.
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

/// Planes without room: each is opened when the file reaches it.
fn unopened<T>(grid: &VolumeGrid) -> Vec<Vec<T>> {
    let [_, _, slices] = grid.sizes();
    (0..slices).map(|_| Vec::new()).collect()
}

impl Filling {
    /// Puts a whole slice away.
    fn finish(&mut self, slice: usize, grid: &VolumeGrid) {
        if self.done[slice].is_none() {
            self.done[slice] = Some(self.planes.take(slice, grid.sizes()));
        }
    }

    /// Scales one row of the file and writes it where it lies in the slices; returns the last of
    /// them that it reached.
    fn place(&mut self, numbers: &[f64], grid: &VolumeGrid, (j, k): (usize, usize)) -> usize {
        let row = grid.file_row(j, k);
        let ends = [row.at(0).0, row.at(numbers.len().saturating_sub(1)).0];
        (ends[0].min(ends[1])..=ends[0].max(ends[1]))
            .for_each(|slice| self.planes.open(slice, grid.sizes()));
        let values = |replaced: &mut usize| -> Vec<f32> {
            numbers.iter().map(|&number| finite(self.scaling, number, replaced)).collect()
        };
        let lowest = match &mut self.planes {
            Planes::Exact(planes, scale) => {
                // A whole number added to this one lies in the lowest bits, and the compiler makes vectors of it.
                const WHOLE: f64 = (1_u64 << 52) as f64;
                let first = f64::from(scale.first);
                let step = |&number: &f64| (number - first + WHOLE).to_bits() as u16;
                let steps: Vec<u16> = numbers.iter().map(step).collect();
                put(&row, &steps, planes);
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
                put(&row, &steps, planes);
                values.into_iter().fold(f32::INFINITY, f32::min)
            }
            Planes::Floats(planes) => {
                let values = values(&mut self.replaced);
                put(&row, &values, planes);
                values.into_iter().fold(f32::INFINITY, f32::min)
            }
        };
        self.lowest = self.lowest.min(lowest);
        ends[1]
    }
}

/// Writes one row of the file where it lies in the slices.
fn put<T: Copy>(row: &FileRow, values: &[T], planes: &mut [Vec<T>]) {
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

fn finite([slope, intercept]: [f64; 2], number: f64, replaced: &mut usize) -> f32 {
    let value = (slope * number + intercept) as f32;
    if value.is_finite() {
        return value;
    }
    *replaced += 1;
    AIR
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
