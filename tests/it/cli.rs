//! The command line as a user runs it.

use crate::fixtures::{BLEED, NO_BLEED, root, sample};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn ichor(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ichor")).current_dir(root()).args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Exit code 1, and one line on stderr that contains `needle`.
fn assert_refused(output: &Output, needle: &str) {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.trim().lines().count(), 1, "{stderr}");
    assert!(stderr.contains(needle), "{stderr}");
}

#[test]
fn segment_writes_mask_overlay_and_one_json_line_per_file() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let files = [BLEED, NO_BLEED].map(|f| format!("frontend/samples/{f}"));
    let output = ichor(&["segment", &files[0], &files[1], "--model", "unet", "--output", out]);
    assert!(output.status.success());
    let lines: Vec<Value> =
        stdout(&output).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    for (line, file) in lines.iter().zip(&files) {
        assert_eq!(line["file"], *file);
        assert_eq!(line["model"]["name"], "unet");
        let stem = Path::new(file).file_stem().unwrap().to_str().unwrap();
        let mask = image::open(dir.path().join(format!("{stem}_mask.png"))).unwrap();
        assert_eq!((mask.color(), mask.width(), mask.height()), (image::ColorType::L8, 512, 512));
        assert!(mask.to_luma8().iter().all(|&v| v == 0 || v == 255));
        assert!(dir.path().join(format!("{stem}_overlay.png")).is_file());
    }
}

#[test]
fn the_report_and_its_paragraph_are_written_in_the_chosen_language() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let file = format!("frontend/samples/{BLEED}");
    let flags = ["--output", out, "--format", "report,text", "--language", "de", "--no-patterns"];
    let output = ichor(&[&["segment", file.as_str()][..], &flags].concat());
    assert!(output.status.success());
    let stem = Path::new(&file).file_stem().unwrap().to_str().unwrap();
    let read = |suffix: &str| {
        std::fs::read_to_string(dir.path().join(format!("{stem}_{suffix}"))).unwrap()
    };
    let (html, text) = (read("report.html"), read("report.txt"));
    assert!(html.contains("<html lang=\"de\">") && html.len() < 2 << 20);
    assert!(text.starts_with("Eine intrakranielle Blutung ist wahrscheinlich"), "{text}");
    assert!(text.ends_with("verwenden.\n") && text.lines().count() == 1, "{text}");
    // File names may hold names of patients.
    assert!(!html.contains(stem) && !text.contains(stem));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn causes_to_consider_are_reported_unless_they_are_switched_off() {
    let dir = tempfile::tempdir().unwrap();
    let (out, file) = (dir.path().to_str().unwrap(), format!("frontend/samples/{BLEED}"));
    let report = |flags: &[&str]| -> Value {
        let args = ["segment", &file, "--output", out, "--format", "json"];
        serde_json::from_str(&stdout(&ichor(&[&args[..], flags].concat()))).unwrap()
    };
    let patterns = report(&[])["patterns"].clone();
    let codes: Vec<&str> =
        patterns.as_array().unwrap().iter().map(|found| found["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["iph_deep", "iph_in_infarct"]);
    assert!(patterns[0]["consider"]["de"].as_str().unwrap().contains("hypertensive"));
    assert_eq!(patterns[0]["sources"][0]["doi"], "10.1161/STR.0000000000000407");
    assert_eq!(report(&["--no-patterns"])["patterns"], Value::Null);
}

#[test]
fn an_unreadable_file_is_reported_and_the_other_is_segmented() {
    let dir = tempfile::tempdir().unwrap();
    let bad = dir.path().join("bad.png");
    std::fs::write(&bad, &sample(BLEED)[..900]).unwrap();
    let good = format!("frontend/samples/{BLEED}");
    let out = dir.path().join("out");
    let output =
        ichor(&["segment", bad.to_str().unwrap(), &good, "--output", out.to_str().unwrap()]);
    assert_refused(&output, "1 of 2");
    let lines: Vec<Value> =
        stdout(&output).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(lines[0]["error"].as_str().unwrap().contains("decoded"));
    assert_eq!(lines[1]["hemorrhage"]["detected"], true);
}

#[test]
fn invalid_arguments_exit_with_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let file = format!("frontend/samples/{BLEED}");
    assert_refused(&ichor(&["segment", &file, "--output", out, "--model", "none"]), "unet");
    assert_refused(&ichor(&["segment", &file, &file, "--output", out]), "overwrite");
    assert_refused(&ichor(&["models", "--models", out]), "--models");
    assert_refused(&ichor(&["evaluate", out]), "slices.csv");
    assert_refused(&ichor(&["serve", "--frontend", out, "--port", "0"]), "--frontend");
}

#[test]
fn a_model_that_was_altered_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("unet");
    std::fs::create_dir(&model).unwrap();
    for file in ["model.json", "MODEL_CARD.md"] {
        std::fs::copy(root().join("models/unet").join(file), model.join(file)).unwrap();
    }
    std::fs::write(model.join("model.onnx"), b"other").unwrap();
    assert_refused(
        &ichor(&["serve", "--models", dir.path().to_str().unwrap(), "--port", "0"]),
        "checksum",
    );
}

#[test]
fn a_format_that_cannot_be_written_leaves_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let file = format!("frontend/samples/{BLEED}");
    let run = |formats: &str, out: &Path| {
        ichor(&[
            "segment",
            &file,
            "--format",
            formats,
            "--model",
            "unet",
            "--output",
            out.to_str().unwrap(),
        ])
    };
    let out = dir.path().join("some");
    let output = run("dicom-seg,png,dicom-sr,json,nifti", &out);
    assert!(output.status.success());
    let notes = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(notes.contains("1 of 1 files could not be written as dicom-seg"), "{notes}");
    let stem = Path::new(&file).file_stem().unwrap().to_str().unwrap();
    let path = |suffix: &str| out.join(format!("{stem}_{suffix}"));
    assert!(
        path("mask.png").is_file() && path("mask.nii.gz").is_file() && !path("seg.dcm").exists()
    );
    let report = std::fs::read(path("report.json")).unwrap();
    for report in [&report[..], &output.stdout] {
        let report: Value = serde_json::from_slice(report).unwrap();
        let warnings = report["warnings"].as_array().unwrap();
        let missing: Vec<&str> = warnings
            .iter()
            .filter(|warning| warning["code"] == "format_not_written")
            .map(|warning| warning["message"].as_str().unwrap().split(' ').next().unwrap())
            .collect();
        assert_eq!(missing, ["dicom-seg", "dicom-sr"]);
    }
    // Where no requested format can be written, the run fails; the report is still printed.
    let output = run("dicom-seg", &dir.path().join("none"));
    assert_refused(&output, "could not be written");
    assert_eq!(
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["hemorrhage"]["detected"],
        true
    );
}

#[test]
fn info_names_the_version_the_models_and_the_limits() {
    let info: Value = serde_json::from_str(&stdout(&ichor(&["info", "--json"]))).unwrap();
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(info["engines"][0], "native");
    assert_eq!(info["limits"]["max_slices"], 512);
    let models = info["models"].as_array().unwrap();
    for model in models {
        let name = model["name"].as_str().unwrap();
        let spec = std::fs::read(root().join("models").join(name).join("model.json")).unwrap();
        let spec: Value = serde_json::from_slice(&spec).unwrap();
        assert_eq!((&model["version"], &model["sha256"]), (&spec["version"], &spec["sha256"]));
    }
    let text = stdout(&ichor(&["info"]));
    assert!(text.contains(env!("CARGO_PKG_VERSION")) && models.len() == 2, "{text}");
}

#[test]
fn models_are_listed() {
    let text = stdout(&ichor(&["models"]));
    assert!(text.contains("unet") && text.contains("deeplabv3"));
}

#[test]
fn evaluate_scores_the_synthetic_slices_by_their_labels() {
    let output = ichor(&["evaluate", "frontend/samples", "--model", "unet", "--json"]);
    let figures: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(figures["slices"], 12);
    assert_eq!(figures["masked_slices"], 0, "their lesions are labelled but not drawn");
    assert!(figures["slice_auc"].as_f64().is_some());
    assert!(figures["classes"]["hemorrhage"]["accuracy"].as_f64().is_some());
}

#[test]
fn evaluate_measures_perfect_masks_as_perfect() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let file = format!("frontend/samples/{BLEED}");
    assert!(ichor(&["segment", &file, "--model", "unet", "--output", out]).status.success());
    std::fs::copy(root().join(&file), dir.path().join("image.png")).unwrap();
    let mask = format!("{}_mask.png", BLEED.trim_end_matches(".png"));
    let table = format!("patient,slice,image,hemorrhage,mask\na,1,image.png,1,{mask}\n");
    std::fs::write(dir.path().join("slices.csv"), table).unwrap();
    let output = ichor(&["evaluate", out, "--model", "unet", "--json"]);
    let figures: Value = serde_json::from_str(&stdout(&output)).unwrap();
    for figure in
        ["dice_mean_over_slices", "dice_mean_over_patients", "dice_pooled", "slice_sensitivity"]
    {
        assert_eq!(figures[figure], 1.0, "{figure}");
    }
    assert_eq!(figures["classes"]["hemorrhage"]["iou"], 1.0);
}

#[test]
fn evaluate_writes_the_features_of_true_and_of_outlined_lesions() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let file = format!("frontend/samples/{BLEED}");
    assert!(ichor(&["segment", &file, "--model", "deeplabv3", "--output", out]).status.success());
    std::fs::copy(root().join(&file), dir.path().join("image.png")).unwrap();
    let name = format!("{}_mask.png", BLEED.trim_end_matches(".png"));
    let mask = image::open(dir.path().join(&name)).unwrap().into_luma8();
    let header = "patient,slice,image,hemorrhage,mask,labels";
    let table = format!("{header}\na,1,image.png,1,{name},labels.png\n");
    std::fs::write(dir.path().join("slices.csv"), table).unwrap();
    let run = |label: u8| {
        let mut labels = mask.clone();
        labels.iter_mut().for_each(|pixel| *pixel = if *pixel > 0 { label } else { 0 });
        labels.save(dir.path().join("labels.png")).unwrap();
        let answers = format!("{out}/answers");
        ichor(&["evaluate", out, "--model", "deeplabv3", "--grid", "--alone", "--output", &answers])
    };
    // 4 is the place of the intraparenchymal type.
    assert!(run(4).status.success());
    let rows = std::fs::read_to_string(dir.path().join("answers/lesions.csv")).unwrap();
    assert!(rows.starts_with("patient,slice,image,outline,area_px,type,type_share,overlap,"));
    for outline in ["true", "own"] {
        let row = rows.lines().find(|row| row.split(',').nth(3) == Some(outline)).unwrap();
        let fields: Vec<&str> = row.split(',').collect();
        assert_eq!(fields[5], "IPH", "{row}");
        assert!(fields[6].parse::<f32>().unwrap() > 0.9 && fields[7].parse::<f32>().unwrap() > 0.9);
        assert!(fields[9..].iter().all(|value| value.parse::<f32>().unwrap().is_finite()));
    }
    assert_refused(&run(9), "its labels hold the value 9. Write 0 to 5");
}

#[test]
fn prepare_writes_planes_that_numpy_reads() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let output = ichor(&[
        "prepare",
        "frontend/samples",
        "--spec",
        "models/unet/model.json",
        "--output",
        out,
    ]);
    assert!(output.status.success());
    let images = std::fs::read(dir.path().join("images.npy")).unwrap();
    assert_eq!(npyz::NpyFile::new(&images[..]).unwrap().shape(), [12, 1, 256, 256]);
    let masks = std::fs::read(dir.path().join("masks.npy")).unwrap();
    let masks = npyz::NpyFile::new(&masks[..]).unwrap().into_vec::<u8>().unwrap();
    let unknown = masks.iter().filter(|&&v| v == 255).count() / (256 * 256);
    assert_eq!(unknown, 10, "positives without a drawn mask stay unknown");
    let index = std::fs::read_to_string(dir.path().join("index.csv")).unwrap();
    let lines: Vec<&str> = index.lines().collect();
    assert_eq!(lines.len(), 13);
    assert!(lines[0].ends_with(",mask_known,mask_tier,gray_scale"), "{}", lines[0]);
    assert!(lines[1..].iter().all(|line| line.ends_with(",,window_known")), "{index}");
}
