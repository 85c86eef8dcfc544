//! Uploads and jobs: what is too large for one request, or takes longer than one should.
//!
//! A client orders a job and uploads the bytes; the work is done by `ichor serve` itself or by the
//! worker function, slice by slice; each finished slice can be read at once, the whole result when
//! all are done. Everything of a job lies in an [`ObjectStore`] under its identifier:
//!
//! | key | what |
//! |---|---|
//! | `uploads/ID` | the bytes, until the job has ended |
//! | `jobs/ID/job.json` | the order; without it there is no job |
//! | `jobs/ID/work.json` | how often work began, and how many slices there are |
//! | `jobs/ID/logits-0007` | what the network said of a slice, until the job has ended |
//! | `jobs/ID/slice-0007.json` | the report of a slice |
//! | `jobs/ID/result.json`, `jobs/ID/problem.json` | how it ended |
//!
//! The state is read off these keys and nowhere else written down, so that a worker may be killed
//! at any point: the next one takes the finished slices from the store and computes the rest.
//! Identifiers are random and long; to know one is to be allowed to read and delete the job.

pub mod dataset;
pub mod events;
mod keys;
mod local;
mod record;
mod status;
mod work;

pub use keys::JobId;
pub use local::LocalJobs;
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
    /// Largest upload, bytes.
    pub max_upload_bytes: u64,
    /// Largest result that the status carries itself, bytes; a larger one is linked.
    pub max_inline_bytes: usize,
    /// Time after which a job and all that belongs to it are gone, s.
    pub lifetime_s: u64,
    /// Time in which the upload must begin, and for which links hold, s.
    pub link_s: u64,
}

/// The jobs of one service.
#[derive(Debug, Clone)]
pub struct Jobs {
    store: ObjectStore,
    limits: JobLimits,
}

/// A job that waits for its upload.
#[derive(Debug)]
pub struct Created {
    /// Its identifier.
    pub id: JobId,
    /// Where to send the bytes; `None` where the service takes them itself.
    pub upload: Option<Link>,
    /// Until when the upload must have begun, s since 1970.
    pub upload_until: u64,
}

impl Jobs {
    /// Jobs kept in `store`.
    pub fn new(store: ObjectStore, limits: JobLimits) -> Self {
        Self { store, limits }
    }

    /// The limits in force.
    pub fn limits(&self) -> &JobLimits {
        &self.limits
    }

    /// The store that the jobs are kept in.
    pub fn store(&self) -> &ObjectStore {
        &self.store
    }

    /// Writes the order down and says where the bytes go. `now` is in s since 1970.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn create(&self, order: Order, now: u64) -> Result<Created> {
        let id = JobId::new();
        let keys = Keys::of(id);
        let valid = Duration::from_secs(self.limits.link_s);
        let upload = self
            .store
            .write_link(&keys.upload(), &order.content_type, order.size_bytes, valid)
            .await?;
        let record = Record { order, created_at: now, expires_at: now + self.limits.lifetime_s };
        self.store.put(&keys.record(), JSON, to_json(&record)?).await?;
        Ok(Created { id, upload, upload_until: now + self.limits.link_s })
    }

    /// The order of a job; `None` for one that is not there.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn record(&self, id: JobId) -> Result<Option<Record>> {
        read_json(&self.store, &Keys::of(id).record()).await
    }

    /// Deletes all that belongs to a job; false if there was none.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn delete(&self, id: JobId) -> Result<bool> {
        if !self.store.exists(&Keys::of(id).record()).await? {
            return Ok(false);
        }
        forget(&self.store, id).await.map(|()| true)
    }
}

const JSON: &str = "application/json";

/// Deletes every object of a job; the order first, which is what tells a worker to stop.
async fn forget(store: &ObjectStore, id: JobId) -> Result<()> {
    let keys = Keys::of(id);
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
        // Written by this program: another version of it, or a damaged disk.
        Error::Internal("an object of a job cannot be read".into())
    })
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::Internal(e.to_string()))
}
