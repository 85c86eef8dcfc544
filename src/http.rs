//! The HTTP API, version 1: one router for the local server and the Lambda.

mod handlers;
mod intake;
mod negotiate;
mod problem;
mod query;
mod types;

use crate::decode::Limits;
use crate::segmenter::Models;
use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use std::sync::Arc;
use std::time::Duration;
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
    /// Time in which a body must have arrived.
    pub body_timeout: Duration,
}

/// The way past a limit of the body, as the error says it.
pub(crate) const BODY_REMEDY: &str = "Send one slice at a time, compressed as PNG or JPEG, or run `ichor serve` on your own machine.";

/// What the handlers share.
#[derive(Debug)]
pub struct Service {
    models: Models,
    limits: ServiceLimits,
    running: Semaphore,
    admitted: Semaphore,
}

impl Service {
    /// A service over loaded models.
    pub fn new(models: Models, limits: ServiceLimits) -> Arc<Self> {
        Arc::new(Self {
            models,
            running: Semaphore::new(limits.running),
            admitted: Semaphore::new(limits.running + limits.waiting),
            limits,
        })
    }
}

/// The router of the API.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/v1/segment", post(handlers::segment))
        .route("/v1/models", get(handlers::models))
        .route("/v1/models/{name}/card", get(handlers::card))
        .route("/v1/openapi.json", get(handlers::openapi))
        .route("/v1/health/live", get(handlers::live))
        .route("/v1/health/ready", get(handlers::ready))
        .route("/v1/{*unknown}", axum::routing::any(handlers::unknown))
        .method_not_allowed_fallback(handlers::wrong_method)
        .layer(CatchPanicLayer::custom(problem::after_panic))
        .layer(from_fn(problem::identify))
        .with_state(service)
}
