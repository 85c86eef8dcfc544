//! The container by the requests of SageMaker and ECS, in memory, on onnxruntime's CPU provider.

use crate::fixtures::{BLEED, NO_BLEED, bytes, json, sample};
use crate::ort::{ort_models, settings};
use axum::body::Body;
use axum::http::{Method, Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ichor::engine::OrtSettings;
use ichor::http::{Service, ServiceLimits, sagemaker_router};
use serde_json::Value;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tower::ServiceExt;

const ATTRIBUTES: &str = "x-amzn-sagemaker-custom-attributes";

fn limits() -> ServiceLimits {
    ServiceLimits { running: 32, max_records: 8, ..ServiceLimits::local() }
}

fn service() -> Arc<Service> {
    static SERVICE: OnceLock<Arc<Service>> = OnceLock::new();
    Arc::clone(SERVICE.get_or_init(|| Service::new(ort_models(settings()), limits())))
}

async fn send(service: Arc<Service>, request: Request<Body>) -> Response<Body> {
    sagemaker_router(service).oneshot(request).await.unwrap()
}

async fn get(path: &str) -> Value {
    let response = send(service(), Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), 200, "{path}");
    json(response).await
}

fn post(path: &str, kind: &str, attributes: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(path).header("content-type", kind);
    let request =
        if attributes.is_empty() { request } else { request.header(ATTRIBUTES, attributes) };
    request.body(body.into()).unwrap()
}

/// The report without the values that differ from call to call.
fn without_times_and_ids(mut report: Value) -> Value {
    let fields = report.as_object_mut().unwrap();
    fields.remove("timings_ms").unwrap();
    fields.remove("request_id").unwrap();
    report
}

async fn report(path: &str, attributes: &str, image: &[u8]) -> Value {
    let response = send(service(), post(path, "image/png", attributes, image.to_vec())).await;
    assert_eq!(response.status(), 200);
    without_times_and_ids(json(response).await)
}

fn line(image: &[u8]) -> String {
    serde_json::json!({"image": STANDARD.encode(image)}).to_string()
}

async fn lines(attributes: &str, body: String) -> Vec<Value> {
    let request = post("/invocations", "application/jsonlines", attributes, body);
    let response = send(service(), request).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/jsonlines");
    let text = String::from_utf8(bytes(response).await).unwrap();
    assert!(text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn problem(request: Request<Body>) -> (u16, String) {
    let response = send(service(), request).await;
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let status = response.status().as_u16();
    (status, json(response).await["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn ping_and_the_list_of_models_report_the_engine() {
    let ping = get("/ping").await;
    assert_eq!(ping["status"], "ready");
    assert_eq!(ping["engines"].as_array().unwrap().len(), 2);
    let models = get("/v1/models").await;
    for (state, model) in
        ping["engines"].as_array().unwrap().iter().zip(models["models"].as_array().unwrap())
    {
        assert_eq!(state["model"], model["name"]);
        for fact in ["name", "version", "provider", "precision", "max_batch"] {
            assert_eq!(state[fact], model["engine"][fact], "{fact}");
        }
        assert_eq!(state["name"], "onnxruntime");
        assert!(state["version"].as_str().unwrap().starts_with("1."), "{state}");
    }
    let execution = get("/execution-parameters").await;
    assert_eq!(execution["BatchStrategy"], "MULTI_RECORD");
    assert_eq!(execution["MaxConcurrentTransforms"], 32);
}

#[tokio::test]
async fn invocations_return_the_report_of_segment_for_every_form_of_body() {
    let image = sample(BLEED);
    let expected = report("/v1/segment", "", &image).await;
    assert_eq!(report("/invocations", "", &image).await, expected);
    let wrapped = send(service(), post("/invocations", "application/json", "", line(&image))).await;
    assert_eq!(without_times_and_ids(json(wrapped).await), expected);
    let mut form = b"--f\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\n".to_vec();
    form.extend_from_slice(&image);
    form.extend_from_slice(b"\r\n--f--\r\n");
    let form = post("/invocations", "multipart/form-data; boundary=f", "", form);
    assert_eq!(without_times_and_ids(json(send(service(), form).await).await), expected);
}

#[tokio::test]
async fn custom_attributes_hold_the_parameters_of_the_query() {
    let image = sample(BLEED);
    let words = "model=unet&threshold=0.35&include=mask,contours";
    let by_query = report(&format!("/v1/segment?{words}"), "", &image).await;
    assert_eq!(report("/invocations", words, &image).await, by_query);
    assert_eq!(by_query["model"]["name"], "unet");
    let cases = [
        ("threshold=2", 400, "invalid_parameter"),
        ("threshold=much", 400, "invalid_parameter"),
        ("color=red", 400, "invalid_parameter"),
        ("model", 404, "model_not_found"),
        ("include=everything", 400, "invalid_parameter"),
        ("a b", 400, "invalid_parameter"),
        ("model=missing", 404, "model_not_found"),
    ];
    for (attributes, status, code) in cases {
        let request = post("/invocations", "image/png", attributes, image.clone());
        assert_eq!(problem(request).await, (status, code.to_owned()), "{attributes}");
    }
}

#[tokio::test]
async fn each_line_has_its_result_in_order_and_an_invalid_line_affects_no_other() {
    let images = [sample(BLEED), b"no image".to_vec(), sample(NO_BLEED)];
    let mut body: Vec<String> = images.iter().map(|image| line(image)).collect();
    body.push("{\"picture\": 1}".into());
    let answers = lines("model=unet&include=mask", body.join("\n") + "\n\n").await;
    assert_eq!(answers.len(), 4);
    for (answer, image) in [(&answers[0], &images[0]), (&answers[2], &images[2])] {
        let alone = report("/v1/segment?model=unet&include=mask", "", image).await;
        assert_eq!(without_times_and_ids(answer.clone()), alone);
    }
    assert_eq!(
        (&answers[1]["status"], &answers[1]["code"]),
        (&415.into(), &"unsupported_media_type".into())
    );
    assert_eq!(answers[3]["code"], "invalid_json");
    let ids: Vec<&str> = answers.iter().map(|a| a["request_id"].as_str().unwrap()).collect();
    assert!(ids[0].ends_with("-1") && ids[3].ends_with("-4"), "{ids:?}");
}

#[tokio::test]
async fn lines_beyond_the_limits_are_refused_before_any_work() {
    let kind = "application/jsonlines";
    let many = "{}\n".repeat(9);
    assert_eq!(
        problem(post("/invocations", kind, "", many)).await,
        (413, "too_many_records".into())
    );
    assert_eq!(problem(post("/invocations", kind, "", "\n\n")).await, (400, "empty_body".into()));
    assert_eq!(
        problem(post("/invocations", kind, "model=missing", "{}")).await,
        (404, "model_not_found".into())
    );
    let mut request = post("/invocations", kind, "", "{}");
    request.headers_mut().insert("accept", "image/png".parse().unwrap());
    assert_eq!(problem(request).await, (406, "not_acceptable".into()));
    let large = vec![b' '; limits().max_body_bytes + 1];
    assert_eq!(
        problem(post("/invocations", kind, "", large)).await,
        (413, "payload_too_large".into())
    );
}

#[tokio::test]
async fn an_asynchronous_request_keeps_its_inference_id() {
    let mut request = post("/invocations", "image/png", "include=", sample(NO_BLEED));
    request.headers_mut().insert("x-amzn-sagemaker-inference-id", "head-42".parse().unwrap());
    let response = send(service(), request).await;
    assert_eq!(response.headers()["x-request-id"], "head-42");
    assert_eq!(json(response).await["request_id"], "head-42");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_requests_share_batches_and_keep_their_results() {
    let service = Service::new(
        ort_models(OrtSettings { wait: Duration::from_millis(500), ..settings() }),
        limits(),
    );
    let images = [sample(BLEED), sample(NO_BLEED)];
    let words = "?model=unet&include=mask";
    let mut expected = Vec::new();
    for image in &images {
        expected.push(report(&format!("/v1/segment{words}"), "", image).await);
    }
    let requests: Vec<_> = (0..16)
        .map(|number| {
            let request =
                post(&format!("/invocations{words}"), "image/png", "", images[number % 2].clone());
            tokio::spawn(send(Arc::clone(&service), request))
        })
        .collect();
    for (number, answer) in requests.into_iter().enumerate() {
        let response = answer.await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(
            without_times_and_ids(json(response).await),
            expected[number % 2],
            "request {number}"
        );
    }
    let ping = json(send(service, Request::get("/ping").body(Body::empty()).unwrap()).await).await;
    let unet = ping["engines"].as_array().unwrap().iter().find(|e| e["model"] == "unet").unwrap();
    assert_eq!(unet["slices"], 16);
    let batches = unet["batches"].as_u64().unwrap();
    assert!((2..16).contains(&batches), "16 slices in {batches} batches of at most 8");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_queue_returns_503_with_retry_after() {
    // One slice is computed, one waits; there is no third place.
    let settings = OrtSettings { max_batch: Some(1), wait: Duration::ZERO, queue: 1, ..settings() };
    let service = Service::new(ort_models(settings), limits());
    let requests: Vec<_> = (0..24)
        .map(|_| {
            let request = post("/invocations", "image/png", "model=unet&include=", sample(BLEED));
            tokio::spawn(send(Arc::clone(&service), request))
        })
        .collect();
    let (mut served, mut sent_away) = (0, 0);
    for answer in requests {
        let response = answer.await.unwrap();
        match response.status().as_u16() {
            200 => served += 1,
            503 => {
                assert!(
                    response.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0
                );
                assert_eq!(json(response).await["code"], "overloaded");
                sent_away += 1;
            }
            other => panic!("status {other}"),
        }
    }
    assert!(served >= 2 && sent_away >= 1, "{served} served, {sent_away} sent away");
    let again = post("/invocations", "image/png", "model=unet&include=", sample(BLEED));
    assert_eq!(
        send(service, again).await.status(),
        200,
        "the queue has room again after its slices are done"
    );
}

#[tokio::test]
async fn the_description_lists_every_route_of_the_container() {
    let description = get("/v1/openapi.json").await;
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let path = path.replace(['{', '}'], "");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let request = Request::builder().method(method).uri(&path).body(Body::empty()).unwrap();
            let status = send(service(), request).await.status().as_u16();
            // There is no model `name`, but there is a route.
            let named = path.contains("/name");
            assert!(status != 405 && (status != 404 || named), "{path}: {status}");
        }
    }
    for path in ["/ping", "/invocations", "/execution-parameters"] {
        assert!(description["paths"][path].is_object(), "{path}");
        let wrong = Request::delete(path).body(Body::empty()).unwrap();
        assert_eq!(problem(wrong).await, (405, "method_not_allowed".into()));
    }
    let taken = &description["paths"]["/invocations"]["post"];
    assert!(taken["requestBody"]["content"]["application/jsonlines"].is_object());
    assert!(taken["requestBody"]["content"]["application/dicom"].is_object());
    assert_eq!(taken["operationId"], "invocations");
    assert_eq!(description["paths"]["/v1/segment"]["post"]["operationId"], "segment");
}
