//! [`Segmenter`]: one loaded model, which turns the slices of an input into an [`Analysis`].

mod aggregate;
mod analysis;
mod display;
mod doubts;
mod models;
mod observer;
mod open_series;
mod read_out;
mod request;
mod segment;
mod skull_mask;
mod slice_result;
mod smooth;
mod stream;
mod warnings;

pub use analysis::{Analysis, SeriesSubtype};
pub use models::Models;
pub use observer::{Checkpoints, Interrupted, NoObserver, Observer};
pub use open_series::OpenSeries;
pub use request::{MaskGate, SegmentRequest};
pub use slice_result::{Readout, SegmentedSlice, SliceResult, StageTimings};

#[cfg(feature = "ort")]
use crate::agreement;
#[cfg(feature = "ort")]
use crate::engine::{AgreementProbe, OrtRuntime};
use crate::engine::{DeferredEngine, Engine, IoSpec, LoadStage, Logits};
use crate::error::{Error, Result};
use crate::model_spec::ModelSpec;
use crate::overlay::parse_color;
use crate::preprocess::{NetworkInput, preprocess};
use crate::slice::{CtSlice, Intensity};
use crate::storage::ModelFiles;
use image::Rgb;
use std::cell::Cell;

/// A loaded model: its spec, its network and its model card.
#[derive(Debug)]
pub struct Segmenter {
    spec: ModelSpec,
    io: IoSpec,
    card: String,
    color: Rgb<u8>,
    engine: DeferredEngine,
    load_timings: LoadTimings,
}

/// Durations of the stages of loading a network, ms.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LoadTimings {
    /// Parsing of the ONNX bytes to a graph.
    pub parse: f64,
    /// Optimization of the graph for the CPU.
    pub optimise: f64,
}

/// Whether the assessment of a slice is replaced by that of its series ([`crate::assess::assess_series`]).
fn defers_assessment(slice: &CtSlice, gate: MaskGate) -> bool {
    gate == MaskGate::Deferred && slice.intensity == Intensity::Hounsfield
}

impl Segmenter {
    /// Loads the network of verified model files; `observer` measures how long the parts take.
    ///
    /// # Errors
    /// [`Error::Model`] if the network or the class colour cannot be used.
    pub fn load(files: ModelFiles, observer: &dyn Observer) -> Result<Self> {
        let (start, read) = (observer.elapsed_ms(), Cell::new(0.0));
        let on_stage = |stage| {
            if stage == LoadStage::Read {
                read.set(observer.elapsed_ms());
            }
        };
        let engine = Engine::load(&files.spec.io(), &files.onnx, &on_stage)
            .map_err(Error::from_engine(&files.spec.name))?;
        let load_timings =
            LoadTimings { parse: read.get() - start, optimise: observer.elapsed_ms() - read.get() };
        let loaded = Self::deferred(files)?;
        Ok(Self { engine: DeferredEngine::built(engine), load_timings, ..loaded })
    }

    /// Loads the network of verified model files into onnxruntime.
    ///
    /// # Errors
    /// As [`Engine::load_ort`].
    #[cfg(feature = "ort")]
    pub fn load_ort(files: ModelFiles, runtime: &OrtRuntime) -> Result<Self> {
        let spec = &files.spec;
        let agree = |expected: &[Logits], actual: &[Logits], tolerance| {
            agreement::outputs_agree(spec, expected, actual, tolerance)
        };
        let probe = AgreementProbe { tensors: &agreement::probe_tensors(spec)?, agree: &agree };
        let engine = Engine::load_ort(runtime, &spec.io(), &files.onnx, &probe)
            .map_err(Error::from_engine(&spec.name))?;
        Ok(Self { engine: DeferredEngine::built(engine), ..Self::deferred(files)? })
    }

    /// Loads the network of verified model files into tract, also where the native engine supports all its operators.
    ///
    /// # Errors
    /// As [`Segmenter::load`].
    #[cfg(feature = "tract")]
    pub fn load_tract(files: ModelFiles) -> Result<Self> {
        let engine = Engine::reference(&files.spec.io(), &files.onnx, &|_| ())
            .map_err(Error::from_engine(&files.spec.name))?;
        Ok(Self { engine: DeferredEngine::built(engine), ..Self::deferred(files)? })
    }

    /// Creates a segmenter from verified model files. Its network is built for the first slice, or by
    /// [`Segmenter::build`].
    ///
    /// # Errors
    /// [`Error::Model`] if the class colour cannot be used.
    pub fn deferred(files: ModelFiles) -> Result<Self> {
        let ModelFiles { spec, onnx, card } = files;
        let color = parse_color(&spec.classes[0].color).ok_or_else(|| Error::Model {
            model: spec.name.clone(),
            reason: "the class colour in model.json must be #RRGGBB".into(),
        })?;
        let engine = DeferredEngine::waiting(onnx);
        let io = spec.io();
        Ok(Self { spec, io, card, color, engine, load_timings: LoadTimings::default() })
    }

    /// Builds a deferred network, or waits while another thread does.
    ///
    /// # Errors
    /// [`Error::Model`] if it cannot be built.
    pub fn build(&self) -> Result<()> {
        self.built_engine().map(drop)
    }

    fn built_engine(&self) -> Result<&Engine> {
        self.engine.get(&self.io).map_err(Error::from_engine(&self.spec.name))
    }

    /// How long it took to load the network.
    pub fn load_timings(&self) -> LoadTimings {
        self.load_timings
    }

    /// The engine of the network; `None` until a deferred network is built.
    pub fn engine(&self) -> Option<&Engine> {
        self.engine.if_built()
    }

    /// The spec of the loaded model, `model.json`.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The model card, Markdown.
    pub fn card(&self) -> &str {
        &self.card
    }

    /// Whether the model was made for images of the slice's modality, where the file names one.
    fn is_suitable(&self, slice: &CtSlice) -> bool {
        slice.modality.as_ref().is_none_or(|modality| self.spec.modalities.contains(modality))
    }

    /// Logits of one slice on the network's grid, with the prepared slice. Golden cases compare both.
    ///
    /// # Errors
    /// As [`preprocess`] and [`Segmenter::infer`].
    pub fn logits(&self, slice: &CtSlice) -> Result<(NetworkInput, Logits)> {
        let prepared = preprocess(slice, &self.spec)?;
        let logits = self.infer(&prepared)?;
        Ok((prepared, logits))
    }

    /// Runs the network on a prepared slice.
    ///
    /// # Errors
    /// [`Error::Inference`]; [`Error::Model`] where a deferred network cannot be built.
    pub fn infer(&self, prepared: &NetworkInput) -> Result<Logits> {
        let logits = self.built_engine()?.run(&prepared.tensor);
        logits.map_err(Error::from_engine(&self.spec.name))
    }

    /// Colour of the mask class.
    pub fn color(&self) -> Rgb<u8> {
        self.color
    }
}
