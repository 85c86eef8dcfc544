//! Runs segmentation networks: one NCHW tensor in, logits out.
//!
//! [`Engine::load`] reads an ONNX file and plans its run. The native engine knows the operators of convolutional encoders
//! and decoders and keeps channels in blocks as wide as a vector register from the first layer to the last. With the
//! feature `tract`, networks of other operators are run by tract; with `ort`, batches by onnxruntime.
//!
//! ```
//! use ichor_engine::{Engine, Error, IoSpec};
//!
//! let io = IoSpec { input: "image".into(), input_shape: [1, 1, 320, 320], mask: "mask".into(), slice: None };
//! // A file that is no network is an error, never a panic.
//! let error = Engine::load(&io, b"no network", &|_stage| ()).unwrap_err();
//! assert!(matches!(error, Error::Network(_)));
//! ```
//!
//! The crate opens no files, reads no clock and knows nothing of images: tensors come in, logits go out.

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
pub use native::{Level, NativeEngine, Refusal};
#[cfg(feature = "ort")]
pub use ort::{OrtEngine, OrtRuntime};
pub use settings::{Batching, Counts, EngineFacts, OrtSettings, Precision, Provider};
pub use spec::{IoSpec, SliceOutput};
#[cfg(any(feature = "tract", test))]
pub use tract::TractEngine;

/// A network ready to run; cheap to share between threads.
#[derive(Debug)]
pub enum Engine {
    /// The native engine, for networks of operators that it knows.
    Native(NativeEngine),
    /// tract, on the CPU.
    #[cfg(any(feature = "tract", test))]
    Tract(TractEngine),
    /// onnxruntime, for batches and NVIDIA GPUs.
    #[cfg(feature = "ort")]
    Ort(OrtEngine),
}

/// A stage of [`Engine::load`] that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadStage {
    /// Bytes to a graph.
    Read,
    /// Graph to a plan for this machine.
    Planned,
}

/// Whether the logits of a faster form are as good as those expected; the number says how far probabilities may differ.
#[cfg(feature = "ort")]
pub type Agreement<'a> = dyn Fn(&[Logits], &[Logits], f32) -> bool + 'a;

/// Tensors on which two forms of a network must agree before the faster one is used.
#[cfg(feature = "ort")]
pub struct AgreementProbe<'a> {
    /// Inputs, so different that slices which touch each other in a batch show it.
    pub tensors: &'a [Vec<f32>],
    /// How the logits of both forms are compared.
    pub agree: &'a Agreement<'a>,
}

/// Output of a network for one slice.
#[derive(Debug, Clone)]
pub struct Logits {
    /// Mask logits, row-major, `height * width` of the input shape.
    pub mask: Vec<f32>,
    /// Slice logits, in the order of the network; empty without a slice output.
    pub slice: Vec<f32>,
}

/// Logit of what cannot be: a probability of 6e-6.
pub const IMPOSSIBLE_LOGIT: f32 = -12.0;

impl Logits {
    /// Logits for a slice on which the network was not run: impossible everywhere.
    pub fn impossible(spec: &IoSpec) -> Self {
        Self {
            mask: vec![IMPOSSIBLE_LOGIT; spec.mask_len()],
            slice: vec![IMPOSSIBLE_LOGIT; spec.slice_len()],
        }
    }

    /// The values one after the other, mask first, 32-bit little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.mask.iter().chain(&self.slice).flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Reads what [`Logits::to_bytes`] wrote; `None` for bytes that cannot come of a network of `spec`.
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
    /// Reads the network `onnx`, by the native engine where it knows all operators, else by tract where that is built
    /// in; `on_stage` is called at the end of each stage.
    ///
    /// # Errors
    /// [`Error::Network`] if the network cannot be read, does not fit `spec` or has an unknown operator;
    /// [`Error::Settings`] where `ICHOR_KERNELS` names kernels that this CPU does not run.
    pub fn load(spec: &IoSpec, onnx: &[u8], on_stage: &dyn Fn(LoadStage)) -> Result<Self> {
        let level = Level::from_environment().map_err(Error::Settings)?;
        let native = Self::native(spec, onnx, level, on_stage);
        #[cfg(any(feature = "tract", test))]
        // What is wrong with a damaged network is best described by tract.
        return native.or_else(|_refusal| Self::reference(spec, onnx, on_stage));
        #[cfg(not(any(feature = "tract", test)))]
        native.map_err(|refusal| {
            Error::Network(format!(
                "the network cannot be loaded: {refusal}. Export the network again with training/export.py, or build \
                 with the feature tract, which knows more operators."
            ))
        })
    }

    /// The native engine, at one level of vector instructions.
    ///
    /// # Errors
    /// [`Refusal`] for a network that it does not know.
    pub fn native(
        spec: &IoSpec,
        onnx: &[u8],
        level: Level,
        on_stage: &dyn Fn(LoadStage),
    ) -> std::result::Result<Self, Refusal> {
        NativeEngine::load(spec, onnx, level, on_stage).map(Self::Native)
    }

    /// The network in tract, against which the others are held.
    ///
    /// # Errors
    /// As [`Engine::load`].
    #[cfg(any(feature = "tract", test))]
    pub fn reference(spec: &IoSpec, onnx: &[u8], on_stage: &dyn Fn(LoadStage)) -> Result<Self> {
        TractEngine::load(spec, onnx, on_stage).map(Self::Tract)
    }

    /// Puts the network `onnx` into onnxruntime, in batches and in half precision where `probe` allows it.
    ///
    /// # Errors
    /// [`Error::Network`] if the network cannot be read or does not fit `spec`, or a GPU was asked for that cannot be
    /// used.
    #[cfg(feature = "ort")]
    pub fn load_ort(
        runtime: &OrtRuntime,
        spec: &IoSpec,
        onnx: &[u8],
        probe: &AgreementProbe<'_>,
    ) -> Result<Self> {
        runtime.load(spec, onnx, probe).map(Self::Ort)
    }

    /// Runs the network on one NCHW tensor of the input shape.
    ///
    /// # Errors
    /// [`Error::Run`] if a layer fails; [`Error::Busy`] where a queue before the engine is full.
    pub fn run(&self, tensor: &[f32]) -> Result<Logits> {
        match self {
            Self::Native(engine) => {
                engine.run(tensor).ok_or_else(|| Error::Run("the input is of another size".into()))
            }
            #[cfg(any(feature = "tract", test))]
            Self::Tract(engine) => engine.run(tensor),
            #[cfg(feature = "ort")]
            Self::Ort(engine) => engine.run(tensor),
        }
    }

    /// Runs the network on several tensors; logits come in their order.
    ///
    /// # Errors
    /// As [`Engine::run`], but never [`Error::Busy`]: whole batches do not queue.
    pub fn run_batch(&self, tensors: &[&[f32]]) -> Result<Vec<Logits>> {
        match self {
            #[cfg(feature = "ort")]
            Self::Ort(engine) => engine.run_batch(tensors),
            _ => tensors.iter().map(|tensor| self.run(tensor)).collect(),
        }
    }

    /// Largest number of slices that are computed at once.
    pub fn max_batch(&self) -> usize {
        match self {
            #[cfg(feature = "ort")]
            Self::Ort(engine) => engine.facts().max_batch,
            _ => 1,
        }
    }

    /// What runs the network.
    pub fn facts(&self) -> EngineFacts {
        match self {
            // The name in reports and in `/v1/models` of API version 1.
            Self::Native(_) => EngineFacts::in_process("blocked"),
            #[cfg(any(feature = "tract", test))]
            Self::Tract(_) => EngineFacts::in_process("tract"),
            #[cfg(feature = "ort")]
            Self::Ort(engine) => engine.facts().clone(),
        }
    }

    /// What was computed so far, where batches are counted.
    pub fn counts(&self) -> Option<&Counts> {
        match self {
            #[cfg(feature = "ort")]
            Self::Ort(engine) => Some(engine.counts()),
            _ => None,
        }
    }
}
