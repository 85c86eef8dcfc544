//! Reads the files of models and verifies them.

use crate::error::{Error, Result};
use crate::model_spec::ModelSpec;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::path::Path;

/// The files of one model, read and verified.
#[derive(Debug)]
pub struct ModelFiles {
    /// The parsed `model.json`.
    pub spec: ModelSpec,
    /// The network as ONNX, whose SHA-256 is the spec's. Borrowed where it is part of the program.
    pub onnx: Cow<'static, [u8]>,
    /// `MODEL_CARD.md`.
    pub card: String,
}

impl ModelFiles {
    /// Checks the network against the SHA-256 in its `model.json`.
    ///
    /// # Errors
    /// [`Error::Model`] if the checksums differ.
    pub fn verified(
        spec: ModelSpec,
        onnx: impl Into<Cow<'static, [u8]>>,
        card: String,
    ) -> Result<Self> {
        let onnx = onnx.into();
        let digest = Sha256::digest(&onnx);
        Self::digested(spec, onnx, &digest, card)
    }

    /// As [`ModelFiles::verified`], with the SHA-256 `digest` that was computed while the network was received.
    ///
    /// # Errors
    /// [`Error::Model`] if the checksums differ.
    pub fn digested(
        spec: ModelSpec,
        onnx: impl Into<Cow<'static, [u8]>>,
        digest: &[u8],
        card: String,
    ) -> Result<Self> {
        let actual = hex::encode(digest);
        if actual != spec.sha256 {
            return Err(Error::Model {
                model: spec.name,
                reason: "the checksum of the network differs from model.json. \
                         Copy the model's files again, all from one release"
                    .into(),
            });
        }
        Ok(Self { spec, onnx: onnx.into(), card })
    }
}

/// Reads every model below `root`, one folder per model, sorted by name. Where `root` itself holds a `model.json`, reads
/// that model only.
///
/// # Errors
/// [`Error::Model`] or [`ichor_image::Error::Io`] naming the model; [`Error::Model`] where no model is found.
pub fn read_model_dir(root: &Path) -> Result<Vec<ModelFiles>> {
    let listing = std::fs::read_dir(root).map_err(Error::io(
        "The folder of models cannot be read. Give --models the folder that holds one folder per model",
    ))?;
    let mut folders: Vec<_> = listing
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.join("model.json").is_file())
        .collect();
    folders.sort();
    if root.join("model.json").is_file() {
        folders = vec![root.to_path_buf()];
    }
    if folders.is_empty() {
        return Err(Error::Model {
            model: "*".into(),
            reason: "no folder with a model.json was found. Give --models the folder that holds \
                     one folder per model"
                .into(),
        });
    }
    // In parallel, as the checksums take half of the time.
    folders.par_iter().map(|folder| read_model(folder)).collect()
}

fn read_model(folder: &Path) -> Result<ModelFiles> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let read = |file: &str| {
        std::fs::read(folder.join(file))
            .map_err(Error::io(format!("Model '{name}': {file} cannot be read")))
    };
    let spec = ModelSpec::from_json(&name, &read("model.json")?)?;
    let onnx = read(&spec.file)?;
    let card = String::from_utf8_lossy(&read("MODEL_CARD.md")?).into_owned();
    ModelFiles::verified(spec, onnx, card)
}
