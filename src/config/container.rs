//! Flags of the container's server.

use super::{OrtArgs, local_limits};
use crate::http::ServiceLimits;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

/// The command line of the container's server.
#[derive(Debug, Parser)]
#[command(
    name = "ichor-sagemaker",
    version,
    about = "Ichor in a container, for SageMaker and ECS: whole series and batches by onnxruntime. Research and teaching only, never for diagnosis."
)]
pub struct SageMakerCli {
    /// What to do.
    #[command(subcommand)]
    pub command: SageMakerCommand,
}

/// The commands of the container.
#[derive(Debug, Subcommand)]
pub enum SageMakerCommand {
    /// Answer /ping, /invocations and the API; SageMaker starts containers with this word.
    Serve(Box<SageMakerArgs>),
    /// Ask the server in this container whether it is ready; exit 0 says that it is.
    Health(HealthArgs),
    /// Print how long each network takes by the size of its batch, a JSON line a model.
    Measure(MeasureArgs),
}

/// `sagemaker measure`.
#[derive(Debug, Args)]
pub struct MeasureArgs {
    /// Folder with one folder a model.
    #[arg(long, env = "ICHOR_MODEL_DIR", default_value = "/opt/ml/model")]
    pub models: PathBuf,
    /// Sizes of batches.
    #[arg(long, default_value = "1,2,4,8,16", value_delimiter = ',')]
    pub batches: Vec<usize>,
    /// Runs of each size.
    #[arg(long, default_value_t = 20)]
    pub runs: usize,
    /// How onnxruntime runs the networks.
    #[command(flatten)]
    pub ort: OrtArgs,
}

/// `sagemaker health`.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// Port that the server listens on.
    #[arg(long, env = "SAGEMAKER_BIND_TO_PORT", default_value_t = 8080)]
    pub port: u16,
}

/// `sagemaker serve`.
#[derive(Debug, Args)]
pub struct SageMakerArgs {
    /// Folder with one folder a model, or with the files of one: SageMaker unpacks model.tar.gz here.
    #[arg(long, env = "ICHOR_MODEL_DIR", default_value = "/opt/ml/model")]
    pub models: PathBuf,
    /// Bucket of the models, read in place of the folder.
    #[arg(long, env = "ICHOR_BUCKET")]
    pub bucket: Option<String>,
    /// Key prefix of the models in the bucket.
    #[arg(long, env = "ICHOR_PREFIX", default_value = "models/")]
    pub prefix: String,
    /// Names of the models in the bucket, with commas between them.
    #[arg(long, env = "ICHOR_MODELS", default_value = "deeplabv3,unet", value_delimiter = ',')]
    pub names: Vec<String>,
    /// Endpoint of another S3 server, addressed with the bucket in the path.
    #[arg(long, env = "AWS_ENDPOINT_URL_S3")]
    pub endpoint: Option<String>,
    /// Model used where a request names none; the first without it.
    #[arg(long, env = "ICHOR_DEFAULT_MODEL")]
    pub default_model: Option<String>,
    /// Address to listen on; the container's is 0.0.0.0.
    #[arg(long, env = "ICHOR_HOST", default_value = "127.0.0.1")]
    pub host: String,
    /// Port to listen on; SageMaker may ask for another.
    #[arg(long, env = "SAGEMAKER_BIND_TO_PORT", default_value_t = 8080)]
    pub port: u16,
    /// Requests that may wait for their turn beside those being computed.
    #[arg(long, env = "ICHOR_WAITING", default_value_t = 64)]
    pub waiting: usize,
    /// Seconds that running requests get to end after TERM; SageMaker and ECS kill after 30.
    #[arg(long, env = "ICHOR_STOP_SECONDS", default_value_t = 25)]
    pub stop_seconds: u64,
    /// How onnxruntime runs the networks.
    #[command(flatten)]
    pub ort: OrtArgs,
}

impl SageMakerArgs {
    /// What the container accepts. Slices of as many requests as two batches hold are prepared side by
    /// side, so that one batch gathers while another is computed. SageMaker brings up to 1 GB of an
    /// asynchronous request; a series of 512 uncompressed slices of 512 px a side takes 256 MiB and
    /// headers, and a batch of JSON lines at most 100 MB.
    pub fn limits(&self) -> ServiceLimits {
        let local = local_limits();
        ServiceLimits {
            max_body_bytes: 320 << 20,
            running: local.running.max(2 * usize::from(self.ort.max_batch.unwrap_or(16))),
            waiting: self.waiting,
            body_timeout: Duration::from_secs(300),
            max_records: 1024,
            ..local
        }
    }
}
