//! The files of the models, for a page that runs them in the browser: `/models/NAME/FILE`.

use super::headers::tagged;
use crate::embedded::Embedded;
use crate::segmenter::Models;
use axum::Router;
use axum::body::Bytes;
use axum::extract::Path as UrlPath;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::path::PathBuf;
use std::sync::Arc;

const SPEC: &str = "model.json";
const CARD: &str = "MODEL_CARD.md";

/// Where the files of the models are.
#[derive(Debug, Clone)]
pub enum ModelSource {
    /// In a folder: one folder per model, or the files of one model.
    Folder(PathBuf),
    /// In the program.
    Embedded(&'static Embedded),
}

impl ModelSource {
    /// The routes of the files of `models`. A network is sent without compression, which its weights resist.
    pub(super) fn router(self, models: Arc<Models>) -> Router {
        let answer = move |UrlPath((name, file)): UrlPath<(String, String)>, headers: HeaderMap| {
            let (source, models) = (self.clone(), models.clone());
            async move {
                // Only names of loaded models reach the file system.
                let Ok(model) = models.get(Some(&name)) else {
                    return StatusCode::NOT_FOUND.into_response();
                };
                let network = model.spec().file.clone();
                source.answer(&name, &file, &network, &headers).await
            }
        };
        Router::new().route("/models/{name}/{file}", get(answer))
    }

    async fn answer(&self, name: &str, file: &str, network: &str, headers: &HeaderMap) -> Response {
        let kind = match file {
            SPEC => "application/json",
            CARD => "text/markdown; charset=utf-8",
            _ if file == network => "application/octet-stream",
            _ => return StatusCode::NOT_FOUND.into_response(),
        };
        match self.read(name, file).await {
            Some(content) => tagged(headers, kind, content),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }

    async fn read(&self, name: &str, file: &str) -> Option<Bytes> {
        match self {
            Self::Folder(root) => {
                let is_one_model = root.join(SPEC).is_file();
                let folder = if is_one_model { root.clone() } else { root.join(name) };
                tokio::fs::read(folder.join(file)).await.ok().map(Bytes::from)
            }
            Self::Embedded(embedded) => {
                let model = embedded.models.iter().find(|model| model.name == name)?;
                Some(Bytes::from_static(match file {
                    SPEC => model.spec,
                    CARD => model.card,
                    _ => model.onnx,
                }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    async fn status_of(file: &str) -> StatusCode {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
        let source = ModelSource::Folder(models);
        source.answer("unet", file, "model.onnx", &HeaderMap::new()).await.status()
    }

    #[tokio::test]
    async fn only_the_three_files_of_a_model_are_sent() {
        for file in ["model.json", "model.onnx", "MODEL_CARD.md"] {
            assert_eq!(status_of(file).await, StatusCode::OK, "{file}");
        }
        for file in ["failures.png", "golden", "..", "../deeplabv3/model.json"] {
            assert_eq!(status_of(file).await, StatusCode::NOT_FOUND, "{file}");
        }
    }
}
