//! Segmentation slice by slice, so that several instances of the module share the work on one input.

use super::{Problem, Reply, Session, copy_without_samples, reply, slices_of};
use crate::operation::Request;
use ichor_core::Error;
use ichor_core::segmenter::{Observer, OpenSeries};
use ichor_engine::Logits;
use ichor_formats::report::{
    ImageFacts, Include, Report, SeriesSlice, write_partial_report, write_report,
};
use ichor_image::{Input, open};
use serde::Serialize;
use serde_json::json;

/// A decoded input whose slices are being segmented.
#[derive(Debug)]
pub(super) struct OpenInput {
    /// Index of the model.
    model: usize,
    include: Include,
    series: OpenSeries,
}

/// The parts of a report of a slice. One object of both would serialize them by code of its own, 5 KB of the module.
#[derive(Serialize)]
struct ReadOutReply<'a> {
    slice: &'a SeriesSlice,
    image: &'a ImageFacts,
}

impl Session {
    pub(super) fn open(
        &mut self,
        name: Option<&str>,
        files: &[Vec<u8>],
        request: Request,
        include: Include,
        observer: &dyn Observer,
    ) -> Result<Reply, Problem> {
        let model = self.begin(name)?;
        let files = slices_of(files)?;
        let slices = open(Input::Files(&files), &self.limits)?;
        let series = self.models[model].open_series(slices, &request.with(include), observer)?;
        let facts = json!({
            "slices": series.series().slices.len(),
            "is_single_slice": series.is_single_slice(),
        });
        self.open = Some(OpenInput { model, include, series });
        reply(&facts)
    }

    pub(super) fn prepare(
        &mut self,
        slice: usize,
        observer: &dyn Observer,
    ) -> Result<Reply, Problem> {
        let OpenInput { model, series, .. } = self.open.as_mut().ok_or_else(nothing_open)?;
        let tensor = self.models[*model].prepare_slice(series, slice, observer)?;
        let is_needed = tensor.is_some();
        let file = tensor.map(|values| values.iter().flat_map(|v| v.to_le_bytes()).collect());
        Ok(Reply { file, ..reply(&json!({ "needs_network": is_needed }))? })
    }

    pub(super) fn infer(
        &self,
        name: &str,
        buffers: &[Vec<u8>],
        observer: &dyn Observer,
    ) -> Result<Reply, Problem> {
        let [tensor] = buffers else {
            return Err(Error::InvalidParameter("infer takes one tensor.".into()).into());
        };
        let model = &self.models[self.index_of(Some(name))?];
        let (values, _) = tensor.as_chunks::<4>();
        let values: Vec<f32> = values.iter().map(|&value| f32::from_le_bytes(value)).collect();
        let started = observer.elapsed_ms();
        let logits = model.infer_tensor(&values)?;
        let inference_ms = observer.elapsed_ms() - started;
        Ok(Reply {
            file: Some(logits.to_bytes()),
            ..reply(&json!({ "inference_ms": inference_ms }))?
        })
    }

    pub(super) fn read_out(
        &mut self,
        slice: usize,
        buffers: &[Vec<u8>],
        inference_ms: f64,
        observer: &dyn Observer,
    ) -> Result<Reply, Problem> {
        let OpenInput { model, series, include } = self.open.as_mut().ok_or_else(nothing_open)?;
        let model = &self.models[*model];
        let logits = match buffers {
            [] => None,
            [bytes, ..] => {
                let logits = Logits::from_bytes(bytes, &model.spec().io()).ok_or_else(|| {
                    let reason = "The logits have another length than the output of the model.";
                    Error::InvalidParameter(reason.into())
                })?;
                Some((logits, inference_ms))
            }
        };
        let segmented = model.read_out_slice(series, slice, logits, observer)?;
        let (series, request) = (series.series(), series.request());
        let report = write_partial_report(model, series, slice, &segmented, request, *include)?;
        reply(&ReadOutReply { slice: &report.slice, image: &report.image })
    }

    pub(super) fn close(
        &mut self,
        include: Include,
        observer: &dyn Observer,
    ) -> Result<Reply, Problem> {
        let OpenInput { model: index, series, .. } = self.open.take().ok_or_else(nothing_open)?;
        let model = &self.models[index];
        let mut analysis = model.close_series(series, observer)?;
        self.analysis = Some((index, copy_without_samples(model.spec(), &mut analysis)));
        let report: Report = write_report(model, analysis, include, observer)?;
        reply(&report)
    }
}

fn nothing_open() -> Problem {
    Error::InvalidParameter("There is no open input. Call open first.".into()).into()
}
