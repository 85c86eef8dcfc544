//! Ichor finds and outlines intracranial hemorrhage on head CT. For research and teaching
//! only, never for diagnosis.
//!
//! This package is the application: the command line, the HTTP API, jobs, the AWS functions and the container. What they
//! share are libraries, each of which can be used by itself:
//!
//! ```text
//! bytes -> ichor_image: slices, series
//!       -> ichor_core: assess, preprocess -> ichor_engine: logits -> postprocess, measure
//!       -> ichor_formats: JSON report, NIfTI, DICOM SEG and SR, CSV
//!          ichor_evaluation: tensors for training, figures of a model
//! ```
//!
//! Imports run one way: `image` and `engine` know nothing of the others, `core` knows both, `formats` and `evaluation`
//! know `core`, and this package knows all. In here [`config`] reads flags and variables, [`http`] alone knows axum, and
//! `aws` alone knows the AWS SDK.

#![forbid(unsafe_code)]

#[cfg(feature = "lambda")]
pub mod aws;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod container;
pub mod embedded;
pub mod error;
#[cfg(feature = "server")]
pub mod http;
#[cfg(feature = "server")]
pub mod jobs;
#[cfg(feature = "server")]
pub mod measure;
#[cfg(feature = "server")]
pub mod object_store;
#[cfg(feature = "server")]
pub mod problem;
pub mod stopwatch;
#[cfg(feature = "server")]
pub mod telemetry;

pub use ichor_core::{
    assess, components, geometry, mask, model_spec, overlay, png, postprocess, preprocess,
    segmenter, stack, storage, volumetry,
};
pub use ichor_engine as engine;
pub use ichor_evaluation::{dataset, evaluate, metrics, prepare};
pub use ichor_formats::{export, report, summary};
pub use ichor_image::{decode, inspect, series, slice, window};
