//! Uploads and jobs by their requests and responses, stored in a local folder.

use crate::api::assert_shape;
use crate::archives::zip_of;
use crate::fixtures::{
    BLEED, NO_BLEED, json, models, models_that_empty_series, post, sample, send, send_to,
};
use axum::body::Body;
use axum::http::Request;
use ichor::decode::Limits;
use ichor::engine::Logits;
use ichor::http::{JobBackend, OPENAPI, Service, ServiceLimits};
use ichor::jobs::{JobId, JobLimits, LocalJobs, Order, Outcome, State, Worker};
use ichor::object_store::DirObjects;
use ichor::report::Include;
use ichor::segmenter::{Models, SegmentRequest};
use serde_json::{Value, json as value};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::runtime::Handle;

fn shared_models() -> Arc<Models> {
    static MODELS: OnceLock<Arc<Models>> = OnceLock::new();
    Arc::clone(MODELS.get_or_init(|| Arc::new(models())))
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

async fn local(folder: &Path, limits: JobLimits, max_open: usize, clock: fn() -> u64) -> LocalJobs {
    let store = DirObjects::open(folder).unwrap();
    let slice = ServiceLimits::local().slice;
    LocalJobs::start(store, limits, max_open, shared_models(), slice, clock).await.unwrap()
}

fn service_of(jobs: LocalJobs) -> Arc<Service> {
    Service::with_jobs(shared_models(), ServiceLimits::local(), Some(JobBackend::Local(jobs)), None)
}

async fn service(folder: &Path) -> Arc<Service> {
    service_of(local(folder, JobLimits::default(), 8, now).await)
}

fn request(method: &str, path: &str, kind: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("content-type", kind);
    request.body(body.into()).unwrap()
}

fn order(body: &Value) -> Request<Body> {
    request("POST", "/v1/uploads", "application/json", body.to_string())
}

async fn ordered(service: &Arc<Service>, body: &Value) -> Value {
    let (status, response) = send_to(service.clone(), order(body)).await;
    assert_eq!(status, 201);
    json(response).await
}

async fn uploaded(service: &Arc<Service>, content: &[u8], kind: &str, include: &str) -> String {
    let size = content.len();
    let body =
        value!({"content_type": kind, "size_bytes": size, "include": include, "as_series": true});
    let order = ordered(service, &body).await;
    let put = request("PUT", order["upload"]["url"].as_str().unwrap(), kind, content.to_vec());
    assert_eq!(send_to(service.clone(), put).await.0, 200);
    order["job_url"].as_str().unwrap().to_owned()
}

async fn get(service: &Arc<Service>, path: &str) -> (u16, Value) {
    let (status, response) = send_to(service.clone(), request("GET", path, "", "")).await;
    (status.as_u16(), json(response).await)
}

async fn ended(service: &Arc<Service>, job_url: &str) -> Value {
    for _ in 0..1200 {
        let (status, job) = get(service, job_url).await;
        match status {
            202 => tokio::time::sleep(Duration::from_millis(50)).await,
            200 => return job,
            _ => panic!("{status}: {job}"),
        }
    }
    panic!("the job did not end")
}

/// The report without the values that differ from run to run.
fn without_times_and_ids(mut report: Value) -> Value {
    let fields = report.as_object_mut().unwrap();
    fields.remove("timings_ms").unwrap();
    fields.remove("request_id").unwrap();
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_reports_each_slice_and_returns_the_report_of_segment() {
    let folder = tempfile::tempdir().unwrap();
    let service = service(folder.path()).await;
    let content = zip_of(&[BLEED, NO_BLEED]);
    let body = value!({"content_type": "application/zip", "size_bytes": content.len(), "include": "mask,every_slice"});
    let order = ordered(&service, &body).await;
    let job_url = order["job_url"].as_str().unwrap();
    let (status, waiting) = get(&service, job_url).await;
    assert_eq!(
        (status, &waiting["state"], &waiting["progress"]),
        (202, &value!("queued"), &Value::Null)
    );
    let put = order["upload"]["url"].as_str().unwrap();
    for _ in 0..2 {
        // Twice: a client that did not receive the response sends again.
        let put = request("PUT", put, "application/zip", content.clone());
        assert_eq!(send_to(service.clone(), put).await.0, 200);
    }
    let job = ended(&service, job_url).await;
    assert_eq!(
        (&job["state"], &job["progress"]),
        (&value!("done"), &value!({"done": 2, "total": 2}))
    );
    let mut slices = Vec::new();
    for link in job["slices"].as_array().unwrap() {
        let (status, report) = get(&service, link["url"].as_str().unwrap()).await;
        assert_eq!((status, &report["index"]), (200, &link["index"]));
        assert!(report["mask"]["base64"].is_string(), "every slice has its picture");
        slices.push(report);
    }
    assert_eq!(
        get(&service, &format!("{job_url}?after=1")).await.1["slices"].as_array().unwrap().len(),
        1
    );
    let (_, result) = get(&service, job["result_url"].as_str().unwrap()).await;
    assert_eq!(result, job["result"]);
    let direct = json(send(post("?include=", "application/zip", content)).await.1).await;
    assert_eq!(without_times_and_ids(result), without_times_and_ids(direct));

    let schemas: Value = serde_json::from_str(OPENAPI).unwrap();
    let schemas = &schemas["components"]["schemas"];
    assert_shape(schemas, &schemas["Upload"], &order, "Upload");
    assert_shape(schemas, &schemas["Job"], &job, "Job");
    assert_shape(schemas, &schemas["PartialReport"], &slices[0], "PartialReport");

    assert!(!folder.path().join(&put[4..]).exists(), "the pixels are gone with the end");
    let delete = || request("DELETE", job_url, "", "");
    assert_eq!(send_to(service.clone(), delete()).await.0, 204);
    assert_eq!(send_to(service.clone(), delete()).await.0, 404);
    assert_eq!(get(&service, job_url).await.0, 404);
    assert_eq!(files_below(folder.path()), 0);
}

/// The series of this model empties every mask, so that the report of each slice changes at the end.
#[tokio::test(flavor = "multi_thread")]
async fn reports_of_slices_that_the_series_empties_are_written_again() {
    let models = Arc::new(models_that_empty_series());
    let folder = tempfile::tempdir().unwrap();
    let store = DirObjects::open(folder.path()).unwrap();
    let (limits, slice) = (JobLimits::default(), ServiceLimits::local().slice);
    let jobs = LocalJobs::start(store, limits, 8, models.clone(), slice, now).await.unwrap();
    let service =
        Service::with_jobs(models, ServiceLimits::local(), Some(JobBackend::Local(jobs)), None);
    let content = zip_of(&[NO_BLEED, BLEED, NO_BLEED]);
    let job_url = uploaded(&service, &content, "application/zip", "mask").await;
    let job = ended(&service, &job_url).await;
    assert_eq!(job["result"]["hemorrhage"]["detected"], false);
    let (_, part) = get(&service, job["slices"][1]["url"].as_str().unwrap()).await;
    assert_eq!((&part["area_px"], &part["readout"]["open"]), (&0.into(), &false.into()));
    assert_eq!(part["probability"], job["result"]["slices"][1]["probability"]);
    assert_eq!(part["lesions"], value!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_job_is_measured_once() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = local(folder.path(), JobLimits::default(), 8, now).await;
    let service = service_of(jobs.clone());
    let content = zip_of(&[BLEED, NO_BLEED]);
    let job_url = uploaded(&service, &content, "application/zip", "").await;
    assert_eq!(ended(&service, &job_url).await["state"], "done");
    let mut measured = jobs.take_measurements();
    // The job is measured shortly after its result is written.
    for _ in 0..100 {
        if !measured.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        measured = jobs.take_measurements();
    }
    assert_eq!(measured.iter().map(|one| one.slices).collect::<Vec<_>>(), [2]);
    assert!(measured[0].stages.inference > 0.0);
    assert!(jobs.take_measurements().is_empty());
}

fn files_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files_below(&path) } else { 1 }).sum()
}

#[tokio::test]
async fn invalid_job_requests_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let service = service(folder.path()).await;
    let with = |change: Value| {
        let mut body = value!({"content_type": "image/png", "size_bytes": 10});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    let cases = [
        (with(value!({"size_bytes": 0})), 400, "empty_body"),
        (with(value!({"size_bytes": -1})), 400, "invalid_json"),
        (with(value!({"size_bytes": (320 << 20) + 1})), 413, "payload_too_large"),
        (with(value!({"content_type": "text/html"})), 415, "unsupported_media_type"),
        (with(value!({"content_type": "multipart/form-data"})), 415, "unsupported_media_type"),
        (with(value!({"model": "none"})), 404, "model_not_found"),
        (with(value!({"threshold": 1.5})), 400, "invalid_parameter"),
        (with(value!({"window": "sideways"})), 400, "invalid_parameter"),
        (with(value!({"include": "everything"})), 400, "invalid_parameter"),
        (with(value!({"unknown": 1})), 400, "invalid_json"),
        (value!({}), 400, "invalid_json"),
    ];
    for (body, expected, code) in cases {
        let (status, response) = send_to(service.clone(), order(&body)).await;
        let problem = json(response).await;
        assert_eq!(
            (status.as_u16(), problem["code"].as_str()),
            (expected, Some(code)),
            "{body}: {problem}"
        );
    }
    assert_eq!(files_below(folder.path()), 0, "nothing is kept of them");
}

#[tokio::test]
async fn an_upload_must_have_the_declared_size_and_type() {
    let folder = tempfile::tempdir().unwrap();
    let service = service(folder.path()).await;
    let order = ordered(&service, &value!({"content_type": "image/png", "size_bytes": 10})).await;
    let url = order["upload"]["url"].as_str().unwrap();
    let cases: [(&str, Body, u16); 4] = [
        ("image/jpeg", vec![0_u8; 10].into(), 415),
        ("image/png", vec![0_u8; 9].into(), 400),
        ("image/png", vec![0_u8; 11].into(), 400),
        // Without a declared length, as chunked bodies come.
        ("image/png", Body::from_stream(OnePiece(Some(vec![0; 4096]))), 400),
    ];
    for (kind, body, expected) in cases {
        let (status, response) = send_to(service.clone(), request("PUT", url, kind, body)).await;
        assert_eq!(
            (status.as_u16(), json(response).await["code"].as_str()),
            (expected, Some("upload_mismatch"))
        );
    }
    assert_eq!(files_below(&folder.path().join("uploads")), 0, "no half upload stays");
    let other = url.replace(&url[url.len() - 4..], "0000");
    let (status, _) = send_to(service, request("PUT", &other, "image/png", vec![0_u8; 10])).await;
    assert_eq!(status, 404);
}

/// A body of one piece and no declared length.
struct OnePiece(Option<Vec<u8>>);

impl futures_core::Stream for OnePiece {
    type Item = Result<Vec<u8>, std::io::Error>;
    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.take().map(Ok))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_upload_fails_and_the_next_job_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let service = service(folder.path()).await;
    let damaged = uploaded(&service, b"PK\x03\x04 and then nothing", "application/zip", "").await;
    let good = uploaded(&service, &sample(BLEED), "image/png", "mask").await;
    let job = ended(&service, &damaged).await;
    assert_eq!((&job["state"], &job["error"]["status"]), (&value!("failed"), &value!(400)));
    assert_eq!(job["result"], Value::Null);
    let job = ended(&service, &good).await;
    assert_eq!((&job["state"], &job["result"]["series"]["slices"]), (&value!("done"), &value!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_above_the_limit_is_linked() {
    let folder = tempfile::tempdir().unwrap();
    let limits = JobLimits { max_inline_bytes: 10, ..JobLimits::default() };
    let service = service_of(local(folder.path(), limits, 8, now).await);
    let job_url = uploaded(&service, &sample(NO_BLEED), "image/png", "").await;
    let job = ended(&service, &job_url).await;
    assert_eq!((&job["state"], &job["result"]), (&value!("done"), &Value::Null));
    let (status, result) = get(&service, job["result_url"].as_str().unwrap()).await;
    assert_eq!((status, &result["hemorrhage"]["detected"]), (200, &value!(false)));
}

#[tokio::test]
async fn jobs_above_the_limit_are_refused_until_one_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let service = service_of(local(folder.path(), JobLimits::default(), 2, now).await);
    let body = value!({"content_type": "image/png", "size_bytes": 10});
    let first = ordered(&service, &body).await;
    ordered(&service, &body).await;
    let (status, response) = send_to(service.clone(), order(&body)).await;
    assert_eq!(status, 503);
    assert!(response.headers().contains_key("retry-after"));
    let delete = request("DELETE", first["job_url"].as_str().unwrap(), "", "");
    assert_eq!(send_to(service.clone(), delete).await.0, 204);
    ordered(&service, &body).await;
}

fn plain_order(content: &[u8]) -> Order {
    Order {
        content_type: "image/png".into(),
        size_bytes: content.len() as u64,
        model: "unet".into(),
        request: SegmentRequest::default(),
        include: Include::NOTHING,
    }
}

/// A job whose upload is complete and that no worker has taken.
async fn idle_job(jobs: &LocalJobs, content: &[u8]) -> JobId {
    let created = jobs.create(plain_order(content), now()).await.unwrap().unwrap();
    let mut incoming = jobs.receive(created.id).await.unwrap();
    incoming.write(content).await.unwrap();
    incoming.finish().await.unwrap();
    created.id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_process_resumes_the_jobs_of_an_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    let old = local(folder.path(), JobLimits::default(), 8, now).await;
    let id = idle_job(&old, &sample(NO_BLEED)).await;
    drop(old);
    let service = service(folder.path()).await;
    let job = ended(&service, &format!("/v1/jobs/{id}")).await;
    assert_eq!(job["state"], "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_logits_are_used_and_not_computed_again() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = local(folder.path(), JobLimits::default(), 8, now).await;
    let content = sample(NO_BLEED);
    let id = idle_job(&jobs, &content).await;
    let models = shared_models();
    let spec = models.get(Some("unet")).unwrap().spec();
    let [_, _, height, width] = spec.input.shape;
    let classes = spec.outputs.slice.as_ref().map_or(0, |s| s.classes.len());
    // Logits that no network returns for this slice: hemorrhage at every pixel.
    let logits = Logits { mask: vec![9.0; height * width], slice: vec![9.0; classes] };
    let key = format!("jobs/{id}/logits-0000");
    jobs.jobs().store().put(&key, "", logits.to_bytes()).await.unwrap();
    let store = jobs.jobs().store().clone();
    let (limits, runtime) = (Limits::default(), Handle::current());
    let work = move || {
        let worker = Worker { store: &store, models: &models, limits: &limits, runtime: &runtime };
        (worker.run(id).unwrap(), worker.run(id).unwrap())
    };
    let outcomes = tokio::task::spawn_blocking(work).await.unwrap();
    assert_eq!(outcomes, (Outcome::Done, Outcome::Ended), "the same event twice is one result");
    let result: Value =
        serde_json::from_slice(&jobs.jobs().result(id).await.unwrap().unwrap()).unwrap();
    assert_eq!(result["hemorrhage"]["detected"], true);
}

#[tokio::test]
async fn jobs_and_files_are_deleted_after_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = local(folder.path(), JobLimits::default(), 8, now).await;
    let created = jobs.create(plain_order(b"pixels"), now()).await.unwrap().unwrap();
    let mut incoming = jobs.receive(created.id).await.unwrap();
    incoming.write(b"pixels").await.unwrap();
    incoming.finish().await.unwrap();
    let status = jobs.jobs().status(created.id, 0, now() + 86_400).await.unwrap().unwrap();
    assert_eq!((status.state, status.slices.len()), (State::Expired, 0));
    drop(jobs);
    // A server that starts a day later deletes old uploads first; after another day it deletes the job.
    let tomorrow = local(folder.path(), JobLimits::default(), 8, || now() + 86_400).await;
    assert_eq!(files_below(folder.path()), 1, "only that there was a job");
    assert!(tomorrow.jobs().record(created.id).await.unwrap().is_some());
    local(folder.path(), JobLimits::default(), 8, || now() + 2 * 86_400).await;
    assert_eq!(files_below(folder.path()), 0);
}

#[tokio::test]
async fn a_service_without_uploads_refuses_jobs() {
    let body = value!({"content_type": "image/png", "size_bytes": 10});
    let (status, response) = send(order(&body)).await;
    assert_eq!((status.as_u16(), json(response).await["code"].as_str()), (404, Some("not_found")));
}

#[cfg(unix)]
#[tokio::test]
async fn uploads_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("jobs-root");
    let jobs = local(&root, JobLimits::default(), 8, now).await;
    let id = idle_job(&jobs, b"pixels").await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&root), 0o700);
    assert_eq!(mode(&root.join(format!("uploads/{id}"))), 0o600);
}
