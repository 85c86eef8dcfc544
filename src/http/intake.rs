//! One image out of a request, whichever of the three ways it came.

use super::Service;
use super::problem::Problem;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use serde::Deserialize;

/// Reads the image of a raw, multipart or JSON body, never more than the limit.
pub(super) async fn image_bytes(request: Request, service: &Service) -> Result<Bytes, Problem> {
    let kind = content_kind(request.headers());
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body, service).await?;
    match kind {
        Kind::Raw => Ok(body),
        Kind::Json => from_json(&body),
        Kind::Multipart => from_multipart(Request::from_parts(parts, Body::from(body))).await,
    }
}

enum Kind {
    Raw,
    Json,
    Multipart,
}

/// The type only tells wrappers apart; the image format is read from its bytes.
fn content_kind(headers: &HeaderMap) -> Kind {
    let value = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    match value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => Kind::Json,
        "multipart/form-data" => Kind::Multipart,
        _ => Kind::Raw,
    }
}

pub(super) async fn read_body(
    headers: &HeaderMap,
    body: Body,
    service: &Service,
) -> Result<Bytes, Problem> {
    let limit = service.limits.max_body_bytes;
    let too_large = || {
        let detail = format!(
            "The body is larger than the limit of {limit} bytes. {}",
            service.body_remedy()
        );
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail)
    };
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: u64| length > limit as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(service.limits.body_timeout, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_length_error(&error) => Err(too_large()),
        Ok(Err(_)) => Err(bad_body("incomplete_body", "The body broke off. Send it again.")),
        Err(_) => {
            let detail = "The body did not arrive in time. Send it again over a faster connection.";
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail))
        }
    }
}

fn is_length_error(error: &axum::Error) -> bool {
    // http-body-util's LengthLimitError is not re-exported by axum; its text is its contract.
    std::error::Error::source(error).is_some_and(|e| e.to_string().contains("length limit"))
}

fn bad_body(code: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code, detail)
}

#[derive(Deserialize)]
struct JsonBody {
    image: String,
}

pub(super) fn from_json(body: &[u8]) -> Result<Bytes, Problem> {
    let form = r#"Send {"image": "<base64 of the file>"}."#;
    let parsed: JsonBody = serde_json::from_slice(body)
        .map_err(|_| bad_body("invalid_json", &format!("The JSON cannot be read. {form}")))?;
    // Browsers hand out data URLs; the part after the comma is the same base64.
    let text = match parsed.image.strip_prefix("data:") {
        Some(url) => url.split_once(',').map_or("", |(_, data)| data),
        None => &parsed.image,
    };
    base64::engine::general_purpose::STANDARD
        .decode(text.trim())
        .map(Bytes::from)
        .map_err(|_| bad_body("invalid_json", &format!("'image' is not valid base64. {form}")))
}

async fn from_multipart(request: Request) -> Result<Bytes, Problem> {
    let broken = || {
        let detail = "The multipart body cannot be read. Send the image as the part 'file'.";
        bad_body("invalid_multipart", detail)
    };
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| broken())?;
    while let Some(field) = form.next_field().await.map_err(|_| broken())? {
        if field.name() == Some("file") {
            return field.bytes().await.map_err(|_| broken());
        }
    }
    Err(bad_body(
        "invalid_multipart",
        "The multipart body has no part named 'file'. Name the image part so.",
    ))
}
