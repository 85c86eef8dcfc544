//! Every flag and environment variable of the programs; the rest of the code receives values.

mod container;
mod engine;

pub use container::{HealthArgs, MeasureArgs, SageMakerArgs, SageMakerCli, SageMakerCommand};
pub use engine::{EngineChoice, OrtArgs};

use crate::decode::Limits;
use crate::error::{Error, Result};
use crate::http::{Rate, ServiceLimits};
use crate::jobs::JobLimits;
use crate::window::WindowLevel;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Content-Security-Policy of the page, for every server of it: it loads from its own origin only.
/// Pictures of results are blobs; styles are set one by one by the 3D view; `connect-src` must
/// also name the origin of uploads where that is another.
pub const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' blob: data:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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
    /// Segment images and series; writes a mask and an overlay for each slice, and a JSON line for
    /// each input on stdout.
    #[command(after_help = SEGMENT_HELP)]
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
    /// What runs the networks.
    #[arg(long, value_enum, default_value_t = EngineChoice::Own)]
    pub engine: EngineChoice,
    /// How onnxruntime runs them, where it does.
    #[command(flatten)]
    pub ort: OrtArgs,
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

/// `ichor segment`.
#[derive(Debug, Args)]
pub struct SegmentArgs {
    /// Where the models lie.
    #[command(flatten)]
    pub model_dir: ModelArgs,
    /// Images (PNG, JPEG, TIFF, WebP, BMP), DICOM, NIfTI, zip files, or folders of them. DICOM
    /// files of one series, given together or in a folder, are segmented as a series.
    #[arg(required = true, value_name = "FILES")]
    pub inputs: Vec<PathBuf>,
    /// Model; the first by name without it.
    #[arg(long)]
    pub model: Option<String>,
    /// Folder for the results; made if missing.
    #[arg(long)]
    pub output: PathBuf,
    /// Threshold in place of the model's own, between 0 and 1.
    #[arg(long)]
    pub threshold: Option<f32>,
    /// What to write, with commas between.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "png")]
    pub format: Vec<OutputFormat>,
    /// Window of the overlays: brain, ct-ich, subdural, stroke, bone or CENTER,WIDTH in HU; the
    /// model's input window without it. The result does not depend on it.
    #[arg(long, allow_hyphen_values = true)]
    pub window: Option<WindowLevel>,
}

/// What `ichor segment` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Mask and overlay of each slice.
    Png,
    /// The mask as a volume on the grid of the input.
    Nifti,
    /// The mask as a DICOM segmentation object.
    DicomSeg,
    /// The volumes as a DICOM structured report (TID 1500), with the segmentation it measures.
    DicomSr,
    /// The report, also for single slices.
    Json,
    /// Lesions and their regions on the slices.
    Csv,
    /// Overlays of the key slices on one picture.
    Montage,
}

const SEGMENT_HELP: &str = "Examples:
  ichor segment slice.png --model unet --output results --threshold 0.4
  ichor segment head.nii.gz --output results --format nifti,csv
  ichor segment dicom-folder --output results --format png,dicom-seg,montage --window subdural

Names of the results, where <stem> is the name of the file, or of the folder of a series:
  png        <stem>_mask.png, <stem>_overlay.png; in a series <stem>_001_mask.png and so on
  nifti      <stem>_mask.nii.gz
  dicom-seg  <stem>_seg.dcm
  dicom-sr   <stem>_sr.dcm, and <stem>_seg.dcm, which it refers to
  json       <stem>_report.json
  csv        <stem>_lesions.csv, <stem>_regions.csv
  montage    <stem>_montage.png";

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
    /// Compare on the network's grid, where training measures, not in the images' resolution.
    #[arg(long)]
    pub grid: bool,
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
        rate: None,
        max_records: 0,
    }
}

/// Uploads and jobs, everywhere. An upload of 512 uncompressed slices of 512 px a side takes
/// 256 MiB and headers. An inline result, escaped, and a link for each of 512 slices fit Lambda's
/// answer together.
pub fn job_limits() -> JobLimits {
    JobLimits {
        max_upload_bytes: 320 << 20,
        max_inline_bytes: 1 << 20,
        lifetime_s: 86_400,
        link_s: 900,
    }
}

/// Jobs that the local server keeps at a time.
pub const MOST_LOCAL_JOBS: usize = 64;

/// What one Lambda instance accepts. An event holds 6 MB, in which a binary body is base64:
/// 4.4 MiB of it fit. The answer's limit is Lambda's own, 6,291,556 bytes. 40 slices are a head at
/// the usual 4 to 5 mm, and are done well within the 29 s that API Gateway waits.
pub fn lambda_limits() -> ServiceLimits {
    ServiceLimits {
        slice: Limits { max_slices: 40, max_series_bytes: 64 << 20, ..Limits::default() },
        max_body_bytes: 4_613_734,
        max_answer_bytes: Some(6_291_556),
        body_timeout: Duration::from_secs(10),
        ..local_limits()
    }
}

/// What the worker accepts of a series: everything; it has the memory and the time.
pub fn worker_limits() -> Limits {
    Limits::default()
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
    /// Bucket of uploads, jobs and results; without it the service takes none.
    #[arg(long, env = "ICHOR_JOBS_BUCKET")]
    pub jobs_bucket: Option<String>,
    /// Name of the function, in metrics.
    #[arg(long, env = "AWS_LAMBDA_FUNCTION_NAME", default_value = "local")]
    pub function: String,
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
