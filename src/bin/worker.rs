//! The worker: an AWS Lambda function that runs the jobs whose uploads have arrived.

use ichor::aws::{S3Objects, Startup, run_worker, s3_client, start};
use ichor::config::{LambdaConfig, log_filter};
use ichor::decode::Limits;
use ichor::error::{Error, Result};
use ichor::jobs::Worker;
use ichor::jobs::events::handle_event;
use ichor::object_store::ObjectStore;
use ichor::telemetry::{LogFormat, init_logging, to_stdout};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::Handle;

#[tokio::main]
async fn main() -> ExitCode {
    init_logging(log_filter().as_deref(), LogFormat::JsonLines);
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ichor: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let config = LambdaConfig::read()?;
    let bucket = config.jobs_bucket.clone().ok_or_else(|| {
        let remedy =
            "ICHOR_JOBS_BUCKET is not set. Give the name of the bucket of uploads and results";
        Error::InvalidParameter(remedy.into())
    })?;
    let client = s3_client(config.endpoint.as_deref()).await;
    let Startup { models, log_line } = start(&client, &config).await?;
    to_stdout(&log_line);
    let store = ObjectStore::new(S3Objects::new(client, bucket));
    let (shared, runtime) = (Arc::new((store, models)), Handle::current());
    run_worker(move |event| {
        let (store, models) = &*shared;
        let worker = Worker { store, models, limits: &Limits::default(), runtime: &runtime };
        handle_event(worker, event, to_stdout)
    })
    .await
}
