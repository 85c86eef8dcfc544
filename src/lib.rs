//! Ichor finds and outlines intracranial hemorrhage on head CT. For research and teaching
//! only, never for diagnosis.
//!
//! The flow, each arrow one module:
//!
//! ```text
//! bytes -> decode -> CtSlice -> preprocess (ModelSpec) -> tensor -> engine -> logits
//!       -> postprocess -> Mask, lesions -> (series: volumetry) -> overlay, report, export
//! ```
//!
//! [`segmenter::Segmenter`] is the one composition of it; every front calls it. Layers import
//! downward only: values ([`mod@slice`], [`series`], [`mask`], [`window`], [`model_spec`], [`error`]), pure
//! steps ([`decode`], [`assess`], [`geometry`], [`mod@preprocess`], [`postprocess`], [`components`],
//! [`volumetry`], [`stack`], [`overlay`], [`png`], [`metrics`]), inference ([`engine`], [`segmenter`]), data sets,
//! reports and files ([`dataset`], [`mod@prepare`], [`mod@evaluate`], [`mod@inspect`], [`report`],
//! [`export`]), adapters ([`storage`], [`embedded`] and, by
//! feature, `object_store`, `problem`, `telemetry`, `jobs`, `http`, `config`, `container`, `measure`, `cli` and `s3`).

pub mod assess;
#[cfg(feature = "server")]
pub mod cli;
pub mod components;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod container;
pub mod dataset;
pub mod decode;
pub mod embedded;
pub mod engine;
pub mod error;
pub mod evaluate;
pub mod export;
pub mod geometry;
#[cfg(feature = "server")]
pub mod http;
pub mod inspect;
#[cfg(feature = "server")]
pub mod jobs;
pub mod mask;
#[cfg(feature = "server")]
pub mod measure;
pub mod metrics;
pub mod model_spec;
#[cfg(feature = "server")]
pub mod object_store;
pub mod overlay;
pub mod png;
pub mod postprocess;
pub mod prepare;
pub mod preprocess;
#[cfg(feature = "server")]
pub mod problem;
pub mod report;
#[cfg(feature = "lambda")]
pub mod s3;
pub mod segmenter;
pub mod series;
pub mod slice;
pub mod stack;
pub mod storage;
#[cfg(feature = "server")]
pub mod telemetry;
pub mod volumetry;
pub mod window;
