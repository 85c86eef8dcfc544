//! Flags of `ichor serve`.

use super::ModelArgs;
use clap::Args;
use std::path::PathBuf;

/// `ichor serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The models.
    #[command(flatten)]
    pub model_dir: ModelArgs,
    /// Model for requests that name none; default: the first by name.
    #[arg(long, env = "ICHOR_DEFAULT_MODEL")]
    pub default_model: Option<String>,
    /// Folder of the page, instead of the page inside the program.
    #[arg(long)]
    pub frontend: Option<PathBuf>,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Port to listen on; 0 for any free port.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Folder for uploads and results, which stay for a day, also after a restart; default: a temporary
    /// folder, deleted when the server stops.
    #[arg(long, env = "ICHOR_JOBS")]
    pub jobs: Option<PathBuf>,
    /// Maximum requests per second, of all clients together; default: no limit.
    #[arg(long, value_parser = positive)]
    pub requests_per_second: Option<f64>,
    /// Requests that may exceed that rate in a burst.
    #[arg(long, default_value = "20", value_parser = positive)]
    pub request_burst: f64,
    /// Write one JSON line per request to standard output; nothing of the images is in it.
    #[arg(long)]
    pub log: bool,
}

fn positive(text: &str) -> std::result::Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "a number is expected".to_owned())?;
    if number > 0.0 && number.is_finite() { Ok(number) } else { Err("it must be above 0".into()) }
}
