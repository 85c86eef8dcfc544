//! The page from within the program, with the answers that a folder of it would give.

use super::etag::tagged;
use crate::embedded::Embedded;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

/// Answers GET and HEAD of the page's files, and 404 on all other paths.
pub(crate) fn page_router(embedded: &'static Embedded) -> Router {
    let answer = move |method: Method, uri: Uri, headers: HeaderMap| async move {
        file(embedded, &method, uri.path(), &headers)
    };
    Router::new().fallback(answer)
}

fn file(embedded: &Embedded, method: &Method, path: &str, headers: &HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        let allow = [(header::ALLOW, HeaderValue::from_static("GET,HEAD"))];
        return (StatusCode::METHOD_NOT_ALLOWED, allow).into_response();
    }
    let Some((name, content)) = embedded.page_file(path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream");
    tagged(headers, kind, Bytes::from_static(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &[(&str, &[u8])] = &[("index.html", b"<html>"), ("js/main.js", b"1")];

    fn ask(method: Method, path: &str, tag: Option<&HeaderValue>) -> Response {
        let embedded = Embedded { page: PAGE, ..Embedded::NOTHING };
        let mut headers = HeaderMap::new();
        headers.extend(tag.map(|tag| (header::IF_NONE_MATCH, tag.clone())));
        file(&embedded, &method, path, &headers)
    }

    #[test]
    fn files_come_with_their_type_and_a_tag() {
        for (path, kind) in [("/", "text/html"), ("/js/main.js", "text/javascript")] {
            let answer = ask(Method::GET, path, None);
            assert_eq!(
                (answer.status(), &answer.headers()[header::CONTENT_TYPE]),
                (StatusCode::OK, &HeaderValue::from_static(kind))
            );
            let tag = &answer.headers()[header::ETAG];
            assert_eq!(ask(Method::GET, path, Some(tag)).status(), StatusCode::NOT_MODIFIED);
        }
        assert_eq!(ask(Method::HEAD, "/", None).status(), StatusCode::OK);
        assert_eq!(ask(Method::GET, "/js", None).status(), StatusCode::NOT_FOUND);
        let refused = ask(Method::POST, "/", None);
        assert_eq!(
            (refused.status(), &refused.headers()[header::ALLOW]),
            (StatusCode::METHOD_NOT_ALLOWED, &HeaderValue::from_static("GET,HEAD"))
        );
    }
}
