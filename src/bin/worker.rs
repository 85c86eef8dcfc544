//! The worker: an AWS Lambda function that does the work of jobs whose uploads have arrived.

use ichor::config::{LambdaConfig, worker_limits};
use ichor::decode::Limits;
use ichor::error::{Error, Result};
use ichor::jobs::Worker;
use ichor::jobs::events::answer;
use ichor::object_store::{ObjectStore, S3Objects};
use ichor::s3::{Started, client, start};
use ichor::segmenter::Models;
use ichor::telemetry::to_stdout;
use lambda_http::lambda_runtime::{self, LambdaEvent, service_fn};
use serde_json::Value;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::Handle;

struct Front {
    store: ObjectStore,
    models: Models,
    limits: Limits,
}

#[tokio::main]
async fn main() -> ExitCode {
    let front = match front().await {
        Ok(front) => Arc::new(front),
        Err(error) => {
            eprintln!("ichor: {error}");
            return ExitCode::FAILURE;
        }
    };
    let serve = service_fn(move |event: LambdaEvent<Value>| {
        let (front, runtime) = (Arc::clone(&front), Handle::current());
        async move {
            let work = move || {
                let Front { store, models, limits } = front.as_ref();
                answer(
                    Worker { store, models, limits, runtime: &runtime },
                    &event.payload,
                    to_stdout,
                )
            };
            tokio::task::spawn_blocking(work).await?.map_err(lambda_http::Error::from)
        }
    });
    match lambda_runtime::run(serve).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ichor: the Lambda runtime stopped: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn front() -> Result<Front> {
    let config = LambdaConfig::read()?;
    let bucket = config.jobs_bucket.clone().ok_or_else(|| {
        let remedy =
            "ICHOR_JOBS_BUCKET is not set. Give the name of the bucket of uploads and results";
        Error::InvalidParameter(remedy.into())
    })?;
    let client = client(config.endpoint.as_deref()).await;
    let Started { models, line } = start(&client, &config).await?;
    to_stdout(&line);
    let store = ObjectStore::S3(S3Objects::new(client, bucket));
    Ok(Front { store, models, limits: worker_limits() })
}
