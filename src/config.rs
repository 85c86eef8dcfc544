//! Every flag and environment variable of the programs; the rest of the code receives values.

use crate::decode::Limits;
use crate::error::{Error, Result};
use crate::http::ServiceLimits;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

/// The command line of `ichor`.
#[derive(Debug, Parser)]
#[command(
    name = "ichor",
    version,
    about = "Finds and outlines intracranial hemorrhage on head CT. Research and teaching only, never for diagnosis.",
    after_help = "Examples:\n  ichor serve\n  ichor segment frontend/samples/*.png --model unet --output results\n  \
                  ichor evaluate frontend/samples --model unet --json"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API and the page on this machine.
    #[command(after_help = "Example:\n  ichor serve --port 8080")]
    Serve(ServeArgs),
    /// Segment images; writes <stem>_mask.png and <stem>_overlay.png, and a JSON line each on stdout.
    #[command(
        after_help = "Example:\n  ichor segment slice.png --model unet --output results --threshold 0.4"
    )]
    Segment(SegmentArgs),
    /// List the models.
    Models(ModelArgs),
    /// Say what the reader understood of files: sizes, spacing, Hounsfield units; nothing of the
    /// patient.
    #[command(after_help = "Example:\n  ichor inspect series/ --json")]
    Inspect(InspectArgs),
    /// Score a model on a labelled data set (a folder with slices.csv, or PhysioNet's layout).
    #[command(after_help = "Example:\n  ichor evaluate frontend/samples --model unet --json")]
    Evaluate(EvaluateArgs),
    /// Write the network tensors of a data set, for training.
    #[command(
        after_help = "Example:\n  ichor prepare DATASET --spec models/unet/model.json --output prepared"
    )]
    Prepare(PrepareArgs),
}

/// Where the models lie.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// Folder with one folder a model.
    #[arg(long, env = "ICHOR_MODEL_DIR", default_value = "models")]
    pub models: PathBuf,
}

/// `ichor serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where the models lie.
    #[command(flatten)]
    pub model_dir: ModelArgs,
    /// Model used where a request names none; the first by name without it.
    #[arg(long, env = "ICHOR_DEFAULT_MODEL")]
    pub default_model: Option<String>,
    /// Folder of the page.
    #[arg(long, default_value = "frontend")]
    pub frontend: PathBuf,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
}

/// `ichor segment`.
#[derive(Debug, Args)]
pub struct SegmentArgs {
    /// Where the models lie.
    #[command(flatten)]
    pub model_dir: ModelArgs,
    /// Images: PNG, JPEG, TIFF, WebP or BMP.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Model; the first by name without it.
    #[arg(long)]
    pub model: Option<String>,
    /// Folder for the results; made if missing.
    #[arg(long)]
    pub output: PathBuf,
    /// Threshold in place of the model's own, between 0 and 1.
    #[arg(long)]
    pub threshold: Option<f32>,
}

/// `ichor inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Files, or folders of files: DICOM, NIfTI, zip, PNG, JPEG, TIFF, WebP or BMP.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Print a JSON line a file in place of the table.
    #[arg(long)]
    pub json: bool,
}

/// `ichor evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// Where the models lie.
    #[command(flatten)]
    pub model_dir: ModelArgs,
    /// Folder of the data set.
    pub dataset: PathBuf,
    /// Model; the first by name without it.
    #[arg(long)]
    pub model: Option<String>,
    /// Print JSON in place of the table.
    #[arg(long)]
    pub json: bool,
}

/// `ichor prepare`.
#[derive(Debug, Args)]
pub struct PrepareArgs {
    /// Folder of the data set.
    pub dataset: PathBuf,
    /// The model.json whose preprocessing is applied.
    #[arg(long)]
    pub spec: PathBuf,
    /// Folder for images.npy, masks.npy and index.csv.
    #[arg(long)]
    pub output: PathBuf,
}

/// What the local server accepts.
pub fn local_limits() -> ServiceLimits {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    ServiceLimits {
        slice: Limits::default(),
        max_body_bytes: 64 << 20,
        max_answer_bytes: None,
        running: cores,
        waiting: 64,
        body_timeout: Duration::from_secs(30),
    }
}

/// What one Lambda instance accepts. An event holds 6 MB, in which a binary body is base64:
/// 4.4 MiB of it fit. The answer's limit is Lambda's own, 6,291,556 bytes.
pub fn lambda_limits() -> ServiceLimits {
    ServiceLimits {
        max_body_bytes: 4_613_734,
        max_answer_bytes: Some(6_291_556),
        body_timeout: Duration::from_secs(10),
        ..local_limits()
    }
}

/// Where the Lambda finds its models.
#[derive(Debug, Parser)]
#[command(
    name = "lambda",
    about = "Ichor as an AWS Lambda function; started by the Lambda runtime."
)]
pub struct LambdaConfig {
    /// Bucket of the models.
    #[arg(long, env = "ICHOR_BUCKET")]
    pub bucket: String,
    /// Key prefix of the models.
    #[arg(long, env = "ICHOR_PREFIX", default_value = "models/")]
    pub prefix: String,
    /// Names of the models, with commas between them; the first is the default.
    #[arg(long, env = "ICHOR_MODELS", default_value = "deeplabv3,unet", value_delimiter = ',')]
    pub models: Vec<String>,
    /// Endpoint of another S3 server, addressed with the bucket in the path.
    #[arg(long, env = "AWS_ENDPOINT_URL_S3")]
    pub endpoint: Option<String>,
}

impl LambdaConfig {
    /// Reads the environment; Lambda's log shows one line, not a usage page.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] naming what is missing.
    pub fn read() -> Result<Self> {
        Self::try_parse().map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => error.exit(),
            ErrorKind::MissingRequiredArgument => Error::InvalidParameter(
                "ICHOR_BUCKET is not set. Give the name of the bucket that holds the models".into(),
            ),
            _ => Error::InvalidParameter(
                "The environment cannot be read. ICHOR_BUCKET, ICHOR_PREFIX and ICHOR_MODELS are texts".into(),
            ),
        })
    }
}
