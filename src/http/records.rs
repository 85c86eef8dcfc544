//! JSON lines: many images in one body and one line of the answer per image, as batch transforms send them.

use super::Service;
use super::handlers::{Task, run, run_when_free};
use super::headers::{Answer, acceptable, same_type};
use super::intake::{Payload, max_files, read_body};
use super::parameters::{RequestParams, SegmentParams};
use super::problem::{Problem, RequestId};
use crate::error::Error;
use crate::segmenter::StageTimings;
use crate::telemetry::Measurements;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

const JSON_LINES: &str = "application/jsonlines";
/// Another name of the same type, which some clients use.
const X_JSON_LINES: &str = "application/x-jsonlines";

/// Whether the headers announce JSON lines.
pub(super) fn is_json_lines(headers: &HeaderMap) -> bool {
    same_type(headers, &[JSON_LINES, X_JSON_LINES])
}

/// Segments each line, `{"image": base64}` with optional parameters. The answer to a line that cannot be segmented is a
/// problem, so that one bad image does not fail a transform of a thousand.
pub(super) async fn segment_lines(
    service: Arc<Service>,
    params: SegmentParams,
    request: Request,
) -> Result<Response, Problem> {
    let Ok(_admitted) = service.admitted.try_acquire() else { return Err(Error::Busy.into()) };
    check_accept(request.headers())?;
    let defaults = params.clone().into_request()?;
    service.models.get(defaults.model.as_deref())?;
    let request_id = RequestId::of(&request);
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body, &service).await?;
    let records = records(&body, service.limits.max_records)?;
    let worker = Arc::clone(&service);
    run_when_free(&service, move || {
        Ok(Lines { service: &worker, params, defaults, request_id }.answer(&records))
    })
    .await
}

/// Checks that the client takes JSON lines. Batch transforms also name JSON for them.
fn check_accept(headers: &HeaderMap) -> Result<(), Problem> {
    if !acceptable(headers, &[JSON_LINES, X_JSON_LINES, "application/json"]).is_empty() {
        return Ok(());
    }
    let detail = "The answer to JSON lines is application/jsonlines. Name it in Accept, or leave Accept out.";
    Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail))
}

/// The lines that are not empty, at most `max` of them.
fn records(body: &Bytes, max: usize) -> Result<Vec<Bytes>, Problem> {
    let filled = |line: &&[u8]| !line.trim_ascii().is_empty();
    let count = body.split(|&byte| byte == b'\n').filter(filled).take(max + 1).count();
    if count == 0 {
        return Err(ichor_image::Error::EmptyInput.into());
    }
    if count > max {
        let detail = format!(
            "The body has more than the limit of {max} lines. Let the transform split its input by \
             line (SplitType Line), or send fewer at a time."
        );
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_records", detail));
    }
    let lines = body.split(|&byte| byte == b'\n').filter(filled);
    Ok(lines.map(|line| body.slice_ref(line)).collect())
}

struct Lines<'a> {
    service: &'a Service,
    params: SegmentParams,
    /// The parameters of a line that has none of its own.
    defaults: RequestParams,
    request_id: String,
}

impl Lines<'_> {
    /// Segments as many lines at the same time as the service does requests, so that the engine gets full batches.
    fn answer(&self, records: &[Bytes]) -> Response {
        let (next, answers) = (AtomicUsize::new(0), Mutex::new(vec![Vec::new(); records.len()]));
        let model = self.service.models.get(self.defaults.model.as_deref());
        let model = model.map_or_else(|_| String::new(), |model| model.spec().name.clone());
        let totals = Mutex::new(Measurements { model, slices: 0, stages: StageTimings::default() });
        std::thread::scope(|scope| {
            for _ in 0..records.len().min(self.service.limits.running) {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(record) = records.get(index) else { break };
                        let (line, measured) = self.line(index, record);
                        answers.lock().unwrap_or_else(PoisonError::into_inner)[index] = line;
                        if let Some(measured) = measured {
                            totals.lock().unwrap_or_else(PoisonError::into_inner).add(&measured);
                        }
                    }
                });
            }
        });
        let lines = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        let totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
        let headers = [(header::CONTENT_TYPE, JSON_LINES), (header::CACHE_CONTROL, "no-store")];
        (Extension(totals), headers, lines.concat()).into_response()
    }

    /// The answer to one line, with its line break.
    fn line(&self, index: usize, record: &Bytes) -> (Vec<u8>, Option<Measurements>) {
        let request_id = format!("{}-{}", self.request_id, index + 1);
        let output = Payload::from_json(record, max_files(self.service)).and_then(|payload| {
            let params = self.params.clone().with_body(payload.params)?.into_request()?;
            let (images, request_id) = (payload.images, request_id.clone());
            run(self.service, Task { images, params, answers: vec![Answer::Json], request_id })
        });
        let (mut line, measured) = match output {
            Ok(output) => (output.body, Some(output.measurements)),
            Err(problem) => (problem.body(&request_id).to_string().into_bytes(), None),
        };
        line.push(b'\n');
        (line, measured)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_lines_are_skipped_and_too_many_are_refused() {
        let body = Bytes::from_static(b"{\"a\":1}\r\n\n  \n{\"b\":2}");
        let found = records(&body, 2).unwrap();
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with(b"{\"a\"") && &found[1][..] == b"{\"b\":2}");
        assert_eq!(records(&body, 1).unwrap_err().code, "too_many_records");
        assert_eq!(records(&Bytes::from_static(b"\n \n"), 9).unwrap_err().code, "empty_body");
    }
}
