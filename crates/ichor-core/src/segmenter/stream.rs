//! Segmentation of slices while later ones are still being decoded, for engines that take batches.
//!
//! ```text
//! decode (calling thread) -> prepare (one thread per core) -> batch, network (one thread)
//!        -> read out (one thread per core) -> results
//! ```
//!
//! Each arrow is a channel of one batch's length. A stage waits while its output channel is full, so that memory
//! beside the decoded slices does not grow with their number.

use super::observer::Observer;
use super::segment::SliceResults;
use super::{Analysis, MaskGate, SegmentRequest, Segmenter, SliceResult, StageTimings};
use crate::decode::{Decoded, SliceReader};
use crate::engine::{Engine, Logits};
use crate::error::{Error, Result};
use crate::mask::PackedMask;
use crate::preprocess::{NetworkInput, preprocess};
use crate::series::{Series, assemble};
use crate::slice::CtSlice;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

/// One slice between two stages.
struct PreparedSlice {
    index: usize,
    slice: CtSlice,
    prepared: NetworkInput,
    timings: StageTimings,
}

/// State that the threads share.
struct Pipeline<'a> {
    segmenter: &'a Segmenter,
    request: &'a SegmentRequest,
    observer: &'a dyn Observer,
    outcome: Mutex<Outcome>,
}

#[derive(Default)]
struct Outcome {
    /// By the place of the slice in the input.
    results: Vec<Option<(SliceResult, PackedMask)>>,
    failure: Option<Error>,
}

/// The slices of an input and the results that were computed while it was decoded: none where it holds one
/// slice.
struct StreamedSlices {
    decoded: Decoded,
    results: Vec<Option<(SliceResult, PackedMask)>>,
    /// Number of warnings at the end of each slice that were not known when it was computed.
    late_warnings: usize,
}

impl Segmenter {
    pub(super) fn segment_streaming(
        &self,
        slices: SliceReader<'_>,
        request: &SegmentRequest,
        observer: &dyn Observer,
    ) -> Result<Analysis> {
        request.check()?;
        let started = observer.elapsed_ms();
        let StreamedSlices { decoded, results, late_warnings } =
            self.stream(slices, request, observer)?;
        let decode_ms = observer.elapsed_ms() - started;
        let mut analysis = if decoded.slices.len() < 2 {
            self.segment_decoded(decoded, request, observer, None)?
        } else {
            observer.on_decoded(decoded.slices.len());
            let series = assemble(decoded, request.series_request())?;
            let results = in_order(&series, results, late_warnings)?;
            self.aggregate(series, results, false, request, observer)?
        };
        analysis.timings.decode = decode_ms;
        Ok(analysis)
    }

    /// Decodes and segments side by side; an input of one slice is only decoded.
    fn stream(
        &self,
        mut slices: SliceReader<'_>,
        request: &SegmentRequest,
        observer: &dyn Observer,
    ) -> Result<StreamedSlices> {
        let engine = self.built_engine()?;
        let max_batch = engine.max_batch();
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let pipeline = Pipeline { segmenter: self, request, observer, outcome: Mutex::default() };
        let (to_prepare, decoded) = sync_channel(max_batch);
        let (to_engine, prepared) = sync_channel(max_batch);
        let (to_read_out, computed) = sync_channel(max_batch);
        let (decoded, computed) = (Mutex::new(decoded), Mutex::new(computed));
        let read = std::thread::scope(|scope| {
            let (pipeline, decoded, computed) = (&pipeline, &decoded, &computed);
            for _ in 0..workers {
                let to_engine = to_engine.clone();
                scope.spawn(move || pipeline.prepare(decoded, &to_engine));
                scope.spawn(move || pipeline.read_out(computed));
            }
            drop(to_engine);
            scope.spawn(move || pipeline.compute(engine, max_batch, prepared, to_read_out));
            let read = send_from_the_second(&mut slices, &to_prepare);
            // Closing the first channel ends the stages one after the other.
            drop(to_prepare);
            read
        });
        let outcome = pipeline.outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
        // An error of the input comes first: the caller can correct it.
        let (read, trailer) = (read?, slices.finish()?);
        if let Some(failure) = outcome.failure {
            return Err(failure);
        }
        let late_warnings = trailer.warnings.len();
        let decoded = Decoded::new(read, trailer);
        Ok(StreamedSlices { decoded, results: outcome.results, late_warnings })
    }
}

/// Reads all slices, and sends them to the next stage once there are two: a single slice is not a series.
fn send_from_the_second(
    slices: &mut SliceReader<'_>,
    to_prepare: &SyncSender<(usize, CtSlice)>,
) -> Result<Vec<CtSlice>> {
    let mut read: Vec<CtSlice> = Vec::new();
    for slice in slices {
        read.push(slice?);
        let first_to_send = match read.len() {
            0 | 1 => continue,
            2 => 0,
            count => count - 1,
        };
        for (index, slice) in read.iter().enumerate().skip(first_to_send) {
            // The channel is closed where a stage failed; its error is the result.
            let _ = to_prepare.send((index, slice.clone()));
        }
    }
    Ok(read)
}

impl Pipeline<'_> {
    fn fail(&self, error: Error) {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        outcome.failure.get_or_insert(error);
    }

    fn prepare(
        &self,
        decoded: &Mutex<Receiver<(usize, CtSlice)>>,
        to_engine: &SyncSender<PreparedSlice>,
    ) {
        while let Some((index, slice)) = next(decoded) {
            let started = self.observer.elapsed_ms();
            match preprocess(&slice, &self.segmenter.spec) {
                Ok(prepared) => {
                    let preprocess = self.observer.elapsed_ms() - started;
                    let timings = StageTimings { preprocess, ..StageTimings::default() };
                    let _ = to_engine.send(PreparedSlice { index, slice, prepared, timings });
                }
                Err(error) => self.fail(error),
            }
        }
    }

    fn compute(
        &self,
        engine: &Engine,
        max_batch: usize,
        prepared: Receiver<PreparedSlice>,
        to_read_out: SyncSender<(PreparedSlice, Logits)>,
    ) {
        while let Ok(first) = prepared.recv() {
            // Full batches are faster per slice. More slices follow until the channel is closed.
            let mut batch: Vec<PreparedSlice> =
                std::iter::once(first).chain(prepared.iter().take(max_batch - 1)).collect();
            let started = self.observer.elapsed_ms();
            let tensors: Vec<&[f32]> =
                batch.iter().map(|slice| slice.prepared.tensor.as_slice()).collect();
            let logits = match engine.run_batch(&tensors) {
                Ok(logits) => logits,
                Err(error) => {
                    self.fail(Error::from_engine(&self.segmenter.spec.name)(error));
                    continue;
                }
            };
            let inference = (self.observer.elapsed_ms() - started) / batch.len() as f64;
            for (mut slice, logits) in batch.drain(..).zip(logits) {
                slice.timings.inference = inference;
                let _ = to_read_out.send((slice, logits));
            }
        }
    }

    fn read_out(&self, computed: &Mutex<Receiver<(PreparedSlice, Logits)>>) {
        while let Some((prepared_slice, logits)) = next(computed) {
            let PreparedSlice { index, slice, prepared, mut timings } = prepared_slice;
            let started = self.observer.elapsed_ms();
            let gate = MaskGate::Deferred;
            let mut segmented =
                self.segmenter.read_out(&slice, prepared, logits, self.request, gate);
            if let Err(error) = segmented.add_probabilities(self.request) {
                self.fail(error);
            }
            timings.postprocess = self.observer.elapsed_ms() - started;
            segmented.result.timings = timings;
            self.add(index, (segmented.result, segmented.mask.pack()));
            self.observer.on_slice();
        }
    }

    fn add(&self, index: usize, result: (SliceResult, PackedMask)) {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        if outcome.results.len() <= index {
            outcome.results.resize_with(index + 1, || None);
        }
        outcome.results[index] = Some(result);
    }
}

/// The next item of a channel that several threads read.
fn next<T>(channel: &Mutex<Receiver<T>>) -> Option<T> {
    channel.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// The results, which are in the order of the input, in the order of the series. Results of slices that the
/// series left out are dropped.
fn in_order(
    series: &Series,
    mut results: Vec<Option<(SliceResult, PackedMask)>>,
    late_warnings: usize,
) -> Result<SliceResults> {
    let lost = || Error::Internal("a slice has no result".into());
    let places = series.sources.iter().zip(&series.slices);
    places
        .map(|(&source, slice)| {
            let result = results.get_mut(source).and_then(Option::take);
            let (mut result, mask) = result.ok_or_else(lost)?;
            let known = slice.warnings.len() - late_warnings;
            result.warnings.splice(known..known, slice.warnings[known..].iter().cloned());
            Ok((result, mask))
        })
        .collect()
}
