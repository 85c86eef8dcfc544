//! The routes that SageMaker calls: `/ping` is ready, `/invocations` is segment, both under its names.
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

/// Where `InvokeEndpoint` puts the caller's CustomAttributes: at most 1,024 visible characters.
const CUSTOM_ATTRIBUTES: &str = "x-amzn-sagemaker-custom-attributes";

/// Paths and schemas that these routes add to the description of the API.
const ADDED: &str = include_str!("openapi-sagemaker.json");

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/ping", get(ping))
        .route("/invocations", post(invocations))
        .route("/execution-parameters", get(execution_parameters))
        .route("/v1/openapi.json", get(openapi))
}

/// One engine, in words.
#[derive(Serialize)]
struct EngineState<'a> {
    model: &'a str,
    #[serde(flatten)]
    facts: Option<EngineFacts>,
    batches: u64,
    slices: u64,
}

/// Ready, with what runs the networks. An engine that fails on everything is said to be unhealthy, so
/// that the container is replaced.
async fn ping(State(service): State<Arc<Service>>) -> Result<Response, Problem> {
    let engines = || service.models.iter().filter_map(|model| Some((model, model.engine()?)));
    if engines().any(|(_, engine)| engine.counts().is_some_and(|counts| !counts.healthy())) {
        let detail =
            "The engine has failed on its last batches. The container must be started anew.";
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

/// What a batch transform does with this container, where its job does not say.
async fn execution_parameters(State(service): State<Arc<Service>>) -> Response {
    // SageMaker's own limit of one payload of a transform.
    const MOST_MB: usize = 100;
    Json(json!({
        "MaxConcurrentTransforms": service.limits.running.min(100),
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": (service.limits.max_body_bytes / 1_000_000).min(MOST_MB),
    }))
    .into_response()
}

async fn openapi(headers: HeaderMap) -> Response {
    tagged(&headers, "application/json", described().to_string())
}

/// The description of the API with these routes in it; /invocations takes and gives what segment does,
/// and more. Uploads and jobs are SageMaker's own here.
fn described() -> Value {
    let [mut whole, added] =
        [OPENAPI, ADDED].map(|text| serde_json::from_str::<Value>(text).unwrap_or_default());
    whole["paths"]["/invocations"] = whole["paths"]["/v1/segment"].clone();
    merge(&mut whole["paths"], added);
    if let Some(paths) = whole["paths"].as_object_mut() {
        paths.retain(|path, _| !path.starts_with("/v1/uploads") && !path.starts_with("/v1/jobs"));
    }
    whole
}

/// Objects are joined, lists put one after the other, and everything else is replaced.
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
