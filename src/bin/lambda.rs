//! Ichor as an AWS Lambda function: models from S3 on cold start, then the same router.

use ichor::config::{LambdaConfig, job_limits, lambda_limits};
use ichor::error::Result;
use ichor::http::{Desk, Service, router};
use ichor::jobs::Jobs;
use ichor::object_store::{ObjectStore, S3Objects};
use ichor::s3::{Started, client, start};
use ichor::telemetry::to_stdout;
use std::process::ExitCode;
use std::sync::Arc;

#[tokio::main]
async fn main() -> ExitCode {
    let service = match service().await {
        Ok(service) => service,
        Err(error) => {
            eprintln!("ichor: {error}");
            return ExitCode::FAILURE;
        }
    };
    match lambda_http::run(router(service)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ichor: the Lambda runtime stopped: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn service() -> Result<Arc<Service>> {
    let config = LambdaConfig::read()?;
    let client = client(config.endpoint.as_deref()).await;
    let Started { models, line } = start(&client, &config).await?;
    to_stdout(&line);
    let desk = config.jobs_bucket.map(|bucket| {
        let store = ObjectStore::S3(S3Objects::new(client, bucket));
        Desk::Cloud(Jobs::new(store, job_limits()))
    });
    Ok(Service::with_jobs(models, lambda_limits(), desk, Some(to_stdout)))
}
