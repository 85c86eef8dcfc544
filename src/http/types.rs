//! JSON of `GET /v1/models`.

use super::Service;
use crate::decode::MEDIA_TYPES;
use crate::engine::{Engine, EngineFacts};
use crate::model_spec::{MaskClass, Postprocessing, SliceClass};
use crate::report::DISCLAIMER;
use crate::segmenter::Segmenter;
use crate::window::{PRESETS, WindowLevel};
use serde::Serialize;

/// `GET /v1/models`.
#[derive(Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub(super) struct ModelList<'a> {
    version: &'static str,
    default: &'a str,
    models: Vec<ModelFacts<'a>>,
    limits: LimitFacts,
    media_types: [&'static str; MEDIA_TYPES.len()],
    windows: [WindowFacts; PRESETS.len()],
    disclaimer: &'static str,
}

/// A named display window.
#[derive(Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
struct WindowFacts {
    name: &'static str,
    #[serde(flatten)]
    window: WindowLevel,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
struct ModelFacts<'a> {
    name: &'a str,
    title: &'a str,
    version: &'a str,
    sha256: &'a str,
    architecture: &'a str,
    /// Null until the network is built, which may happen at its first use.
    engine: Option<EngineFacts>,
    card: String,
    classes: &'a [MaskClass],
    slice_classes: &'a [SliceClass],
    threshold: f32,
    postprocessing: &'a Postprocessing,
    metrics: &'a serde_json::Value,
    training: &'a serde_json::Value,
    license: &'a str,
    intended_use: &'a str,
    out_of_scope: &'a str,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
struct LimitFacts {
    max_side_px: u32,
    min_side_px: u32,
    max_decoded_bytes: u64,
    max_slices: usize,
    max_body_bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_upload_bytes: Option<u64>,
}

impl<'a> From<&'a Service> for ModelList<'a> {
    fn from(service: &'a Service) -> Self {
        let limits = service.limits;
        Self {
            version: env!("CARGO_PKG_VERSION"),
            default: &service.models.default_model().spec().name,
            models: service.models.iter().map(ModelFacts::from).collect(),
            limits: LimitFacts {
                max_side_px: limits.slice.max_side_px,
                min_side_px: limits.slice.min_side_px,
                max_decoded_bytes: limits.slice.max_decoded_bytes,
                max_slices: limits.slice.max_slices,
                max_body_bytes: limits.max_body_bytes,
                max_upload_bytes: service
                    .job_backend
                    .as_ref()
                    .map(|backend| backend.jobs().limits().max_upload_bytes),
            },
            media_types: MEDIA_TYPES,
            windows: PRESETS.map(|(name, window)| WindowFacts { name, window }),
            disclaimer: DISCLAIMER,
        }
    }
}

impl<'a> From<&'a Segmenter> for ModelFacts<'a> {
    fn from(model: &'a Segmenter) -> Self {
        let spec = model.spec();
        Self {
            engine: model.engine().map(Engine::facts),
            name: &spec.name,
            title: &spec.title,
            version: &spec.version,
            sha256: &spec.sha256,
            architecture: &spec.architecture,
            card: format!("/v1/models/{}/card", spec.name),
            classes: &spec.classes,
            slice_classes: spec.outputs.slice.as_ref().map_or(&[], |s| &s.classes),
            threshold: spec.postprocessing.threshold,
            postprocessing: &spec.postprocessing,
            metrics: &spec.metrics,
            training: &spec.training,
            license: &spec.license,
            intended_use: &spec.intended_use,
            out_of_scope: &spec.out_of_scope,
        }
    }
}
