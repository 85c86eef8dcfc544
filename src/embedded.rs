//! The models and the page inside the `ichor` program, so that it works in any folder.

use crate::model_spec::ModelSpec;
use crate::storage::ModelFiles;
use ichor_core::{Error, Result};

/// The files inside a program.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    /// Models, sorted by name.
    pub models: &'static [EmbeddedModel],
    /// Files of the page: the path below its folder, separated by `/`, and the content. Sorted by path.
    pub page: &'static [(&'static str, &'static [u8])],
}

/// The files of one model.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedModel {
    /// Name of its folder, which is the name in its `model.json`.
    pub name: &'static str,
    /// `model.json`.
    pub spec: &'static [u8],
    /// The network.
    pub onnx: &'static [u8],
    /// `MODEL_CARD.md`.
    pub card: &'static [u8],
}

impl Embedded {
    /// No files, for a program built without the feature `embedded`.
    pub const NOTHING: Self = Self { models: &[], page: &[] };

    /// The file of the page at a path of a URL, with its name; `/` is `index.html`.
    pub fn page_file(&self, path: &str) -> Option<(&'static str, &'static [u8])> {
        let path = path.trim_start_matches('/');
        let path = if path.is_empty() { "index.html" } else { path };
        let at = self.page.binary_search_by_key(&path, |(name, _)| name).ok()?;
        self.page.get(at).copied()
    }
}

impl EmbeddedModel {
    /// The files, verified like those of a folder. The network is not copied.
    ///
    /// # Errors
    /// [`Error::Model`] where they are not of one model.
    pub fn files(&self) -> Result<ModelFiles> {
        let spec = ModelSpec::from_json(self.name, self.spec)?;
        if spec.name != self.name {
            return Err(Error::Model {
                model: self.name.into(),
                reason: "model.json names another model than its folder. Build the program again"
                    .into(),
            });
        }
        ModelFiles::verified(spec, self.onnx, String::from_utf8_lossy(self.card).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_page_are_found_by_their_url() {
        let page: &'static [(&str, &[u8])] =
            &[("css/page.css", b"body {}"), ("index.html", b"<html>"), ("js/main.js", b"1")];
        let embedded = Embedded { page, ..Embedded::NOTHING };
        for (path, name) in
            [("/", "index.html"), ("/index.html", "index.html"), ("/js/main.js", "js/main.js")]
        {
            assert_eq!(embedded.page_file(path).map(|(name, _)| name), Some(name));
        }
        for path in ["/css", "/css/", "/../Cargo.toml", "/nothing"] {
            assert_eq!(embedded.page_file(path), None, "{path}");
        }
    }
}
