//! The files and the parameters of a request, from a raw, multipart or JSON body.

use super::Service;
use super::base64_text::decode_base64;
use super::headers::{BodyKind, ContentLength, HeaderMapExt};
use super::json_body::JsonBody;
use super::multipart::{Part, parts};
use super::parameters::{PARAMETERS, SegmentParams, Source, unknown_parameter};
use super::problem::Problem;
use crate::decode::natural_order;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use http_body_util::LengthLimitError;
use std::error::Error as _;

/// Files that are not slices but may be sent with a series, as in an archive.
const MORE_FILES: usize = 256;

/// The content of a body.
#[derive(Debug)]
pub(super) struct Payload {
    /// At least one file; several files are one series.
    pub(super) images: Vec<Bytes>,
    /// The parameters in the body.
    pub(super) params: SegmentParams,
}

impl Payload {
    /// Reads a raw, multipart or JSON body, and no more of it than the limit.
    pub(super) async fn read(request: Request, service: &Service) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = read_body(&parts.headers, body, service).await?;
        let max_files = max_files(service);
        match BodyKind::of(&parts.headers, &body)? {
            BodyKind::Raw => Ok(Self { images: vec![body], params: SegmentParams::default() }),
            BodyKind::Json => Self::from_json(&body, max_files),
            BodyKind::Form(boundary) => Self::from_form(&body, &boundary, max_files),
        }
    }

    pub(super) fn from_json(body: &[u8], max_files: usize) -> Result<Self, Problem> {
        let JsonBody { images, params } = JsonBody::from_slice(body, max_files)?;
        Ok(Self { images, params })
    }

    fn from_form(body: &Bytes, boundary: &str, max_files: usize) -> Result<Self, Problem> {
        let mut files: Vec<(String, Bytes)> = Vec::new();
        let mut params = SegmentParams::default();
        for part in parts(body, boundary, max_files + PARAMETERS.len())? {
            if part.name == "file" {
                // Browsers send this for a field without a file.
                let is_unused = part.content.is_empty() && part.file_name.as_deref() == Some("");
                if !is_unused {
                    let content = content(&part, body)?;
                    files.push((part.file_name.unwrap_or_default(), content));
                }
                continue;
            }
            let text = std::str::from_utf8(part.content).unwrap_or("\u{FFFD}");
            if !params.set(Source::Form, &part.name, text)? {
                let known: Vec<&str> = ["file"].into_iter().chain(PARAMETERS).collect();
                return Err(invalid_form(&unknown_parameter(Source::Form, &part.name, &known)));
            }
        }
        if files.is_empty() {
            return Err(invalid_form("The form has no file. Send the image as the part 'file'."));
        }
        // In the order of an archive of the same files. A shell sorts 10 before 2.
        if files.iter().all(|(name, _)| !name.is_empty()) {
            files.sort_by(|(a, _), (b, _)| natural_order(a, b));
        }
        Ok(Self { images: files.into_iter().map(|(_, content)| content).collect(), params })
    }
}

/// Maximum number of files per request.
pub(super) fn max_files(service: &Service) -> usize {
    service.limits.slice.max_slices + MORE_FILES
}

fn content(part: &Part<'_>, body: &Bytes) -> Result<Bytes, Problem> {
    if !part.is_base64 {
        return Ok(body.slice_ref(part.content));
    }
    let text = std::str::from_utf8(part.content).map_err(|_| "it is not text".to_owned());
    let decoded = text.and_then(decode_base64);
    decoded.map(Bytes::from).map_err(|why| {
        invalid_form(&format!("A part 'file' is not base64, although its header says so: {why}."))
    })
}

fn invalid_form(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_multipart", detail)
}

/// The whole body.
///
/// # Errors
/// A problem where it is above the limit, too slow, or incomplete.
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
    let declared = headers.typed_get::<ContentLength>();
    if declared.is_some_and(|length| length.0 > limit as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(service.limits.body_timeout, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_length_error(&error) => Err(too_large()),
        Ok(Err(_)) => {
            let detail = "The body ended too early. Send it again.";
            Err(Problem::new(StatusCode::BAD_REQUEST, "incomplete_body", detail))
        }
        Err(_) => {
            let detail = "The body did not arrive within the time limit. Send it again over a faster connection.";
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail))
        }
    }
}

/// Whether reading stopped at the limit. axum wraps the error of the limit in its own.
fn is_length_error(error: &axum::Error) -> bool {
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.any(|cause| cause.is::<LengthLimitError>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_above_the_limit_differs_from_one_that_breaks_off() {
        let too_long = to_bytes(Body::from("12345"), 4).await.unwrap_err();
        assert!(is_length_error(&too_long));
        let broken = std::io::Error::other("length limit exceeded");
        assert!(!is_length_error(&axum::Error::new(broken)));
    }
}
