//! The state of one module, and what its requests do.

use crate::operation::{Format, Operation, Request};
use ichor_core::Error;
use ichor_core::model_spec::ModelSpec;
use ichor_core::segmenter::{Analysis, Observer, Segmenter};
use ichor_core::storage::ModelFiles;
use ichor_engine::Level;
use ichor_formats::export::dicom_seg::encode_dicom_seg;
use ichor_formats::export::dicom_sr::encode_dicom_sr;
use ichor_formats::export::html::{HtmlOptions, encode_html, pictured_slices};
use ichor_formats::export::nifti::encode_nifti;
use ichor_formats::export::table::{lesion_table, region_table};
use ichor_formats::report::{Include, Report, write_report};
use ichor_formats::summary::Language;
use ichor_image::decode::Limits;
use ichor_image::slice::{CtSlice, Scale, StoredPlane, Warning};
use ichor_image::{Input, open};
use serde::Serialize;
use serde_json::json;
use std::time::{Duration, SystemTime};

mod slices;

use slices::OpenInput;

/// The loaded models, the open input and the last analysis.
#[derive(Debug, Default)]
pub struct Session {
    models: Vec<Segmenter>,
    limits: Limits,
    open: Option<OpenInput>,
    /// Without the samples of its slices, which no output file needs, except those of the report's pictures. With the index
    /// of its model.
    analysis: Option<(usize, Analysis)>,
}

/// The answer to one request.
#[derive(Debug)]
pub struct Reply {
    /// JSON: the report, or facts.
    pub json: Vec<u8>,
    /// The content of a file, where one was requested.
    pub file: Option<Vec<u8>>,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A code of the API's problems.
    pub code: &'static str,
    /// What is wrong, where, and what to do.
    pub detail: String,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self { code: error.code(), detail: error.to_string() }
    }
}

impl From<ichor_image::Error> for Problem {
    fn from(error: ichor_image::Error) -> Self {
        Error::from(error).into()
    }
}

impl Session {
    /// Answers one request: JSON with byte buffers, which are the files of a model or of an input. `observer` is the
    /// clock of the timings and follows the progress.
    ///
    /// # Errors
    /// [`Problem`] for a request that cannot be parsed, an input that cannot be read, or a model that cannot run. The
    /// session can be used afterwards.
    pub fn call(
        &mut self,
        request: &[u8],
        buffers: Vec<Vec<u8>>,
        observer: &dyn Observer,
    ) -> Result<Reply, Problem> {
        let operation = serde_json::from_slice(request).map_err(|error| {
            Error::InvalidParameter(format!("The request cannot be parsed: {error}."))
        })?;
        match operation {
            Operation::Describe {} => self.describe(),
            Operation::LoadModel { name } => self.load_model(&name, buffers, observer),
            Operation::Segment { model, request, include } => {
                self.segment(model.as_deref(), &buffers, request, include, observer)
            }
            Operation::Open { model, request, include } => {
                self.open(model.as_deref(), &buffers, request, include, observer)
            }
            Operation::Prepare { slice } => self.prepare(slice, observer),
            Operation::Infer { model } => self.infer(&model, &buffers, observer),
            Operation::ReadOut { slice, inference_ms } => {
                self.read_out(slice, &buffers, inference_ms, observer)
            }
            Operation::Close { include } => self.close(include, observer),
            Operation::Export { format, created_ms, language } => {
                self.export(format, created_ms, language)
            }
        }
    }

    fn describe(&self) -> Result<Reply, Problem> {
        let names: Vec<&str> = self.models.iter().map(|model| model.spec().name.as_str()).collect();
        reply(&json!({
            "version": env!("CARGO_PKG_VERSION"),
            "kernels": Level::best().name(),
            "limits": self.limits,
            "models": names,
        }))
    }

    /// Loads a model, or replaces the one of its name.
    fn load_model(
        &mut self,
        name: &str,
        buffers: Vec<Vec<u8>>,
        observer: &dyn Observer,
    ) -> Result<Reply, Problem> {
        let [spec, onnx, card]: [Vec<u8>; 3] = buffers.try_into().map_err(|_| {
            Error::InvalidParameter(
                "load_model takes three files: model.json, the network and MODEL_CARD.md.".into(),
            )
        })?;
        let spec = ModelSpec::from_json(name, &spec)?;
        let card = String::from_utf8_lossy(&card).into_owned();
        let model = Segmenter::load(ModelFiles::verified(spec, onnx, card)?, observer)?;
        let facts = model.engine().map(ichor_engine::Engine::facts);
        let version = ichor_formats::report::ModelVersion::from(model.spec());
        // Both refer to their model by index.
        (self.analysis, self.open) = (None, None);
        self.models.retain(|loaded| loaded.spec().name != model.spec().name);
        self.models.push(model);
        reply(&json!({ "model": version, "engine": facts, "kernels": Level::best().name() }))
    }

    fn segment(
        &mut self,
        name: Option<&str>,
        files: &[Vec<u8>],
        request: Request,
        include: Include,
        observer: &dyn Observer,
    ) -> Result<Reply, Problem> {
        let index = self.begin(name)?;
        let files = slices_of(files)?;
        let model = &self.models[index];
        let slices = open(Input::Files(&files), &self.limits)?;
        let mut analysis = model.segment(slices, &request.with(include), observer)?;
        self.analysis = Some((index, copy_without_samples(model.spec(), &mut analysis)));
        let report: Report = write_report(model, analysis, include, observer)?;
        reply(&report)
    }

    /// Frees the memory of the last input before the next takes its own. Returns the place of the model.
    fn begin(&mut self, model: Option<&str>) -> Result<usize, Problem> {
        (self.analysis, self.open) = (None, None);
        self.index_of(model)
    }

    /// The place of a model, or of the first one.
    fn index_of(&self, name: Option<&str>) -> Result<usize, Problem> {
        let has_name = |model: &Segmenter| name.is_none_or(|name| name == model.spec().name);
        let index = self.models.iter().position(has_name);
        index.ok_or_else(|| {
            let names: Vec<&str> =
                self.models.iter().map(|model| model.spec().name.as_str()).collect();
            Error::ModelNotFound(names.join(", ")).into()
        })
    }

    fn export(
        &self,
        format: Format,
        created_ms: u64,
        language: Language,
    ) -> Result<Reply, Problem> {
        let Some((model, analysis)) = &self.analysis else {
            let reason = "There is no analysis to write. Segment an input first.";
            return Err(Error::unprocessable(reason).into());
        };
        let model = &self.models[*model];
        let created_at = SystemTime::UNIX_EPOCH + Duration::from_millis(created_ms);
        let options = HtmlOptions { language, patterns: true, created_at };
        let (file, warnings) = encode(model, analysis, format, &options)?;
        Ok(Reply { file: Some(file), ..reply(&json!({ "warnings": warnings }))? })
    }
}

/// The files of an input.
fn slices_of(files: &[Vec<u8>]) -> Result<Vec<&[u8]>, Problem> {
    match files.is_empty() {
        true => Err(ichor_image::Error::EmptyInput.into()),
        false => Ok(files.iter().map(Vec::as_slice).collect()),
    }
}

fn reply(answer: &impl Serialize) -> Result<Reply, Problem> {
    let json = serde_json::to_vec(answer).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Reply { json, file: None })
}

/// A file of the analysis, with warnings about values that its format cannot hold.
fn encode(
    model: &Segmenter,
    analysis: &Analysis,
    format: Format,
    options: &HtmlOptions,
) -> Result<(Vec<u8>, Vec<Warning>), Error> {
    let (spec, created_at) = (model.spec(), options.created_at);
    let seg = || encode_dicom_seg(spec, &analysis.series, &analysis.masks, created_at);
    match format {
        Format::Nifti => encode_nifti(&analysis.series, &analysis.masks),
        Format::LesionTable => Ok((lesion_table(analysis)?, Vec::new())),
        Format::RegionTable => Ok((region_table(analysis)?, Vec::new())),
        Format::DicomSeg => seg().map(|seg| (seg.bytes, seg.warnings)),
        Format::DicomSr => {
            let seg = seg()?;
            let report = encode_dicom_sr(spec, analysis, &seg, created_at)?;
            Ok((report, seg.warnings))
        }
        Format::Report => Ok((encode_html(model, analysis, options)?, Vec::new())),
    }
}

/// A copy of an analysis without the samples of its slices, except those of the report's pictures. They are moved aside while it is copied, because those of
/// 512 slices take 256 MiB.
fn copy_without_samples(spec: &ModelSpec, analysis: &mut Analysis) -> Analysis {
    let pictured = pictured_slices(spec, analysis);
    let slices = &mut analysis.series.slices;
    let planes: Vec<StoredPlane> = slices.iter_mut().map(take_plane).collect();
    let mut copy = analysis.clone();
    for index in pictured {
        if let (Some(slice), Some(plane)) = (copy.series.slices.get_mut(index), planes.get(index)) {
            slice.plane = plane.clone();
        }
    }
    for (slice, plane) in analysis.series.slices.iter_mut().zip(planes) {
        slice.plane = plane;
    }
    copy
}

/// Takes the plane of a slice and leaves one of its size without samples.
fn take_plane(slice: &mut CtSlice) -> StoredPlane {
    let StoredPlane { width, height, .. } = slice.plane;
    let empty = StoredPlane::bytes(width, height, Vec::new(), Scale::GREY);
    std::mem::replace(&mut slice.plane, empty)
}

#[cfg(test)]
mod tests;
