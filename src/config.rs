//! Every flag and environment variable of the programs. All other code receives values.

mod container;
mod engine;
mod lambda;
mod segment;
mod serve;

pub use container::{HealthArgs, MeasureArgs, SageMakerArgs, SageMakerCli, SageMakerCommand};
pub use engine::{EngineChoice, OrtArgs};
pub use lambda::LambdaConfig;
pub use segment::{LanguageChoice, OutputFormat, SegmentArgs};
pub use serve::ServeArgs;

use clap::{Args, Parser, Subcommand};
use segment::SEGMENT_HELP;
use std::path::PathBuf;

/// The filter of events, as other Rust programs read it.
pub fn log_filter() -> Option<String> {
    std::env::var("RUST_LOG").ok()
}

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
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API and the page on this machine.
    #[command(after_help = "Example:\n  ichor serve --port 8080")]
    Serve(ServeArgs),
    /// Segment images and series; writes a mask and an overlay per slice, and one JSON line per input on
    /// standard output.
    #[command(after_help = SEGMENT_HELP)]
    Segment(SegmentArgs),
    /// List the models.
    Models(ModelArgs),
    /// Print the version, engines, models and limits of this program.
    #[command(after_help = "Example:\n  ichor info --json")]
    Info(InfoArgs),
    /// Print what files contain: sizes, spacing, Hounsfield units; nothing about the patient.
    #[command(after_help = "Example:\n  ichor inspect series/ --json")]
    Inspect(InspectArgs),
    /// Score a model on a labelled data set (a folder with slices.csv, or PhysioNet's layout).
    #[command(after_help = "Example:\n  ichor evaluate frontend/samples --model unet --json")]
    Evaluate(EvaluateArgs),
    /// Write the input tensors of a data set, for training.
    #[command(
        after_help = "Example:\n  ichor prepare DATASET --spec models/unet/model.json --output prepared"
    )]
    Prepare(PrepareArgs),
}

/// The models of a command, and the engine that runs them.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// Folder with one folder per model, instead of the models inside the program.
    #[arg(long, env = "ICHOR_MODEL_DIR")]
    pub models: Option<PathBuf>,
    /// The engine that runs the networks.
    #[arg(long, value_enum, default_value_t = EngineChoice::Own)]
    pub engine: EngineChoice,
    /// Settings of onnxruntime.
    #[command(flatten)]
    pub ort: OrtArgs,
}

/// `ichor info`.
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// The models.
    #[command(flatten)]
    pub model_dir: ModelArgs,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// `ichor inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Files, or folders of files: DICOM, NIfTI, zip, PNG, JPEG, TIFF, WebP or BMP.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Print one JSON line per file instead of the table.
    #[arg(long)]
    pub json: bool,
}

/// `ichor evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// The models.
    #[command(flatten)]
    pub model_dir: ModelArgs,
    /// Folder of the data set.
    pub dataset: PathBuf,
    /// Model; default: the first by name.
    #[arg(long)]
    pub model: Option<String>,
    /// Compare on the grid of the network, as training does, instead of in the resolution of the images.
    #[arg(long)]
    pub grid: bool,
    /// Folder for the outputs of the network: mask_logits.npy, slice_logits.npy, answers.csv and lesions.csv.
    #[arg(long, requires = "grid")]
    pub output: Option<PathBuf>,
    /// Judge each slice alone, as a single picture; otherwise the slices of a patient inform each other, as
    /// those of a series.
    #[arg(long)]
    pub alone: bool,
    /// Print JSON instead of the table.
    #[arg(long)]
    pub json: bool,
}

/// `ichor prepare`.
#[derive(Debug, Args)]
pub struct PrepareArgs {
    /// Folder of the data set.
    pub dataset: PathBuf,
    /// The model.json with the preprocessing to apply.
    #[arg(long)]
    pub spec: PathBuf,
    /// Folder for images.npy, masks.npy, within.npy and index.csv.
    #[arg(long)]
    pub output: PathBuf,
}
