//! Ichor as an AWS Lambda function: models from S3 on cold start, then the same router.

use ichor::config::{LambdaConfig, lambda_limits};
use ichor::error::Result;
use ichor::http::{Service, router};
use ichor::segmenter::Models;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let models = match load().await {
        Ok(models) => models,
        Err(error) => {
            eprintln!("ichor: {error}");
            return ExitCode::FAILURE;
        }
    };
    match lambda_http::run(router(Service::new(models, lambda_limits()))).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ichor: the Lambda runtime stopped: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn load() -> Result<Models> {
    let config = LambdaConfig::read()?;
    let client = ichor::s3::client(&config).await;
    let files = ichor::s3::read_models(&client, &config).await?;
    Models::load(files, None)
}
