//! The status of a job, from the keys that exist.

use super::keys::{Keys, PROBLEM, RESULT, slice_index};
use super::record::Progress;
use super::{JobId, Jobs, read_json};
use crate::error::Result;
use crate::slice::Warning;
use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::time::Duration;

/// State of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for its upload, or for a worker.
    Queued,
    /// Its slices are being computed.
    Running,
    /// Its result exists.
    Done,
    /// It ended without a result, for the reason in its problem.
    Failed,
    /// Its time has passed; its data is deleted.
    Expired,
}

/// The answer of `GET /v1/jobs/{id}`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Status {
    /// Identifier.
    pub id: String,
    /// State.
    pub state: State,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub expires_at: String,
    /// Finished slices and their total; `null` until the total is known.
    pub progress: Option<JobProgress>,
    /// Finished slices.
    pub slices: Vec<SliceLink>,
    /// The result, unless it is above the limit for results in the status.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<crate::report::SeriesReport>"))]
    pub result: Option<Box<RawValue>>,
    /// URL of the result, once it exists.
    pub result_url: Option<String>,
    /// Why it failed.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<crate::problem::ProblemBody<'_>>"))]
    pub error: Option<Value>,
    /// Cautions.
    pub warnings: Vec<Warning>,
}

/// Finished slices and their total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct JobProgress {
    /// Slices whose report exists.
    pub done: usize,
    /// Slices of the series.
    pub total: usize,
}

/// One finished slice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct SliceLink {
    /// Index in the series, from 0.
    pub index: usize,
    /// URL of its report.
    pub url: String,
}

impl Jobs {
    /// The status of a job, with links to its finished slices from index `after`; `None` where there is no such
    /// job. `now` is in s since 1970.
    ///
    /// # Errors
    /// [`crate::error::Error::Unavailable`].
    pub async fn status(&self, id: JobId, after: usize, now: u64) -> Result<Option<Status>> {
        let keys = Keys::new(id);
        let Some(record) = self.record(id).await? else { return Ok(None) };
        let mut status = Status {
            id: id.to_string(),
            state: State::Expired,
            created_at: rfc3339(record.created_at),
            expires_at: rfc3339(record.expires_at),
            progress: None,
            slices: Vec::new(),
            result: None,
            result_url: None,
            error: None,
            warnings: Vec::new(),
        };
        if now >= record.expires_at {
            return Ok(Some(status));
        }
        let names = self.store.list(&keys.folder()).await?;
        let has = |name: &str| names.iter().any(|n| n == name);
        let progress: Option<Progress> = read_json(&self.store, &keys.progress()).await?;
        let mut done: Vec<usize> = names.iter().filter_map(|n| slice_index(n)).collect();
        done.sort_unstable();
        status.progress =
            progress.and_then(|p| Some(JobProgress { done: done.len(), total: p.total? }));
        for index in done.into_iter().filter(|&index| index >= after) {
            let url = self.url(keys.slice(index), || format!("/v1/jobs/{id}/slices/{index}"));
            status.slices.push(SliceLink { index, url: url.await? });
        }
        status.warnings.extend(resumed_warning(progress));
        if has(RESULT) {
            status.state = State::Done;
            status.result = self.inline_result(keys).await?;
            let url = self.url(keys.result(), || format!("/v1/jobs/{id}/result"));
            status.result_url = Some(url.await?);
        } else if has(PROBLEM) {
            status.state = State::Failed;
            status.error = read_json(&self.store, &keys.problem()).await?;
        } else {
            status.state = if progress.is_some() { State::Running } else { State::Queued };
        }
        Ok(Some(status))
    }

    /// The report of one slice, JSON; `None` until it exists.
    ///
    /// # Errors
    /// [`crate::error::Error::Unavailable`].
    pub async fn slice(&self, id: JobId, index: usize) -> Result<Option<Vec<u8>>> {
        self.store.get(&Keys::new(id).slice(index)).await
    }

    /// The result, JSON; `None` until it exists.
    ///
    /// # Errors
    /// [`crate::error::Error::Unavailable`].
    pub async fn result(&self, id: JobId) -> Result<Option<Vec<u8>>> {
        self.store.get(&Keys::new(id).result()).await
    }

    async fn inline_result(&self, keys: Keys) -> Result<Option<Box<RawValue>>> {
        let bytes = self.store.get(&keys.result()).await?;
        let small = bytes.filter(|bytes| bytes.len() <= self.limits.max_inline_bytes);
        Ok(small.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    async fn url(&self, key: String, own: impl FnOnce() -> String) -> Result<String> {
        let valid = Duration::from_secs(self.limits.link_s);
        Ok(self.store.read_link(&key, valid).await?.map_or_else(own, |link| link.url))
    }
}

fn resumed_warning(progress: Option<Progress>) -> Option<Warning> {
    progress.filter(|p| p.attempts > 1).map(|_| {
        let message = "The work was interrupted and resumed; finished slices were kept.";
        Warning::new("resumed", message)
    })
}

/// A time in s since 1970 as RFC 3339, UTC.
pub fn rfc3339(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|s| DateTime::from_timestamp(s, 0));
    time.map(|t| t.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
}
