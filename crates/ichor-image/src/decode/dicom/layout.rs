//! Size and sample format of the pixel data (PS3.3 C.7.6.3, PS3.5 section 8).

use super::attributes::{text, unsigned};
use crate::decode::Limits;
use crate::error::{Error, Result};
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

/// Size and sample format of the frames: within the limits, and with one grey sample per pixel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) frames: usize,
    /// Bytes per uncompressed sample: 1 or 2.
    pub(super) bytes: usize,
    /// Number of bits of the value, from the lowest bit of a sample.
    pub(super) bits_stored: u32,
    /// Whether samples are two's complement.
    pub(super) signed: bool,
    /// Whether the lowest value is displayed white (MONOCHROME1).
    pub(super) inverted: bool,
}

impl Layout {
    /// Reads the layout of an object.
    ///
    /// # Errors
    /// [`Error::TooLarge`] and [`Error::Unprocessable`] for sizes outside of the limits, [`Error::UnsupportedType`] for
    /// colour and for sample formats that CT does not use, [`Error::Undecodable`] for missing attributes.
    pub(super) fn read(object: &InMemDicomObject, limits: &Limits) -> Result<Self> {
        let rows = required(object, tags::ROWS, "Rows")?;
        let columns = required(object, tags::COLUMNS, "Columns")?;
        let frames = frames(object)?;
        check_size(rows, columns, frames, limits)?;
        let inverted = check_grey(object)?;
        let allocated = required(object, tags::BITS_ALLOCATED, "Bits Allocated")?;
        let bits_stored = unsigned(object, tags::BITS_STORED).map_or(allocated, usize::from);
        let high_bit = unsigned(object, tags::HIGH_BIT).map_or(bits_stored, |h| usize::from(h) + 1);
        if !matches!(allocated, 8 | 16) {
            return Err(unsupported(&format!("{allocated}-bit samples")));
        }
        if bits_stored == 0 || bits_stored > allocated || high_bit != bits_stored {
            return Err(unsupported("samples whose bits do not start at the lowest"));
        }
        if object.get(tags::MODALITY_LUT_SEQUENCE).is_some() {
            return Err(unsupported("a Modality LUT Sequence in place of a rescale slope"));
        }
        Ok(Self {
            rows,
            columns,
            frames,
            bytes: allocated / 8,
            bits_stored: bits_stored as u32,
            signed: unsigned(object, tags::PIXEL_REPRESENTATION) == Some(1),
            inverted,
        })
    }

    /// Samples per frame.
    pub(super) fn samples(&self) -> usize {
        self.rows * self.columns
    }

    /// Whether `length` is the number of bytes of all frames without compression, or that padded to an even number.
    pub(super) fn is_size_of_all_frames(&self, length: u32) -> bool {
        let bytes = self.samples() * self.bytes * self.frames;
        length as usize == bytes || length as usize == bytes.next_multiple_of(2)
    }
}

/// A required attribute with a positive value.
fn required(object: &InMemDicomObject, tag: Tag, name: &str) -> Result<usize> {
    unsigned(object, tag).map(usize::from).filter(|&value| value > 0).ok_or_else(|| {
        Error::Undecodable(format!("the DICOM attribute {name} is missing or cannot be read"))
    })
}

fn frames(object: &InMemDicomObject) -> Result<usize> {
    match object.get(tags::NUMBER_OF_FRAMES).and_then(text) {
        None => Ok(1),
        // Some scanners write 0 for a single frame.
        Some(count) => count.parse().map(|n: usize| n.max(1)).map_err(|_| {
            Error::Undecodable("the DICOM attribute Number of Frames cannot be read".into())
        }),
    }
}

fn check_size(rows: usize, columns: usize, frames: usize, limits: &Limits) -> Result<()> {
    let (short, long) = (rows.min(columns), rows.max(columns));
    // Decoded samples are `f32`.
    let slice_bytes = (rows as u64) * (columns as u64) * 4;
    let series_bytes = slice_bytes.saturating_mul(frames as u64);
    let smaller = "Resample the slices; CT slices are 512 px per side.";
    let fewer = "Send the head alone, or split the object.";
    let checks = [
        ("The longest side in px", long as u64, limits.max_side_px.into(), smaller),
        ("The decoded size in bytes", slice_bytes, limits.max_decoded_bytes, smaller),
        ("The number of frames", frames as u64, limits.max_slices as u64, fewer),
        ("The decoded size of all frames in bytes", series_bytes, limits.max_series_bytes, fewer),
    ];
    for (what, actual, limit, remedy) in checks {
        if actual > limit {
            return Err(Error::TooLarge { what, limit, remedy });
        }
    }
    if short < limits.min_side_px as usize {
        return Err(Error::Unprocessable(format!(
            "The image is {columns} x {rows} px; a slice needs at least {} px per side. \
             Send the whole slice.",
            limits.min_side_px
        )));
    }
    Ok(())
}

/// Checks that the image is grey. Returns whether it is displayed inverted.
fn check_grey(object: &InMemDicomObject) -> Result<bool> {
    let photometric = object.get(tags::PHOTOMETRIC_INTERPRETATION).and_then(text);
    let samples = unsigned(object, tags::SAMPLES_PER_PIXEL).unwrap_or(1);
    match (photometric.as_deref(), samples) {
        (Some("MONOCHROME1"), 1) => Ok(true),
        (Some("MONOCHROME2") | None, 1) => Ok(false),
        _ => Err(Error::UnsupportedType(
            "The DICOM file holds a colour picture, such as a screen capture or an overlay. Send \
             the original grey CT images."
                .into(),
        )),
    }
}

fn unsupported(what: &str) -> Error {
    Error::UnsupportedType(format!(
        "The DICOM file uses {what}, which is not supported. Export the CT images again, as 16-bit \
         samples with rescale slope and intercept."
    ))
}
