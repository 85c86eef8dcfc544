//! The page next to the API: from a folder, or from the files inside the program.

use super::ModelSource;
use super::headers::tagged;
use crate::embedded::Embedded;
use crate::error::{Error, Result};
use crate::segmenter::Models;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tower_http::compression::CompressionLayer;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// Content-Security-Policy of the page: it loads from its own origin only. Pictures of results are blobs. Without
/// `wasm-unsafe-eval` a browser refuses WebAssembly, which that page needs to analyse on the visitor's device.
/// A server that sends uploads to another origin must also name that origin in `connect-src`.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' blob: data:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Folder of the page in the project, for a program without a page inside.
const PROJECT_FOLDER: &str = "frontend";

/// Where the files of the page are.
#[derive(Debug)]
pub enum Page {
    /// In a folder, read at every request.
    Folder(PathBuf),
    /// In the program.
    Embedded(&'static Embedded),
}

impl Page {
    /// The page in `folder`; without one, the page inside the program, or else that of the project.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] where that folder holds no `index.html`.
    pub fn find(folder: Option<&Path>, embedded: &'static Embedded) -> Result<Self> {
        if folder.is_none() && embedded.page_file("/").is_some() {
            return Ok(Self::Embedded(embedded));
        }
        let folder = folder.unwrap_or(Path::new(PROJECT_FOLDER));
        if folder.join("index.html").is_file() {
            return Ok(Self::Folder(folder.to_path_buf()));
        }
        let detail =
            "The page was not found. Give --frontend the folder that holds its index.html.";
        Err(Error::InvalidParameter(detail.into()))
    }

    /// Adds the page, and the files of the models that it runs in the browser, to the routes of the API. The page answers
    /// every path that they do not.
    pub fn with_api(self, api: Router, models: Arc<Models>, source: ModelSource) -> Router {
        let page = match self {
            Self::Folder(folder) => Router::new().fallback_service(ServeDir::new(folder)),
            Self::Embedded(embedded) => embedded_files(embedded),
        };
        let header = |name, value| {
            SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
        };
        // Only the page is compressed: the large answers of the API hold pictures, which are compressed already.
        api.merge(source.router(models))
            .fallback_service(page.layer(CompressionLayer::new()))
            .layer(SetResponseHeaderLayer::if_not_present(header::CONTENT_SECURITY_POLICY, policy))
            .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .layer(header(header::REFERRER_POLICY, "no-referrer"))
            .layer(header(header::CACHE_CONTROL, "no-cache"))
    }
}

/// Only documents have a policy; on every other file the header would be larger than many of the files.
fn policy(response: &Response) -> Option<HeaderValue> {
    let kind = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    kind.starts_with("text/html").then(|| HeaderValue::from_static(PAGE_POLICY))
}

/// Answers GET and HEAD of the files in the program, and 404 on all other paths, as [`ServeDir`] does.
fn embedded_files(embedded: &'static Embedded) -> Router {
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
