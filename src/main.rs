//! The `ichor` program.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match ichor::cli::run(ichor::config::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ichor: {error}");
            ExitCode::FAILURE
        }
    }
}
