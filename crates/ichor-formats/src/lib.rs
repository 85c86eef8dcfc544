//! Output formats of an analysis: the JSON report, NIfTI, DICOM SEG and SR, CSV, PNG.
//!
//! ```
//! use ichor_core::mask::Mask;
//! use ichor_formats::export::nifti::encode_nifti;
//! use ichor_image::decode::Decoded;
//! use ichor_image::series::{SeriesRequest, assemble};
//! use ichor_image::slice::{CtSlice, Intensity, Plane};
//!
//! let slice = CtSlice::bare(Plane::filled(16, 16, 30.0), Intensity::Hounsfield);
//! let series = assemble(Decoded::from(vec![slice]), SeriesRequest::default()).unwrap();
//! let mask = Mask { width: 16, height: 16, pixels: vec![false; 256] };
//! let (nifti, _warnings) = encode_nifti(&series, &[mask.pack()]).unwrap();
//! // gzip
//! assert_eq!(nifti[..2], [0x1f, 0x8b]);
//! ```

#![forbid(unsafe_code)]

pub mod export;
pub mod report;
pub mod summary;

use ichor_core::{
    assess, error, lesion, mask, model_spec, overlay, png, postprocess, segmenter, stack, volumetry,
};
use ichor_image::{series, slice, window};

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
