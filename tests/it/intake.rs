//! Every form in which a request may contain its files and its parameters.

use crate::fixtures::{
    BLEED, NO_BLEED, assert_problem, bytes, json, post, sample, send, send_to, service_with,
};
use crate::head::{SLICES, write_dicom};
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json as value};

const FORM: &str = "multipart/form-data; boundary=frontier";

/// A form of `(name, file name, content)`; a field has no file name.
fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file_name, content) in parts {
        let file_name = file_name.map_or_else(String::new, |name| format!("; filename=\"{name}\""));
        body.extend(
            format!(
                "--frontier\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n"
            )
            .into_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--frontier--\r\n");
    body
}

async fn report(request: Request<Body>) -> Value {
    let (status, response) = send(request).await;
    let mut report = json(response).await;
    assert_eq!(status, 200, "{report}");
    let fields = report.as_object_mut().unwrap();
    fields.remove("timings_ms").unwrap();
    fields.remove("request_id").unwrap();
    report
}

async fn detail(request: Request<Body>) -> (u16, String, String) {
    let (status, response) = send(request).await;
    let problem = json(response).await;
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    (status.as_u16(), text("code"), text("detail"))
}

fn codes(report: &Value) -> Vec<&str> {
    report["warnings"].as_array().unwrap().iter().map(|w| w["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_common_form_of_base64_is_read() {
    let image = sample(BLEED);
    let plain = STANDARD.encode(&image);
    let lines: Vec<&str> =
        plain.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let expected = report(post("", "image/png", image.clone())).await;
    for text in [
        lines.join("\r\n"),
        lines.join("\n") + "\n",
        URL_SAFE_NO_PAD.encode(&image),
        plain.trim_end_matches('=').to_owned(),
        format!("data:image/png;base64,{plain}"),
    ] {
        let body = format!("\u{feff}{}", value!({"image": text}));
        assert_eq!(report(post("", "application/json", body)).await, expected);
    }
    let spaced = plain.replacen('+', " ", 1);
    let problem = detail(post("", "application/json", value!({"image": spaced}).to_string())).await;
    assert!(problem.2.contains("'+'"), "{problem:?}");
}

#[tokio::test]
async fn media_types_do_not_affect_how_a_file_is_read() {
    let image = sample(NO_BLEED);
    let expected = report(post("", "image/png", image.clone())).await;
    for kind in [
        "image/jpg",
        "image/x-png",
        "application/x-zip-compressed",
        "application/x-gzip",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "text/plain",
    ] {
        assert_eq!(report(post("", kind, image.clone())).await, expected, "{kind}");
    }
    let untyped = Request::post("/v1/segment").body(Body::from(image.clone())).unwrap();
    assert_eq!(report(untyped).await, expected);
    // A JSON text as `curl -d` sends it.
    let body = value!({"image": STANDARD.encode(&image)}).to_string();
    assert_eq!(report(post("", "application/x-www-form-urlencoded", body)).await, expected);
}

#[tokio::test]
async fn parameters_mean_the_same_in_query_form_and_json() {
    let image = sample(BLEED);
    let query = "?model=unet&threshold=0.9&include=mask";
    let expected = report(post(query, "image/png", image.clone())).await;
    assert_eq!(expected["model"]["name"], "unet");
    let fields = form(&[
        ("model", None, b"unet"),
        ("file", Some("a.png"), &image),
        ("threshold", None, b"0.9"),
        ("include", None, b"mask"),
    ]);
    assert_eq!(report(post("", FORM, fields.clone())).await, expected);
    assert_eq!(report(post("?threshold=0.90", FORM, fields.clone())).await, expected);
    let body = value!({"image": STANDARD.encode(&image), "model": "unet", "threshold": 0.9, "include": ["mask"]});
    assert_eq!(report(post("", "application/json", body.to_string())).await, expected);
    assert_eq!(report(post("?model=unet", "application/json", body.to_string())).await, expected);
    for request in [
        post("?model=deeplabv3", "application/json", body.to_string()),
        post("?threshold=0.5", FORM, fields),
    ] {
        let problem = detail(request).await;
        assert_eq!((problem.0, problem.1.as_str()), (400, "invalid_parameter"));
        assert!(problem.2.contains("two different values"), "{problem:?}");
    }
}

#[tokio::test]
async fn errors_name_invalid_fields() {
    let image = sample(NO_BLEED);
    let base64 = STANDARD.encode(&image);
    let json = |body: Value| post("", "application/json", body.to_string());
    let field = |name: &'static str, content: &'static [u8]| {
        post("", FORM, form(&[("file", Some("a.png"), &image), (name, None, content)]))
    };
    for (request, status, code, word) in [
        (json(value!({"file": base64})), 400, "invalid_json", "'file'"),
        (json(value!({"image": base64, "treshold": 1})), 400, "invalid_json", "'treshold'"),
        (json(value!({"image": [base64]})), 400, "invalid_json", "'images'"),
        (json(value!({"image": base64, "threshold": 2})), 400, "invalid_parameter", "threshold"),
        (json(value!({"image": base64, "model": "none"})), 404, "model_not_found", "unet"),
        (field("treshold", b"0.5"), 400, "invalid_multipart", "'treshold'"),
        (field("threshold", b"half"), 400, "invalid_parameter", "form"),
        (field("threshold", b"\xFF"), 400, "invalid_parameter", "form"),
        (field("model", b"none"), 404, "model_not_found", "unet"),
        (post("?tresh=1", "image/png", image.clone()), 400, "invalid_parameter", "'tresh'"),
        (post("", FORM, form(&[("model", None, b"unet")])), 400, "invalid_multipart", "'file'"),
        (post("", FORM, form(&[("file", Some(""), b"")])), 400, "invalid_multipart", "'file'"),
        (post("", FORM, form(&[("file", Some("a"), b"")])), 400, "empty_body", "empty"),
    ] {
        let problem = detail(request).await;
        assert_eq!((problem.0, problem.1.as_str()), (status, code), "{problem:?}");
        assert!(problem.2.contains(word), "{problem:?}");
    }
}

#[tokio::test]
async fn errors_of_other_multipart_types_name_a_remedy() {
    let body = b"--b\r\nContent-Type: application/dicom\r\n\r\nx\r\n--b--\r\n".to_vec();
    let related = "multipart/related; type=\"application/dicom\"; boundary=b";
    let problem = detail(post("", related, body)).await;
    assert_eq!((problem.0, problem.1.as_str()), (415, "unsupported_media_type"));
    assert!(problem.2.contains("application/zip") && problem.2.contains("'file'"), "{problem:?}");
    let form = post("", "application/x-www-form-urlencoded", "image=AAAA");
    assert_problem(form, 415, "unsupported_media_type").await;
}

#[tokio::test]
async fn a_form_may_be_as_large_as_any_body() {
    // Above the 2 MiB at which the framework itself would stop, and not compressible.
    let noise = |at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8;
    let pixels: Vec<u8> = (0..1600 * 1600).map(noise).collect();
    let mut tiff = std::io::Cursor::new(Vec::new());
    let picture = image::GrayImage::from_raw(1600, 1600, pixels).unwrap();
    picture.write_to(&mut tiff, image::ImageFormat::Tiff).unwrap();
    let tiff = tiff.into_inner();
    assert!(tiff.len() > 2 << 20);
    let (status, response) = send(post("", FORM, form(&[("file", Some("a.tif"), &tiff)]))).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bytes(response).await));
    let small = service_with(|limits| limits.max_body_bytes = 1 << 20);
    let (status, response) = send_to(small, post("", FORM, form(&[("file", None, &tiff)]))).await;
    assert_eq!(
        (status.as_u16(), json(response).await["code"].as_str()),
        (413, Some("payload_too_large"))
    );
}

/// The files of the generated head, in the order of their names.
fn dicom_files() -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    write_dicom(folder.path());
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn form_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let parts: Vec<(&str, Option<&str>, &[u8])> =
        files.iter().map(|(name, content)| ("file", Some(name.as_str()), &content[..])).collect();
    form(&parts)
}

#[tokio::test]
async fn several_files_of_a_form_are_one_series() {
    let mut files = dicom_files();
    let entries: Vec<(&str, &[u8])> = files.iter().map(|(n, c)| (n.as_str(), &c[..])).collect();
    let zip = crate::archives::zip(&entries);
    let expected = report(post("?model=unet", "application/zip", zip)).await;
    assert_eq!(expected["series"]["slices"], SLICES);
    files.reverse();
    assert_eq!(report(post("?model=unet", FORM, form_of(&files))).await, expected);
    let images: Vec<String> = files.iter().map(|(_, content)| STANDARD.encode(content)).collect();
    let body = value!({"images": images, "model": "unet"}).to_string();
    let of_json = report(post("", "application/json", body)).await;
    assert_eq!(of_json["volume"], expected["volume"]);
}

#[tokio::test]
async fn an_unreadable_file_leaves_the_result_undecided() {
    let mut files = dicom_files();
    let length = files[2].1.len();
    files[2].1.truncate(length - 4000);
    let report = report(post("?model=unet", FORM, form_of(&files))).await;
    assert_eq!(report["series"]["slices"], SLICES - 1);
    assert!(codes(&report).contains(&"files_unreadable"), "{}", report["warnings"]);
    assert_ne!(report["hemorrhage"]["detected"], false);
    assert_eq!(report["volume"]["total_volume_ml"], Value::Null);
    files.iter_mut().for_each(|(_, content)| content.truncate(900));
    let (status, response) = send(post("", FORM, form_of(&files))).await;
    assert_eq!(status, 400, "{}", json(response).await);
}

#[tokio::test]
async fn more_slices_than_allowed_are_refused_before_they_are_segmented() {
    let service = service_with(|limits| limits.slice.max_slices = SLICES - 1);
    let (status, response) = send_to(service, post("", FORM, form_of(&dicom_files()))).await;
    let problem = json(response).await;
    assert_eq!(
        (status.as_u16(), problem["code"].as_str()),
        (413, Some("image_too_large")),
        "{problem}"
    );
    assert!(problem["detail"].as_str().unwrap().contains(&(SLICES - 1).to_string()), "{problem}");
}

#[tokio::test]
async fn the_next_accepted_format_is_returned_where_the_first_cannot_be_written() {
    let mut request = post("", "image/png", sample(BLEED));
    request.headers_mut().insert("accept", "application/dicom, application/json".parse().unwrap());
    let report = report(request).await;
    assert!(codes(&report).contains(&"format_not_written"), "{}", report["warnings"]);
    assert_eq!(report["hemorrhage"]["detected"], true);
    let mut request = post("", "image/png", sample(BLEED));
    request.headers_mut().insert("accept", "application/dicom".parse().unwrap());
    assert_problem(request, 422, "unprocessable_image").await;
}
