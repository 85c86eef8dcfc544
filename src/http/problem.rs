//! Problems as answers, and the identifier that every answer carries.

pub(super) use crate::problem::Problem;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::any::Any;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

impl IntoResponse for Problem {
    /// Leaves the body to `identify`, which knows the request's identifier.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

pub(super) fn after_panic(_: Box<dyn Any + Send + 'static>) -> Response {
    Problem::internal().into_response()
}

/// Identifier of one request, in answers, errors and the `x-request-id` header.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

impl RequestId {
    /// That of a request; empty before [`identify`] gave it one.
    pub(super) fn of(request: &Request) -> String {
        request.extensions().get::<Self>().map_or_else(String::new, |id| id.0.clone())
    }
}

const REQUEST_ID: &str = "x-request-id";
/// SageMaker's name for it, of asynchronous requests: the caller's InferenceId.
const INFERENCE_ID: &str = "x-amzn-sagemaker-inference-id";

/// Gives each request an identifier and writes the bodies of problems.
pub(super) async fn identify(mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions().get::<Problem>().cloned() {
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = Body::from(problem.body(&id).to_string());
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response.extensions_mut().insert(RequestId(id));
    response
}

/// The client's identifier if it is harmless in a log line, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).or_else(|| headers.get(INFERENCE_ID));
    let given = given.and_then(|v| v.to_str().ok());
    let harmless = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    given.filter(harmless).map_or_else(new_id, str::to_owned)
}

fn new_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // RandomState is seeded by the operating system; unique is enough, secret is not needed.
    let random = RandomState::new().hash_one(COUNT.fetch_add(1, Ordering::Relaxed));
    format!("{random:016x}")
}
