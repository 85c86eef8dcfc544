//! The `ichor` program.

use clap::Parser;
use ichor::embedded::Embedded;
use std::process::ExitCode;

/// The models and the page, where the program was built with them.
#[cfg(feature = "embedded")]
static EMBEDDED: Embedded = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
#[cfg(not(feature = "embedded"))]
static EMBEDDED: Embedded = Embedded::NOTHING;

fn main() -> ExitCode {
    match ichor::cli::run(ichor::config::Cli::parse(), &EMBEDDED) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ichor: {error}");
            ExitCode::FAILURE
        }
    }
}
