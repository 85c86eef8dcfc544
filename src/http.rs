//! The HTTP API, version 1: one router for the local server, the Lambda and the container.

mod base64_text;
mod handlers;
mod headers;
mod intake;
mod jobs;
mod json_body;
mod log;
mod metrics;
pub mod multipart;
mod page;
mod parameters;
mod problem;
mod rate;
mod records;
mod sagemaker;
mod types;
mod uploads;

pub(crate) use handlers::built;
// The handlers still name the former modules.
use headers as etag;
use headers as negotiate;
pub use jobs::Desk;
pub(crate) use jobs::now;
pub use page::Page;
pub use rate::Rate;

use crate::decode::Limits;
use crate::segmenter::Models;
use crate::telemetry::Sink;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post, put};
use metrics::Metrics;
use rate::Bucket;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

/// The OpenAPI 3.1 description of every route.
pub const OPENAPI: &str = include_str!("http/openapi.json");

/// What one service instance accepts and answers.
#[derive(Debug, Clone, Copy)]
pub struct ServiceLimits {
    /// Limits of a slice and of a series.
    pub slice: Limits,
    /// Largest request body, bytes.
    pub max_body_bytes: usize,
    /// Largest answer as it crosses the wire, bytes, where the platform sets one.
    pub max_answer_bytes: Option<usize>,
    /// Slices computed at a time.
    pub running: usize,
    /// Requests that may wait for their turn; further ones are told to come back.
    pub waiting: usize,
    /// Time in which a body must have arrived, and the next piece of an upload.
    pub body_timeout: Duration,
    /// Requests a second, where this service itself limits them.
    pub rate: Option<Rate>,
    /// Lines of a JSON lines body; 0 where none are taken.
    pub max_records: usize,
}

/// What the handlers share.
#[derive(Debug)]
pub struct Service {
    models: Arc<Models>,
    limits: ServiceLimits,
    running: Semaphore,
    admitted: Semaphore,
    bucket: Option<Bucket>,
    desk: Option<Desk>,
    log: Sink,
    metrics: Metrics,
    answered: AtomicBool,
}

impl Service {
    /// A service over loaded models, without uploads and silent.
    pub fn new(models: impl Into<Arc<Models>>, limits: ServiceLimits) -> Arc<Self> {
        Self::with_jobs(models, limits, None, None)
    }

    /// A service that takes uploads at its `desk` and writes a line of telemetry a request.
    pub fn with_jobs(
        models: impl Into<Arc<Models>>,
        limits: ServiceLimits,
        desk: Option<Desk>,
        log: Sink,
    ) -> Arc<Self> {
        Arc::new(Self {
            models: models.into(),
            running: Semaphore::new(limits.running),
            admitted: Semaphore::new(limits.running + limits.waiting),
            bucket: limits.rate.map(|rate| Bucket::full(rate, Instant::now())),
            limits,
            desk,
            log,
            metrics: Metrics::new(),
            answered: AtomicBool::new(false),
        })
    }

    /// The way past a limit of the body, as the error says it.
    fn body_remedy(&self) -> &'static str {
        match self.desk {
            Some(_) => "Order an upload with POST /v1/uploads, which takes larger files.",
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
        .layer(from_fn(problem::identify))
        .layer(from_fn_with_state(Arc::clone(&service), log::record))
        .with_state(service)
}
