//! The routes that SageMaker calls: `/ping` checks readiness, `/invocations` segments.
//!
//! Source: *Custom inference code with hosting services* and *with batch transform*, Amazon SageMaker
//! developer guide.

use super::handlers::segment_as;
use super::headers::tagged;
use super::parameters::SegmentParams;
use super::problem::Problem;
use super::records::{is_json_lines, segment_lines};
use super::{OPENAPI, Service};
use crate::engine::{Counts, EngineFacts};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The header that holds CustomAttributes of `InvokeEndpoint`: at most 1,024 visible characters.
const CUSTOM_ATTRIBUTES: &str = "x-amzn-sagemaker-custom-attributes";

/// Paths and schemas that are added to the description of the API.
const SAGEMAKER_ROUTES: &str = include_str!("openapi-sagemaker.json");

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/ping", get(ping))
        .route("/invocations", post(invocations))
        .route("/execution-parameters", get(execution_parameters))
        .route("/v1/openapi.json", get(openapi))
}

/// The state of one engine.
#[derive(Serialize)]
struct EngineState<'a> {
    model: &'a str,
    #[serde(flatten)]
    facts: Option<EngineFacts>,
    batches: u64,
    slices: u64,
}

/// Reports readiness and the engines. If an engine fails on every batch, the answer is 503, so that SageMaker
/// replaces the container.
async fn ping(State(service): State<Arc<Service>>) -> Result<Response, Problem> {
    let engines = || service.models.iter().filter_map(|model| Some((model, model.engine()?)));
    if engines().any(|(_, engine)| engine.counts().is_some_and(|counts| !counts.healthy())) {
        let detail = "The engine has failed on its last batches. Restart the container.";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "engine_failed", detail));
    }
    let states: Vec<EngineState<'_>> = engines()
        .map(|(model, engine)| {
            let [batches, slices] = engine.counts().map_or([0; 2], Counts::so_far);
            let (model, facts) = (model.spec().name.as_str(), Some(engine.facts()));
            EngineState { model, facts, batches, slices }
        })
        .collect();
    Ok(Json(json!({"status": "ready", "engines": states})).into_response())
}

async fn invocations(
    State(service): State<Arc<Service>>,
    request: Request,
) -> Result<Response, Problem> {
    let params = |request: &Request| match request.headers().get(CUSTOM_ATTRIBUTES) {
        Some(text) => SegmentParams::from_custom_attributes(text.to_str().unwrap_or("=")),
        None => SegmentParams::from_query(request.uri()),
    };
    if is_json_lines(request.headers()) {
        return segment_lines(service, params(&request)?, request).await;
    }
    segment_as(service, params, request).await
}

/// Settings of a batch transform that its job does not set.
async fn execution_parameters(State(service): State<Arc<Service>>) -> Response {
    // SageMaker's limit for one payload of a transform.
    const MAX_MB: usize = 100;
    Json(json!({
        "MaxConcurrentTransforms": service.limits.running.min(100),
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": (service.limits.max_body_bytes / 1_000_000).min(MAX_MB),
    }))
    .into_response()
}

async fn openapi(headers: HeaderMap) -> Response {
    tagged(&headers, "application/json", openapi_document().to_string())
}

/// The description of the API with these routes. `/invocations` is described as segment, with additions. Uploads
/// and jobs are left out: SageMaker has its own.
fn openapi_document() -> Value {
    let [mut document, routes] = [OPENAPI, SAGEMAKER_ROUTES]
        .map(|text| serde_json::from_str::<Value>(text).unwrap_or_default());
    document["paths"]["/invocations"] = document["paths"]["/v1/segment"].clone();
    merge(&mut document["paths"], routes);
    if let Some(paths) = document["paths"].as_object_mut() {
        paths.retain(|path, _| !path.starts_with("/v1/uploads") && !path.starts_with("/v1/jobs"));
    }
    document
}

/// Merges `from` into `into`: objects by key, lists one after the other; any other value is replaced.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(from)) => into.extend(from),
        (into, from) => *into = from,
    }
}
