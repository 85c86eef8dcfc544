//! Slices of one head are smoothed with each other, in every form of input.

use crate::archives::zip_of;
use crate::fixtures::{
    BLEED, NO_BLEED, json, models_that_empty_series, post, root, sample, send_to,
};
use ichor::http::{Service, ServiceLimits};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A head of four slices with hemorrhage on the third only, in the order of `pictures`.
const HEAD: [&str; 4] = [NO_BLEED, NO_BLEED, BLEED, NO_BLEED];

/// Lines of `ichor segment` with the model that has a series chain.
fn segment(inputs: &[PathBuf], more: &[&str]) -> Vec<Value> {
    let output = tempfile::tempdir().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_ichor"))
        .current_dir(root())
        .arg("segment")
        .args(inputs)
        .args(["--model", "deeplabv3", "--output"])
        .arg(output.path())
        .args(more)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout)
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

fn pictures(folder: &Path, names: [&str; 4]) {
    for (name, picture) in names.iter().zip(HEAD) {
        std::fs::write(folder.join(name), sample(picture)).unwrap();
    }
}

fn probability(line: &Value) -> f64 {
    line["hemorrhage"]["probability"].as_f64().unwrap()
}

fn is_smoothed(line: &Value) -> bool {
    line["warnings"].as_array().unwrap().iter().any(|w| w["code"] == "numbered_pictures")
}

#[test]
fn numbered_pictures_have_the_probabilities_of_their_zip() {
    let dir = tempfile::tempdir().unwrap();
    let zip = tempfile::tempdir().unwrap().keep().join("head.zip");
    std::fs::write(&zip, zip_of(&HEAD)).unwrap();
    // In the order of their names 10 comes first; in that of the numbers, last.
    pictures(dir.path(), ["h_7.png", "h_8.png", "h_9.png", "h_10.png"]);
    let lines = segment(&[dir.path().to_owned()], &["--as-series"]);
    let series = segment(std::slice::from_ref(&zip), &["--as-series"]).remove(0);
    let slices = series["slices"].as_array().unwrap();
    assert_eq!((lines.len(), slices.len()), (4, 4));
    for (line, slice) in lines.iter().zip(slices) {
        assert!(is_smoothed(line));
        assert_eq!(line["hemorrhage"]["probability"], slice["probability"]);
        assert_eq!(line["probability_alone"], slice["probability_alone"]);
        assert_eq!(line["readout"]["open"], slice["readout"]["open"]);
    }
    let together = segment(&[zip], &[]).remove(0);
    let codes =
        together["warnings"].as_array().unwrap().iter().map(|w| w["code"].as_str().unwrap());
    assert!(codes.into_iter().any(|code| code == "pictures_judged_alone"), "{together}");
    for more in [&[][..], &["--alone"]] {
        let alone = segment(&[dir.path().to_owned()], more);
        for ((line, slice), judged) in
            alone.iter().zip(slices).zip(together["slices"].as_array().unwrap())
        {
            assert!(!is_smoothed(line) && line.get("probability_alone").is_none());
            assert_eq!(line["hemorrhage"]["probability"], slice["probability_alone"]);
            assert_eq!(line["hemorrhage"]["probability"], judged["probability"]);
            assert_eq!(line["lesions"], judged["lesions"], "in a zip as by itself");
        }
    }
    // The slices before and after the one with hemorrhage are more probable than the first.
    assert!(probability(&lines[1]) > 2.0 * probability(&lines[0]));
    assert!(probability(&lines[3]) > 2.0 * probability(&lines[0]));
}

#[test]
fn the_order_in_which_pictures_are_named_does_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path(), ["h_1.png", "h_2.png", "h_3.png", "h_4.png"]);
    std::fs::write(dir.path().join("other.png"), sample(BLEED)).unwrap();
    let sorted = segment(&[dir.path().to_owned()], &["--as-series"]);
    let names = ["h_3.png", "other.png", "h_1.png", "h_4.png", "h_2.png"];
    let mixed = segment(&names.map(|name| dir.path().join(name)), &["--as-series"]);
    for (name, line) in names.iter().zip(&mixed) {
        assert!(line["file"].as_str().unwrap().ends_with(name), "a line each, in their order");
        let same = sorted.iter().find(|other| other["file"] == line["file"]).unwrap();
        assert_eq!(line["hemorrhage"], same["hemorrhage"]);
        assert_eq!(is_smoothed(line), name.starts_with('h'));
    }
}

#[test]
fn pictures_of_other_heads_and_sizes_are_not_smoothed() {
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path(), ["a_1.png", "b_2.png", "c.png", "d_3.jpg"]);
    let small = image::load_from_memory(&sample(BLEED)).unwrap().thumbnail(256, 256);
    small.save(dir.path().join("a_2.png")).unwrap();
    let folder = [dir.path().to_owned()];
    let (together, alone) = (segment(&folder, &["--as-series"]), segment(&folder, &[]));
    assert_eq!(together.len(), 5);
    for (one, other) in together.iter().zip(&alone) {
        assert_eq!(one["file"], other["file"]);
        assert_eq!(one["hemorrhage"], other["hemorrhage"]);
        assert!(!is_smoothed(one));
    }
}

#[tokio::test]
async fn a_slice_below_the_cut_off_of_the_series_has_neither_mask_nor_regions() {
    let service = Service::new(models_that_empty_series(), ServiceLimits::local());
    let query = "?include=mask,every_slice&as_series=true";
    let (_, response) =
        send_to(service.clone(), post(query, "application/zip", zip_of(&HEAD))).await;
    let series = json(response).await;
    assert_eq!(series["hemorrhage"]["detected"], false);
    for slice in series["slices"].as_array().unwrap() {
        assert_eq!((&slice["readout"]["open"], &slice["area_px"]), (&false.into(), &0.into()));
        assert_eq!(slice["lesions"], serde_json::json!([]));
    }
    assert!(
        series["slices"][2]["probability"].as_f64().unwrap() > 0.5,
        "its probability is reported"
    );
    let (_, response) = send_to(service, post("", "image/png", sample(BLEED))).await;
    assert_eq!(json(response).await["hemorrhage"]["detected"], true, "alone it decides itself");
}
