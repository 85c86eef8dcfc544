//! Ichor as an AWS Lambda function: models from S3 at startup, then the same routes as the local server.

use ichor::aws::{S3Objects, Startup, run_api, s3_client, start};
use ichor::config::{LambdaConfig, log_filter};
use ichor::error::Result;
use ichor::http::{JobBackend, Service, ServiceLimits};
use ichor::jobs::{JobLimits, Jobs};
use ichor::object_store::ObjectStore;
use ichor::telemetry::{LogFormat, init_logging, to_stdout};
use std::process::ExitCode;

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
    let client = s3_client(config.endpoint.as_deref()).await;
    let Startup { models, log_line } = start(&client, &config).await?;
    to_stdout(&log_line);
    let backend = config.jobs_bucket.map(|bucket| {
        let store = ObjectStore::new(S3Objects::new(client, bucket));
        JobBackend::Cloud(Jobs::new(store, JobLimits::default()))
    });
    run_api(Service::with_jobs(models, ServiceLimits::lambda(), backend, Some(to_stdout))).await
}
