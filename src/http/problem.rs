//! Errors as `application/problem+json` (RFC 9457), and the one table from kind to status.

use crate::error::Error;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::any::Any;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// An error on its way to the client.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        use StatusCode as S;
        let (status, code) = match &error {
            Error::EmptyInput => (S::BAD_REQUEST, "empty_body"),
            Error::InvalidParameter(_) => (S::BAD_REQUEST, "invalid_parameter"),
            Error::Undecodable(_) => (S::BAD_REQUEST, "undecodable_image"),
            Error::ModelNotFound(_) => (S::NOT_FOUND, "model_not_found"),
            Error::TooLarge { .. } => (S::PAYLOAD_TOO_LARGE, "image_too_large"),
            Error::UnsupportedType(_) => (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Error::Unprocessable(_) => (S::UNPROCESSABLE_ENTITY, "unprocessable_image"),
            // The rest are faults of this side; their text is for the operator.
            Error::Model { .. } | Error::Dataset(_) | Error::Io { .. } | Error::Inference(_) => {
                return internal();
            }
        };
        Self::new(status, code, error.to_string())
    }
}

fn internal() -> Problem {
    let detail = "The service failed on this input. Try another export of the image, and report \
                  the request_id if it happens again.";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
}

impl IntoResponse for Problem {
    /// Leaves the body to [`identify`], which knows the request's identifier.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

pub(super) fn after_panic(_: Box<dyn Any + Send + 'static>) -> Response {
    internal().into_response()
}

/// Identifier of one request, in answers, errors and the `x-request-id` header.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

const REQUEST_ID: &str = "x-request-id";

/// Gives each request an identifier and writes the bodies of problems.
pub(super) async fn identify(mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let body = json!({
            "type": "about:blank",
            "title": problem.status.canonical_reason().unwrap_or("Error"),
            "status": problem.status.as_u16(),
            "code": problem.code,
            "detail": problem.detail,
            "request_id": id,
        });
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = Body::from(body.to_string());
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The client's identifier if it is harmless in a log line, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|v| v.to_str().ok());
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
