//! The HTTP API, version 1: one router for the local server, the Lambda function and the container.

mod base64_text;
mod handlers;
mod headers;
mod intake;
mod jobs;
mod json_body;
mod limits;
mod log;
mod metrics;
mod model_files;
pub mod multipart;
mod page;
mod parameters;
mod problem;
mod rate;
mod records;
mod sagemaker;
#[cfg(test)]
#[cfg(feature = "schemas")]
mod schemas;
mod types;
mod uploads;

pub(crate) use handlers::wait_until_built;
pub use jobs::JobBackend;
pub(crate) use jobs::now;
pub use limits::ServiceLimits;
pub use model_files::ModelSource;
pub use page::Page;
pub use rate::Rate;

use crate::segmenter::Models;
use crate::telemetry::Sink;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post, put};
use metrics::Metrics;
use rate::Bucket;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

/// The OpenAPI 3.1 description of every route.
pub const OPENAPI: &str = include_str!("http/openapi.json");

/// The state that the handlers share: models, limits, jobs, logs.
#[derive(Debug)]
pub struct Service {
    models: Arc<Models>,
    limits: ServiceLimits,
    running: Semaphore,
    admitted: Semaphore,
    bucket: Option<Bucket>,
    job_backend: Option<JobBackend>,
    log: Sink,
    metrics: Metrics,
    answered: AtomicBool,
}

impl Service {
    /// A service with these models, without uploads and without telemetry.
    pub fn new(models: impl Into<Arc<Models>>, limits: ServiceLimits) -> Arc<Self> {
        Self::with_jobs(models, limits, None, None)
    }

    /// A service that also accepts uploads, where it has a place for jobs, and writes one line of telemetry per
    /// request to `log`.
    pub fn with_jobs(
        models: impl Into<Arc<Models>>,
        limits: ServiceLimits,
        job_backend: Option<JobBackend>,
        log: Sink,
    ) -> Arc<Self> {
        Arc::new(Self {
            models: models.into(),
            running: Semaphore::new(limits.running),
            admitted: Semaphore::new(limits.running + limits.waiting),
            bucket: limits.rate.map(|rate| Bucket::full(rate, Instant::now())),
            limits,
            job_backend,
            log,
            metrics: Metrics::new(),
            answered: AtomicBool::new(false),
        })
    }

    /// How to send more than the limit of the body, for the error.
    fn body_remedy(&self) -> &'static str {
        match self.job_backend {
            Some(_) => "Order an upload with POST /v1/uploads, which accepts larger files.",
            None => {
                "Send one slice at a time, compressed as PNG or JPEG, or run `ichor serve` on your own machine."
            }
        }
    }
}

/// Answers the connections of `listener` with `router`. After `stop` it accepts no more of them, and returns
/// when the open requests are answered.
///
/// # Errors
/// Those of the listener.
pub async fn run_server(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

/// The router of the API, as a Lambda function answers it.
pub fn router(service: Arc<Service>) -> Router {
    layered(api().merge(description()), service)
}

/// The router of the API with `/metrics`, for a server that one process answers for.
pub fn server_router(service: Arc<Service>) -> Router {
    layered(api().merge(description()).merge(operation()), service)
}

/// The router of the API with `/metrics` and the routes that SageMaker calls.
pub fn sagemaker_router(service: Arc<Service>) -> Router {
    layered(api().merge(sagemaker::routes()).merge(operation()), service)
}

fn description() -> Router<Arc<Service>> {
    Router::new().route("/v1/openapi.json", get(handlers::openapi))
}

fn operation() -> Router<Arc<Service>> {
    Router::new().route("/metrics", get(metrics::metrics))
}

fn api() -> Router<Arc<Service>> {
    Router::new()
        .route("/v1/segment", post(handlers::segment))
        .route("/v1/uploads", post(uploads::create_upload))
        .route("/v1/uploads/{id}", put(uploads::receive_upload))
        .route("/v1/jobs/{id}", get(jobs::job).delete(jobs::delete_job))
        .route("/v1/jobs/{id}/result", get(jobs::job_result))
        .route("/v1/jobs/{id}/slices/{index}", get(jobs::job_slice))
        .route("/v1/models", get(handlers::models))
        .route("/v1/models/{name}/card", get(handlers::card))
        .route("/v1/health/live", get(handlers::live))
        .route("/v1/health/ready", get(handlers::ready))
        .route("/v1/{*unknown}", axum::routing::any(handlers::unknown))
}

fn layered(routes: Router<Arc<Service>>, service: Arc<Service>) -> Router {
    routes
        .method_not_allowed_fallback(handlers::wrong_method)
        .layer(CatchPanicLayer::custom(problem::after_panic))
        .layer(from_fn_with_state(Arc::clone(&service), rate::limit))
        .layer(from_fn(problem::assign_request_id))
        .layer(from_fn_with_state(Arc::clone(&service), log::record))
        .with_state(service)
}
