//! Results as files that other programs read, in the geometry of the input.

mod dicom;
pub mod dicom_seg;
pub mod dicom_sr;
pub mod montage;
pub mod nifti;
pub mod table;

use crate::error::Error;
use crate::slice::Warning;

/// Says that one form of the result is missing, and why; the others are there.
pub fn not_written(format: &str, error: &Error) -> Warning {
    Warning::new("format_not_written", format!("{format} was not written: {error}"))
}
