//! The place of a service's jobs, and the handlers that report on jobs.

use super::Service;
use super::problem::Problem;
use crate::error::Error;
use crate::jobs::{JobId, Jobs, LocalJobs, NewJob, Order, State as JobState};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where a service keeps its jobs, and which process works on them.
#[derive(Debug)]
pub enum JobBackend {
    /// In a folder, worked on by this process.
    Local(LocalJobs),
    /// In a bucket, worked on by the worker function.
    Cloud(Jobs),
}

impl JobBackend {
    pub(super) fn jobs(&self) -> &Jobs {
        match self {
            Self::Local(local) => local.jobs(),
            Self::Cloud(jobs) => jobs,
        }
    }

    pub(super) async fn create(&self, order: Order, now: u64) -> Result<NewJob, Problem> {
        match self {
            Self::Cloud(jobs) => Ok(jobs.create(order, now).await?),
            Self::Local(local) => local.create(order, now).await?.ok_or_else(|| {
                let detail = "The maximum number of jobs is reached. Delete jobs whose results you have, or send \
                              the request again after the time in Retry-After.";
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
    let id = id.parse().map_err(|()| job_not_found())?;
    let jobs = job_backend(&service)?.jobs();
    let status = jobs.status(id, query.after, now()).await?.ok_or_else(job_not_found)?;
    let has_ended = !matches!(status.state, JobState::Queued | JobState::Running);
    let code = if has_ended { StatusCode::OK } else { StatusCode::ACCEPTED };
    let mut response = (code, [(header::CACHE_CONTROL, "no-store")], Json(status)).into_response();
    if !has_ended {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    Ok(response)
}

pub(super) async fn job_result(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = id.parse().map_err(|()| job_not_found())?;
    json_answer(live_jobs(&service, id).await?.result(id).await?)
}

pub(super) async fn job_slice(
    State(service): State<Arc<Service>>,
    Path((id, index)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let id = id.parse().map_err(|()| job_not_found())?;
    let index = index.parse().map_err(|_| part_not_found())?;
    json_answer(live_jobs(&service, id).await?.slice(id, index).await?)
}

/// The local jobs, if this job exists and has not expired. On AWS, links lead to the bucket instead.
async fn live_jobs(service: &Service, id: JobId) -> Result<&Jobs, Problem> {
    let JobBackend::Local(local) = job_backend(service)? else { return Err(job_not_found()) };
    let record = local.jobs().record(id).await?.filter(|record| now() < record.expires_at);
    record.map(|_| local.jobs()).ok_or_else(job_not_found)
}

fn json_answer(object: Option<Vec<u8>>) -> Result<Response, Problem> {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    object.map(|json| (headers, json).into_response()).ok_or_else(part_not_found)
}

pub(super) async fn delete_job(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = id.parse().map_err(|()| job_not_found())?;
    let deleted = job_backend(&service)?.jobs().delete(id).await?;
    deleted.then_some(StatusCode::NO_CONTENT).ok_or_else(job_not_found)
}

pub(super) fn job_backend(service: &Service) -> Result<&JobBackend, Problem> {
    service.job_backend.as_ref().ok_or_else(|| {
        let detail = "This service accepts no uploads. Send one image with POST /v1/segment.";
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
    })
}

pub(super) fn job_not_found() -> Problem {
    let detail = "There is no such job: it was deleted, or it has expired. Order a new one with \
                  POST /v1/uploads.";
    Problem::new(StatusCode::NOT_FOUND, "job_not_found", detail)
}

fn part_not_found() -> Problem {
    let detail =
        "The job does not have this part yet. GET /v1/jobs/{id} lists the parts that exist.";
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
}
