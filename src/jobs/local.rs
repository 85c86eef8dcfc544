//! The same jobs on one machine: a folder for the store, a thread for the worker.

use super::keys::{JOBS, Keys};
use super::{Created, JobId, JobLimits, Jobs, Order, Outcome, Record, Worker, forget, read_json};
use crate::decode::Limits;
use crate::error::{Error, Result};
use crate::object_store::{DirObjects, Incoming, ObjectStore};
use crate::segmenter::Models;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// Jobs kept in a folder and worked off by this process, one after the other: the slices of one
/// take every core.
#[derive(Debug, Clone)]
pub struct LocalJobs {
    jobs: Jobs,
    folder: DirObjects,
    queue: mpsc::Sender<JobId>,
    most_open: usize,
}

/// Time between two looks for jobs whose time is over.
const SWEEP: Duration = Duration::from_secs(600);

/// For how long after its end a job still answers that it expired, s.
const REMEMBERED_S: u64 = 86_400;

impl LocalJobs {
    /// Opens the folder, takes up jobs whose work was interrupted, and starts to work and to sweep.
    /// `clock` gives the time in s since 1970. Called within a runtime.
    ///
    /// # Errors
    /// As [`DirObjects::open`]; [`Error::Unavailable`].
    pub async fn start(
        folder: DirObjects,
        limits: JobLimits,
        most_open: usize,
        models: Arc<Models>,
        slice_limits: Limits,
        clock: fn() -> u64,
    ) -> Result<Self> {
        let store = ObjectStore::new(folder.clone());
        let (queue, waiting) = mpsc::channel(most_open);
        let jobs = Jobs::new(store.clone(), limits);
        let local = Self { jobs, folder, queue, most_open };
        tokio::spawn(work(waiting, store.clone(), models, slice_limits));
        local.take_up(clock()).await?;
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(SWEEP).await;
                // A folder that cannot be read now may be next time.
                let _ = sweep(&store, clock()).await;
            }
        });
        Ok(local)
    }

    /// The jobs themselves.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Jobs in the queue, without the one that is being worked on.
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// As [`Jobs::create`]; `None` where too many jobs are kept already, so that a disk is not
    /// filled.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn create(&self, order: Order, now: u64) -> Result<Option<Created>> {
        if self.jobs.store.list(JOBS).await?.len() >= self.most_open {
            sweep(&self.jobs.store, now).await?;
            if self.jobs.store.list(JOBS).await?.len() >= self.most_open {
                return Ok(None);
            }
        }
        self.jobs.create(order, now).await.map(Some)
    }

    /// Begins to take the upload of a job.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn receive(&self, id: JobId) -> Result<Incoming> {
        self.folder.receive(&Keys::of(id).upload()).await
    }

    /// Whether a job has its upload, or had it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn has_upload(&self, id: JobId) -> Result<bool> {
        let (store, keys) = (&self.jobs.store, Keys::of(id));
        for key in [keys.upload(), keys.progress(), keys.result(), keys.problem()] {
            if store.exists(&key).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Puts a job whose upload is complete into the queue.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the worker has stopped.
    pub async fn enqueue(&self, id: JobId) -> Result<()> {
        let stopped = |_| Error::Unavailable("the worker has stopped".into());
        self.queue.send(id).await.map_err(stopped)
    }

    /// Jobs of an earlier process that have their upload and no end.
    async fn take_up(&self, now: u64) -> Result<()> {
        let store = &self.jobs.store;
        sweep(store, now).await?;
        for name in store.list(JOBS).await? {
            let Ok(id) = name.parse() else { continue };
            if store.exists(&Keys::of(id).upload()).await? && self.queue.try_send(id).is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// Works off what comes through the queue, until its last sender is gone.
async fn work(
    mut waiting: mpsc::Receiver<JobId>,
    store: ObjectStore,
    models: Arc<Models>,
    limits: Limits,
) {
    while let Some(id) = waiting.recv().await {
        let (store, models) = (store.clone(), Arc::clone(&models));
        let runtime = Handle::current();
        let job = move || {
            let worker =
                Worker { store: &store, models: &models, limits: &limits, runtime: &runtime };
            worker.run(id)
        };
        let outcome: Option<Result<Outcome>> = tokio::task::spawn_blocking(job).await.ok();
        match outcome {
            Some(Ok(outcome)) => tracing::info!(?outcome, "job ended"),
            // As on a full disk: the job stays as it is, and its work is continued at the next start.
            _ => tracing::error!("a job stopped; its folder could not be read or written"),
        }
    }
}

/// Deletes what belongs to jobs whose time is over, and a day later that there was one.
pub(super) async fn sweep(store: &ObjectStore, now: u64) -> Result<()> {
    for name in store.list(JOBS).await? {
        let Ok(id) = name.parse() else { continue };
        let keys = Keys::of(id);
        let record: Option<Record> = read_json(store, &keys.record()).await.unwrap_or_default();
        match record {
            Some(record) if now < record.expires_at => {}
            Some(record) if now < record.expires_at + REMEMBERED_S => {
                let folder = keys.folder();
                let names = store.list(&folder).await?;
                let all = names.iter().map(|name| format!("{folder}{name}"));
                let mut gone: Vec<String> = all.filter(|key| *key != keys.record()).collect();
                gone.push(keys.upload());
                store.delete(&gone).await?;
            }
            _ => forget(store, id).await?,
        }
    }
    Ok(())
}
