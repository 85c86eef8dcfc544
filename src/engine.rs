//! Runs a network: tensor in, logits out.

mod deferred;
mod tract;

pub use deferred::DeferredEngine;

use crate::error::Result;
use crate::model_spec::ModelSpec;

/// A network ready to run; cheap to share between threads.
#[derive(Debug)]
pub enum Engine {
    /// tract, in pure Rust on the CPU.
    Tract(tract::TractEngine),
}

/// How long it took to make a network ready, ms.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LoadTimings {
    /// Bytes to a graph.
    pub parse: f64,
    /// Graph to a plan for the machine.
    pub optimise: f64,
}

/// What a network answers for one slice.
#[derive(Debug, Clone)]
pub struct Logits {
    /// Mask logits, row-major, `height * width` of the input shape.
    pub mask: Vec<f32>,
    /// Slice logits in the order of the ModelSpec's classes; empty without a slice head.
    pub slice: Vec<f32>,
}

impl Logits {
    /// The numbers one after the other, mask first, 32-bit little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.mask.iter().chain(&self.slice).flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Reads what [`Logits::to_bytes`] wrote; `None` for bytes that a network of `spec` cannot have
    /// written.
    pub fn from_bytes(bytes: &[u8], spec: &ModelSpec) -> Option<Self> {
        let [_, _, height, width] = spec.input.shape;
        let slices = spec.outputs.slice.as_ref().map_or(0, |s| s.classes.len());
        let (numbers, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() || numbers.len() != height * width + slices {
            return None;
        }
        let mut mask: Vec<f32> = numbers.iter().map(|&n| f32::from_le_bytes(n)).collect();
        let slice = mask.split_off(height * width);
        Some(Self { mask, slice })
    }
}

impl Engine {
    /// Parses and optimises the network `onnx` for the input shape of `spec`; `clock` gives ms.
    ///
    /// # Errors
    /// [`crate::error::Error::Model`] if the network cannot be read or does not fit the spec.
    pub fn load(
        spec: &ModelSpec,
        onnx: &[u8],
        clock: &dyn Fn() -> f64,
    ) -> Result<(Self, LoadTimings)> {
        let (engine, timings) = tract::TractEngine::load(spec, onnx, clock)?;
        Ok((Self::Tract(engine), timings))
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
