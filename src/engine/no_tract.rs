//! The build without tract: networks that the kernels of our own do not know are refused.

use super::{LoadTimings, Logits};
use crate::error::{Error, Result};
use crate::model_spec::ModelSpec;

/// Has no values.
#[derive(Debug)]
pub enum TractEngine {}

// The signatures are those of the real one.
impl TractEngine {
    pub(super) fn load(
        spec: &ModelSpec,
        _: &[u8],
        _: &dyn Fn() -> f64,
    ) -> Result<(Self, LoadTimings)> {
        let reason = "the network cannot be loaded: it is damaged, or holds an operator that this build \
                      does not know. Export the network again with training/export.py, or build Ichor \
                      with the feature tract.";
        Err(Error::Model { model: spec.name.clone(), reason: reason.into() })
    }

    pub(super) fn run(&self, _: &[f32]) -> Result<Logits> {
        match *self {}
    }
}
