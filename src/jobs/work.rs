//! One job from its upload to its result.

use super::keys::{Keys, PROBLEM, RESULT, is_logits, slice_index};
use super::record::{Order, Progress, Record};
use super::{JSON, JobId, forget, read_json, to_json};
use crate::decode::Limits;
use crate::engine::Logits;
use crate::error::{Error, Result};
use crate::mask::PackedMask;
use crate::object_store::ObjectStore;
use crate::preprocess::Prepared;
use crate::problem::Problem;
use crate::report::series::write_series_report;
use crate::report::{Include, write_partial_report};
use crate::segmenter::series::SeriesSegmentation;
use crate::segmenter::{Gate, Given, Models, Segmentation, Segmenter, SliceFinding};
use crate::series::{Series, assemble};
use axum::http::StatusCode;
use rayon::prelude::*;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use tokio::runtime::Handle;

/// Does the work of jobs.
#[derive(Debug, Clone, Copy)]
pub struct Worker<'a> {
    /// Where the jobs lie.
    pub store: &'a ObjectStore,
    /// The models.
    pub models: &'a Models,
    /// Limits of a slice and of a series.
    pub limits: &'a Limits,
    /// The runtime that talks to the store.
    pub runtime: &'a Handle,
}

/// How a piece of work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The result is written.
    Done,
    /// The problem is written.
    Failed,
    /// It had ended before: the same event came twice.
    Ended,
    /// There is no such job, or it was deleted meanwhile.
    Gone,
}

/// A worker that was killed this often on one job is killed by it.
const MOST_ATTEMPTS: u32 = 3;

/// Why the work on a job stops early.
enum Stop {
    Gone,
    Error(Error),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

impl Worker<'_> {
    /// Does all that is left of a job. Called from a thread that may block.
    ///
    /// Whatever is wrong with the input ends in the job's problem, so that an event is never tried
    /// again for it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store failed: the work is to be tried again.
    pub fn run(&self, id: JobId) -> Result<Outcome> {
        let keys = Keys::of(id);
        let names = self.runtime.block_on(self.store.list(&keys.folder()))?;
        let record: Option<Record> =
            self.runtime.block_on(read_json(self.store, &keys.record()))?;
        let Some(record) = record else {
            self.runtime.block_on(forget(self.store, id))?;
            return Ok(Outcome::Gone);
        };
        if names.iter().any(|name| name == RESULT || name == PROBLEM) {
            self.clear(keys)?;
            return Ok(Outcome::Ended);
        }
        let before = self.runtime.block_on(read_json(self.store, &keys.progress()))?;
        let attempts = before.map_or(0, |p: Progress| p.attempts);
        if attempts >= MOST_ATTEMPTS {
            return self.fail(keys, gave_up());
        }
        let Some(upload) = self.runtime.block_on(self.store.get(&keys.upload()))? else {
            return Ok(Outcome::Gone);
        };
        let progress = Progress { attempts: attempts + 1, total: before.and_then(|p| p.total) };
        self.put(&keys.progress(), &progress)?;
        let task = Task { worker: self, keys, order: &record.order, kept: kept(&names) };
        // A decoder's panic is caught where it decodes; one anywhere else must not end the process
        // either, for then the same input would end it again.
        let found = catch_unwind(AssertUnwindSafe(|| task.segment(&upload, progress.attempts)));
        match found.unwrap_or_else(|_| Err(Stop::Error(Error::Internal("panic".into())))) {
            Ok(result) => self.finish(id, result),
            Err(Stop::Gone) => {
                self.runtime.block_on(forget(self.store, id))?;
                Ok(Outcome::Gone)
            }
            Err(Stop::Error(error @ Error::Unavailable(_))) => Err(error),
            Err(Stop::Error(error)) => self.fail(keys, error.into()),
        }
    }

    fn finish(&self, id: JobId, result: Vec<u8>) -> Result<Outcome> {
        let keys = Keys::of(id);
        self.runtime.block_on(self.store.put(&keys.result(), JSON, result))?;
        // Deleted while the result was on its way: nothing of it may stay.
        if !self.runtime.block_on(self.store.exists(&keys.record()))? {
            self.runtime.block_on(forget(self.store, id))?;
            return Ok(Outcome::Gone);
        }
        self.clear(keys)?;
        Ok(Outcome::Done)
    }

    fn fail(&self, keys: Keys, problem: Problem) -> Result<Outcome> {
        let body = problem.body(&keys.id().to_string());
        self.put(&keys.problem(), &body)?;
        self.clear(keys)?;
        Ok(Outcome::Failed)
    }

    /// Deletes what only the work itself needed; the pixels first of all.
    fn clear(&self, keys: Keys) -> Result<()> {
        let names = self.runtime.block_on(self.store.list(&keys.folder()))?;
        let logits = names.iter().filter(|name| is_logits(name));
        let mut spent = vec![keys.upload()];
        spent.extend(logits.map(|name| keys.folder() + name));
        self.runtime.block_on(self.store.delete(&spent))
    }

    fn put<T: serde::Serialize>(&self, key: &str, value: &T) -> Result<()> {
        self.runtime.block_on(self.store.put(key, JSON, to_json(value)?))
    }
}

fn gave_up() -> Problem {
    let detail = "The work on this upload was ended from outside three times and is given up. Send fewer \
                  slices, or run `ichor segment` on your own machine.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "given_up", detail)
}

/// Indices of the slices whose logits were kept.
fn kept(names: &[String]) -> HashSet<usize> {
    names
        .iter()
        .filter(|name| is_logits(name))
        .filter_map(|n| n.rsplit('-').next()?.parse().ok())
        .collect()
}

/// The work on the slices of one job.
struct Task<'a> {
    worker: &'a Worker<'a>,
    keys: Keys,
    order: &'a Order,
    kept: HashSet<usize>,
}

impl Task<'_> {
    /// The result: the series answer, whose pictures are in the reports of the slices.
    fn segment(&self, upload: &[u8], attempts: u32) -> std::result::Result<Vec<u8>, Stop> {
        let start = Instant::now();
        let clock = move || start.elapsed().as_secs_f64() * 1e3;
        let model = self.worker.models.get(Some(&self.order.model))?;
        let given = Given::from_bytes(upload, self.worker.limits, &clock)?;
        let (started, decode_ms) = (given.started, given.decode_ms);
        let series = assemble(given.decoded, self.order.options.series_request())?;
        let total = Some(series.slices.len());
        self.worker.put(&self.keys.progress(), &Progress { attempts, total })?;
        let reported = self.reported()?;
        let found = (0..series.slices.len())
            .into_par_iter()
            .map(|index| self.slice(model, &series, index, &reported, &clock))
            .collect::<std::result::Result<Vec<_>, Stop>>()?;
        let outlined: Vec<bool> = found.iter().map(|(_, mask)| !mask.is_empty()).collect();
        let mut found = model.gather(series, found, &clock)?;
        found.timings.decode = decode_ms;
        // What a slice said before it knew its neighbours must not outlive their verdict.
        for index in (0..outlined.len()).filter(|&index| outlined[index]) {
            if found.slices[index].lesions.is_empty() {
                self.retract(model, &found, index, &clock)?;
            }
        }
        let bare = Include { contours: self.order.include.contours, ..Include::NOTHING };
        let mut report =
            write_series_report(model, found, self.order.options, bare, started, &clock)?;
        report.request_id = Some(self.keys.id().to_string());
        Ok(to_json(&report)?)
    }

    fn reported(&self) -> Result<HashSet<usize>> {
        let names = self.worker.runtime.block_on(self.worker.store.list(&self.keys.folder()))?;
        Ok(names.iter().filter_map(|name| slice_index(name)).collect())
    }

    /// One slice: its logits from the store or from the network, its report into the store.
    fn slice(
        &self,
        model: &Segmenter,
        series: &Series,
        index: usize,
        reported: &HashSet<usize>,
        clock: &(dyn Fn() -> f64 + Sync),
    ) -> std::result::Result<(SliceFinding, PackedMask), Stop> {
        let Worker { store, runtime, .. } = self.worker;
        if !runtime.block_on(store.exists(&self.keys.record()))? {
            return Err(Stop::Gone);
        }
        let found = self.found(model, series, index, clock)?;
        if !reported.contains(&index) {
            let report = write_partial_report(model, series, index, &found, self.order.include)?;
            self.worker.put(&self.keys.slice(index), &report)?;
        }
        Ok((found.finding, found.mask.pack()))
    }

    fn found(
        &self,
        model: &Segmenter,
        series: &Series,
        index: usize,
        clock: &(dyn Fn() -> f64 + Sync),
    ) -> Result<Segmentation> {
        let logits = |prepared: &Prepared| self.logits(model, prepared, index);
        let slice = &series.slices[index];
        model.segment_with(slice, self.order.options, Gate::of(series), clock, &logits)
    }

    /// Writes the report of a slice again, whose mask the series does not let through.
    fn retract(
        &self,
        model: &Segmenter,
        gathered: &SeriesSegmentation,
        index: usize,
        clock: &(dyn Fn() -> f64 + Sync),
    ) -> Result<()> {
        let mut found = self.found(model, &gathered.series, index, clock)?;
        found.finding = gathered.slices[index].clone();
        found.settle();
        let include = self.order.include;
        let report = write_partial_report(model, &gathered.series, index, &found, include)?;
        self.worker.put(&self.keys.slice(index), &report)
    }

    fn logits(&self, model: &Segmenter, prepared: &Prepared, index: usize) -> Result<Logits> {
        let Worker { store, runtime, .. } = self.worker;
        let key = self.keys.logits(index);
        if self.kept.contains(&index)
            && let Some(bytes) = runtime.block_on(store.get(&key))?
            && let Some(logits) = Logits::from_bytes(&bytes, &model.spec().io())
        {
            return Ok(logits);
        }
        let logits = model.infer(prepared)?;
        runtime.block_on(store.put(&key, "application/octet-stream", logits.to_bytes()))?;
        Ok(logits)
    }
}
