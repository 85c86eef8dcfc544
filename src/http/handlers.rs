//! The handlers of a segmentation, the models and the state of the service.

use super::headers::{Answer, acceptable_answers, tagged};
use super::intake::Payload;
use super::parameters::{RequestParams, SegmentParams};
use super::problem::{Problem, RequestId};
use super::types::ModelList;
use super::{OPENAPI, Service};
use crate::decode::{Input, open};
use crate::error::Error;
use crate::export::dicom_seg::encode_dicom_seg;
use crate::export::html::{HtmlOptions, encode_html};
use crate::export::montage::draw_montage;
use crate::export::warn_not_written;
use crate::png::encode_png;
use crate::report::write_report;
use crate::segmenter::{Analysis, Models, Segmenter};
use crate::stopwatch::Stopwatch;
use crate::telemetry::Measurements;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use image::DynamicImage;
use std::sync::Arc;
use std::time::SystemTime;

/// One accepted request, ready for a worker thread.
pub(super) struct Task {
    /// The files of one series.
    pub(super) images: Vec<Bytes>,
    pub(super) params: RequestParams,
    /// Forms of the answer that the client takes, best first.
    pub(super) answers: Vec<Answer>,
    pub(super) request_id: String,
}

pub(super) async fn segment(
    State(service): State<Arc<Service>>,
    request: Request,
) -> Result<Response, Problem> {
    segment_as(service, |request| SegmentParams::from_query(request.uri()), request).await
}

/// Segments the images of a request. `params` parses the parameters outside of its body.
pub(super) async fn segment_as(
    service: Arc<Service>,
    params: impl FnOnce(&Request) -> Result<SegmentParams, Problem>,
    request: Request,
) -> Result<Response, Problem> {
    let Ok(_admitted) = service.admitted.try_acquire() else { return Err(Error::Busy.into()) };
    let params = params(&request)?;
    // Errors outside of the body are reported before the body is read.
    let checked = params.clone().into_request()?;
    service.models.get(checked.model.as_deref())?;
    let answers = acceptable_answers(request.headers())?;
    let request_id = RequestId::of(&request);
    let payload = Payload::read(request, &service).await?;
    let params = params.with_body(payload.params)?.into_request()?;
    service.models.get(params.model.as_deref())?;
    let task = Task { images: payload.images, params, answers, request_id };
    let worker = Arc::clone(&service);
    run_when_free(&service, move || run(&worker, task).map(IntoResponse::into_response)).await
}

/// Runs blocking work on another thread, once fewer requests run than the limit.
pub(super) async fn run_when_free<T: Send + 'static>(
    service: &Service,
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let _running = service.running.acquire().await.map_err(|_| Error::Busy)?;
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Error::Internal("the worker stopped".into()).into()))
}

/// Media type of the report as HTML.
const HTML: &str = "text/html; charset=utf-8";

/// Content-Security-Policy of that report: nothing is loaded and nothing runs.
const REPORT_POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

/// The result of a task: its measurements, and the type and the bytes of the answer.
pub(super) struct TaskOutput {
    pub(super) measurements: Measurements,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

impl IntoResponse for TaskOutput {
    fn into_response(self) -> Response {
        let headers =
            [(header::CONTENT_TYPE, self.content_type), (header::CACHE_CONTROL, "no-store")];
        // A report has its styles inside, which the policy of the page forbids.
        let policy = (self.content_type == HTML)
            .then_some([(header::CONTENT_SECURITY_POLICY, REPORT_POLICY)]);
        (Extension(self.measurements), headers, policy, self.body).into_response()
    }
}

pub(super) fn run(service: &Service, task: Task) -> Result<TaskOutput, Problem> {
    let stopwatch = Stopwatch::start();
    let RequestParams { model, segment, include, language } = task.params;
    let model = service.models.get(model.as_deref())?;
    let files: Vec<&[u8]> = task.images.iter().map(|image| &image[..]).collect();
    let slices = open(Input::Files(&files), &service.limits.slice)?;
    let mut analysis = model.segment(slices, &segment, &stopwatch)?;
    let measurements = Measurements::new(model, &analysis);
    let (answer, seg) = choose_answer(&task.answers, model, &mut analysis)?;
    let (content_type, body) = match answer {
        Answer::Picture => ("image/png", encode_png(&picture(model, &analysis))?),
        Answer::DicomSeg => ("application/dicom", seg),
        Answer::Html => {
            let created_at = SystemTime::now();
            let options = HtmlOptions { language, patterns: include.patterns, created_at };
            (HTML, encode_html(model, &analysis, &options)?)
        }
        Answer::Json => {
            let report = write_report(model, analysis, include, &stopwatch)?
                .with_request_id(task.request_id);
            let json = serde_json::to_vec(&report).map_err(|e| Error::Internal(e.to_string()))?;
            ("application/json", json)
        }
    };
    check_answer(service, answer, &body)?;
    Ok(TaskOutput { measurements, content_type, body })
}

/// The first form in which the analysis can be returned, with the bytes of a segmentation object. Where that object
/// cannot be written for this input, the next form is used, and a warning in its report gives the reason.
fn choose_answer(
    answers: &[Answer],
    model: &Segmenter,
    analysis: &mut Analysis,
) -> Result<(Answer, Vec<u8>), Problem> {
    let mut refusal = None;
    for &answer in answers {
        if answer != Answer::DicomSeg {
            analysis
                .add_warnings(refusal.map(|error| warn_not_written("application/dicom", &error)));
            return Ok((answer, Vec::new()));
        }
        let (series, masks) = (&analysis.series, &analysis.masks);
        match encode_dicom_seg(model.spec(), series, masks, SystemTime::now()) {
            Ok(seg) => return Ok((answer, seg.bytes)),
            Err(error) if error.is_unprocessable() => refusal = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    let none = || ichor_core::Error::Internal("no acceptable form of the answer".into());
    Err(refusal.unwrap_or_else(none).into())
}

fn picture(model: &Segmenter, analysis: &Analysis) -> DynamicImage {
    match analysis.is_single_slice {
        true => model.overlay_of(analysis, 0),
        false => draw_montage(model, analysis).into(),
    }
}

/// Checks the size of an answer. Lambda transfers binary answers as base64 and JSON as a string with escaped quotes, and
/// the limit of the platform applies to that form and the headers.
fn check_answer(service: &Service, answer: Answer, body: &[u8]) -> Result<(), Problem> {
    const HEADER_BYTES: usize = 16 << 10;
    let Some(limit) = service.limits.max_answer_bytes else { return Ok(()) };
    let transferred = HEADER_BYTES
        + match answer {
            Answer::Picture | Answer::DicomSeg => body.len().div_ceil(3) * 4,
            Answer::Json | Answer::Html => {
                body.len() + body.iter().filter(|b| matches!(b, b'"' | b'\\')).count()
            }
        };
    if transferred <= limit {
        return Ok(());
    }
    let detail = format!(
        "The answer would take {transferred} bytes, and the limit is {limit}. Request fewer pictures, for example \
         with include=mask, or resample the slice to 512 x 512 px."
    );
    Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "answer_too_large", detail))
}

pub(super) async fn models(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let list = ModelList::from(service.as_ref());
    let json = serde_json::to_vec(&list).map_err(|e| Error::Internal(e.to_string()))?;
    Ok(tagged(&headers, "application/json", json))
}

pub(super) async fn card(
    State(service): State<Arc<Service>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let card = service.models.get(Some(&name))?.card().to_owned();
    Ok(tagged(&headers, "text/markdown; charset=utf-8", card))
}

pub(super) async fn openapi(headers: HeaderMap) -> Response {
    tagged(&headers, "application/json", OPENAPI)
}

pub(super) async fn live() -> Response {
    Json(serde_json::json!({"status": "live"})).into_response()
}

/// Builds the networks that are not built yet, on another thread.
pub(crate) async fn wait_until_built(models: &Arc<Models>) -> crate::error::Result<()> {
    if models.are_built() {
        return Ok(());
    }
    let models = Arc::clone(models);
    let built = tokio::task::spawn_blocking(move || models.build()).await;
    let stopped = |_| Error::Internal("a network could not be built".into());
    Ok(built.map_err(stopped)??)
}

/// Answers once every network is built.
pub(super) async fn ready(State(service): State<Arc<Service>>) -> Result<Response, Problem> {
    wait_until_built(&service.models).await?;
    let names: Vec<&str> = service.models.iter().map(|m| m.spec().name.as_str()).collect();
    Ok(Json(serde_json::json!({"status": "ready", "models": names})).into_response())
}

pub(super) async fn unknown() -> Problem {
    let detail = "No such route. GET /v1/openapi.json describes them all.";
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
}

pub(super) async fn wrong_method() -> Problem {
    let detail = "The route exists but not with this method. GET /v1/openapi.json describes it.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
