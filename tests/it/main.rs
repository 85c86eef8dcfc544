//! Integration tests: the API in memory, the command line as a process, the models against
//! the truth that PyTorch wrote. All run on the committed models and synthetic slices.

#![allow(missing_docs, clippy::unwrap_used)]

mod api;
mod cli;
mod fixtures;
mod golden;
mod hostile;
