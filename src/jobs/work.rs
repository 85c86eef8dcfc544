//! The work on one job, from its upload to its result.

use super::keys::{Keys, PROBLEM, RESULT, logits_index, slice_index};
use super::record::{Order, Progress, Record};
use super::{JSON, JobId, delete_all, read_json, to_json};
use crate::decode::{Input, Limits, open};
use crate::engine::Logits;
use crate::error::{Error, Result};
use crate::object_store::ObjectStore;
use crate::problem::Problem;
use crate::report::{Include, write_final_slice_report, write_partial_report, write_series_report};
use crate::segmenter::{Checkpoints, Interrupted, Models, SegmentedSlice, Segmenter};
use crate::series::Series;
use crate::stopwatch::Stopwatch;
use crate::telemetry::Measurements;
use ::http::StatusCode;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use tokio::runtime::Handle;

/// Runs jobs, with everything that they need.
#[derive(Debug, Clone, Copy)]
pub struct Worker<'a> {
    /// The store of the jobs.
    pub store: &'a ObjectStore,
    /// The models.
    pub models: &'a Models,
    /// Limits of a slice and of a series.
    pub limits: &'a Limits,
    /// The runtime of the operations of the store.
    pub runtime: &'a Handle,
}

/// How the work on a job or a series ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The result is written.
    Done,
    /// The problem is written.
    Failed,
    /// It had ended before: the same event was delivered twice.
    Ended,
    /// There is no such job, or it was deleted during the work.
    Gone,
}

/// How often work on a job is started. If the worker was killed each time, the job is the probable cause.
const MAX_ATTEMPTS: u32 = 3;

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
    /// Runs what is left of a job. To be called on a thread that may block.
    ///
    /// An error of the input becomes the problem of the job, so that its event is not delivered again.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store failed, and the work is to be repeated.
    pub fn run(&self, id: JobId) -> Result<Outcome> {
        self.run_measured(id).map(|(outcome, _)| outcome)
    }

    /// As [`Worker::run`], with the measurements of a job that is done.
    ///
    /// # Errors
    /// As [`Worker::run`].
    pub fn run_measured(&self, id: JobId) -> Result<(Outcome, Option<Measurements>)> {
        let keys = Keys::new(id);
        let names = self.runtime.block_on(self.store.list(&keys.folder()))?;
        let record: Option<Record> =
            self.runtime.block_on(read_json(self.store, &keys.record()))?;
        let Some(record) = record else {
            self.runtime.block_on(delete_all(self.store, id))?;
            return Ok((Outcome::Gone, None));
        };
        if names.iter().any(|name| name == RESULT || name == PROBLEM) {
            self.clear(keys)?;
            return Ok((Outcome::Ended, None));
        }
        let before = self.runtime.block_on(read_json(self.store, &keys.progress()))?;
        let attempts = before.map_or(0, |p: Progress| p.attempts);
        if attempts >= MAX_ATTEMPTS {
            return Ok((self.fail(keys, too_many_attempts())?, None));
        }
        let Some(upload) = self.runtime.block_on(self.store.get(&keys.upload()))? else {
            return Ok((Outcome::Gone, None));
        };
        let progress = Progress { attempts: attempts + 1, total: before.and_then(|p| p.total) };
        self.put(&keys.progress(), &progress)?;
        let task = Task { worker: self, keys, order: &record.order };
        // The reader catches panics of decoders. Any other panic must not end the process either, since the same
        // input would end the next one.
        let result =
            catch_unwind(AssertUnwindSafe(|| task.segment(&upload, &names, progress.attempts)));
        match result.unwrap_or_else(|_| Err(Stop::Error(Error::Internal("panic".into())))) {
            Ok((result, measurements)) => Ok((self.finish(id, result)?, Some(measurements))),
            Err(Stop::Gone) => {
                self.runtime.block_on(delete_all(self.store, id))?;
                Ok((Outcome::Gone, None))
            }
            Err(Stop::Error(error @ Error::Unavailable(_))) => Err(error),
            Err(Stop::Error(error)) => Ok((self.fail(keys, error.into())?, None)),
        }
    }

    fn finish(&self, id: JobId, result: Vec<u8>) -> Result<Outcome> {
        let keys = Keys::new(id);
        self.runtime.block_on(self.store.put(&keys.result(), JSON, result))?;
        // The job was deleted while its result was written: nothing of it may stay.
        if !self.runtime.block_on(self.store.exists(&keys.record()))? {
            self.runtime.block_on(delete_all(self.store, id))?;
            return Ok(Outcome::Gone);
        }
        self.clear(keys)?;
        Ok(Outcome::Done)
    }

    fn fail(&self, keys: Keys, problem: Problem) -> Result<Outcome> {
        if let Some(cause) = &problem.cause {
            tracing::error!(cause, "job failed");
        }
        let body = problem.body(&keys.id().to_string());
        self.put(&keys.problem(), &body)?;
        self.clear(keys)?;
        Ok(Outcome::Failed)
    }

    /// Deletes what only the work needed: the upload and the logits.
    fn clear(&self, keys: Keys) -> Result<()> {
        let names = self.runtime.block_on(self.store.list(&keys.folder()))?;
        let logits = names.iter().filter(|name| logits_index(name).is_some());
        let mut deleted = vec![keys.upload()];
        deleted.extend(logits.map(|name| keys.folder() + name));
        self.runtime.block_on(self.store.delete(&deleted))
    }

    fn put<T: serde::Serialize>(&self, key: &str, value: &T) -> Result<()> {
        self.runtime.block_on(self.store.put(key, JSON, to_json(value)?))
    }
}

fn too_many_attempts() -> Problem {
    let detail = "The work on this upload was killed three times and is not repeated. Send fewer slices, \
                  or run `ichor segment` on your own machine.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "given_up", detail)
}

/// The work on the slices of one job.
#[derive(Clone, Copy)]
struct Task<'a> {
    worker: &'a Worker<'a>,
    keys: Keys,
    order: &'a Order,
}

impl Task<'_> {
    /// The report of the series as JSON, and its measurements. The pictures are in the reports of the slices. `names`
    /// are those of the job's objects.
    fn segment(
        &self,
        upload: &[u8],
        names: &[String],
        attempts: u32,
    ) -> std::result::Result<(Vec<u8>, Measurements), Stop> {
        let stopwatch = Stopwatch::start();
        let Order { model, request, include, .. } = self.order;
        let model = self.worker.models.get(Some(model))?;
        let slices = open(Input::Bytes(upload), self.worker.limits)?;
        let saved = SavedSlices {
            task: *self,
            model,
            attempts,
            with_logits: names.iter().filter_map(|name| logits_index(name)).collect(),
            reported: names.iter().filter_map(|name| slice_index(name)).collect(),
            outlined: Mutex::default(),
            stop: Mutex::default(),
        };
        let analysis = model.segment_with_checkpoints(slices, request, &stopwatch, &saved);
        if let Some(stop) = saved.stop.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(stop);
        }
        let analysis = analysis?;
        // The series may have emptied the mask of a slice after its report was written.
        let outlined = saved.outlined.into_inner().unwrap_or_else(PoisonError::into_inner);
        for index in outlined.into_iter().filter(|&index| analysis.slices[index].lesions.is_empty())
        {
            let report = write_final_slice_report(model, &analysis, index, *include)?;
            self.worker.put(&self.keys.slice(index), &report)?;
        }
        let measurements = Measurements::new(model, &analysis);
        let Include { text, patterns, .. } = *include;
        // The pictures are in the reports of the slices.
        let texts = Include { text, patterns, ..Include::NOTHING };
        let mut report = write_series_report(model, analysis, texts, &stopwatch)?;
        report.request_id = Some(self.keys.id().to_string());
        Ok((to_json(&report)?, measurements))
    }
}

/// Logits and reports of the slices of a job in the store.
struct SavedSlices<'a> {
    task: Task<'a>,
    model: &'a Segmenter,
    attempts: u32,
    /// Slices whose logits were saved by an earlier attempt.
    with_logits: HashSet<usize>,
    /// Slices whose report was written by an earlier attempt.
    reported: HashSet<usize>,
    /// Slices with a mask before their neighbours are taken into account.
    outlined: Mutex<Vec<usize>>,
    /// Why the work was interrupted.
    stop: Mutex<Option<Stop>>,
}

impl SavedSlices<'_> {
    /// Keeps the reason, which the segmenter does not know.
    fn interrupt<T, E: Into<Stop>>(
        &self,
        result: std::result::Result<T, E>,
    ) -> std::result::Result<T, Interrupted> {
        result.map_err(|stop| {
            self.stop.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(stop.into());
            Interrupted
        })
    }

    fn load(&self, index: usize) -> Result<Option<Logits>> {
        let Task { worker: Worker { store, runtime, .. }, keys, .. } = self.task;
        if !self.with_logits.contains(&index) {
            return Ok(None);
        }
        let bytes = runtime.block_on(store.get(&keys.logits(index)))?;
        Ok(bytes.and_then(|bytes| Logits::from_bytes(&bytes, &self.model.spec().io())))
    }

    fn save(&self, index: usize, logits: &Logits) -> Result<()> {
        let Task { worker: Worker { store, runtime, .. }, keys, .. } = self.task;
        let key = keys.logits(index);
        runtime.block_on(store.put(&key, "application/octet-stream", logits.to_bytes()))
    }

    fn report(
        &self,
        series: &Series,
        index: usize,
        slice: &SegmentedSlice,
    ) -> std::result::Result<(), Stop> {
        let Task { worker, keys, order } = self.task;
        // A job that was deleted meanwhile needs no further work.
        if !worker.runtime.block_on(worker.store.exists(&keys.record()))? {
            return Err(Stop::Gone);
        }
        if !slice.result.lesions.is_empty() {
            self.outlined.lock().unwrap_or_else(PoisonError::into_inner).push(index);
        }
        if !self.reported.contains(&index) {
            let Order { request, include, .. } = order;
            let report = write_partial_report(self.model, series, index, slice, request, *include)?;
            worker.put(&keys.slice(index), &report)?;
        }
        Ok(())
    }
}

impl Checkpoints for SavedSlices<'_> {
    fn on_series(&self, series: &Series) -> std::result::Result<(), Interrupted> {
        let Task { worker, keys, .. } = self.task;
        let progress = Progress { attempts: self.attempts, total: Some(series.slices.len()) };
        self.interrupt(worker.put(&keys.progress(), &progress))
    }

    fn load_logits(&self, index: usize) -> std::result::Result<Option<Logits>, Interrupted> {
        self.interrupt(self.load(index))
    }

    fn save_logits(&self, index: usize, logits: &Logits) -> std::result::Result<(), Interrupted> {
        self.interrupt(self.save(index, logits))
    }

    fn on_slice(
        &self,
        series: &Series,
        index: usize,
        slice: &SegmentedSlice,
    ) -> std::result::Result<(), Interrupted> {
        self.interrupt(self.report(series, index, slice))
    }
}
