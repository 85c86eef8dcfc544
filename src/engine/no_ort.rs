//! The build without onnxruntime: a library that nobody can open.

use super::{Counts, EngineFacts, Logits, OrtSettings};
use crate::error::{Error, Result};
use crate::model_spec::ModelSpec;

/// Has no values.
#[derive(Debug, Clone, Copy)]
pub enum OrtRuntime {}

/// Has no values.
#[derive(Debug)]
pub enum OrtEngine {}

// The signatures are those of the real ones.
impl OrtRuntime {
    /// Says that this build has no onnxruntime.
    ///
    /// # Errors
    /// Always.
    pub fn open(_: OrtSettings) -> Result<Self> {
        Err(Error::InvalidParameter(
            "This build has no onnxruntime. Build it with --features gpu, or leave --engine out."
                .into(),
        ))
    }

    pub(super) fn load(&self, _: &ModelSpec, _: &[u8]) -> Result<OrtEngine> {
        match *self {}
    }
}

impl OrtEngine {
    pub(super) fn run(&self, _: &[f32]) -> Result<Logits> {
        match *self {}
    }

    pub(super) fn run_batch(&self, _: &[&[f32]]) -> Result<Vec<Logits>> {
        match *self {}
    }

    pub(super) fn facts(&self) -> &EngineFacts {
        match *self {}
    }

    pub(super) fn counts(&self) -> &Counts {
        match *self {}
    }
}
