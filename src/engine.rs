//! Runs a network: tensor in, logits out.

mod tract;

use crate::error::Result;
use crate::model_spec::ModelSpec;

/// A network ready to run; cheap to share between threads.
#[derive(Debug)]
pub enum Engine {
    /// tract, in pure Rust on the CPU.
    Tract(tract::TractEngine),
}

/// What a network answers for one slice.
#[derive(Debug, Clone)]
pub struct Logits {
    /// Mask logits, row-major, `height * width` of the input shape.
    pub mask: Vec<f32>,
    /// Slice logits in the order of the ModelSpec's classes; empty without a slice head.
    pub slice: Vec<f32>,
}

impl Engine {
    /// Parses and optimises the network `onnx` for the input shape of `spec`.
    ///
    /// # Errors
    /// [`crate::error::Error::Model`] if the network cannot be read or does not fit the spec.
    pub fn load(spec: &ModelSpec, onnx: &[u8]) -> Result<Self> {
        Ok(Self::Tract(tract::TractEngine::load(spec, onnx)?))
    }

    /// Runs the network on one NCHW tensor of the spec's input shape.
    ///
    /// # Errors
    /// [`crate::error::Error::Inference`] if a layer fails.
    pub fn run(&self, tensor: &[f32]) -> Result<Logits> {
        match self {
            Self::Tract(engine) => engine.run(tensor),
        }
    }
}
