//! The models of one service.

use super::{NoObserver, Segmenter};
#[cfg(feature = "ort")]
use crate::engine::OrtRuntime;
use crate::error::{Error, Result};
use crate::storage::ModelFiles;
use rayon::prelude::*;

/// The loaded models, by name.
#[derive(Debug)]
pub struct Models {
    loaded: Vec<Segmenter>,
    default: usize,
}

impl Models {
    /// Loads all models in parallel. `default` names the model for requests without a model; without it, that is
    /// the first.
    ///
    /// # Errors
    /// [`Error::Model`] of the first that fails, [`Error::ModelNotFound`] for the default.
    pub fn load(files: Vec<ModelFiles>, default: Option<&str>) -> Result<Self> {
        let load = |files| Segmenter::load(files, &NoObserver);
        Self::from_loaded(files.into_par_iter().map(load).collect::<Result<Vec<_>>>()?, default)
    }

    /// Loads the default model, as [`Models::load`] names it; the networks of the others are built by
    /// [`Models::build`] or for their first slice.
    ///
    /// # Errors
    /// As [`Models::load`], for the default.
    pub fn load_default(files: Vec<ModelFiles>, default: Option<&str>) -> Result<Self> {
        let load = |(place, files): (usize, ModelFiles)| {
            if default.map_or(place == 0, |name| name == files.spec.name) {
                Segmenter::load(files, &NoObserver)
            } else {
                Segmenter::deferred(files)
            }
        };
        Self::from_loaded(
            files.into_iter().enumerate().map(load).collect::<Result<Vec<_>>>()?,
            default,
        )
    }

    /// Builds the networks that are not built yet, or waits while another thread does.
    ///
    /// # Errors
    /// [`Error::Model`] of the first that fails.
    pub fn build(&self) -> Result<()> {
        self.iter().try_for_each(Segmenter::build)
    }

    /// Whether all networks are built.
    pub fn are_built(&self) -> bool {
        self.iter().all(|model| model.engine().is_some())
    }

    /// Loads all models into onnxruntime; `default` as for [`Models::load`].
    ///
    /// # Errors
    /// As [`Models::load`].
    #[cfg(feature = "ort")]
    pub fn load_ort(
        files: Vec<ModelFiles>,
        default: Option<&str>,
        runtime: &OrtRuntime,
    ) -> Result<Self> {
        // One after the other: on a GPU, the search for the fastest convolutions may use all of its memory.
        let load = |files| Segmenter::load_ort(files, runtime);
        Self::from_loaded(files.into_iter().map(load).collect::<Result<Vec<_>>>()?, default)
    }

    /// Loads all models into tract; `default` as for [`Models::load`].
    ///
    /// # Errors
    /// As [`Models::load`].
    #[cfg(feature = "tract")]
    pub fn load_tract(files: Vec<ModelFiles>, default: Option<&str>) -> Result<Self> {
        let load = Segmenter::load_tract;
        Self::from_loaded(files.into_par_iter().map(load).collect::<Result<Vec<_>>>()?, default)
    }

    /// Models that are loaded already, at least one; `default` as for [`Models::load`].
    ///
    /// # Errors
    /// [`Error::ModelNotFound`] for the default, or without any model.
    pub fn from_loaded(loaded: Vec<Segmenter>, default: Option<&str>) -> Result<Self> {
        if loaded.is_empty() {
            return Err(Error::ModelNotFound("none".into()));
        }
        let mut models = Self { loaded, default: 0 };
        if let Some(name) = default {
            models.default = models.position(name)?;
        }
        Ok(models)
    }

    /// All models, in the order of loading.
    pub fn iter(&self) -> impl Iterator<Item = &Segmenter> {
        self.loaded.iter()
    }

    /// The default model.
    pub fn default_model(&self) -> &Segmenter {
        &self.loaded[self.default]
    }

    /// The model of that name, or the default.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`] naming those that are loaded.
    pub fn get(&self, name: Option<&str>) -> Result<&Segmenter> {
        match name {
            None => Ok(self.default_model()),
            Some(name) => Ok(&self.loaded[self.position(name)?]),
        }
    }

    fn position(&self, name: &str) -> Result<usize> {
        let known = || {
            let names: Vec<&str> = self.iter().map(|m| m.spec().name.as_str()).collect();
            Error::ModelNotFound(names.join(", "))
        };
        self.loaded.iter().position(|m| m.spec().name == name).ok_or_else(known)
    }
}
