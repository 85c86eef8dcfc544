//! JSON lines: many images in one body, a line of the answer for each, as batch transforms send them.

use super::Service;
use super::handlers::{Job, in_turn, run};
use super::intake::{Payload, max_files, read_body};
use super::log::Measured;
use super::negotiate::Answer;
use super::parameters::{SegmentParams, SegmentRequest};
use super::problem::{Problem, RequestId};
use crate::error::Error;
use crate::segmenter::StageTimings;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

const JSON_LINES: &str = "application/jsonlines";

/// Whether the body is one; the second name is in use, too.
pub(super) fn is_json_lines(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == JSON_LINES || kind == "application/x-jsonlines"
}

/// Segments each line, `{"image": base64}` with its own parameters where it names any. A line that cannot be read gets a problem for its answer,
/// and the others theirs: a transform of a thousand images does not fail by one.
pub(super) async fn segment_lines(
    service: Arc<Service>,
    params: SegmentParams,
    request: Request,
) -> Result<Response, Problem> {
    let Ok(_admitted) = service.admitted.try_acquire() else { return Err(Error::Busy.into()) };
    accepts(request.headers())?;
    let wanted = params.clone().into_request()?;
    service.models.get(wanted.model.as_deref())?;
    let request_id = RequestId::of(&request);
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body, &service).await?;
    let records = records(&body, service.limits.max_records)?;
    let worker = Arc::clone(&service);
    in_turn(&service, move || {
        Ok(Lines { service: &worker, params, wanted, request_id }.answer(&records))
    })
    .await
}

/// The answer has one form.
fn accepts(headers: &HeaderMap) -> Result<(), Problem> {
    let accept = headers.get(header::ACCEPT).map_or("*/*", |v| v.to_str().unwrap_or_default());
    let mut wanted = accept.split(',').map(|t| t.split(';').next().unwrap_or_default().trim());
    let known = [JSON_LINES, "application/x-jsonlines", "application/json", "application/*", "*/*"];
    if wanted.any(|kind| known.contains(&kind.to_ascii_lowercase().as_str())) {
        return Ok(());
    }
    let detail =
        "JSON lines are answered by application/jsonlines. Name it in Accept, or leave it out.";
    Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail))
}

/// The lines that hold something.
fn records(body: &Bytes, most: usize) -> Result<Vec<Bytes>, Problem> {
    let filled = |line: &&[u8]| !line.trim_ascii().is_empty();
    let count = body.split(|&byte| byte == b'\n').filter(filled).take(most + 1).count();
    if count == 0 {
        return Err(ichor_image::Error::EmptyInput.into());
    }
    if count > most {
        let detail = format!(
            "The body holds more than the limit of {most} lines. Let the transform split its input by \
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
    /// What a line without parameters asks for.
    wanted: SegmentRequest,
    request_id: String,
}

impl Lines<'_> {
    /// Works on as many lines at a time as the service does on requests, so that they meet in batches.
    fn answer(&self, records: &[Bytes]) -> Response {
        let (next, answers) = (AtomicUsize::new(0), Mutex::new(vec![Vec::new(); records.len()]));
        let measured = Mutex::new((0, StageTimings::default()));
        std::thread::scope(|scope| {
            for _ in 0..records.len().min(self.service.limits.running) {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(record) = records.get(index) else { break };
                        let (line, of_line) = self.line(index, record);
                        answers.lock().unwrap_or_else(PoisonError::into_inner)[index] = line;
                        if let Some(Measured { slices, stages, .. }) = of_line {
                            let mut sum = measured.lock().unwrap_or_else(PoisonError::into_inner);
                            *sum = (sum.0 + slices, sum.1 + stages);
                        }
                    }
                });
            }
        });
        let lines = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (slices, stages) = measured.into_inner().unwrap_or_else(PoisonError::into_inner);
        let model = self.wanted.model.as_deref();
        let model = self
            .service
            .models
            .get(model)
            .map_or_else(|_| String::new(), |m| m.spec().name.clone());
        let headers = [(header::CONTENT_TYPE, JSON_LINES), (header::CACHE_CONTROL, "no-store")];
        (Extension(Measured { model, slices, stages }), headers, lines.concat()).into_response()
    }

    /// The answer of one line, with the break after it.
    fn line(&self, index: usize, record: &Bytes) -> (Vec<u8>, Option<Measured>) {
        let request_id = format!("{}-{}", self.request_id, index + 1);
        let ended = Payload::from_json(record, max_files(self.service)).and_then(|payload| {
            let wanted = self.params.clone().with_body(payload.params)?.into_request()?;
            let (images, request_id) = (payload.images, request_id.clone());
            run(self.service, Job { images, wanted, answers: vec![Answer::Json], request_id })
        });
        let (mut line, measured) = match ended {
            Ok(ended) => (ended.body, Some(ended.measured)),
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
    fn empty_lines_are_none_and_too_many_are_refused() {
        let body = Bytes::from_static(b"{\"a\":1}\r\n\n  \n{\"b\":2}");
        let found = records(&body, 2).unwrap();
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with(b"{\"a\"") && &found[1][..] == b"{\"b\":2}");
        assert_eq!(records(&body, 1).unwrap_err().code, "too_many_records");
        assert_eq!(records(&Bytes::from_static(b"\n \n"), 9).unwrap_err().code, "empty_body");
    }
}
