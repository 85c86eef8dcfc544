//! One line of telemetry a request.

use super::Service;
use super::problem::{Problem, RequestId};
use crate::segmenter::StageTimings;
use crate::telemetry::{Metric, Unit, line, now_ms};
use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// What a handler says of its work; travels with the answer to [`record`].
#[derive(Debug, Clone)]
pub(super) struct Measured {
    pub(super) model: String,
    pub(super) slices: usize,
    pub(super) stages: StageTimings,
}

/// Writes the line once the answer is there.
pub(super) async fn record(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(sink) = service.log else { return next.run(request).await };
    let start = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    // A method of the client's own making is not repeated.
    let method =
        Some(request.method().as_str().to_owned()).filter(|m| METHODS.contains(&m.as_str()));
    let length = request.headers().get(header::CONTENT_LENGTH);
    let bytes_in: Option<u64> = length.and_then(|v| v.to_str().ok()?.parse().ok());
    let response = next.run(request).await;
    let first = !service.answered.swap(true, Ordering::Relaxed);
    let extensions = response.extensions();
    let measured = extensions.get::<Measured>();
    let facts = json!({
        "event": "request",
        "request_id": extensions.get::<RequestId>().map(|id| &id.0),
        "method": method.unwrap_or_else(|| "other".into()),
        "route": route.unwrap_or_else(|| "none".into()),
        "status": response.status().as_u16(),
        "code": extensions.get::<Problem>().map(|problem| problem.code),
        "model": measured.map(|m| &m.model),
        "slices": measured.map(|m| m.slices),
        "bytes_out": response.body().size_hint().exact(),
    });
    let mut metrics: Vec<Metric> = vec![
        ("duration_ms", start.elapsed().as_secs_f64() * 1e3, Unit::Milliseconds),
        ("cold_start", f64::from(u8::from(first)), Unit::Count),
    ];
    metrics.extend(bytes_in.map(|bytes| ("bytes_in", bytes as f64, Unit::Bytes)));
    if let Some(Measured { stages, .. }) = measured {
        metrics.push(("decode_ms", stages.decode, Unit::Milliseconds));
        metrics.push(("inference_ms", stages.inference, Unit::Milliseconds));
        if first {
            metrics.push(("first_inference_ms", stages.inference, Unit::Milliseconds));
        }
    }
    sink(&line(facts, &["route"], &metrics, now_ms()));
    response
}

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];
