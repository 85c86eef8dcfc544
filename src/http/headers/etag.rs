//! Answers that stay the same until the service is replaced: `ETag` and `If-None-Match` (RFC 9110, sections 8.8.3
//! and 13.1.2).

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headers::{ETag, HeaderMapExt, IfNoneMatch};
use sha2::{Digest, Sha256};

/// The body with its tag, or 304 where the client already has it. Clients may store it, but must ask before
/// each use whether it is still current.
pub(in crate::http) fn tagged(
    request: &HeaderMap,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response {
    let body = body.into();
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..16])).parse::<ETag>().ok();
    let known = request.typed_get::<IfNoneMatch>().zip(tag.as_ref());
    let is_current = known.is_some_and(|(known, tag)| !known.precondition_passes(tag));
    let mut response = match is_current {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, content_type)], body).into_response(),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some(tag) = tag {
        response.headers_mut().typed_insert(tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_tag_gives_an_answer_without_a_body() {
        let first = tagged(&HeaderMap::new(), "text/plain", b"models".to_vec());
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        let weak = format!("\"other\", W/{tag}");
        for (known, status) in
            [(tag.as_str(), 304), (&weak, 304), ("*", 304), ("\"other\"", 200), ("unquoted", 200)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, known.parse().unwrap());
            let answer = tagged(&headers, "text/plain", b"models".to_vec());
            assert_eq!(answer.status().as_u16(), status, "{known}");
            assert_eq!(answer.headers()[header::ETAG], tag.as_str());
        }
    }
}
