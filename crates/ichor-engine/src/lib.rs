//! Runs segmentation networks: one NCHW tensor in, logits out.
//!
//! [`Engine::load`] reads an ONNX file and plans its execution. The native engine supports the operators of
//! convolutional encoder-decoder networks and stores channels in blocks of 16, one cache line per pixel. The feature
//! `tract` adds an engine for networks with other operators. The feature `ort` adds onnxruntime, for batches and NVIDIA
//! GPUs.
//!
//! ```
//! use ichor_engine::{Engine, Error, IoSpec};
//!
//! let io = IoSpec { input: "image".into(), input_shape: [1, 1, 320, 320], mask: "mask".into(), slice: None };
//! // Bytes that are not an ONNX file give an error, never a panic.
//! let error = Engine::load(&io, b"not ONNX", &|_stage| ()).unwrap_err();
//! assert!(matches!(error, Error::Network(_)));
//! ```
//!
//! The crate opens no model files and does not depend on image formats or on `model.json`: the caller passes bytes,
//! names and shapes.

mod deferred;
mod error;
mod native;
#[cfg(feature = "ort")]
mod ort;
mod settings;
mod spec;
#[cfg(any(feature = "tract", test))]
mod tract;

pub use deferred::DeferredEngine;
pub use error::{Error, Result};
pub use native::{Level, LoadError, NativeEngine};
#[cfg(feature = "ort")]
pub use ort::{OrtEngine, OrtRuntime};
pub use settings::{Batching, Counts, EngineFacts, OrtSettings, Precision, Provider};
pub use spec::{IoSpec, SliceOutput};
#[cfg(any(feature = "tract", test))]
pub use tract::TractEngine;

/// A network that is ready to run. It can be shared between threads.
#[derive(Debug)]
pub enum Engine {
    /// The native engine, on the CPU.
    Native(NativeEngine),
    /// tract, on the CPU, for operators that the native engine does not support.
    #[cfg(any(feature = "tract", test))]
    Tract(TractEngine),
    /// onnxruntime, on the CPU or an NVIDIA GPU, for batches.
    #[cfg(feature = "ort")]
    Ort(OrtEngine),
}

/// A stage of [`Engine::load`], reported when it is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadStage {
    /// The bytes of the file were parsed into a graph.
    Read,
    /// The graph was turned into a plan for this CPU, with packed weights.
    Planned,
}

/// Compares expected logits with those of a faster variant. Arguments: expected, actual, and the largest allowed
/// difference between two probabilities (0 to 1). Returns whether they agree.
#[cfg(feature = "ort")]
pub type Agreement<'a> = dyn Fn(&[Logits], &[Logits], f32) -> bool + 'a;

/// A check that a faster variant of a network (batched, or in half precision) must pass before it is used.
#[cfg(feature = "ort")]
pub struct AgreementProbe<'a> {
    /// Input tensors. They must differ from each other, so that an error which mixes the slices of a batch is found.
    pub tensors: &'a [Vec<f32>],
    /// Compares the logits of both variants.
    pub agree: &'a Agreement<'a>,
}

/// Output of a network for one slice: raw values before the sigmoid.
#[derive(Debug, Clone)]
pub struct Logits {
    /// One logit per pixel, row-major, `height * width` of the input shape.
    pub mask: Vec<f32>,
    /// Logits of the whole slice, in the order of the network's output; empty if the network has no slice output.
    pub slice: Vec<f32>,
}

/// The logit of a class that is ruled out: a probability of 6e-6.
pub const IMPOSSIBLE_LOGIT: f32 = -12.0;

impl Logits {
    /// Logits for a slice on which the network is not run: [`IMPOSSIBLE_LOGIT`] for each pixel and class.
    pub fn impossible(spec: &IoSpec) -> Self {
        Self {
            mask: vec![IMPOSSIBLE_LOGIT; spec.mask_len()],
            slice: vec![IMPOSSIBLE_LOGIT; spec.slice_len()],
        }
    }

    /// The mask logits followed by the slice logits, as little-endian `f32`.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.mask.iter().chain(&self.slice).flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Reads the output of [`Logits::to_bytes`]. Returns `None` if the length does not match `spec`.
    pub fn from_bytes(bytes: &[u8], spec: &IoSpec) -> Option<Self> {
        let (values, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() || values.len() != spec.mask_len() + spec.slice_len() {
            return None;
        }
        let mut mask: Vec<f32> = values.iter().map(|&value| f32::from_le_bytes(value)).collect();
        let slice = mask.split_off(spec.mask_len());
        Some(Self { mask, slice })
    }
}

impl Engine {
    /// Loads the ONNX file `onnx` into the native engine, or into tract if the native engine does not support an
    /// operator and the feature `tract` is on. `on_stage` is called when a stage is complete.
    ///
    /// # Errors
    /// [`Error::Network`] if the file cannot be parsed, does not match `spec` or has an unsupported operator.
    /// [`Error::Settings`] if the environment variable `ICHOR_KERNELS` names kernels that this CPU cannot run.
    pub fn load(spec: &IoSpec, onnx: &[u8], on_stage: &dyn Fn(LoadStage)) -> Result<Self> {
        let level = Level::from_environment().map_err(Error::Settings)?;
        let native = Self::native(spec, onnx, level, on_stage);
        #[cfg(any(feature = "tract", test))]
        // For a damaged file tract's error is more precise than the native engine's.
        return native.or_else(|_error| Self::reference(spec, onnx, on_stage));
        #[cfg(not(any(feature = "tract", test)))]
        native.map_err(|error| {
            Error::Network(format!(
                "the network cannot be loaded: {error}. Export the network again with training/export.py, or build \
                 with the feature tract, which supports more operators."
            ))
        })
    }

    /// Loads the ONNX file `onnx` into the native engine, with kernels for `level`. `on_stage` is called when a stage
    /// is complete.
    ///
    /// # Errors
    /// [`LoadError`] if the file is damaged, does not match `spec`, or has an operator that is not supported.
    pub fn native(
        spec: &IoSpec,
        onnx: &[u8],
        level: Level,
        on_stage: &dyn Fn(LoadStage),
    ) -> std::result::Result<Self, LoadError> {
        NativeEngine::load(spec, onnx, level, on_stage).map(Self::Native)
    }

    /// Loads the ONNX file `onnx` into tract, the reference for the other engines. `on_stage` is called when a stage is
    /// complete.
    ///
    /// # Errors
    /// [`Error::Network`] if the file cannot be parsed or does not match `spec`.
    #[cfg(any(feature = "tract", test))]
    pub fn reference(spec: &IoSpec, onnx: &[u8], on_stage: &dyn Fn(LoadStage)) -> Result<Self> {
        TractEngine::load(spec, onnx, on_stage).map(Self::Tract)
    }

    /// Loads the ONNX file `onnx` into onnxruntime. Batches and half precision are used if they pass `probe`.
    ///
    /// # Errors
    /// [`Error::Network`] if the file cannot be loaded or does not match `spec`, or if the settings require a GPU that
    /// cannot be used.
    #[cfg(feature = "ort")]
    pub fn load_ort(
        runtime: &OrtRuntime,
        spec: &IoSpec,
        onnx: &[u8],
        probe: &AgreementProbe<'_>,
    ) -> Result<Self> {
        runtime.load(spec, onnx, probe).map(Self::Ort)
    }

    /// Runs the network on one NCHW tensor of [`IoSpec::input_len`] values.
    ///
    /// # Errors
    /// [`Error::Run`] if `tensor` has another length or the network fails; [`Error::Busy`] if the queue of
    /// onnxruntime's batches is full.
    pub fn run(&self, tensor: &[f32]) -> Result<Logits> {
        match self {
            Self::Native(engine) => {
                engine.run(tensor).ok_or_else(|| Error::Run("the input has another size".into()))
            }
            #[cfg(any(feature = "tract", test))]
            Self::Tract(engine) => engine.run(tensor),
            #[cfg(feature = "ort")]
            Self::Ort(engine) => engine.run(tensor),
        }
    }

    /// Runs the network on several tensors and returns their logits in the same order.
    ///
    /// # Errors
    /// [`Error::Run`] as in [`Engine::run`]; never [`Error::Busy`], because complete batches bypass the queue.
    pub fn run_batch(&self, tensors: &[&[f32]]) -> Result<Vec<Logits>> {
        match self {
            #[cfg(feature = "ort")]
            Self::Ort(engine) => engine.run_batch(tensors),
            _ => tensors.iter().map(|tensor| self.run(tensor)).collect(),
        }
    }

    /// Maximum number of slices per batch; 1 for engines without batches.
    pub fn max_batch(&self) -> usize {
        match self {
            #[cfg(feature = "ort")]
            Self::Ort(engine) => engine.facts().max_batch,
            _ => 1,
        }
    }

    /// Name, device and precision of the engine.
    pub fn facts(&self) -> EngineFacts {
        match self {
            // API version 1 uses this name in reports and in `/v1/models`.
            Self::Native(_) => EngineFacts::in_process("blocked"),
            #[cfg(any(feature = "tract", test))]
            Self::Tract(_) => EngineFacts::in_process("tract"),
            #[cfg(feature = "ort")]
            Self::Ort(engine) => engine.facts().clone(),
        }
    }

    /// Counters of batches and slices; `None` for engines without batches.
    pub fn counts(&self) -> Option<&Counts> {
        match self {
            #[cfg(feature = "ort")]
            Self::Ort(engine) => Some(engine.counts()),
            _ => None,
        }
    }
}
