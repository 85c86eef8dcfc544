//! The loops of the Lambda runtime: an HTTP API, and a function that is invoked with events.

use crate::error::{Error, Result};
use crate::http::{Service, router};
use lambda_http::lambda_runtime::{self, LambdaEvent, service_fn};
use serde_json::Value;
use std::sync::Arc;

/// Answers HTTP requests with the API of `service` until the runtime stops.
///
/// # Errors
/// [`Error::Internal`] when the runtime stops.
pub async fn run_api(service: Arc<Service>) -> Result<()> {
    lambda_http::run(router(service)).await.map_err(stopped)
}

/// Answers each event with `handle`, on a thread that may block, until the runtime stops.
///
/// # Errors
/// [`Error::Internal`] when the runtime stops.
pub async fn run_worker(
    handle: impl Fn(&Value) -> Result<Value> + Clone + Send + 'static,
) -> Result<()> {
    let service = service_fn(move |event: LambdaEvent<Value>| {
        let handle = handle.clone();
        async move {
            let work = move || handle(&event.payload);
            tokio::task::spawn_blocking(work).await?.map_err(lambda_http::Error::from)
        }
    });
    lambda_runtime::run(service).await.map_err(stopped)
}

fn stopped(error: lambda_http::Error) -> Error {
    Error::Internal(format!("the Lambda runtime stopped: {error}"))
}
