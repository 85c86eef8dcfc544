//! Integration tests: the API in memory, the command line as a process, the models against
//! reference outputs of PyTorch. All run on the committed models and synthetic slices.

// A failed test panics, also in helpers outside #[test] functions.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod api;
mod archives;
mod cli;
#[cfg(feature = "gpu")]
mod container;
mod deferred;
mod dicom;
mod engines;
mod fixtures;
mod golden;
mod head;
mod hostile;
mod inputs;
mod inspect;
mod intake;
mod jobs;
mod metrics;
mod mutated;
mod neighbours;
mod orientations;
#[cfg(feature = "gpu")]
mod ort;
mod pictures;
mod samples;
mod seeds;
mod series;
mod snapshots;
mod standalone;
mod volume;
