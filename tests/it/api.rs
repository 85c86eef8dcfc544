//! The API by its requests and responses.

use crate::fixtures::{
    BLEED, NO_BLEED, assert_problem, bytes, json, post, sample, send, send_to, service_with,
};
use crate::head::nifti;
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ichor::http::{Rate, ServiceLimits};
use serde_json::Value;
use std::time::Duration;

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

fn multipart(part: &str, image: &[u8]) -> Request<Body> {
    let mut body = format!(
        "--frontier\r\ncontent-disposition: form-data; name=\"{part}\"; filename=\"a.png\"\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(image);
    body.extend_from_slice(b"\r\n--frontier--\r\n");
    post("", "multipart/form-data; boundary=frontier", body)
}

/// The report without the values that differ from call to call.
fn without_times_and_ids(mut report: Value) -> Value {
    let fields = report.as_object_mut().unwrap();
    assert!(fields.remove("timings_ms").unwrap()["total"].as_f64().unwrap() > 0.0);
    assert!(!fields.remove("request_id").unwrap().as_str().unwrap().is_empty());
    report
}

#[tokio::test]
async fn raw_multipart_and_json_bodies_give_the_same_report() {
    let image = sample(BLEED);
    let data_url = format!("data:image/png;base64,{}", STANDARD.encode(&image));
    let requests = [
        post("", "image/png", image.clone()),
        post("", "application/octet-stream", image.clone()),
        multipart("file", &image),
        post(
            "",
            "application/json",
            serde_json::json!({"image": STANDARD.encode(&image)}).to_string(),
        ),
        post("", "application/json", serde_json::json!({"image": data_url}).to_string()),
    ];
    let mut answers = Vec::new();
    for request in requests {
        let (status, response) = send(request).await;
        assert_eq!(status, 200);
        answers.push(without_times_and_ids(json(response).await));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn hemorrhage_is_detected_and_measured() {
    let report = json(send(post("", "image/png", sample(BLEED))).await.1).await;
    assert_eq!(report["hemorrhage"]["detected"], true);
    let lesion = &report["lesions"][0];
    let png = STANDARD.decode(report["mask"]["base64"].as_str().unwrap()).unwrap();
    let mask = image::load_from_memory(&png).unwrap().to_luma8();
    assert_eq!(mask.dimensions(), (512, 512));
    assert!(mask.iter().all(|&v| v == 0 || v == 255));
    let areas: u64 =
        report["lesions"].as_array().unwrap().iter().map(|l| l["area_px"].as_u64().unwrap()).sum();
    assert_eq!(mask.iter().filter(|&&v| v == 255).count() as u64, areas);
    for (x, y) in lesion["contour"].as_array().unwrap().iter().map(|p| (&p[0], &p[1])) {
        assert_eq!(mask[(x.as_u64().unwrap() as u32, y.as_u64().unwrap() as u32)].0, [255]);
    }
    assert_eq!(lesion["area_mm2"], Value::Null, "a PNG has no spacing");
    assert!(report["disclaimer"].as_str().unwrap().contains("Not a medical device"));
}

#[tokio::test]
async fn a_slice_without_hemorrhage_has_an_empty_mask() {
    let report = json(send(post("?include=mask", "image/png", sample(NO_BLEED))).await.1).await;
    assert_eq!(report["hemorrhage"]["detected"], false);
    assert_eq!(report["lesions"], serde_json::json!([]));
    let png = STANDARD.decode(report["mask"]["base64"].as_str().unwrap()).unwrap();
    assert!(image::load_from_memory(&png).unwrap().to_luma8().iter().all(|&v| v == 0));
    assert!(report.get("overlay").is_none());
}

#[tokio::test]
async fn a_higher_threshold_never_enlarges_the_mask() {
    let mut areas = Vec::new();
    for threshold in [0.05, 0.3, 0.6, 0.95] {
        let query = format!("?threshold={threshold}&include=contours");
        let report = json(send(post(&query, "image/png", sample(BLEED))).await.1).await;
        assert!((report["hemorrhage"]["threshold"].as_f64().unwrap() - threshold).abs() < 1e-6);
        let lesions = report["lesions"].as_array().unwrap();
        areas.push(lesions.iter().map(|l| l["area_px"].as_u64().unwrap()).sum::<u64>());
    }
    assert!(areas.is_sorted_by(|a, b| a >= b), "{areas:?}");
    assert!(areas[0] > areas[3], "{areas:?}");
}

#[tokio::test]
async fn every_listed_model_segments_and_has_a_model_card() {
    let list = json(send(get("/v1/models")).await.1).await;
    let models = list["models"].as_array().unwrap();
    assert_eq!(models.len(), 2);
    for model in models {
        let name = model["name"].as_str().unwrap();
        let query = format!("?model={name}&include=");
        let report = json(send(post(&query, "image/png", sample(BLEED))).await.1).await;
        assert_eq!(report["model"]["sha256"], model["sha256"]);
        let card = bytes(send(get(model["card"].as_str().unwrap())).await.1).await;
        assert!(String::from_utf8(card).unwrap().starts_with("# "));
    }
}

#[tokio::test]
async fn accept_chooses_the_overlay_picture() {
    let mut request = post("", "image/png", sample(BLEED));
    request.headers_mut().insert("accept", "image/png".parse().unwrap());
    let (status, response) = send(request).await;
    assert_eq!(
        (status.as_u16(), &response.headers()["content-type"]),
        (200, &"image/png".parse().unwrap())
    );
    let picture = image::load_from_memory(&bytes(response).await).unwrap().to_rgb8();
    assert!(picture.pixels().any(|p| p.0[0] != p.0[2]), "the outline is coloured");
}

#[tokio::test]
async fn accept_chooses_the_printed_report() {
    let mut request = post("?language=de", "image/png", sample(BLEED));
    request.headers_mut().insert("accept", "text/html".parse().unwrap());
    let (status, response) = send(request).await;
    let headers = response.headers().clone();
    assert_eq!(
        (status.as_u16(), &headers["content-type"]),
        (200, &"text/html; charset=utf-8".parse().unwrap())
    );
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    let html = String::from_utf8(bytes(response).await).unwrap();
    assert!(html.starts_with("<!doctype html>\n<html lang=\"de\">"), "{}", &html[..80]);
    assert!(html.contains("Eine intrakranielle Blutung ist wahrscheinlich"));
    assert_eq!(html.matches("<img ").count(), 1);
}

#[tokio::test]
async fn the_finding_is_given_as_a_paragraph_on_request() {
    let with_text = json(send(post("?include=text", "image/png", sample(NO_BLEED))).await.1).await;
    let text = &with_text["text"];
    assert!(text["en"].as_str().unwrap().contains("No hemorrhage is outlined"), "{text}");
    assert!(text["de"].as_str().unwrap().contains("keine Blutung umrandet"), "{text}");
    assert!(with_text["mask"].is_null());
    let without = json(send(post("", "image/png", sample(NO_BLEED))).await.1).await;
    assert!(without["text"].is_null());
}

#[tokio::test]
async fn errors_of_invalid_requests_name_a_remedy() {
    let image = || sample(NO_BLEED);
    assert_problem(post("", "image/png", ""), 400, "empty_body").await;
    assert_problem(post("?threshold=2", "image/png", image()), 400, "invalid_parameter").await;
    assert_problem(post("?threshold=NaN", "image/png", image()), 400, "invalid_parameter").await;
    assert_problem(post("?threshold=a", "image/png", image()), 400, "invalid_parameter").await;
    assert_problem(post("?unknown=1", "image/png", image()), 400, "invalid_parameter").await;
    assert_problem(post("?include=everything", "image/png", image()), 400, "invalid_parameter")
        .await;
    assert_problem(post("?model=none", "image/png", image()), 404, "model_not_found").await;
    assert_problem(post("", "application/json", "{"), 400, "invalid_json").await;
    assert_problem(post("", "application/json", r#"{"image":"@@"}"#), 400, "invalid_json").await;
    assert_problem(post("", "multipart/form-data", "x"), 400, "invalid_multipart").await;
    assert_problem(multipart("picture", &image()), 400, "invalid_multipart").await;
    assert_problem(get("/v1/nothing"), 404, "not_found").await;
    assert_problem(get("/v1/segment"), 405, "method_not_allowed").await;
    let mut request = post("", "image/png", image());
    request.headers_mut().insert("accept", "text/css".parse().unwrap());
    assert_problem(request, 406, "not_acceptable").await;
}

#[tokio::test]
async fn a_valid_request_id_is_kept_and_others_are_replaced() {
    for (id, kept) in [("abc-123", true), ("a b", false), (&"x".repeat(65), false)] {
        let mut request = get("/v1/health/live");
        request.headers_mut().insert("x-request-id", id.parse().unwrap());
        let response = send(request).await.1;
        assert_eq!(response.headers()["x-request-id"] == id, kept, "{id}");
    }
}

#[tokio::test]
async fn limits_of_body_response_and_queue_hold() {
    type Change = fn(&mut ServiceLimits);
    let cases: [(&str, u16, Change); 3] = [
        ("payload_too_large", 413, |l| l.max_body_bytes = 100),
        ("answer_too_large", 413, |l| l.max_answer_bytes = Some(20_000)),
        ("overloaded", 503, |l| (l.running, l.waiting) = (0, 0)),
    ];
    for (code, expected, change) in cases {
        let (status, response) =
            send_to(service_with(change), post("", "image/png", sample(BLEED))).await;
        assert_eq!(status.as_u16(), expected);
        assert_eq!(response.headers().contains_key("retry-after"), status == 503);
        assert_eq!(json(response).await["code"], code);
    }
}

#[tokio::test]
async fn a_body_that_never_ends_times_out() {
    let service = service_with(|l| l.body_timeout = Duration::from_millis(50));
    let never = Body::from_stream(silent_stream());
    let (status, response) = send_to(service, post("", "image/png", never)).await;
    assert_eq!(
        (status.as_u16(), json(response).await["code"].as_str()),
        (408, Some("request_timeout"))
    );
}

/// A body stream that never yields.
fn silent_stream() -> impl futures_core::Stream<Item = Result<Vec<u8>, std::io::Error>> {
    struct Silent;
    impl futures_core::Stream for Silent {
        type Item = Result<Vec<u8>, std::io::Error>;
        fn poll_next(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Self::Item>> {
            std::task::Poll::Pending
        }
    }
    Silent
}

#[tokio::test]
async fn the_description_lists_every_route_and_no_other() {
    let description = json(send(get("/v1/openapi.json")).await.1).await;
    for (path, methods) in description["paths"].as_object().unwrap() {
        let real = path.replace("{name}", "unet").replace("{id}", "0").replace("{index}", "0");
        for method in methods.as_object().unwrap().keys() {
            let request = Request::builder()
                .method(method.to_uppercase().as_str())
                .uri(&real)
                .body(Body::empty())
                .unwrap();
            let (status, response) = send(request).await;
            // A missing job is 404 as well, but by its handler and not because the route is missing.
            let detail = String::from_utf8(bytes(response).await).unwrap();
            let missing = status == 405 || detail.contains("No such route");
            assert!(!missing, "{method} {path}: {status}");
        }
    }
    // Routes as the router lists them; a new one must be described.
    let routes = [
        "/v1/segment",
        "/v1/uploads",
        "/v1/uploads/{id}",
        "/v1/jobs/{id}",
        "/v1/jobs/{id}/result",
        "/v1/jobs/{id}/slices/{index}",
        "/v1/models",
        "/v1/models/{name}/card",
        "/v1/openapi.json",
        "/v1/health/live",
        "/v1/health/ready",
    ];
    let described: Vec<&String> = description["paths"].as_object().unwrap().keys().collect();
    assert_eq!(described.len(), routes.len(), "{described:?}");
}

#[tokio::test]
async fn unchanged_resources_are_not_sent_again() {
    for path in ["/v1/models", "/v1/models/unet/card", "/v1/openapi.json"] {
        let first = send(get(path)).await.1;
        let tag = first.headers()["etag"].clone();
        let mut again = get(path);
        again.headers_mut().insert("if-none-match", tag.clone());
        let (status, response) = send(again).await;
        assert_eq!((status.as_u16(), &response.headers()["etag"]), (304, &tag), "{path}");
        assert!(bytes(response).await.is_empty());
        let mut other = get(path);
        other.headers_mut().insert("if-none-match", "\"other\"".parse().unwrap());
        assert_eq!(send(other).await.0, 200);
    }
}

#[tokio::test]
async fn requests_above_the_rate_return_retry_after() {
    let rate = Some(Rate { per_second: 0.5, burst: 2.0 });
    let service = service_with(|l| l.rate = rate);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(send_to(service.clone(), get("/v1/models")).await);
    }
    let (status, response) = statuses.pop().unwrap();
    assert!(statuses.iter().all(|(status, _)| *status == 200));
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert_eq!((status.as_u16(), wait), (429, 2));
    assert_eq!(json(response).await["code"], "too_many_requests");
    assert_eq!(send_to(service, get("/v1/health/live")).await.0, 200);
}

#[tokio::test]
async fn responses_have_the_fields_that_the_description_requires() {
    let description = json(send(get("/v1/openapi.json")).await.1).await;
    let answers = [
        ("Report", json(send(post("", "image/png", sample(BLEED))).await.1).await),
        ("Report", json(send(post("?include=text", "image/png", sample(BLEED))).await.1).await),
        (
            "SeriesReport",
            json(send(post("?model=unet", "application/nifti", nifti([false; 3]))).await.1).await,
        ),
        ("ModelList", json(send(get("/v1/models")).await.1).await),
        ("Problem", json(send(post("", "image/png", "")).await.1).await),
    ];
    for (name, answer) in answers {
        assert_shape(
            &description["components"]["schemas"],
            &description["components"]["schemas"][name],
            &answer,
            name,
        );
    }
}

/// Required fields are there and no undescribed field is.
pub(crate) fn assert_shape(schemas: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return assert_shape(schemas, &schemas[name], value, place);
    }
    if let (Some(properties), Some(fields)) = (schema["properties"].as_object(), value.as_object())
    {
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(fields.contains_key(required.as_str().unwrap()), "{place} lacks {required}");
        }
        for (key, field) in fields {
            let described =
                properties.get(key).unwrap_or_else(|| panic!("{place}.{key} is not described"));
            assert_shape(schemas, described, field, &format!("{place}.{key}"));
        }
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        values.iter().for_each(|v| assert_shape(schemas, items, v, &format!("{place}[]")));
    }
}
