//! Counts of what a data set contains, with their limits.

use crate::error::{Error, Result};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// Maximum nesting of sequences; enhanced images need about 6.
const MAX_DEPTH: usize = 32;
/// Maximum number of elements, items and fragments; 512 frames of an enhanced image have about 50,000.
const MAX_ELEMENTS: usize = 200_000;
/// Maximum number of separators in multi-valued text: the parser makes a string of each value.
const MAX_VALUES: usize = 1_000_000;

/// Counts of the part of a data set that was read so far.
#[derive(Default)]
pub(super) struct Tally {
    /// Current nesting: a sequence and an item are one level each.
    depth: usize,
    elements: usize,
    values: usize,
    has_float_pixels: bool,
}

impl Tally {
    pub(super) fn is_top_level(&self) -> bool {
        self.depth == 0
    }

    /// Counts a sequence or an item that begins.
    pub(super) fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > 2 * MAX_DEPTH {
            return Err(too_large("The nesting of DICOM sequences", MAX_DEPTH));
        }
        self.count_element()
    }

    /// Counts the end of a sequence or an item.
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    pub(super) fn count_element(&mut self) -> Result<()> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(too_large("The number of DICOM elements", MAX_ELEMENTS));
        }
        Ok(())
    }

    pub(super) fn count_values(&mut self, value: &[u8]) -> Result<()> {
        self.values += value.iter().filter(|&&b| b == b'\\').count();
        if self.values > MAX_VALUES {
            return Err(too_large("The number of values in DICOM elements", MAX_VALUES));
        }
        Ok(())
    }

    /// Records pixel data in floating-point elements, which are not supported.
    pub(super) fn note_float_pixels(&mut self, tag: Tag) {
        self.has_float_pixels |=
            tag == tags::FLOAT_PIXEL_DATA || tag == tags::DOUBLE_FLOAT_PIXEL_DATA;
    }

    /// The error for a data set that ends without pixel data.
    pub(super) fn no_pixel_data(&self) -> Error {
        Error::Unprocessable(if self.has_float_pixels {
            "The DICOM file holds floating-point pixel data, which is not supported. Export the \
             CT images as 16-bit integers."
                .into()
        } else {
            "The DICOM file holds no pixel data; it may be a report, a document or a directory. \
             Send the CT images themselves."
                .into()
        })
    }
}

fn too_large(what: &'static str, limit: usize) -> Error {
    Error::TooLarge {
        what,
        limit: limit as u64,
        remedy: "Export the images again, without private data.",
    }
}
