//! Finds, outlines and measures intracranial hemorrhage on slices of head CT. For research and teaching only.
//!
//! ```text
//! CtSlice -> assess -> preprocess (ModelSpec) -> engine -> logits -> postprocess -> Mask, lesions -> volumetry
//! ```
//!
//! [`segmenter::Segmenter`] runs these steps for a slice or a series; every program of Ichor calls it.
//!
//! ```
//! use ichor_core::assess::{GrayScale, assess};
//! use ichor_image::slice::{CtSlice, Intensity, Plane};
//!
//! // A blank picture shows no head. The result is "unreadable" with a reason, never "no hemorrhage".
//! let plane = Plane::filled(128, 128, 0.0);
//! let assessment = assess(&CtSlice::bare(plane.clone(), Intensity::Display), &plane);
//! assert_eq!(assessment.gray_scale, GrayScale::Unreadable);
//! assert_eq!(assessment.warnings[0].code, "blank_image");
//! ```

#![forbid(unsafe_code)]

#[cfg(any(feature = "ort", test))]
mod agreement;
pub mod assess;
pub mod components;
pub mod error;
pub mod geometry;
pub mod lesion;
pub mod mask;
pub mod model_spec;
pub mod overlay;
pub mod png;
pub mod postprocess;
pub mod preprocess;
pub mod segmenter;
pub mod stack;
pub mod storage;
pub mod volumetry;

pub use error::{Error, Result};
use ichor_engine as engine;
use ichor_image::{decode, series, slice, vector, window};

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
