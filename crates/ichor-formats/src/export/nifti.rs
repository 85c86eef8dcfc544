//! The mask as NIfTI-1 (`.nii.gz`), voxel for voxel on the grid of the input.
//!
//! Layout of the header: nifti1.h, R. W. Cox et al., <https://nifti.nimh.nih.gov/nifti-1>.

use super::dicom_seg::is_encodable;
use crate::error::{Error, Result};
use crate::mask::PackedMask;
use crate::series::{Series, VolumeGrid};
use crate::slice::Warning;
use crate::stack::Stack;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

/// Encodes the masks, one per slice, as a gzipped NIfTI-1 volume of 8-bit voxels, 0 and 1.
///
/// A series cut from a NIfTI volume goes back onto that volume's own grid. Other slices are
/// stacked in their order, with an affine from their positions; the
/// warnings name what NIfTI cannot hold of them.
///
/// # Errors
/// [`ichor_image::Error::Unprocessable`] for slices of unequal size or a side beyond NIfTI's 32,767.
pub fn encode_nifti(series: &Series, masks: &[PackedMask]) -> Result<(Vec<u8>, Vec<Warning>)> {
    let volume = match &series.grid {
        Some(grid) => volume_on_grid(grid, masks)?,
        None => stack_volume(series, masks)?,
    };
    let header = header(volume.dimensions, &volume.affine)?;
    let packing_failed = Error::io("The NIfTI mask cannot be packed");
    let pack = || -> std::io::Result<Vec<u8>> {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(&header)?;
        // Row by row, so that the volume is never in memory as a whole.
        let [columns, rows, slices] = volume.dimensions;
        let mut row = Vec::with_capacity(columns);
        for (j, k) in (0..slices).flat_map(|k| (0..rows).map(move |j| (j, k))) {
            row.clear();
            volume.push_row(masks, (j, k), &mut row);
            out.write_all(&row)?;
        }
        out.finish()
    };
    Ok((pack().map_err(packing_failed)?, volume.warnings))
}

/// The voxels of the file, the first axis fastest. The affine maps them to mm: x right, y front, z up.
struct Volume<'a> {
    dimensions: [usize; 3],
    affine: [[f64; 4]; 3],
    /// Maps voxels to the masks; `None` where the masks are stacked in their order.
    grid: Option<&'a VolumeGrid>,
    warnings: Vec<Warning>,
}

impl Volume<'_> {
    /// Appends the voxels `(0.., j, k)` as 0 and 1.
    fn push_row(&self, masks: &[PackedMask], (j, k): (usize, usize), row: &mut Vec<u8>) {
        let [columns, ..] = self.dimensions;
        let place = |i: usize| (k, j * columns + i);
        let inside = |(slice, pixel): (usize, usize)| u8::from(masks[slice].contains(pixel));
        match self.grid.map(|grid| grid.file_row(j, k)) {
            Some(file) => row.extend((0..columns).map(|i| inside(file.at(i)))),
            None => row.extend((0..columns).map(|i| inside(place(i)))),
        }
    }
}

fn volume_on_grid<'a>(grid: &'a VolumeGrid, masks: &[PackedMask]) -> Result<Volume<'a>> {
    let [columns, rows, slices] = grid.sizes();
    check_sizes(masks, columns, rows)?;
    if masks.len() != slices {
        return Err(Error::unprocessable("Slices of the volume are missing."));
    }
    let (dimensions, affine) = (grid.dimensions, grid.affine);
    Ok(Volume { dimensions, affine, grid: Some(grid), warnings: Vec::new() })
}

fn stack_volume(series: &Series, masks: &[PackedMask]) -> Result<Volume<'static>> {
    let (width, height) = masks.first().map_or((0, 0), |mask| (mask.width, mask.height));
    check_sizes(masks, width, height)?;
    let (affine, warning) = match Stack::from_series(series) {
        Some(stack) => (to_right_front_up(&stack), warn_if_inexact(&stack, series, masks)),
        None => (affine_without_position(series), Some(warn_position_unknown())),
    };
    let dimensions = [width, height, masks.len()];
    Ok(Volume { dimensions, affine, grid: None, warnings: warning.into_iter().collect() })
}

fn check_sizes(masks: &[PackedMask], width: usize, height: usize) -> Result<()> {
    if masks.iter().all(|mask| (mask.width, mask.height) == (width, height)) {
        return Ok(());
    }
    Err(Error::unprocessable(
        "The slices differ in size and fit no NIfTI volume. Take another --format.",
    ))
}

fn warn_position_unknown() -> Warning {
    Warning::new(
        "nifti_position_unknown",
        "The slices carry no position; the NIfTI mask holds them in their order.",
    )
}

/// The warning about geometry that the affine cannot hold or that many programs do not read from it.
fn warn_if_inexact(stack: &Stack, series: &Series, masks: &[PackedMask]) -> Option<Warning> {
    let cause = if !stack.parallel {
        "The slices differ in direction, which NIfTI cannot hold: its mask has that of the first."
    } else if !stack.one_spacing {
        "The slices differ in pixel spacing, which NIfTI cannot hold: its mask has that of the \
         first."
    } else if !stack.even {
        "The slices are unevenly spaced, which NIfTI cannot hold: its mask has their mean distance."
    } else if !stack.aligned {
        "The field of view moves from slice to slice, which NIfTI cannot hold: its mask has the \
         mean shift."
    } else if !stack.upright {
        "The slices are sheared by the gantry tilt. The affine of the NIfTI mask holds the shear, \
         but many programs show it straight."
    } else {
        return None;
    };
    let alternative = match is_encodable(series, masks) {
        true => " The DICOM segmentation is exact.",
        false => "",
    };
    Some(Warning::new("nifti_geometry_inexact", format!("{cause}{alternative}")))
}

/// DICOM's x and y point to the patient's left and back, NIfTI's to the right and front.
fn to_right_front_up(stack: &Stack) -> [[f64; 4]; 3] {
    let [column, row, slice] = stack.steps_mm;
    std::array::from_fn(|axis| {
        let sign = if axis < 2 { -1.0 } else { 1.0 };
        [column[axis], row[axis], slice[axis], stack.origin_mm[axis]].map(|v| sign * v)
    })
}

/// Voxel sizes alone, 1 mm where unknown; columns to the left and rows to the back of the
/// patient, as axial slices are shown.
fn affine_without_position(series: &Series) -> [[f64; 4]; 3] {
    let first = series.slices.first();
    let [row, column] = first.and_then(|s| s.spacing_mm).unwrap_or([1.0; 2]).map(f64::from);
    let depth = first.and_then(|s| s.thickness_mm).map_or(1.0, f64::from);
    [[-column, 0.0, 0.0, 0.0], [0.0, -row, 0.0, 0.0], [0.0, 0.0, depth, 0.0]]
}

/// The header of 348 bytes, and the 4 bytes that mark that no extension follows.
fn header(dimensions: [usize; 3], affine: &[[f64; 4]; 3]) -> Result<[u8; 352]> {
    const MILLIMETRES: u8 = 2;
    const UINT8: i16 = 2;
    const SCANNER: i16 = 1;
    let mut header = [0; 352];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &348_i32.to_le_bytes());
    put(40, &3_i16.to_le_bytes());
    put(76, &1_f32.to_le_bytes());
    for (axis, &size) in dimensions.iter().enumerate() {
        let size = i16::try_from(size)
            .map_err(|_| Error::unprocessable("A side is too long for NIfTI-1."))?;
        put(42 + 2 * axis, &size.to_le_bytes());
        let side = affine.iter().map(|row| row[axis] * row[axis]).sum::<f64>().sqrt();
        put(80 + 4 * axis, &(side as f32).to_le_bytes());
    }
    for unused in 3..7 {
        put(42 + 2 * unused, &1_i16.to_le_bytes());
    }
    put(70, &UINT8.to_le_bytes());
    put(72, &8_i16.to_le_bytes());
    // Voxels start after the header; stored values are the values.
    put(108, &352_f32.to_le_bytes());
    put(112, &1_f32.to_le_bytes());
    put(123, &[MILLIMETRES]);
    // The affine stands in the sform alone: a quaternion could not hold the shear of a tilt.
    put(254, &SCANNER.to_le_bytes());
    for (row, values) in affine.iter().enumerate() {
        for (column, value) in values.iter().enumerate() {
            put(280 + 16 * row + 4 * column, &(*value as f32).to_le_bytes());
        }
    }
    put(344, b"n+1\0");
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::Mask;
    use crate::slice::{CtSlice, Intensity, Placement, Plane};
    use std::io::Read;

    fn series(slices: usize, grid: Option<VolumeGrid>) -> Series {
        let slice = |index: usize| CtSlice {
            spacing_mm: Some([0.5, 0.4]),
            placement: Some(Placement {
                position_mm: [10.0, 20.0, 30.0 + 5.0 * index as f64],
                row: [1.0, 0.0, 0.0],
                column: [0.0, 1.0, 0.0],
            }),
            ..CtSlice::bare(Plane::filled(3, 2, 0.0), Intensity::Hounsfield)
        };
        Series {
            slices: (0..slices).map(slice).collect(),
            sources: (0..slices).collect(),
            extents_mm: None,
            tilt_degrees: None,
            grid,
            is_one_head: true,
            warnings: Vec::new(),
        }
    }

    /// One pixel per slice: column = slice number, row 1.
    fn masks(slices: usize) -> Vec<PackedMask> {
        let mask = |index: usize| {
            let mut mask = Mask::empty(3, 2);
            mask.pixels[3 + index] = true;
            mask.pack()
        };
        (0..slices).map(mask).collect()
    }

    fn unpack(packed: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn float(bytes: &[u8], at: usize) -> f32 {
        f32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
    }

    #[test]
    fn a_dicom_stack_gets_an_affine_to_right_front_up() {
        let (packed, warnings) = encode_nifti(&series(2, None), &masks(2)).unwrap();
        assert_eq!(warnings, []);
        let bytes = unpack(&packed);
        let affine: Vec<f32> = (0..12).map(|i| float(&bytes, 280 + 4 * i)).collect();
        let expected = [-0.4, 0.0, 0.0, -10.0, 0.0, -0.5, 0.0, -20.0, 0.0, 0.0, 5.0, 30.0];
        assert!(affine.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{affine:?}");
        assert_eq!(bytes[352..], [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0]);
    }

    #[test]
    fn voxels_of_a_volume_return_to_their_place_in_the_file() {
        // Slices run along the file's first axis, downwards; columns along its last.
        let grid = VolumeGrid {
            dimensions: [2, 2, 3],
            affine: [[1.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 3.0, 7.0]],
            axes: [2, 1, 0],
            reversed: [true, false, true],
        };
        let bytes = unpack(&encode_nifti(&series(2, Some(grid)), &masks(2)).unwrap().0);
        let voxels = &bytes[352..];
        let at = |i: usize, j: usize, k: usize| voxels[i + 2 * j + 4 * k];
        // Slice 0 is i = 1, the last; its pixel (0, 1) is k = 2, j = 1.
        assert_eq!((at(1, 1, 2), at(0, 1, 1)), (1, 1));
        assert_eq!(voxels.iter().map(|&v| u32::from(v)).sum::<u32>(), 2);
        assert_eq!(float(&bytes, 280 + 16 * 2 + 12), 7.0);
    }

    #[test]
    fn geometry_that_nifti_cannot_hold_is_warned_of() {
        let mut uneven = series(3, None);
        uneven.slices[1].placement.as_mut().unwrap().position_mm[2] += 2.0;
        let mut tilted = series(3, None);
        for (index, slice) in tilted.slices.iter_mut().enumerate() {
            slice.placement.as_mut().unwrap().position_mm[1] += index as f64;
        }
        let mut unplaced = series(3, None);
        unplaced.slices[0].placement = None;
        let mut moved = series(3, None);
        moved.slices[2].placement.as_mut().unwrap().position_mm[0] += 9.0;
        let mut grown = series(3, None);
        grown.slices[2].spacing_mm = Some([0.6, 0.4]);
        let mut turned = series(3, None);
        turned.slices[2].placement.as_mut().unwrap().row = [1.0, 0.02, 0.0];
        for (series, cause) in [
            (uneven, "unevenly spaced"),
            (tilted, "sheared"),
            (moved, "field of view moves"),
            (grown, "pixel spacing"),
            (turned, "direction"),
        ] {
            let warning = encode_nifti(&series, &masks(3)).unwrap().1.remove(0);
            assert_eq!(warning.code, "nifti_geometry_inexact");
            assert!(warning.message.contains(cause), "{}", warning.message);
            // The slices did not come as DICOM, so that there is no segmentation object.
            assert!(!warning.message.contains("exact"), "{}", warning.message);
        }
        let warnings = encode_nifti(&unplaced, &masks(3)).unwrap().1;
        assert_eq!(warnings[0].code, "nifti_position_unknown");
        let unequal = [Mask::empty(3, 2), Mask::empty(4, 2)].map(|mask| mask.pack());
        assert!(encode_nifti(&series(2, None), &unequal).is_err());
    }
}
