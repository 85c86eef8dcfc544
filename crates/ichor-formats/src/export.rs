//! Results as files that other programs read, in the geometry of the input.

mod dicom;
pub mod dicom_seg;
pub mod dicom_sr;
pub mod html;
pub mod montage;
pub mod nifti;
mod random;
pub mod table;

#[cfg(target_family = "wasm")]
pub use random::set_random_source;

use crate::error::Error;
use crate::slice::Warning;

/// The warning that the result could not be written as `format`, with the reason. Other formats are not affected.
pub fn warn_not_written(format: &str, error: &Error) -> Warning {
    Warning::new("format_not_written", format!("{format} was not written: {error}"))
}
