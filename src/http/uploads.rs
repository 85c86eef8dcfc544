//! The handlers of uploads: the order, and the bytes where this process takes them itself.

use super::headers::{ContentLength, HeaderMapExt, is_json, of_upload, same_type};
use super::jobs::{desk, no_such_job, now};
use super::json_body::Word;
use super::parameters::{PARAMETERS, Place, SegmentParams};
use super::problem::Problem;
use super::{Desk, Service};
use crate::jobs::{JobId, Jobs, Order, rfc3339};
use crate::object_store::Link;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// The body of `POST /v1/uploads`; the parameters are those of the query of `/v1/segment`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UploadOrder {
    content_type: Option<String>,
    size_bytes: u64,
    model: Option<Word>,
    threshold: Option<Word>,
    window: Option<Word>,
    include: Option<Word>,
    as_series: Option<Word>,
    series: Option<Word>,
}

impl UploadOrder {
    fn params(&self) -> Result<SegmentParams, Problem> {
        let Self { model, threshold, window, include, as_series, series, .. } = self;
        let words = [model, threshold, window, include, as_series, series];
        let mut params = SegmentParams::default();
        for (name, word) in PARAMETERS.into_iter().zip(words) {
            if let Some(Word::Text(text)) = word {
                params.set(Place::Json, name, text)?;
            }
        }
        Ok(params)
    }
}

pub(super) async fn create_upload(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let desk = desk(&service)?;
    let order = read_order(&headers, body)?;
    let order = checked(&service, desk.jobs(), order)?;
    let (content_type, size_bytes) = (order.content_type.clone(), order.size_bytes);
    let created = desk.create(order, now()).await?;
    let id = created.id;
    let link = created.upload.unwrap_or_else(|| own_link(id, &content_type));
    let headers: serde_json::Map<_, _> =
        link.headers.into_iter().map(|(name, value)| (name, value.into())).collect();
    let job_url = format!("/v1/jobs/{id}");
    let body = json!({
        "job_id": id.to_string(),
        "upload": {
            "method": "PUT",
            "url": link.url,
            "headers": headers,
            "size_bytes": size_bytes,
            "expires_at": rfc3339(created.upload_until),
        },
        "job_url": job_url,
    });
    let location = [(header::LOCATION, job_url), (header::CACHE_CONTROL, "no-store".to_owned())];
    Ok((StatusCode::CREATED, location, Json(body)).into_response())
}

fn own_link(id: JobId, content_type: &str) -> Link {
    Link {
        url: format!("/v1/uploads/{id}"),
        headers: vec![("content-type".to_owned(), content_type.to_owned())],
    }
}

/// Reads an order, whose body is far below the limit that axum sets.
fn read_order(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<UploadOrder, Problem> {
    let refuse = |status, code, reason: &str| {
        let detail = format!(
            "The order cannot be read: {reason}. Send JSON {{\"content_type\": \"application/zip\", \
             \"size_bytes\": 1234}} and, if wanted, {}.",
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
            let reason = "it is too long; the file itself goes to the address of the answer";
            refuse(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", reason)
        }
        _ => refuse(StatusCode::BAD_REQUEST, "invalid_json", "it broke off"),
    })?;
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&body);
    serde_json::from_slice(body)
        .map_err(|error| refuse(StatusCode::BAD_REQUEST, "invalid_json", &error.to_string()))
}

fn checked(service: &Service, jobs: &Jobs, order: UploadOrder) -> Result<Order, Problem> {
    let wanted = order.params()?.into_request()?;
    let model = service.models.get(wanted.model.as_deref())?.spec().name.clone();
    let content_type = of_upload(order.content_type.as_deref())?;
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
    Ok(Order { content_type, size_bytes, model, options: wanted.options, include: wanted.include })
}

/// The bytes of a job, where this process keeps them.
pub(super) async fn receive_upload(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let Desk::Local(local) = desk(&service)? else { return Err(no_such_job()) };
    let id = id.parse().map_err(|()| no_such_job())?;
    let record = local.jobs().record(id).await?.ok_or_else(no_such_job)?;
    let now = now();
    if now >= record.created_at + local.jobs().limits().link_s {
        let detail = "The time for this upload is over. Order a new one with POST /v1/uploads.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "upload_expired", detail));
    }
    let (parts, body) = request.into_parts();
    check_headers(&parts.headers, &record.order)?;
    // A client that lost the answer sends again; what has arrived stays.
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
            let detail = "The upload stood still for too long. Send it again.";
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
                let detail = "The upload broke off. Send it again.";
                return Err(Problem::new(StatusCode::BAD_REQUEST, "incomplete_body", detail));
            }
        }
    }
}

fn check_headers(headers: &HeaderMap, order: &Order) -> Result<(), Problem> {
    if !same_type(headers, &[&order.content_type]) {
        let detail =
            format!("The order was for {}; send that as Content-Type.", order.content_type);
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
        format!("The order was for {size} bytes. Send exactly these, or order another upload.");
    Problem::new(StatusCode::BAD_REQUEST, "upload_mismatch", detail)
}
