//! The `ichor` program.

use clap::Parser;
use ichor::config::{Cli, log_filter};
use ichor::embedded::Embedded;
use ichor::telemetry::{LogFormat, init_logging};
use std::process::ExitCode;

/// The models and the page; none without the feature `embedded`.
#[cfg(feature = "embedded")]
static EMBEDDED: Embedded = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
#[cfg(not(feature = "embedded"))]
static EMBEDDED: Embedded = Embedded::NOTHING;

fn main() -> ExitCode {
    init_logging(log_filter().as_deref(), LogFormat::Text);
    match ichor::cli::run(Cli::parse(), &EMBEDDED) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ichor: {error}");
            ExitCode::FAILURE
        }
    }
}
