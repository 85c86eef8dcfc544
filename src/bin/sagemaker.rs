//! Ichor in a container, for SageMaker and ECS: the same routes, with onnxruntime as the engine.

use clap::Parser;
use ichor::aws::{fetch_models, s3_client};
use ichor::config::{MeasureArgs, SageMakerArgs, SageMakerCli, SageMakerCommand, log_filter};
use ichor::container::{check_health, run_until_stopped, startup_line, stop_signal};
use ichor::engine::{Engine, OrtRuntime};
use ichor::error::{Error, Result};
use ichor::http::{Service, ServiceLimits, run_server, sagemaker_router};
use ichor::measure::batch_times;
use ichor::segmenter::Models;
use ichor::storage::{ModelFiles, read_model_dir};
use ichor::telemetry::{LogFormat, init_logging, to_stdout};
use serde_json::json;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Slices per batch where neither a flag nor the engine sets another number: that of a GPU.
const DEFAULT_MAX_BATCH: usize = 16;

fn main() -> ExitCode {
    init_logging(log_filter().as_deref(), LogFormat::JsonLines);
    let outcome = match SageMakerCli::parse().command {
        SageMakerCommand::Serve(args) => run(*args),
        SageMakerCommand::Health(args) => check_health(args.port),
        SageMakerCommand::Measure(args) => measure(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ichor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: SageMakerArgs) -> Result<()> {
    let runtime = Runtime::new().map_err(Error::io("The server cannot start"))?;
    let served = runtime.block_on(serve(args));
    // Requests that still run have had their time.
    runtime.shutdown_background();
    served
}

async fn serve(args: SageMakerArgs) -> Result<()> {
    let start = Instant::now();
    let files = read_models(&args).await?;
    let runtime = OrtRuntime::open(args.ort.settings())?;
    let models = Models::load_ort(files, args.default_model.as_deref(), &runtime)?;
    to_stdout(&startup_line(&models, start.elapsed()));
    let max_batch = args.ort.max_batch.map_or(DEFAULT_MAX_BATCH, usize::from);
    let limits = ServiceLimits::container(max_batch, args.waiting);
    let service = Service::with_jobs(models, limits, None, Some(to_stdout));
    let listener = TcpListener::bind((args.host.as_str(), args.port))
        .await
        .map_err(Error::io("The port cannot be opened; SAGEMAKER_BIND_TO_PORT names another"))?;
    let server = run_server(listener, sagemaker_router(service), stop_signal());
    run_until_stopped(server, Duration::from_secs(args.stop_seconds)).await
}

async fn read_models(args: &SageMakerArgs) -> Result<Vec<ModelFiles>> {
    let Some(bucket) = &args.bucket else { return Ok(read_model_dir(&args.models)?) };
    let client = s3_client(args.endpoint.as_deref()).await;
    fetch_models(&client, bucket, &args.prefix, &args.names).await
}

fn measure(args: &MeasureArgs) -> Result<()> {
    let runtime = OrtRuntime::open(args.ort.settings())?;
    let models = Models::load_ort(read_model_dir(&args.models)?, None, &runtime)?;
    for model in models.iter() {
        let times = batch_times(model, &args.batches, args.runs)?;
        let engine = model.engine().map(Engine::facts);
        println!("{}", json!({"model": model.spec().name, "engine": engine, "batches": times}));
    }
    Ok(())
}
