//! Flags of `ichor serve`.

use super::ModelArgs;
use crate::http::Rate;
use clap::Args;
use std::path::PathBuf;

/// `ichor serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where the models lie.
    #[command(flatten)]
    pub model_dir: ModelArgs,
    /// Model used where a request names none; the first by name without it.
    #[arg(long, env = "ICHOR_DEFAULT_MODEL")]
    pub default_model: Option<String>,
    /// Folder of the page, in place of the page that the program carries.
    #[arg(long)]
    pub frontend: Option<PathBuf>,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Folder for uploads and results, kept for a day and over restarts; without it a temporary
    /// one that goes with the server.
    #[arg(long, env = "ICHOR_JOBS")]
    pub jobs: Option<PathBuf>,
    /// Requests a second that are let through, of all clients together; no limit without it.
    #[arg(long, value_parser = positive)]
    pub requests_per_second: Option<f64>,
    /// Requests above that rate that may come at once.
    #[arg(long, default_value = "20", value_parser = positive)]
    pub request_burst: f64,
    /// Write a line of JSON a request to standard output, without anything of the images.
    #[arg(long)]
    pub log: bool,
}

impl ServeArgs {
    /// The rate asked for.
    pub fn rate(&self) -> Option<Rate> {
        let burst = self.request_burst.max(1.0);
        self.requests_per_second.map(|per_second| Rate { per_second, burst })
    }
}

fn positive(text: &str) -> std::result::Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "a number is expected".to_owned())?;
    if number > 0.0 && number.is_finite() { Ok(number) } else { Err("it must be above 0".into()) }
}
