//! Answers that stay the same until the service is replaced: `ETag` and `If-None-Match` (RFC 9110, 8.8.3 and 13.1.2).

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// The body with its tag, or 304 where the client has it already. Clients may keep it but must ask
/// whether it still holds.
pub(super) fn tagged(
    request: &HeaderMap,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response {
    let body = body.into();
    let digest: String = Sha256::digest(&body)[..16].iter().map(|b| format!("{b:02x}")).collect();
    let tag = format!("\"{digest}\"");
    let fresh = matches(request, &tag);
    let mut response = match fresh {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, content_type)], body).into_response(),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Weak comparison: a cache in between may have made the tag weak.
fn matches(request: &HeaderMap, tag: &str) -> bool {
    let given = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
    let mut tags = given.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_tag_is_answered_without_a_body() {
        let first = tagged(&HeaderMap::new(), "text/plain", b"models".to_vec());
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        let weak = format!("\"other\", W/{tag}");
        for (given, status) in [(tag.as_str(), 304), (&weak, 304), ("*", 304), ("\"other\"", 200)] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, given.parse().unwrap());
            let answer = tagged(&headers, "text/plain", b"models".to_vec());
            assert_eq!(answer.status().as_u16(), status, "{given}");
            assert_eq!(answer.headers()[header::ETAG], tag.as_str());
        }
    }
}
