//! Values that a viewer needs from a report: samples, positions, and the readout from probabilities to a mask.

use crate::archives::zip;
use crate::fixtures::{BLEED, NO_BLEED, assert_problem, bytes, json, post, sample, send};
use crate::head::{COLUMNS, ROWS, SLICES, STEPS_MM, hounsfield, nifti, write_dicom};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::DynamicImage;
use serde_json::Value;

fn picture(of: &Value) -> DynamicImage {
    let png = STANDARD.decode(of["base64"].as_str().unwrap()).unwrap();
    image::load_from_memory(&png).unwrap()
}

async fn answer(query: &str, content_type: &str, body: Vec<u8>) -> Value {
    let (status, response) = send(post(query, content_type, body)).await;
    assert_eq!(status, 200);
    json(response).await
}

#[tokio::test]
async fn samples_of_a_series_are_its_hounsfield_units_and_have_a_place() {
    let query = "?model=unet&include=samples,every_slice";
    let report = answer(query, "application/nifti", nifti([true, false, true])).await;
    let slices = report["slices"].as_array().unwrap();
    assert_eq!(slices.len(), SLICES);
    for (index, slice) in slices.iter().enumerate() {
        let samples = &slice["samples"];
        assert_eq!((&samples["unit"], &samples["scale"]), (&"HU".into(), &1.into()));
        let offset = samples["offset"].as_i64().unwrap();
        let stored = picture(samples).into_luma16();
        assert_eq!(stored.dimensions(), (COLUMNS as u32, ROWS as u32));
        for (x, y, value) in stored.enumerate_pixels() {
            let expected = i64::from(hounsfield(x as usize, y as usize, index));
            assert_eq!(i64::from(value.0[0]) + offset, expected, "{x}, {y} of {index}");
        }
        let placement = &slice["placement"];
        assert_eq!(placement["row"], serde_json::json!([1.0, 0.0, 0.0]));
        assert_eq!(placement["column"], serde_json::json!([0.0, 1.0, 0.0]));
        assert!((slice["extent_mm"].as_f64().unwrap() - STEPS_MM[2]).abs() < 1e-3);
        assert!(slice.get("mask").is_none(), "only the requested pictures");
    }
}

#[tokio::test]
async fn samples_of_a_picture_are_its_grey_levels() {
    let report = answer("?include=samples", "image/png", sample(BLEED)).await;
    assert_eq!(report["samples"]["unit"], "grey");
    assert_eq!(report["placement"], Value::Null);
    let sent = image::load_from_memory(&sample(BLEED)).unwrap().into_luma8();
    assert_eq!(picture(&report["samples"]).into_luma8(), sent);
}

/// As a viewer does it: at or above the threshold, regions of the smallest size and more, and
/// nothing where the slice is below the cut-off.
fn mask_of(report: &Value, threshold: f64) -> Vec<bool> {
    use ichor::components::label_components;
    let grey = picture(&report["probabilities"]).into_luma8();
    let least = (threshold * 255.0).round() as u8;
    let mut mask = ichor::mask::Mask::empty(grey.width() as usize, grey.height() as usize);
    if report["readout"]["open"] == false {
        return mask.pixels;
    }
    mask.pixels.iter_mut().zip(grey.iter()).for_each(|(pixel, &p)| *pixel = p >= least);
    let components = label_components(&mask);
    let smallest = report["readout"]["min_lesion_px"].as_f64().unwrap();
    let kept = |label: u32| {
        components.found.iter().any(|c| c.label == label && c.area_px as f64 >= smallest)
    };
    let labels = components.labels(mask.width, mask.height);
    labels.into_iter().map(|label| label > 0 && kept(label)).collect()
}

#[tokio::test]
async fn a_mask_for_any_threshold_follows_from_probabilities_and_readout() {
    for (name, thresholds) in [(BLEED, [0.1, 0.4, 0.8]), (NO_BLEED, [0.1, 0.4, 0.8])] {
        let own = answer("?include=probabilities", "image/png", sample(name)).await;
        for threshold in thresholds {
            let query = format!("?include=mask&threshold={threshold}");
            let theirs = answer(&query, "image/png", sample(name)).await;
            let theirs = picture(&theirs["mask"]).into_luma8();
            let ours = mask_of(&own, threshold);
            let grey = picture(&own["probabilities"]).into_luma8();
            let unlike = theirs.iter().zip(&ours).zip(grey.iter());
            let unlike = unlike.filter(|((a, b), _)| (**a == 255) != **b);
            // Probabilities are rounded to 255ths; only pixels on the edge can differ.
            let near = |p: u8| (f64::from(p) - threshold * 255.0).abs() <= 1.0;
            let wrong = unlike.filter(|(_, p)| !near(**p)).count();
            assert_eq!(wrong, 0, "{name} at {threshold}: pixels that are not on the edge");
        }
    }
}

#[tokio::test]
async fn dicom_can_be_returned_as_a_segmentation_and_pictures_cannot() {
    let folder = tempfile::tempdir().unwrap();
    write_dicom(folder.path());
    let mut files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().collect();
    files.sort_by_key(std::fs::DirEntry::file_name);
    let files: Vec<_> =
        files.iter().map(|file| (file.file_name(), std::fs::read(file.path()).unwrap())).collect();
    let named: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.to_str().unwrap(), bytes.as_slice())).collect();
    let mut request = post("?model=unet", "application/zip", zip(&named));
    request.headers_mut().insert("accept", "application/dicom".parse().unwrap());
    let (status, response) = send(request).await;
    assert_eq!(status, 200);
    assert_eq!(response.headers()["content-type"], "application/dicom");
    let object = dicom_object::from_reader(std::io::Cursor::new(bytes(response).await)).unwrap();
    let class = object.element(dicom_dictionary_std::tags::SOP_CLASS_UID).unwrap();
    assert_eq!(
        class.to_str().unwrap().trim_end_matches('\0'),
        dicom_dictionary_std::uids::SEGMENTATION_STORAGE
    );
    let mut request = post("", "image/png", sample(BLEED));
    request.headers_mut().insert("accept", "application/dicom".parse().unwrap());
    assert_problem(request, 422, "unprocessable_image").await;
}

#[tokio::test]
async fn windows_and_postprocessing_are_published() {
    let request = axum::http::Request::get("/v1/models").body(axum::body::Body::empty()).unwrap();
    let list = json(send(request).await.1).await;
    let windows = list["windows"].as_array().unwrap();
    let named = |window: &Value| -> ichor::window::WindowLevel {
        window["name"].as_str().unwrap().parse().unwrap()
    };
    for window in windows {
        assert_eq!(window["center_hu"].as_f64(), Some(named(window).center_hu.into()));
        assert_eq!(window["width_hu"].as_f64(), Some(named(window).width_hu.into()));
    }
    for model in list["models"].as_array().unwrap() {
        assert_eq!(model["postprocessing"]["threshold"], model["threshold"]);
        assert!(model["postprocessing"]["min_lesion_px"].is_u64());
    }
    assert!(!windows.is_empty());
}
