//! NIfTI-1 volumes (`.nii`, `.nii.gz`), cut into axial slices.
//!
//! The header is parsed by the `nifti` crate. Its volume reader is not used, because it allocates the size that the
//! header declares before it reads a voxel.

mod header;
mod orientation;
mod storage;
mod voxels;

use super::source::{GZIP, MAX_DEFLATE_RATIO, Source};
use super::{Decoded, Limits};
use crate::error::{Error, Result};
use crate::series::VolumeGrid;
use crate::slice::{CtSlice, Intensity, Warning};
use flate2::read::MultiGzDecoder;
use header::VolumeHeader;
use orientation::Orientation;
use std::io::{BufReader, Read};
use storage::{Storage, ValueRange};
use voxels::Voxels;

/// Size of the buffer for decompressed bytes.
const BUFFER_BYTES: usize = 128 << 10;
/// A volume that is larger as `f32` than the limit of a series divided by this is rounded to 16 bits.
const MAX_FLOATS_DIVISOR: u64 = 4;

/// Whether the bytes are NIfTI of either version, or gzip of anything but DICOM, which the caller has recognized
/// before.
pub(super) fn sniff(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP) || header::has_nifti_size(bytes)
}

/// Decodes the first volume of a file into axial slices, from the lowest to the highest. Columns run to the patient's
/// left and rows to the back, as in DICOM.
///
/// The source is opened once, and a second time only for a large volume of floats or of wide integers: whether its
/// values fit 16 bits is known after all of them were read, and the file is too large to be kept in memory.
///
/// # Errors
/// [`Error::Undecodable`] for a damaged file, [`Error::UnsupportedType`] for NIfTI-2 and unsupported sample types,
/// [`Error::TooLarge`] and [`Error::Unprocessable`] for sizes outside of the limits or values that are mostly NaN.
pub(super) fn decode(source: &mut dyn Source, limits: &Limits) -> Result<Decoded> {
    let max_input = source.max_bytes();
    let is_gzip = source.head()?.starts_with(&GZIP);
    let mut reader = open(source, is_gzip)?;
    let header = VolumeHeader::read(&mut reader, is_gzip)?;
    header.check_size(limits)?;
    // The input must be long enough for the declared size, before memory is allocated for it.
    let max_output = max_input.saturating_mul(if is_gzip { MAX_DEFLATE_RATIO } else { 1 });
    if header.offset + header.raw_bytes() > max_output {
        return Err(Error::Undecodable("it ends before its last voxel".into()));
    }
    let orientation = Orientation::from_header(&header);
    let (axes, reversed) = orientation.nearest_axes();
    let grid =
        VolumeGrid { dimensions: header.dimensions, affine: orientation.affine, axes, reversed };
    check_slices(&grid, limits)?;
    voxels::skip_to_first(&mut reader, &header, header::HEADER_BYTES as u64)?;
    let storage = match Storage::from_sample_type(&header) {
        Some(storage) => storage,
        None if header.float_bytes() > limits.max_series_bytes / MAX_FLOATS_DIVISOR => {
            let range = ValueRange::read(&mut reader, &header)?;
            drop(reader);
            reader = open(source, is_gzip)?;
            voxels::skip_to_first(&mut reader, &header, 0)?;
            Storage::from_range(&range, &header)
        }
        None => Storage::Floats,
    };
    let voxels = voxels::read(&mut reader, &header, &grid, storage)?;
    let mut warnings = header.warnings.clone();
    warnings.extend(orientation.warnings(&grid));
    warnings.extend(storage.warning());
    let intensity = intensity(&header, &voxels, &mut warnings)?;
    let geometry = orientation.slice_geometry(&grid);
    let slices = voxels.planes.into_iter().enumerate().map(|(index, plane)| CtSlice {
        spacing_mm: geometry.spacing_mm,
        placement: geometry.placement(index),
        thickness_mm: geometry.thickness_mm,
        warnings: warnings.clone(),
        ..CtSlice::bare(plane, intensity)
    });
    Ok(Decoded { grid: Some(grid), ..Decoded::from(slices.collect::<Vec<_>>()) })
}

/// A reader of the uncompressed file from its start.
fn open(source: &mut dyn Source, is_gzip: bool) -> Result<Box<dyn Read + '_>> {
    let reader = source.open()?;
    if !is_gzip {
        return Ok(reader);
    }
    // Buffered, because rows are read one by one, and each call of the decoder takes about as long as one row.
    Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(reader))))
}

/// Checks number and size of the slices against the limits.
fn check_slices(grid: &VolumeGrid, limits: &Limits) -> Result<()> {
    let [columns, rows, count] = grid.sizes();
    let within = |what, actual: usize, limit: u64| {
        let remedy =
            "Crop or resample the volume; a head CT has 512 px per side and up to 512 slices.";
        if actual as u64 > limit { Err(Error::TooLarge { what, limit, remedy }) } else { Ok(()) }
    };
    within("The longest side in px", columns.max(rows), limits.max_side_px.into())?;
    within("The number of slices", count, limits.max_slices as u64)?;
    within("The decoded size of a slice in bytes", columns * rows * 4, limits.max_decoded_bytes)?;
    let min_side = limits.min_side_px as usize;
    if columns.min(rows) < min_side {
        return Err(Error::Unprocessable(format!(
            "The volume's axial slices are {columns} x {rows} px; a slice needs at least \
             {min_side} px per side. Send the whole head."
        )));
    }
    Ok(())
}

/// The meaning of the values, with warnings. NIfTI does not specify it, so Hounsfield units are assumed except for
/// 8-bit values.
///
/// # Errors
/// [`Error::Unprocessable`] if most values are NaN or infinite.
fn intensity(
    header: &VolumeHeader,
    voxels: &Voxels,
    warnings: &mut Vec<Warning>,
) -> Result<Intensity> {
    let all: usize = header.dimensions.iter().product();
    if voxels.replaced * 2 > all {
        return Err(Error::Unprocessable(
            "Most of the volume's values are NaN or infinite. Export it again from the scan."
                .into(),
        ));
    }
    if voxels.replaced > 0 {
        let message = format!(
            "{} of {all} values are NaN or infinite; they are read as air.",
            voxels.replaced
        );
        warnings.push(Warning::new("values_not_numbers", message));
    }
    if header.is_picture() {
        warnings.push(Warning::new(
            "display_image",
            "The volume holds 8-bit values, not Hounsfield units; it is read as brain-windowed \
             pictures.",
        ));
        return Ok(Intensity::Display);
    }
    warnings.push(Warning::new(
        "hounsfield_assumed",
        "NIfTI does not say what its values mean; they are taken for Hounsfield units of a CT.",
    ));
    if voxels.lowest > -200.0 {
        let message = format!(
            "No value is below {:.0}, but the air round a head is at -1000 HU: the volume may be \
             windowed, shifted, cut to the brain or no CT.",
            voxels.lowest
        );
        warnings.push(Warning::new("no_air", message));
    }
    Ok(Intensity::Hounsfield)
}
