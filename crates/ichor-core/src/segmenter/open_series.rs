//! Segmentation of a series slice by slice, where the caller decides who runs the network.
//!
//! ```text
//! Segmenter::open_series -> OpenSeries
//! Segmenter::prepare_slice -> tensor, for any thread or process with the same model: Segmenter::infer_tensor -> logits
//! Segmenter::read_out_slice -> the result of one slice
//! Segmenter::close_series -> Analysis, once all slices are read out
//! ```

use super::observer::Observer;
use super::segment::{AssembledInput, PreparedSlice, SliceResults};
use super::{Analysis, SegmentRequest, SegmentedSlice, Segmenter, SliceResult};
use crate::decode::SliceReader;
use crate::engine::Logits;
use crate::error::{Error, Result};
use crate::mask::PackedMask;
use crate::series::Series;

/// A decoded series whose slices are being segmented.
#[derive(Debug)]
pub struct OpenSeries {
    input: AssembledInput,
    request: SegmentRequest,
    decode_ms: f64,
    prepared: Vec<Option<PreparedSlice>>,
    results: Vec<Option<(SliceResult, PackedMask)>>,
}

impl OpenSeries {
    /// The slices in their order.
    pub fn series(&self) -> &Series {
        &self.input.series
    }

    /// How it is segmented.
    pub fn request(&self) -> &SegmentRequest {
        &self.request
    }

    /// Whether the input holds one slice, so that the analysis is of that slice.
    pub fn is_single_slice(&self) -> bool {
        self.input.is_single_slice
    }

    fn check(&self, index: usize) -> Result<()> {
        let slices = self.input.series.slices.len();
        if index < slices {
            return Ok(());
        }
        Err(Error::InvalidParameter(format!(
            "There is no slice {index}: the series has {slices}, counted from 0."
        )))
    }
}

impl Segmenter {
    /// Decodes the slices of an input and puts them in order.
    ///
    /// # Errors
    /// As [`Segmenter::segment`].
    pub fn open_series(
        &self,
        slices: SliceReader<'_>,
        request: &SegmentRequest,
        observer: &dyn Observer,
    ) -> Result<OpenSeries> {
        request.check()?;
        let started = observer.elapsed_ms();
        let decoded = slices.read_all()?;
        let decode_ms = observer.elapsed_ms() - started;
        let input = AssembledInput::new(decoded, request, observer)?;
        let slices = input.series.slices.len();
        Ok(OpenSeries {
            input,
            request: *request,
            decode_ms,
            prepared: (0..slices).map(|_| None).collect(),
            results: (0..slices).map(|_| None).collect(),
        })
    }

    /// The input tensor of slice `index`, NCHW; `None` where the network need not run.
    ///
    /// # Errors
    /// As [`crate::preprocess::preprocess`]; [`Error::InvalidParameter`] for a slice that the series does not have.
    pub fn prepare_slice(
        &self,
        open: &mut OpenSeries,
        index: usize,
        observer: &dyn Observer,
    ) -> Result<Option<Vec<f32>>> {
        open.check(index)?;
        let prepared = self.prepare(&open.input.series.slices[index], open.input.gate, observer)?;
        // A copy, since the lesions are measured on the tensor.
        let tensor = prepared.is_segmented.then(|| prepared.input.tensor.clone());
        open.prepared[index] = Some(prepared);
        Ok(tensor)
    }

    /// Runs the network on a tensor of [`Segmenter::prepare_slice`], which this or another process prepared.
    ///
    /// # Errors
    /// As [`Segmenter::infer`]; [`Error::InvalidParameter`] for a tensor of another length.
    pub fn infer_tensor(&self, tensor: &[f32]) -> Result<Logits> {
        let expected = self.io.input_len();
        if tensor.len() != expected {
            return Err(Error::InvalidParameter(format!(
                "The tensor has {} values; the input of model '{}' has {expected}.",
                tensor.len(),
                self.spec.name
            )));
        }
        self.built_engine()?.run(tensor).map_err(Error::from_engine(&self.spec.name))
    }

    /// The result of a prepared slice. `logits` are its network's output with the time that it took, ms; `None` where
    /// [`Segmenter::prepare_slice`] returned no tensor.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a slice that is not prepared, or logits where the network need not run, or none
    /// where it must.
    pub fn read_out_slice(
        &self,
        open: &mut OpenSeries,
        index: usize,
        logits: Option<(Logits, f64)>,
        observer: &dyn Observer,
    ) -> Result<SegmentedSlice> {
        open.check(index)?;
        let prepared = open.prepared[index]
            .take_if(|prepared| prepared.is_segmented == logits.is_some())
            .ok_or_else(|| {
                let reason = "is not prepared, or has logits that its preparation did not ask for";
                Error::InvalidParameter(format!("Slice {index} {reason}."))
            })?;
        let (logits, inference_ms) = logits.unwrap_or_else(|| (Logits::impossible(&self.io), 0.0));
        let AssembledInput { series, gate, .. } = &open.input;
        let slice = &series.slices[index];
        let mut segmented =
            self.read_out_prepared(slice, prepared, logits, &open.request, *gate, observer)?;
        segmented.result.timings.inference = inference_ms;
        open.results[index] = Some((segmented.result.clone(), segmented.mask.pack()));
        Ok(segmented)
    }

    /// The analysis, once all slices are read out.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] where a slice is not.
    pub fn close_series(&self, open: OpenSeries, observer: &dyn Observer) -> Result<Analysis> {
        let OpenSeries { input, request, decode_ms, results, .. } = open;
        let AssembledInput { series, is_single_slice, .. } = input;
        let missing = results.iter().position(Option::is_none);
        if let Some(index) = missing {
            let reason = format!("Slice {index} is not read out.");
            return Err(Error::InvalidParameter(reason));
        }
        let results: SliceResults = results.into_iter().flatten().collect();
        let mut analysis = self.aggregate(series, results, is_single_slice, &request, observer)?;
        analysis.timings.decode = decode_ms;
        Ok(analysis)
    }
}
