//! The requests of the module, as JSON.

use ichor_core::segmenter::SegmentRequest;
use ichor_formats::report::Include;
use ichor_formats::summary::Language;
use serde::Deserialize;

/// One request. Fields that are left out have the defaults of the API.
#[derive(Debug, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Operation {
    /// Version, kernels, limits and loaded models.
    Describe {},
    /// Loads a model from its files: `model.json`, the network, `MODEL_CARD.md`.
    LoadModel {
        /// The name in its `model.json`.
        name: String,
    },
    /// Segments the files as one input, and keeps the analysis for [`Operation::Export`].
    Segment {
        /// Name of a loaded model; the first loaded one if left out.
        #[serde(default)]
        model: Option<String>,
        /// Threshold, window and choice of the series.
        #[serde(default)]
        request: Request,
        /// Which pictures the report contains.
        #[serde(default)]
        include: Include,
    },
    /// Decodes the files of one input, whose slices are then segmented one by one: [`Operation::Prepare`],
    /// [`Operation::Infer`] and [`Operation::ReadOut`] for each, [`Operation::Close`] at the end.
    Open {
        /// As in [`Operation::Segment`].
        #[serde(default)]
        model: Option<String>,
        /// As in [`Operation::Segment`].
        #[serde(default)]
        request: Request,
        /// The pictures in the report of each slice.
        #[serde(default)]
        include: Include,
    },
    /// The input tensor of a slice of the open input, as a file.
    Prepare { slice: usize },
    /// Runs the network of a model on a tensor; the logits are a file. Any instance with the model can do this.
    Infer { model: String },
    /// The report of a prepared slice, from the logits of its tensor.
    ReadOut {
        slice: usize,
        /// How long the network took, ms.
        #[serde(default)]
        inference_ms: f64,
    },
    /// The report of the open input, once all slices are read out. Keeps the analysis for [`Operation::Export`].
    Close {
        /// As in [`Operation::Segment`].
        #[serde(default)]
        include: Include,
    },
    /// Writes the last analysis as a file.
    Export {
        format: Format,
        /// Local time of creation, ms since 1970: DICOM dates have no time zone. Of `report` in UTC.
        created_ms: u64,
        /// Language of `report`.
        #[serde(default)]
        language: Language,
    },
}

/// [`SegmentRequest`] with a default for each field.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Request {
    threshold: Option<f32>,
    contours: bool,
    window: Option<ichor_image::window::WindowLevel>,
    as_series: bool,
    series: Option<u32>,
}

impl Default for Request {
    fn default() -> Self {
        Self { threshold: None, contours: true, window: None, as_series: false, series: None }
    }
}

impl Request {
    /// The parameters of the segmenter. Slices carry their probabilities where the report contains them.
    pub(crate) fn with(self, include: Include) -> SegmentRequest {
        SegmentRequest {
            threshold: self.threshold,
            contours: self.contours,
            probabilities: include.probabilities,
            window: self.window,
            as_series: self.as_series,
            series: self.series,
            ..SegmentRequest::default()
        }
    }
}

/// An output file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// The mask as `.nii.gz`.
    Nifti,
    /// Lesions of the series as CSV.
    LesionTable,
    /// Regions of the slices as CSV.
    RegionTable,
    /// DICOM Segmentation.
    DicomSeg,
    /// DICOM structured report.
    DicomSr,
    /// The report on one page of HTML.
    Report,
}
