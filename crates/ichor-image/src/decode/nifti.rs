//! NIfTI-1 volumes (`.nii`, `.nii.gz`), cut into axial slices.
//!
//! The header is parsed by the `nifti` crate. Its volume reader is not used: it reserves the memory
//! that the header declares before it has seen a voxel.

mod header;
mod kept;
mod orientation;
mod voxels;

use super::source::{self, Source};
use super::{Decoded, Limits};
use crate::error::{Error, Result};
use crate::series::VolumeGrid;
use crate::slice::{CtSlice, Intensity, Warning};
use flate2::read::MultiGzDecoder;
use header::VolumeHeader;
use kept::{Kept, survey};
use orientation::Orientation;
use std::io::{BufReader, Read};
use voxels::Voxels;

const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Deflate cannot shrink further than this (258 bytes to two bits).
const MOST_GZIP_SHRINKS: u64 = 1032;
/// Bytes that are unpacked at a time.
const UNPACKED: usize = 128 << 10;
/// The part of a series' bytes that one volume of numbers with fractions may take; beyond it they
/// are rounded to 16 bits.
const MOST_FLOATS: u64 = 4;

/// True for NIfTI of either version and for anything gzipped, of which nothing else is read here.
pub(super) fn sniff(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP) || header::has_nifti_size(bytes)
}

/// Decodes the first volume of a file into axial slices, from the lowest to the highest: columns
/// run to the patient's left, rows to the back, as in DICOM.
pub(super) fn decode(source: &mut dyn Source, limits: &Limits) -> Result<Decoded> {
    let gzipped = source::head(source, GZIP.len() as u64)? == GZIP;
    let header = VolumeHeader::read(&mut unpacked(source, gzipped)?, gzipped)?;
    header.check_size(limits)?;
    // What the header declares must be able to come out of these bytes, before room is made for it.
    let most = source.at_most().saturating_mul(if gzipped { MOST_GZIP_SHRINKS } else { 1 });
    if header.offset + header.raw_bytes() > most {
        return Err(Error::Undecodable("it ends before its last voxel".into()));
    }
    let orientation = Orientation::of(&header);
    let (axes, reversed) = orientation.nearest_axes();
    let grid =
        VolumeGrid { dimensions: header.dimensions, affine: orientation.affine, axes, reversed };
    check_slices(&grid, limits)?;
    let kept = match Kept::known(&header) {
        Some(kept) => kept,
        // Only a look at all values tells whether 16 bits hold them.
        None if header.float_bytes() > limits.max_series_bytes / MOST_FLOATS => {
            Kept::after(&survey(&mut unpacked(source, gzipped)?, &header)?, &header)
        }
        None => Kept::Floats,
    };
    let voxels = voxels::read(&mut unpacked(source, gzipped)?, &header, &grid, kept)?;
    let mut warnings = header.warnings.clone();
    warnings.extend(orientation.warnings(&grid));
    warnings.extend(kept.warning());
    let intensity = meaning(&header, &voxels, &mut warnings)?;
    let cut = orientation.cut(&grid);
    let slices = voxels.planes.into_iter().enumerate().map(|(index, plane)| CtSlice {
        spacing_mm: cut.spacing_mm,
        placement: cut.placement(index),
        thickness_mm: cut.thickness_mm,
        warnings: warnings.clone(),
        ..CtSlice::bare(plane, intensity)
    });
    Ok(Decoded { grid: Some(grid), ..Decoded::from(slices.collect::<Vec<_>>()) })
}

/// The bytes of the volume from its header on.
fn unpacked(source: &mut dyn Source, gzipped: bool) -> Result<Box<dyn Read + '_>> {
    let reader = source.open()?;
    if !gzipped {
        return Ok(reader);
    }
    // Rows are read one by one, and each call of the decoder costs as much as one.
    Ok(Box::new(BufReader::with_capacity(UNPACKED, MultiGzDecoder::new(reader))))
}

/// Limits on the slices that the volume is cut into.
fn check_slices(grid: &VolumeGrid, limits: &Limits) -> Result<()> {
    let [columns, rows, count] = grid.sizes();
    let within = |what, actual: usize, limit: u64| {
        let remedy =
            "Crop or resample the volume; a head CT has 512 px a side and up to 512 slices.";
        if actual as u64 > limit { Err(Error::TooLarge { what, limit, remedy }) } else { Ok(()) }
    };
    within("The longest side in px", columns.max(rows), limits.max_side_px.into())?;
    within("The number of slices", count, limits.max_slices as u64)?;
    within("The decoded size of a slice in bytes", columns * rows * 4, limits.max_decoded_bytes)?;
    let smallest = limits.min_side_px as usize;
    if columns.min(rows) < smallest {
        return Err(Error::Unprocessable(format!(
            "The volume's axial slices are {columns} x {rows} px; a slice needs at least \
             {smallest} px a side. Send the whole head."
        )));
    }
    Ok(())
}

/// What the values are: NIfTI does not say, and leaves Hounsfield units to be assumed.
fn meaning(
    header: &VolumeHeader,
    voxels: &Voxels,
    warnings: &mut Vec<Warning>,
) -> Result<Intensity> {
    let all: usize = header.dimensions.iter().product();
    if voxels.replaced * 2 > all {
        return Err(Error::Unprocessable(
            "Most of the volume's values are no numbers. Export it again from the scan.".into(),
        ));
    }
    if voxels.replaced > 0 {
        let message =
            format!("{} of {all} values are no numbers; they are read as air.", voxels.replaced);
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
