//! Fixtures of the tests: the committed models, the synthetic slices, one service.

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use ichor::http::{Service, ServiceLimits, router};
use ichor::segmenter::Models;
use ichor::storage::read_model_dir;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use tower::ServiceExt;

pub(crate) const BLEED: &str = "090_9y_intraparenchymal_110kV_220mA.png";
pub(crate) const NO_BLEED: &str = "038_38y_none_130kV_340mA.png";

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn sample(name: &str) -> Vec<u8> {
    std::fs::read(root().join("frontend/samples").join(name)).unwrap()
}

pub(crate) fn models() -> Models {
    Models::load(read_model_dir(&root().join("models")).unwrap(), None).unwrap()
}

/// The model with a series chain, whose cut-off is raised so that every mask of a series is emptied.
pub(crate) fn models_that_empty_series() -> Models {
    let mut files = read_model_dir(&root().join("models")).unwrap();
    files.retain(|files| files.spec.name == "deeplabv3");
    files[0].spec.series.as_mut().unwrap().slice_threshold = 1.0;
    Models::load(files, None).unwrap()
}

fn service() -> Arc<Service> {
    static SERVICE: OnceLock<Arc<Service>> = OnceLock::new();
    Arc::clone(SERVICE.get_or_init(|| Service::new(models(), ServiceLimits::local())))
}

/// A service with other limits than the shared one.
pub(crate) fn service_with(change: impl Fn(&mut ServiceLimits)) -> Arc<Service> {
    let mut limits = ServiceLimits::local();
    change(&mut limits);
    Service::new(models(), limits)
}

pub(crate) async fn send_to(
    service: Arc<Service>,
    request: Request<Body>,
) -> (StatusCode, Response<Body>) {
    let response = router(service).oneshot(request).await.unwrap();
    (response.status(), response)
}

pub(crate) async fn send(request: Request<Body>) -> (StatusCode, Response<Body>) {
    send_to(service(), request).await
}

pub(crate) async fn bytes(response: Response<Body>) -> Vec<u8> {
    response.into_body().collect().await.unwrap().to_bytes().to_vec()
}

pub(crate) async fn json(response: Response<Body>) -> Value {
    serde_json::from_slice(&bytes(response).await).unwrap()
}

/// POST to the segment route; `query` starts with `?` or is empty.
pub(crate) fn post(query: &str, content_type: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(format!("/v1/segment{query}"))
        .header("content-type", content_type)
        .body(body.into())
        .unwrap()
}

/// An error response must be a problem with a stable code and a remedy.
pub(crate) async fn assert_problem(request: Request<Body>, status: u16, code: &str) {
    let (actual, response) = send(request).await;
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let body = json(response).await;
    assert_eq!((actual.as_u16(), body["code"].as_str().unwrap()), (status, code), "{body}");
    assert_eq!(body["status"], status);
    assert!(body["detail"].as_str().unwrap().len() > 20, "{body}");
    assert!(!body["request_id"].as_str().unwrap().is_empty());
}
