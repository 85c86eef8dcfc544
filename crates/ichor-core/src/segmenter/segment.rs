//! Segmentation of an input, slice by slice, to an [`Analysis`].

use super::observer::{Checkpoints, Observer};
use super::{Analysis, MaskGate, SegmentRequest, SegmentedSlice, Segmenter, SliceResult};
use super::{StageTimings, defers_assessment};
use crate::decode::{Decoded, SliceReader};
use crate::engine::Logits;
use crate::error::{Error, Result};
use crate::mask::PackedMask;
use crate::png::encode_png;
use crate::preprocess::{NetworkInput, preprocess};
use crate::series::{Series, assemble};
use crate::slice::{CtSlice, Intensity};
use ichor_image::parallel;

/// One slice between preprocessing and read-out.
#[derive(Debug)]
pub(super) struct PreparedSlice {
    pub(super) input: NetworkInput,
    /// Whether the network is to run: the slice can be read, and the model was made for it.
    pub(super) is_segmented: bool,
    preprocess_ms: f64,
}

/// The slices of an input in their order, before any is segmented.
#[derive(Debug)]
pub(super) struct AssembledInput {
    pub(super) series: Series,
    /// What decides on the masks.
    pub(super) gate: MaskGate,
    pub(super) is_single_slice: bool,
}

impl AssembledInput {
    pub(super) fn new(
        decoded: Decoded,
        request: &SegmentRequest,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let is_single_slice = decoded.slices.len() == 1;
        observer.on_decoded(decoded.slices.len());
        let series = assemble(decoded, request.series_request())?;
        let gate = gate_of(&series, request, is_single_slice);
        Ok(Self { series, gate, is_single_slice })
    }
}

/// The result of each slice of a series, with its mask.
pub(super) type SliceResults = Vec<(SliceResult, PackedMask)>;

impl Segmenter {
    /// Reads the slices of an input, segments them and measures across them.
    ///
    /// With an engine that takes batches, slices run through the network while later ones are still being
    /// decoded; the time of decoding then includes waiting for the network.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] for a threshold outside (0, 1); [`crate::Error::Image`] where the input
    /// cannot be read or holds no slice of a head; [`crate::Error::Model`], [`crate::Error::Busy`] or
    /// [`crate::Error::Inference`] where the network cannot run.
    pub fn segment(
        &self,
        slices: SliceReader<'_>,
        request: &SegmentRequest,
        observer: &dyn Observer,
    ) -> Result<Analysis> {
        if self.engine().is_some_and(|engine| engine.max_batch() > 1) {
            return self.segment_streaming(slices, request, observer);
        }
        self.segment_after_decoding(slices, request, observer, None)
    }

    /// As [`Segmenter::segment`], with the work on each slice kept in `checkpoints`. Slices run one by one,
    /// with every engine.
    ///
    /// # Errors
    /// As [`Segmenter::segment`]; [`crate::Error::Interrupted`] where `checkpoints` end the work.
    pub fn segment_with_checkpoints(
        &self,
        slices: SliceReader<'_>,
        request: &SegmentRequest,
        observer: &dyn Observer,
        checkpoints: &dyn Checkpoints,
    ) -> Result<Analysis> {
        self.segment_after_decoding(slices, request, observer, Some(checkpoints))
    }

    fn segment_after_decoding(
        &self,
        slices: SliceReader<'_>,
        request: &SegmentRequest,
        observer: &dyn Observer,
        checkpoints: Option<&dyn Checkpoints>,
    ) -> Result<Analysis> {
        request.check()?;
        let started = observer.elapsed_ms();
        let decoded = slices.read_all()?;
        let decode_ms = observer.elapsed_ms() - started;
        let mut analysis = self.segment_decoded(decoded, request, observer, checkpoints)?;
        analysis.timings.decode = decode_ms;
        Ok(analysis)
    }

    pub(super) fn segment_decoded(
        &self,
        decoded: Decoded,
        request: &SegmentRequest,
        observer: &dyn Observer,
        checkpoints: Option<&dyn Checkpoints>,
    ) -> Result<Analysis> {
        let AssembledInput { series, gate, is_single_slice } =
            AssembledInput::new(decoded, request, observer)?;
        if let Some(checkpoints) = checkpoints {
            checkpoints.on_series(&series)?;
        }
        let segment = |index, slice: &CtSlice| {
            let logits = |prepared: &NetworkInput| self.load_or_infer(checkpoints, index, prepared);
            let segmented = self.segment_with(slice, request, gate, observer, &logits)?;
            if let Some(checkpoints) = checkpoints {
                checkpoints.on_slice(&series, index, &segmented)?;
            }
            observer.on_slice();
            Ok::<_, Error>((segmented.result, segmented.mask.pack()))
        };
        let results = match &series.slices[..] {
            // On the calling thread: there is no work to share.
            [slice] => vec![segment(0, slice)?],
            slices => parallel::try_map(slices, segment)?,
        };
        self.aggregate(series, results, is_single_slice, request, observer)
    }

    /// The logits of a slice from its checkpoint; without one they are computed, and saved for a later run.
    fn load_or_infer(
        &self,
        checkpoints: Option<&dyn Checkpoints>,
        index: usize,
        prepared: &NetworkInput,
    ) -> Result<Logits> {
        let Some(checkpoints) = checkpoints else { return self.infer(prepared) };
        if let Some(logits) = checkpoints.load_logits(index)? {
            return Ok(logits);
        }
        let logits = self.infer(prepared)?;
        checkpoints.save_logits(index, &logits)?;
        Ok(logits)
    }

    /// Segments one decoded slice.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] for a threshold outside (0, 1); as [`Segmenter::infer`].
    pub fn segment_slice(
        &self,
        slice: &CtSlice,
        request: &SegmentRequest,
        observer: &dyn Observer,
    ) -> Result<SegmentedSlice> {
        request.check()?;
        let infer = |prepared: &NetworkInput| self.infer(prepared);
        self.segment_with(slice, request, request.gate, observer, &infer)
    }

    /// Segments one decoded slice with the logits that `logits` returns.
    fn segment_with(
        &self,
        slice: &CtSlice,
        request: &SegmentRequest,
        gate: MaskGate,
        observer: &dyn Observer,
        logits: &dyn Fn(&NetworkInput) -> Result<Logits>,
    ) -> Result<SegmentedSlice> {
        let prepared = self.prepare(slice, gate, observer)?;
        let prepared_at = observer.elapsed_ms();
        let logits = match prepared.is_segmented {
            true => logits(&prepared.input)?,
            false => Logits::impossible(&self.io),
        };
        let inference = observer.elapsed_ms() - prepared_at;
        let mut segmented =
            self.read_out_prepared(slice, prepared, logits, request, gate, observer)?;
        segmented.result.timings.inference = inference;
        Ok(segmented)
    }

    /// The first stage of a slice: everything before the network.
    pub(super) fn prepare(
        &self,
        slice: &CtSlice,
        gate: MaskGate,
        observer: &dyn Observer,
    ) -> Result<PreparedSlice> {
        let started = observer.elapsed_ms();
        let input = preprocess(slice, &self.spec)?;
        let is_segmented = self.is_suitable(slice)
            && (defers_assessment(slice, gate) || !input.assessment.is_unreadable());
        Ok(PreparedSlice { input, is_segmented, preprocess_ms: observer.elapsed_ms() - started })
    }

    /// The last stage of a slice: everything after the network. The time of the network is left at 0.
    pub(super) fn read_out_prepared(
        &self,
        slice: &CtSlice,
        prepared: PreparedSlice,
        logits: Logits,
        request: &SegmentRequest,
        gate: MaskGate,
        observer: &dyn Observer,
    ) -> Result<SegmentedSlice> {
        let started = observer.elapsed_ms();
        let mut segmented = self.read_out(slice, prepared.input, logits, request, gate);
        segmented.add_probabilities(request)?;
        segmented.result.timings = StageTimings {
            decode: 0.0,
            preprocess: prepared.preprocess_ms,
            inference: 0.0,
            postprocess: observer.elapsed_ms() - started,
        };
        Ok(segmented)
    }
}

/// What decides on the masks of the slices of an input.
fn gate_of(series: &Series, request: &SegmentRequest, is_single_slice: bool) -> MaskGate {
    if !is_single_slice {
        return MaskGate::of_series(series);
    }
    // Hounsfield units of one slice have no series that their assessment could wait for.
    let is_hounsfield =
        series.slices.first().is_some_and(|slice| slice.intensity == Intensity::Hounsfield);
    if is_hounsfield { MaskGate::PerSlice } else { request.gate }
}

impl SegmentedSlice {
    /// Adds the picture of the probabilities where `request` has it. Encoded it needs a fraction of the memory of
    /// the plane, so that a series can keep one per slice.
    pub(super) fn add_probabilities(&mut self, request: &SegmentRequest) -> Result<()> {
        if request.probabilities {
            let picture = self.map.to_grey();
            self.result.probability_png = Some(encode_png(&picture.into())?);
        }
        Ok(())
    }
}
