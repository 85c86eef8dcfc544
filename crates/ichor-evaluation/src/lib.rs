//! Labelled data sets: writes tensors for training, and measures the accuracy of a model.
//!
//! ```
//! use ichor_core::mask::Mask;
//! use ichor_evaluation::metrics::Confusion;
//!
//! let truth = Mask { width: 3, height: 1, pixels: vec![true, true, false] };
//! let found = Mask { width: 3, height: 1, pixels: vec![true, false, false] };
//! assert_eq!(Confusion::from_masks(&found, &truth).dice(), Some(2.0 / 3.0));
//! ```

#![forbid(unsafe_code)]

pub mod dataset;
pub mod error;
pub mod evaluate;
pub mod metrics;
pub mod prepare;

pub use error::{Error, Result};
use ichor_core::{components, lesion, mask, model_spec, preprocess, segmenter};
use ichor_engine as engine;
use ichor_image::{decode, slice};

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
