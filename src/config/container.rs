//! Flags of the server in the container.

use super::OrtArgs;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// The command line of `ichor-sagemaker`.
#[derive(Debug, Parser)]
#[command(
    name = "ichor-sagemaker",
    version,
    about = "Ichor in a container, for SageMaker and ECS: whole series and batches by onnxruntime. Research and teaching only, never for diagnosis."
)]
pub struct SageMakerCli {
    /// The command.
    #[command(subcommand)]
    pub command: SageMakerCommand,
}

/// The commands of the container.
#[derive(Debug, Subcommand)]
pub enum SageMakerCommand {
    /// Serve /ping, /invocations and the API; SageMaker starts containers with this command.
    Serve(Box<SageMakerArgs>),
    /// Check whether the server in this container is ready; exit code 0 if it is.
    Health(HealthArgs),
    /// Measure each network at several batch sizes; prints one JSON line per model.
    Measure(MeasureArgs),
}

/// `sagemaker measure`.
#[derive(Debug, Args)]
pub struct MeasureArgs {
    /// Folder with one folder per model.
    #[arg(long, env = "ICHOR_MODEL_DIR", default_value = "/opt/ml/model")]
    pub models: PathBuf,
    /// Batch sizes.
    #[arg(long, default_value = "1,2,4,8,16", value_delimiter = ',')]
    pub batches: Vec<usize>,
    /// Runs per batch size.
    #[arg(long, default_value_t = 20)]
    pub runs: usize,
    /// Settings of onnxruntime.
    #[command(flatten)]
    pub ort: OrtArgs,
}

/// `sagemaker health`.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// Port of the server.
    #[arg(long, env = "SAGEMAKER_BIND_TO_PORT", default_value_t = 8080)]
    pub port: u16,
}

/// `sagemaker serve`.
#[derive(Debug, Args)]
pub struct SageMakerArgs {
    /// Folder with one folder per model, or with the files of one model: SageMaker unpacks model.tar.gz here.
    #[arg(long, env = "ICHOR_MODEL_DIR", default_value = "/opt/ml/model")]
    pub models: PathBuf,
    /// Bucket of the models, in place of the folder.
    #[arg(long, env = "ICHOR_BUCKET")]
    pub bucket: Option<String>,
    /// Key prefix of the models in the bucket.
    #[arg(long, env = "ICHOR_PREFIX", default_value = "models/")]
    pub prefix: String,
    /// Names of the models in the bucket, separated by commas.
    #[arg(long, env = "ICHOR_MODELS", default_value = "deeplabv3,unet", value_delimiter = ',')]
    pub names: Vec<String>,
    /// Endpoint of another S3 server; the bucket is part of the path.
    #[arg(long, env = "AWS_ENDPOINT_URL_S3")]
    pub endpoint: Option<String>,
    /// Model for requests that name none; default: the first.
    #[arg(long, env = "ICHOR_DEFAULT_MODEL")]
    pub default_model: Option<String>,
    /// Address to listen on; the container sets 0.0.0.0.
    #[arg(long, env = "ICHOR_HOST", default_value = "127.0.0.1")]
    pub host: String,
    /// Port to listen on; SageMaker may set another one.
    #[arg(long, env = "SAGEMAKER_BIND_TO_PORT", default_value_t = 8080)]
    pub port: u16,
    /// Requests that may wait while others are computed.
    #[arg(long, env = "ICHOR_WAITING", default_value_t = 64)]
    pub waiting: usize,
    /// Seconds for running requests to end after TERM; SageMaker and ECS kill the process after 30.
    #[arg(long, env = "ICHOR_STOP_SECONDS", default_value_t = 25)]
    pub stop_seconds: u64,
    /// Settings of onnxruntime.
    #[command(flatten)]
    pub ort: OrtArgs,
}
