//! Uploads and jobs, for input that is too large for one request or takes too long.
//!
//! A client orders a job and uploads the file. `ichor serve` or the worker function then segments it slice by slice.
//! The report of a slice can be read as soon as it is finished, and the result after the last one. All data of a job is
//! in an [`ObjectStore`] under its identifier:
//!
//! | key | content |
//! |---|---|
//! | `uploads/ID` | the file, until the job has ended |
//! | `jobs/ID/job.json` | the order; without it there is no job |
//! | `jobs/ID/work.json` | how often work was started, and the number of slices |
//! | `jobs/ID/logits-0007` | the output of the network for a slice, until the job has ended |
//! | `jobs/ID/slice-0007.json` | the report of a slice |
//! | `jobs/ID/result.json`, `jobs/ID/problem.json` | the result, or why there is none |
//!
//! These keys are the only state, so that a worker may be killed at any time: the next one reads the finished slices
//! from the store and computes the rest. Identifiers are random and long; a client with one may read and delete the job.

pub mod dataset;
pub mod events;
mod keys;
mod local;
mod record;
mod status;
mod work;

pub use keys::JobId;
pub use local::{LocalJobs, MAX_LOCAL_JOBS};
pub use record::{Order, Record};
pub use status::{SliceLink, State, Status, rfc3339};
pub use work::{Outcome, Worker};

use crate::error::{Error, Result};
use crate::object_store::{Link, ObjectStore};
use keys::Keys;
use std::time::Duration;

/// Limits of uploads and jobs.
#[derive(Debug, Clone, Copy)]
pub struct JobLimits {
    /// Maximum size of an upload, bytes.
    pub max_upload_bytes: u64,
    /// Maximum size of a result inside the status, bytes; a larger result is only linked.
    pub max_inline_bytes: usize,
    /// Time after which all data of a job is deleted, s.
    pub lifetime_s: u64,
    /// Time within which the upload must start, and for which links are valid, s.
    pub link_s: u64,
}

impl Default for JobLimits {
    /// The limits of every service. 512 uncompressed slices of 512 x 512 px take 256 MiB and headers. A result
    /// inside the status, escaped, and a link for each of 512 slices together fit the answer of a Lambda function.
    fn default() -> Self {
        Self {
            max_upload_bytes: 320 << 20,
            max_inline_bytes: 1 << 20,
            lifetime_s: 86_400,
            link_s: 900,
        }
    }
}

/// The jobs of one service.
#[derive(Debug, Clone)]
pub struct Jobs {
    store: ObjectStore,
    limits: JobLimits,
}

/// A new job, which waits for its upload.
#[derive(Debug)]
pub struct NewJob {
    /// Its identifier.
    pub id: JobId,
    /// Where to send the file; `None` where the service receives it itself.
    pub upload: Option<Link>,
    /// When the upload must have started, s since 1970.
    pub upload_until: u64,
}

impl Jobs {
    /// Jobs in `store`.
    pub fn new(store: ObjectStore, limits: JobLimits) -> Self {
        Self { store, limits }
    }

    /// The limits of these jobs.
    pub fn limits(&self) -> &JobLimits {
        &self.limits
    }

    /// The store of the jobs.
    pub fn store(&self) -> &ObjectStore {
        &self.store
    }

    /// Stores the order, and returns where to upload the file. `now` is in s since 1970.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn create(&self, order: Order, now: u64) -> Result<NewJob> {
        let id = JobId::new();
        let keys = Keys::new(id);
        let valid = Duration::from_secs(self.limits.link_s);
        let upload = self
            .store
            .write_link(&keys.upload(), &order.content_type, order.size_bytes, valid)
            .await?;
        let record = Record { order, created_at: now, expires_at: now + self.limits.lifetime_s };
        self.store.put(&keys.record(), JSON, to_json(&record)?).await?;
        Ok(NewJob { id, upload, upload_until: now + self.limits.link_s })
    }

    /// The record of a job; `None` where there is no such job.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn record(&self, id: JobId) -> Result<Option<Record>> {
        read_json(&self.store, &Keys::new(id).record()).await
    }

    /// Deletes all data of a job; false where there is no such job.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn delete(&self, id: JobId) -> Result<bool> {
        if !self.store.exists(&Keys::new(id).record()).await? {
            return Ok(false);
        }
        delete_all(&self.store, id).await.map(|()| true)
    }
}

const JSON: &str = "application/json";

/// Deletes every object of a job. The record is deleted first, since a worker stops when it is missing.
async fn delete_all(store: &ObjectStore, id: JobId) -> Result<()> {
    let keys = Keys::new(id);
    store.delete(&[keys.record(), keys.upload()]).await?;
    let names = store.list(&keys.folder()).await?;
    let all: Vec<String> = names.iter().map(|name| format!("{}{name}", keys.folder())).collect();
    store.delete(&all).await
}

async fn read_json<T: serde::de::DeserializeOwned>(
    store: &ObjectStore,
    key: &str,
) -> Result<Option<T>> {
    let Some(bytes) = store.get(key).await? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|_| {
        // This program wrote the object: the disk is damaged, or another version wrote it.
        Error::Internal("an object of a job cannot be read".into())
    })
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::Internal(e.to_string()))
}
