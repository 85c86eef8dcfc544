//! Jobs on one machine: a folder is the store, and one thread is the worker.

use super::keys::{JOBS, Keys};
use super::{JobId, JobLimits, Jobs, NewJob, Order, Record, Worker, delete_all, read_json};
use crate::decode::Limits;
use crate::error::{Error, Result};
use crate::object_store::{DirObjects, Incoming, ObjectStore};
use crate::segmenter::Models;
use crate::telemetry::Measurements;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// Jobs in a folder, run by this process one after the other, since the slices of one job use every core.
#[derive(Debug, Clone)]
pub struct LocalJobs {
    jobs: Jobs,
    folder: DirObjects,
    queue: mpsc::Sender<JobId>,
    max_jobs: usize,
    /// Measurements of finished jobs, by model, that were not taken yet.
    measured: Arc<Mutex<BTreeMap<String, Measurements>>>,
}

/// Jobs that the local server keeps at the same time.
pub const MAX_LOCAL_JOBS: usize = 64;

/// Time between two deletions of expired jobs.
const SWEEP: Duration = Duration::from_secs(600);

/// Time for which an expired job is still reported as expired, s.
const EXPIRED_S: u64 = 86_400;

impl LocalJobs {
    /// Opens the folder, resumes interrupted jobs, and starts the worker and the deletion of expired jobs. It keeps
    /// at most `max_jobs`. `clock` returns the time in s since 1970. To be called in a tokio runtime.
    ///
    /// # Errors
    /// As [`DirObjects::open`]; [`Error::Unavailable`].
    pub async fn start(
        folder: DirObjects,
        limits: JobLimits,
        max_jobs: usize,
        models: Arc<Models>,
        slice_limits: Limits,
        clock: fn() -> u64,
    ) -> Result<Self> {
        let store = ObjectStore::new(folder.clone());
        let (queue, receiver) = mpsc::channel(max_jobs);
        let jobs = Jobs::new(store.clone(), limits);
        let measured = Arc::default();
        let local = Self { jobs, folder, queue, max_jobs, measured };
        let measured = Arc::clone(&local.measured);
        tokio::spawn(work(receiver, store.clone(), models, slice_limits, measured));
        local.resume(clock()).await?;
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(SWEEP).await;
                // The next attempt may succeed where this one fails.
                let _ = sweep(&store, clock()).await;
            }
        });
        Ok(local)
    }

    /// The jobs themselves.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// The measurements of jobs that finished since the last call, summed by model.
    pub fn take_measurements(&self) -> Vec<Measurements> {
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *measured).into_values().collect()
    }

    /// Jobs in the queue, without the one that runs.
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// As [`Jobs::create`]; `None` where the maximum number of jobs is reached, which bounds the disk space.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn create(&self, order: Order, now: u64) -> Result<Option<NewJob>> {
        if self.jobs.store.list(JOBS).await?.len() >= self.max_jobs {
            sweep(&self.jobs.store, now).await?;
            if self.jobs.store.list(JOBS).await?.len() >= self.max_jobs {
                return Ok(None);
            }
        }
        self.jobs.create(order, now).await.map(Some)
    }

    /// Starts to write the upload of a job.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn receive(&self, id: JobId) -> Result<Incoming> {
        self.folder.receive(&Keys::new(id).upload()).await
    }

    /// Whether the upload of a job is or was complete.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn has_upload(&self, id: JobId) -> Result<bool> {
        let (store, keys) = (&self.jobs.store, Keys::new(id));
        for key in [keys.upload(), keys.progress(), keys.result(), keys.problem()] {
            if store.exists(&key).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds a job whose upload is complete to the queue.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the worker has stopped.
    pub async fn enqueue(&self, id: JobId) -> Result<()> {
        let stopped = |_| Error::Unavailable("the worker has stopped".into());
        self.queue.send(id).await.map_err(stopped)
    }

    /// Queues the jobs of an earlier process that have an upload and have not ended.
    async fn resume(&self, now: u64) -> Result<()> {
        let store = &self.jobs.store;
        sweep(store, now).await?;
        for name in store.list(JOBS).await? {
            let Ok(id) = name.parse() else { continue };
            if store.exists(&Keys::new(id).upload()).await? && self.queue.try_send(id).is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// Runs the jobs of the queue, until its last sender is dropped.
async fn work(
    mut queue: mpsc::Receiver<JobId>,
    store: ObjectStore,
    models: Arc<Models>,
    limits: Limits,
    measured: Arc<Mutex<BTreeMap<String, Measurements>>>,
) {
    while let Some(id) = queue.recv().await {
        let (store, models) = (store.clone(), Arc::clone(&models));
        let runtime = Handle::current();
        let job = move || {
            let worker =
                Worker { store: &store, models: &models, limits: &limits, runtime: &runtime };
            worker.run_measured(id)
        };
        let result = tokio::task::spawn_blocking(job).await.ok();
        match result {
            Some(Ok((outcome, measurements))) => {
                tracing::info!(?outcome, "job ended");
                let mut measured = measured.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(new) = measurements {
                    let sum = measured.entry(new.model.clone());
                    sum.and_modify(|sum| sum.add(&new)).or_insert(new);
                }
            }
            // For example on a full disk. The job stays as it is and is resumed at the next start.
            _ => tracing::error!("a job stopped; its folder could not be read or written"),
        }
    }
}

/// Deletes the data of expired jobs, and their records a day later.
pub(super) async fn sweep(store: &ObjectStore, now: u64) -> Result<()> {
    for name in store.list(JOBS).await? {
        let Ok(id) = name.parse() else { continue };
        let keys = Keys::new(id);
        let record: Option<Record> = read_json(store, &keys.record()).await.unwrap_or_default();
        match record {
            Some(record) if now < record.expires_at => {}
            Some(record) if now < record.expires_at + EXPIRED_S => {
                let folder = keys.folder();
                let names = store.list(&folder).await?;
                let all = names.iter().map(|name| format!("{folder}{name}"));
                let mut gone: Vec<String> = all.filter(|key| *key != keys.record()).collect();
                gone.push(keys.upload());
                store.delete(&gone).await?;
            }
            _ => delete_all(store, id).await?,
        }
    }
    Ok(())
}
