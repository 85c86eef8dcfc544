//! `/metrics`: the text format, and what a segmentation adds to it.

use crate::fixtures::{BLEED, bytes, post, sample, service_with};
use axum::body::Body;
use axum::http::{Request, Response};
use ichor::http::{Service, router, server_router};
use std::sync::Arc;
use tower::ServiceExt;

async fn send(service: &Arc<Service>, request: Request<Body>) -> Response<Body> {
    server_router(Arc::clone(service)).oneshot(request).await.unwrap()
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

async fn metrics(service: &Arc<Service>) -> String {
    let response = send(service, get("/metrics")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    String::from_utf8(bytes(response).await).unwrap()
}

/// The value of the sample with exactly this name and these labels; 0 where there is none.
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap())
}

/// A line of the format: a comment, or `name{labels} value`.
fn is_well_formed(line: &str) -> bool {
    if let Some(comment) = line.strip_prefix("# ") {
        return comment.starts_with("HELP ichor_") || comment.starts_with("TYPE ichor_");
    }
    let Some((sample, value)) = line.rsplit_once(' ') else { return false };
    let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
    let is_name = |b: u8| b.is_ascii_lowercase() || b == b'_';
    name.starts_with("ichor_")
        && name.bytes().all(is_name)
        && labels.ends_with('}')
        && value.parse::<f64>().is_ok()
}

#[tokio::test]
async fn a_segmentation_increases_the_counters() {
    const SLICES: &str = "ichor_slices_total{model=\"deeplabv3\"}";
    const INFERENCE: &str = "ichor_inference_seconds_total{model=\"deeplabv3\"}";
    const REQUESTS: &str =
        "ichor_http_requests_total{method=\"POST\",route=\"/v1/segment\",status=\"200\"}";
    const DURATIONS: &str =
        "ichor_http_request_duration_seconds_bucket{route=\"/v1/segment\",le=\"+Inf\"}";
    const RUNNING: &str = "ichor_requests_running";
    let service = service_with(|_| ());
    let before = metrics(&service).await;
    for sample in [SLICES, INFERENCE, REQUESTS, DURATIONS] {
        assert_eq!(value(&before, sample), 0.0, "{sample}");
    }
    let request = post("?model=deeplabv3", "image/png", sample(BLEED));
    assert_eq!(send(&service, request).await.status(), 200);
    let after = metrics(&service).await;
    for sample in [SLICES, REQUESTS, DURATIONS] {
        assert_eq!(value(&after, sample), 1.0, "{sample}\n{after}");
    }
    assert!(value(&after, INFERENCE) > 0.0, "{after}");
    assert!(after.contains("\nichor_requests_waiting 0\n"), "{after}");
    assert_eq!(value(&after, RUNNING), 0.0, "{after}");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(value(&after, &format!("ichor_build_info{{version=\"{version}\"}}")), 1.0);
    let broken: Vec<&str> = after.lines().filter(|line| !is_well_formed(line)).collect();
    assert_eq!(broken, [""; 0]);
}

#[tokio::test]
async fn labels_hold_no_text_of_clients() {
    let service = service_with(|_| ());
    send(&service, get("/v1/models/Mary-Smith/card")).await;
    send(&service, get("/v1/Mary-Smith")).await;
    let own = Request::builder().method("MARY").uri("/v1/models").body(Body::empty()).unwrap();
    send(&service, own).await;
    let text = metrics(&service).await;
    assert!(!text.to_ascii_lowercase().contains("mary"), "{text}");
    let refused = "ichor_http_requests_total{method=\"other\",route=\"/v1/models\",status=\"405\"}";
    assert_eq!(value(&text, refused), 1.0, "{text}");
}

#[tokio::test]
async fn a_lambda_function_has_no_metrics_route() {
    let service = service_with(|_| ());
    let response = router(service).oneshot(get("/metrics")).await.unwrap();
    assert_eq!(response.status(), 404);
}

#[tokio::test]
async fn the_rate_limit_does_not_count_metrics() {
    let rate = ichor::http::Rate { per_second: 0.001, burst: 1.0 };
    let service = service_with(|limits| limits.rate = Some(rate));
    assert_eq!(send(&service, get("/v1/models")).await.status(), 200);
    for _ in 0..3 {
        metrics(&service).await;
    }
    assert_eq!(send(&service, get("/v1/models")).await.status(), 429);
}
