//! Slices through the network while later ones are still being decoded, for engines that take batches.
//!
//! ```text
//! decode (the caller's thread) -> prepare (a thread a core) -> batch, network (one thread)
//!        -> read out (a thread a core) -> findings
//! ```
//!
//! Each arrow is a channel of a batch's length, so that whoever is ahead waits, and memory beside the
//! decoded slices does not grow with their number.

use super::{Clock, Gate, SegmentOptions, Segmenter, SliceFinding, StageTimings};
use crate::decode::{Decoded, Heard};
use crate::engine::{Engine, Logits};
use crate::error::{Error, Result};
use crate::mask::PackedMask;
use crate::preprocess::{Prepared, preprocess};
use crate::slice::CtSlice;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

/// Decodes while a listener hears of each slice.
pub type Decode<'a> = &'a mut dyn FnMut(Heard<'_>) -> Result<Decoded>;

/// What was found on one of the slices that were heard of.
#[derive(Debug)]
pub(super) struct Streamed {
    pub(super) finding: SliceFinding,
    pub(super) mask: PackedMask,
    /// Warnings that the slice had by then.
    pub(super) warned: usize,
}

/// One slice on its way.
struct Passing {
    index: usize,
    slice: CtSlice,
    prepared: Prepared,
    timings: StageTimings,
}

/// What the threads share.
struct Line<'a> {
    segmenter: &'a Segmenter,
    options: SegmentOptions,
    clock: Clock<'a>,
    progress: &'a (dyn Fn(usize, usize) + Sync),
    done: Mutex<Done>,
}

#[derive(Default)]
struct Done {
    found: Vec<Option<Streamed>>,
    count: usize,
    failure: Option<Error>,
}

impl Segmenter {
    /// Decodes and segments side by side; a file of one slice is only decoded. `progress` hears how
    /// many slices are done, of those that were decoded by then.
    pub(super) fn stream(
        &self,
        decode: Decode<'_>,
        options: SegmentOptions,
        progress: &(dyn Fn(usize, usize) + Sync),
        clock: Clock<'_>,
    ) -> Result<(Decoded, Vec<Option<Streamed>>)> {
        options.check()?;
        let engine = self.built_engine()?;
        let most = engine.max_batch();
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let line = Line { segmenter: self, options, clock, progress, done: Mutex::default() };
        let (to_prepare, slices) = sync_channel(most);
        let (to_engine, prepared) = sync_channel(most);
        let (to_read, computed) = sync_channel(most);
        let (slices, computed) = (Mutex::new(slices), Mutex::new(computed));
        let decoded = std::thread::scope(|scope| {
            let (line, slices, computed) = (&line, &slices, &computed);
            for _ in 0..workers {
                let to_engine = to_engine.clone();
                scope.spawn(move || line.prepare(slices, &to_engine));
                scope.spawn(move || line.read_out(computed));
            }
            drop(to_engine);
            scope.spawn(move || line.compute(engine, most, prepared, to_read));
            let decoded = hear_from_the_second(decode, &to_prepare);
            // The end of the slices ends the stages one after the other.
            drop(to_prepare);
            decoded
        });
        let done = line.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        // What cannot be read is the caller's to mend; what cannot be computed is not.
        let decoded = decoded?;
        done.failure.map_or(Ok((decoded, done.found)), Err)
    }
}

/// Sends the slices on from the moment there are two: one alone is no series.
fn hear_from_the_second(
    decode: Decode<'_>,
    to_prepare: &SyncSender<(usize, CtSlice)>,
) -> Result<Decoded> {
    let (mut first, mut index) = (None, 0);
    decode(&mut |slice| {
        if index == 0 {
            first = Some(slice.clone());
        } else {
            let waiting = first.take().map(|first| (0, first));
            for sent in waiting.into_iter().chain([(index, slice.clone())]) {
                // Nobody listens any more where a stage failed; its error is the answer.
                let _ = to_prepare.send(sent);
            }
        }
        index += 1;
    })
}

impl Line<'_> {
    fn fail(&self, error: Error) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.failure.get_or_insert(error);
    }

    fn prepare(&self, slices: &Mutex<Receiver<(usize, CtSlice)>>, to_engine: &SyncSender<Passing>) {
        while let Some((index, slice)) = next(slices) {
            let begun = (self.clock)();
            match preprocess(&slice, &self.segmenter.spec) {
                Ok(prepared) => {
                    let preprocess = (self.clock)() - begun;
                    let timings = StageTimings { preprocess, ..StageTimings::default() };
                    let passing = Passing { index, slice, prepared, timings };
                    let _ = to_engine.send(passing);
                }
                Err(error) => self.fail(error),
            }
        }
    }

    fn compute(
        &self,
        engine: &Engine,
        most: usize,
        prepared: Receiver<Passing>,
        to_read: SyncSender<(Passing, Logits)>,
    ) {
        while let Ok(first) = prepared.recv() {
            // Full batches are worth the wait: there is more to come until the channel closes.
            let mut batch: Vec<Passing> =
                std::iter::once(first).chain(prepared.iter().take(most - 1)).collect();
            let begun = (self.clock)();
            let tensors: Vec<&[f32]> =
                batch.iter().map(|passing| passing.prepared.tensor.as_slice()).collect();
            let logits = match engine.run_batch(&tensors) {
                Ok(logits) => logits,
                Err(error) => {
                    self.fail(Error::of_model(&self.segmenter.spec.name)(error));
                    continue;
                }
            };
            let inference = ((self.clock)() - begun) / batch.len() as f64;
            for (mut passing, logits) in batch.drain(..).zip(logits) {
                passing.timings.inference = inference;
                let _ = to_read.send((passing, logits));
            }
        }
    }

    fn read_out(&self, computed: &Mutex<Receiver<(Passing, Logits)>>) {
        while let Some((passing, logits)) = next(computed) {
            let Passing { index, slice, prepared, mut timings } = passing;
            let begun = (self.clock)();
            let steps = &self.segmenter.spec.postprocessing;
            let threshold = self.options.threshold.unwrap_or(steps.threshold);
            let (segmenter, options) = (self.segmenter, self.options);
            let found =
                segmenter.read_out(&slice, prepared, logits, threshold, options, Gate::Series);
            timings.postprocess = (self.clock)() - begun;
            let mut finding = found.finding;
            finding.timings = timings;
            let warned = slice.warnings.len();
            self.keep(index, Streamed { finding, mask: found.mask.pack(), warned });
        }
    }

    fn keep(&self, index: usize, streamed: Streamed) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if done.found.len() <= index {
            done.found.resize_with(index + 1, || None);
        }
        done.found[index] = Some(streamed);
        done.count += 1;
        (self.progress)(done.count, done.found.len());
    }
}

/// The next of a channel that several threads read.
fn next<T>(channel: &Mutex<Receiver<T>>) -> Option<T> {
    channel.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}
