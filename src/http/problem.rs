//! Problems as answers, and the identifier of each request.

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
    /// Without a body: `assign_request_id` writes it, since it contains the identifier of the request.
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

/// Identifier of one request: in answers, in errors and in the header `x-request-id`.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

impl RequestId {
    /// The identifier of a request; empty before `assign_request_id` ran.
    pub(super) fn of(request: &Request) -> String {
        request.extensions().get::<Self>().map_or_else(String::new, |id| id.0.clone())
    }
}

const REQUEST_ID: &str = "x-request-id";
/// The same header for asynchronous requests of SageMaker: the InferenceId of the caller.
const INFERENCE_ID: &str = "x-amzn-sagemaker-inference-id";

/// Gives each request an identifier, and writes the bodies of problems.
pub(super) async fn assign_request_id(mut request: Request, next: Next) -> Response {
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

/// The identifier that the client sent, if it is safe in a log line; otherwise a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).or_else(|| headers.get(INFERENCE_ID));
    let given = given.and_then(|v| v.to_str().ok());
    let is_safe = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    given.filter(is_safe).map_or_else(new_id, str::to_owned)
}

fn new_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // The operating system seeds RandomState. Identifiers must be unique, not secret.
    let random = RandomState::new().hash_one(COUNT.fetch_add(1, Ordering::Relaxed));
    format!("{random:016x}")
}
