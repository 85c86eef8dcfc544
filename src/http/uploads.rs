//! The handlers of uploads: the order of one, and its bytes where this process receives them itself.

use super::headers::{ContentLength, HeaderMapExt, is_json, same_type, upload_media_type};
use super::jobs::{job_backend, job_not_found, now};
use super::json_body::ParameterValue;
use super::parameters::{PARAMETERS, SegmentParams, Source};
use super::problem::Problem;
use super::{JobBackend, Service};
use crate::jobs::{JobId, Jobs, Order, rfc3339};
use crate::object_store::Link;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The body of `POST /v1/uploads`; the parameters are those of the query of `/v1/segment`.
#[derive(Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct UploadOrder {
    content_type: Option<String>,
    size_bytes: u64,
    #[cfg_attr(feature = "schemas", schemars(with = "Option<String>"))]
    model: Option<ParameterValue>,
    #[cfg_attr(feature = "schemas", schemars(with = "Option<f32>"))]
    threshold: Option<ParameterValue>,
    #[cfg_attr(feature = "schemas", schemars(with = "Option<String>"))]
    window: Option<ParameterValue>,
    #[cfg_attr(feature = "schemas", schemars(with = "Option<String>"))]
    include: Option<ParameterValue>,
    #[cfg_attr(feature = "schemas", schemars(with = "Option<bool>"))]
    as_series: Option<ParameterValue>,
    #[cfg_attr(feature = "schemas", schemars(with = "Option<u32>"))]
    series: Option<ParameterValue>,
    #[cfg_attr(feature = "schemas", schemars(with = "Option<bool>"))]
    patterns: Option<ParameterValue>,
}

impl UploadOrder {
    fn params(&self) -> Result<SegmentParams, Problem> {
        let Self { model, threshold, window, include, as_series, series, patterns, .. } = self;
        // Without `language`, as the result of a job is JSON.
        let values = [model, threshold, window, include, as_series, series, patterns];
        let mut params = SegmentParams::default();
        for (name, value) in PARAMETERS.into_iter().zip(values) {
            if let Some(ParameterValue::Text(text)) = value {
                params.set(Source::Json, name, text)?;
            }
        }
        Ok(params)
    }
}

/// The answer of `POST /v1/uploads`.
#[derive(Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub(super) struct UploadAnswer {
    job_id: String,
    upload: UploadTarget,
    job_url: String,
}

/// The request that uploads the file.
#[derive(Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
struct UploadTarget {
    method: &'static str,
    url: String,
    headers: BTreeMap<String, String>,
    size_bytes: u64,
    /// RFC 3339, UTC.
    expires_at: String,
}

pub(super) async fn create_upload(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let backend = job_backend(&service)?;
    let order = read_order(&headers, body)?;
    let order = validate_order(&service, backend.jobs(), order)?;
    let (content_type, size_bytes) = (order.content_type.clone(), order.size_bytes);
    let created = backend.create(order, now()).await?;
    let id = created.id;
    let link = created.upload.unwrap_or_else(|| own_link(id, &content_type));
    let job_url = format!("/v1/jobs/{id}");
    let body = UploadAnswer {
        job_id: id.to_string(),
        upload: UploadTarget {
            method: "PUT",
            url: link.url,
            headers: link.headers.into_iter().collect(),
            size_bytes,
            expires_at: rfc3339(created.upload_until),
        },
        job_url: job_url.clone(),
    };
    let location = [(header::LOCATION, job_url), (header::CACHE_CONTROL, "no-store".to_owned())];
    Ok((StatusCode::CREATED, location, Json(body)).into_response())
}

fn own_link(id: JobId, content_type: &str) -> Link {
    Link {
        url: format!("/v1/uploads/{id}"),
        headers: vec![("content-type".to_owned(), content_type.to_owned())],
    }
}

/// Parses an order. Its body is far below the default limit of axum.
fn read_order(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<UploadOrder, Problem> {
    let refuse = |status, code, reason: &str| {
        let detail = format!(
            "The order cannot be parsed: {reason}. Send JSON {{\"content_type\": \"application/zip\", \
             \"size_bytes\": 1234}} and, optionally, {}.",
            PARAMETERS.join(", ")
        );
        Problem::new(status, code, detail)
    };
    if !is_json(headers) {
        let reason = "its Content-Type is not application/json";
        return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", reason));
    }
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let reason = "it is too long; send the file itself to the URL in the answer";
            refuse(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", reason)
        }
        _ => refuse(StatusCode::BAD_REQUEST, "invalid_json", "it ended too early"),
    })?;
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&body);
    serde_json::from_slice(body)
        .map_err(|error| refuse(StatusCode::BAD_REQUEST, "invalid_json", &error.to_string()))
}

fn validate_order(service: &Service, jobs: &Jobs, order: UploadOrder) -> Result<Order, Problem> {
    let wanted = order.params()?.into_request()?;
    let model = service.models.get(wanted.model.as_deref())?.spec().name.clone();
    let content_type = upload_media_type(order.content_type.as_deref())?;
    let size_bytes = order.size_bytes;
    if size_bytes == 0 {
        return Err(ichor_image::Error::EmptyInput.into());
    }
    let limit = jobs.limits().max_upload_bytes;
    if size_bytes > limit {
        let detail = format!(
            "size_bytes is above the limit of {limit} bytes. Pack the series as a zip of compressed slices, \
             or run `ichor segment` on your own machine."
        );
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail));
    }
    Ok(Order { content_type, size_bytes, model, request: wanted.segment, include: wanted.include })
}

/// Receives the bytes of an upload, where this process keeps the jobs.
pub(super) async fn receive_upload(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let JobBackend::Local(local) = job_backend(&service)? else { return Err(job_not_found()) };
    let id = id.parse().map_err(|()| job_not_found())?;
    let record = local.jobs().record(id).await?.ok_or_else(job_not_found)?;
    let now = now();
    if now >= record.created_at + local.jobs().limits().link_s {
        let detail = "The time for this upload has expired. Order a new one with POST /v1/uploads.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "upload_expired", detail));
    }
    let (parts, body) = request.into_parts();
    check_headers(&parts.headers, &record.order)?;
    // A client that did not get the answer sends the file again; the first upload stays.
    if local.has_upload(id).await? {
        return Ok(StatusCode::OK.into_response());
    }
    let size = record.order.size_bytes;
    let mut incoming = local.receive(id).await?;
    let mut received = 0;
    let mut body = body;
    while let Some(data) = next_piece(&mut body, &service).await? {
        received += data.len() as u64;
        if received > size {
            return Err(wrong_size(size));
        }
        incoming.write(&data).await?;
    }
    if received != size {
        return Err(wrong_size(size));
    }
    incoming.finish().await?;
    local.enqueue(id).await?;
    Ok(StatusCode::OK.into_response())
}

async fn next_piece(body: &mut Body, service: &Service) -> Result<Option<Bytes>, Problem> {
    loop {
        let frame = tokio::time::timeout(service.limits.body_timeout, body.frame());
        let frame = frame.await.map_err(|_| {
            let detail = "No data arrived for too long. Send the upload again.";
            Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail)
        })?;
        match frame {
            None => return Ok(None),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(_)) => {
                let detail = "The upload ended too early. Send it again.";
                return Err(Problem::new(StatusCode::BAD_REQUEST, "incomplete_body", detail));
            }
        }
    }
}

fn check_headers(headers: &HeaderMap, order: &Order) -> Result<(), Problem> {
    if !same_type(headers, &[&order.content_type]) {
        let detail = format!(
            "The order was for {}. Send that Content-Type, or order another upload.",
            order.content_type
        );
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, "upload_mismatch", detail));
    }
    match headers.typed_get() {
        Some(ContentLength(length)) if length != order.size_bytes => {
            Err(wrong_size(order.size_bytes))
        }
        _ => Ok(()),
    }
}

fn wrong_size(size: u64) -> Problem {
    let detail =
        format!("The order was for {size} bytes. Send exactly that many, or order another upload.");
    Problem::new(StatusCode::BAD_REQUEST, "upload_mismatch", detail)
}
