//! What is recorded of each request: a line of telemetry, the metrics, an event for the operator.

use super::Service;
use super::headers::{ContentLength, HeaderMapExt};
use super::metrics::RequestFacts;
use super::problem::{Problem, RequestId};
use crate::telemetry::{Measurements, Metric, Unit, line, now_ms};
use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Records a request once its answer is there. A handler that segments attaches [`Measurements`] to its answer.
pub(super) async fn record(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let start = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = known_method(request.method());
    let bytes_in = request.headers().typed_get::<ContentLength>();
    let response = next.run(request).await;
    let facts = RequestFacts {
        method,
        route: route.as_ref().map_or("none", MatchedPath::as_str),
        status: response.status().as_u16(),
        duration: start.elapsed(),
        measured: response.extensions().get::<Measurements>(),
    };
    let is_first = !service.answered.swap(true, Ordering::Relaxed);
    service.metrics.observe(&facts);
    log_event(&facts, &response);
    if let Some(sink) = service.log {
        sink(&telemetry(&facts, &response, bytes_in, is_first));
    }
    response
}

/// The event of one request; an error of the service with its cause, which no client receives.
fn log_event(facts: &RequestFacts<'_>, response: &Response) {
    let RequestFacts { method, route, status, duration, .. } = *facts;
    let request_id = request_id(response);
    let duration_ms = duration.as_millis() as u64;
    match response.extensions().get::<Problem>().and_then(|problem| problem.cause.as_deref()) {
        Some(cause) => tracing::error!(request_id, method, route, status, cause, "request failed"),
        None => tracing::info!(request_id, method, route, status, duration_ms, "request answered"),
    }
}

fn telemetry(
    request: &RequestFacts<'_>,
    response: &Response,
    bytes_in: Option<ContentLength>,
    is_first: bool,
) -> String {
    let facts = json!({
        "event": "request",
        "request_id": request_id(response),
        "method": request.method,
        "route": request.route,
        "status": request.status,
        "code": response.extensions().get::<Problem>().map(|problem| problem.code),
        "model": request.measured.map(|m| &m.model),
        "slices": request.measured.map(|m| m.slices),
        "bytes_out": response.body().size_hint().exact(),
    });
    let mut metrics: Vec<Metric> = vec![
        ("duration_ms", request.duration.as_secs_f64() * 1e3, Unit::Milliseconds),
        ("cold_start", f64::from(u8::from(is_first)), Unit::Count),
    ];
    metrics.extend(bytes_in.map(|bytes| ("bytes_in", bytes.0 as f64, Unit::Bytes)));
    if let Some(Measurements { stages, .. }) = request.measured {
        metrics.push(("decode_ms", stages.decode, Unit::Milliseconds));
        metrics.push(("inference_ms", stages.inference, Unit::Milliseconds));
        if is_first {
            metrics.push(("first_inference_ms", stages.inference, Unit::Milliseconds));
        }
    }
    line(facts, &["route"], &metrics, now_ms())
}

fn request_id(response: &Response) -> Option<&str> {
    response.extensions().get::<RequestId>().map(|id| id.0.as_str())
}

/// The method, or `other`: a name that a client made up must not enter logs and labels.
fn known_method(method: &Method) -> &'static str {
    METHODS.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];
