//! Runs a network: tensor in, logits out.

mod blocked;
mod deferred;
// Without onnxruntime the variant exists and cannot be made, so that nothing else needs to know the feature.
#[cfg_attr(not(feature = "gpu"), path = "engine/no_ort.rs")]
mod ort;
mod settings;
#[cfg_attr(not(feature = "tract"), path = "engine/no_tract.rs")]
mod tract;

pub use blocked::{BlockedEngine, Level, Refusal};
pub use deferred::DeferredEngine;
pub use ort::OrtRuntime;
pub use settings::{Batching, Counts, EngineFacts, OrtSettings, Precision, Provider};

use crate::error::{Error, Result};
use crate::model_spec::ModelSpec;

/// A network ready to run; cheap to share between threads.
#[derive(Debug)]
pub enum Engine {
    /// Kernels of our own on the CPU, for networks whose every operator they know.
    Blocked(BlockedEngine),
    /// tract, in pure Rust on the CPU.
    Tract(tract::TractEngine),
    /// onnxruntime, for batches and NVIDIA cards.
    Ort(ort::OrtEngine),
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

/// Logit of what cannot be: a probability of 6e-6.
pub(crate) const IMPOSSIBLE: f32 = -12.0;

impl Logits {
    /// Logits of a slice that no network of `spec` was run on: no blood anywhere.
    pub fn without_blood(spec: &ModelSpec) -> Self {
        let [_, _, height, width] = spec.input.shape;
        let slices = spec.outputs.slice.as_ref().map_or(0, |s| s.classes.len());
        Self { mask: vec![IMPOSSIBLE; height * width], slice: vec![IMPOSSIBLE; slices] }
    }

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
    /// Reads the network `onnx` for the input shape of `spec`, by the fastest engine that knows all of
    /// its operators; `clock` gives ms.
    ///
    /// # Errors
    /// [`crate::error::Error::Model`] if the network cannot be read or does not fit the spec;
    /// [`Error::InvalidParameter`] where `ICHOR_KERNELS` names kernels that this CPU does not run.
    pub fn load(
        spec: &ModelSpec,
        onnx: &[u8],
        clock: &dyn Fn() -> f64,
    ) -> Result<(Self, LoadTimings)> {
        let level = Level::from_environment().map_err(Error::InvalidParameter)?;
        Self::blocked(spec, onnx, level, clock)
            // What is wrong with a damaged network is tract's to say.
            .or_else(|_refusal| Self::reference(spec, onnx, clock))
    }

    /// The engine of our own kernels, at one level.
    ///
    /// # Errors
    /// [`Refusal`] for a network that it does not know.
    pub fn blocked(
        spec: &ModelSpec,
        onnx: &[u8],
        level: Level,
        clock: &dyn Fn() -> f64,
    ) -> std::result::Result<(Self, LoadTimings), Refusal> {
        let (engine, timings) = BlockedEngine::load(spec, onnx, level, clock)?;
        Ok((Self::Blocked(engine), timings))
    }

    /// The engine that the others are held against.
    ///
    /// # Errors
    /// As [`Engine::load`].
    pub fn reference(
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
    /// [`crate::error::Error::Inference`] if a layer fails; [`crate::error::Error::Busy`] where a queue
    /// before the engine is full.
    pub fn run(&self, tensor: &[f32]) -> Result<Logits> {
        match self {
            Self::Blocked(engine) => engine
                .run(tensor)
                .ok_or_else(|| Error::Inference("the input is of another size".into())),
            Self::Tract(engine) => engine.run(tensor),
            Self::Ort(engine) => engine.run(tensor),
        }
    }

    /// Puts the network `onnx` into onnxruntime.
    ///
    /// # Errors
    /// [`crate::error::Error::Model`] if the network cannot be read or does not fit the spec, or a
    /// card was asked for that cannot be used.
    pub fn load_ort(runtime: &OrtRuntime, spec: &ModelSpec, onnx: &[u8]) -> Result<Self> {
        runtime.load(spec, onnx).map(Self::Ort)
    }

    /// Runs the network on several tensors; answers come in their order.
    ///
    /// # Errors
    /// As [`Engine::run`], and [`crate::error::Error::Busy`] never: whole batches do not queue.
    pub fn run_batch(&self, tensors: &[&[f32]]) -> Result<Vec<Logits>> {
        match self {
            Self::Blocked(_) | Self::Tract(_) => {
                tensors.iter().map(|tensor| self.run(tensor)).collect()
            }
            Self::Ort(engine) => engine.run_batch(tensors),
        }
    }

    /// Most slices that are computed at once.
    pub fn max_batch(&self) -> usize {
        match self {
            Self::Blocked(_) | Self::Tract(_) => 1,
            Self::Ort(engine) => engine.facts().max_batch,
        }
    }

    /// What runs the network.
    pub fn facts(&self) -> EngineFacts {
        match self {
            Self::Blocked(_) => EngineFacts::own("blocked"),
            Self::Tract(_) => EngineFacts::own("tract"),
            Self::Ort(engine) => engine.facts().clone(),
        }
    }

    /// What was computed so far, where batches are counted.
    pub fn counts(&self) -> Option<&Counts> {
        match self {
            Self::Blocked(_) | Self::Tract(_) => None,
            Self::Ort(engine) => Some(engine.counts()),
        }
    }
}
