//! Where the jobs of a service are kept, and the handlers that tell of them.

use super::Service;
use super::problem::Problem;
use crate::error::Error;
use crate::jobs::{Created, JobId, Jobs, LocalJobs, Order, State as JobState};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the jobs of a service are kept and who does the work.
#[derive(Debug)]
pub enum Desk {
    /// This process, in a folder.
    Local(LocalJobs),
    /// A worker function, in a bucket.
    Cloud(Jobs),
}

impl Desk {
    pub(super) fn jobs(&self) -> &Jobs {
        match self {
            Self::Local(local) => local.jobs(),
            Self::Cloud(jobs) => jobs,
        }
    }

    pub(super) async fn create(&self, order: Order, now: u64) -> Result<Created, Problem> {
        match self {
            Self::Cloud(jobs) => Ok(jobs.create(order, now).await?),
            Self::Local(local) => local.create(order, now).await?.ok_or_else(|| {
                let detail = "All places for jobs are taken. Delete jobs whose results you have, or come back \
                              after the time in Retry-After.";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).after(60)
            }),
        }
    }
}

/// Time, s since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

/// The query of `GET /v1/jobs/{id}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobQuery {
    #[serde(default)]
    after: usize,
}

pub(super) async fn job(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    query: Result<Query<JobQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|_| {
        Error::InvalidParameter("The query takes after, the first index of slices wanted.".into())
    })?;
    let id = id.parse().map_err(|()| no_such_job())?;
    let jobs = desk(&service)?.jobs();
    let status = jobs.status(id, query.after, now()).await?.ok_or_else(no_such_job)?;
    let ended = !matches!(status.state, JobState::Queued | JobState::Running);
    let code = if ended { StatusCode::OK } else { StatusCode::ACCEPTED };
    let mut response = (code, [(header::CACHE_CONTROL, "no-store")], Json(status)).into_response();
    if !ended {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    Ok(response)
}

pub(super) async fn job_result(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = id.parse().map_err(|()| no_such_job())?;
    json_answer(alive(&service, id).await?.result(id).await?)
}

pub(super) async fn job_slice(
    State(service): State<Arc<Service>>,
    Path((id, index)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let id = id.parse().map_err(|()| no_such_job())?;
    let index = index.parse().map_err(|_| not_yet())?;
    json_answer(alive(&service, id).await?.slice(id, index).await?)
}

/// The local jobs, if the job is there and its time not over. On AWS links lead to the bucket.
async fn alive(service: &Service, id: JobId) -> Result<&Jobs, Problem> {
    let Desk::Local(local) = desk(service)? else { return Err(no_such_job()) };
    let record = local.jobs().record(id).await?.filter(|record| now() < record.expires_at);
    record.map(|_| local.jobs()).ok_or_else(no_such_job)
}

fn json_answer(object: Option<Vec<u8>>) -> Result<Response, Problem> {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    object.map(|json| (headers, json).into_response()).ok_or_else(not_yet)
}

pub(super) async fn delete_job(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = id.parse().map_err(|()| no_such_job())?;
    let deleted = desk(&service)?.jobs().delete(id).await?;
    deleted.then_some(StatusCode::NO_CONTENT).ok_or_else(no_such_job)
}

pub(super) fn desk(service: &Service) -> Result<&Desk, Problem> {
    service.desk.as_ref().ok_or_else(|| {
        let detail = "This service takes no uploads. Send one image with POST /v1/segment.";
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
    })
}

pub(super) fn no_such_job() -> Problem {
    let detail = "There is no such job; it may have been deleted, or its day is over. Order a new one with \
                  POST /v1/uploads.";
    Problem::new(StatusCode::NOT_FOUND, "job_not_found", detail)
}

fn not_yet() -> Problem {
    let detail = "This part of the job is not there. GET /v1/jobs/{id} lists what is.";
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
}
