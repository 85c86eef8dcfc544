//! Whole heads end to end, as a user segments them.

use crate::fixtures::{
    BLEED, NO_BLEED, assert_problem, json, post, root, sample, send, send_to, service_with,
};
use crate::head::{COLUMNS, ROWS, SLICES, STEPS_MM, nifti, write_dicom};
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs `ichor segment` with the model that outlines the generated head, and returns its lines.
pub(crate) fn segment(inputs: &[&Path], output: &Path, more: &[&str]) -> Vec<Value> {
    let run = Command::new(env!("CARGO_BIN_EXE_ichor"))
        .current_dir(root())
        .arg("segment")
        .args(inputs)
        .args(["--model", "unet", "--output"])
        .arg(output)
        .args(more)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = String::from_utf8(run.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The head as a folder of DICOM files and as a NIfTI file.
fn head(folder: &Path) -> [PathBuf; 2] {
    let paths = [folder.join("head"), folder.join("scan.nii")];
    write_dicom(&paths[0]);
    std::fs::write(&paths[1], nifti([false; 3])).unwrap();
    paths
}

/// Slice pictures of one kind, in order.
pub(crate) fn pictures(folder: &Path, stem: &str, kind: &str) -> Vec<Vec<u8>> {
    let picture = |number| {
        let path = folder.join(format!("{stem}_{number:03}_{kind}.png"));
        image::open(path).unwrap().into_bytes()
    };
    (1..=SLICES).map(picture).collect()
}

/// Voxels of a packed NIfTI mask.
fn voxels(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_end(&mut bytes)
        .unwrap();
    bytes.split_off(352)
}

/// The findings of a report, without the properties of its file and its times.
fn findings(line: &Value) -> [Value; 3] {
    let slices = line["slices"].as_array().unwrap();
    let plain = slices.iter().map(|s| (&s["index"], &s["probability"], &s["lesions"]));
    let slices = plain.map(|(i, p, l)| serde_json::json!([i, p, l])).collect();
    [line["hemorrhage"].clone(), line["volume"]["total_volume_ml"].clone(), Value::Array(slices)]
}

#[test]
fn a_dicom_folder_and_its_nifti_give_the_same_masks_and_volume() {
    let dir = tempfile::tempdir().unwrap();
    let [dicom, volume] = head(dir.path());
    let out = dir.path().join("out");
    let lines = segment(&[&dicom, &volume], &out, &["--format", "png,nifti"]);
    // Other files come before folders.
    assert_eq!(
        [&lines[1]["file"], &lines[0]["file"]].map(|f| f.as_str().unwrap()),
        [&dicom, &volume].map(|p| p.to_str().unwrap())
    );
    for kind in ["mask", "overlay"] {
        assert_eq!(pictures(&out, "head", kind), pictures(&out, "scan", kind), "{kind}");
    }
    assert_eq!(voxels(&out.join("head_mask.nii.gz")), voxels(&out.join("scan_mask.nii.gz")));
    assert_eq!(findings(&lines[0]), findings(&lines[1]));
    assert_eq!(lines[0]["hemorrhage"]["detected"], true);
    assert_eq!(lines[0]["series"]["slice_spacing_mm"], STEPS_MM[2]);
}

#[test]
fn the_reported_volume_is_the_volume_of_the_masks() {
    let dir = tempfile::tempdir().unwrap();
    let [dicom, _] = head(dir.path());
    let out = dir.path().join("out");
    let line = segment(&[&dicom], &out, &["--format", "png,csv"]).remove(0);
    let inside: usize =
        pictures(&out, "head", "mask").iter().flatten().filter(|&&pixel| pixel == 255).count();
    let expected = inside as f64 * STEPS_MM.iter().product::<f64>() / 1000.0;
    let near = |actual: f64| (actual - expected).abs() < 1e-3 * expected;
    let total = line["volume"]["total_volume_ml"].as_f64().unwrap();
    assert!(expected > 1.0 && near(total), "{total} for {expected}");
    let of = |slice: &Value| -> f64 {
        slice["lesions"].as_array().unwrap().iter().map(|l| l["volume_ml"].as_f64().unwrap()).sum()
    };
    assert!(near(line["slices"].as_array().unwrap().iter().map(of).sum()), "regions");
    let types = line["hemorrhage"]["subtypes"].as_array().unwrap();
    assert!(near(types.iter().map(|t| t["experimental_volume_ml"].as_f64().unwrap()).sum()));
    let mut table = csv::Reader::from_path(out.join("head_lesions.csv")).unwrap();
    let volume = |row: Result<csv::StringRecord, _>| row.unwrap()[1].parse::<f64>().unwrap();
    assert!(near(table.records().map(volume).sum()), "lesions across slices");
    // Slices are in the order of their positions, the files are named against it.
    let sources = line["slices"].as_array().unwrap().iter().map(|s| s["source"].as_u64().unwrap());
    assert!(sources.eq((0..SLICES as u64).rev()));
}

#[test]
fn flipped_storage_flips_the_stored_mask_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let volume = dir.path().join("scan.nii");
    let mut seen = None;
    for flipped in [[false; 3], [true, false, false], [false, true, true], [true; 3]] {
        std::fs::write(&volume, nifti(flipped)).unwrap();
        let line = segment(&[&volume], dir.path(), &["--format", "png,nifti"]).remove(0);
        let stored = voxels(&dir.path().join("scan_mask.nii.gz"));
        let sizes = [COLUMNS, ROWS, SLICES];
        let place =
            |voxel: usize| {
                let at = [voxel % COLUMNS, voxel / COLUMNS % ROWS, voxel / (COLUMNS * ROWS)];
                let [i, j, k] = [0, 1, 2].map(|axis: usize| {
                    if flipped[axis] { sizes[axis] - 1 - at[axis] } else { at[axis] }
                });
                i + COLUMNS * (j + ROWS * k)
            };
        let upright: Vec<u8> = (0..stored.len()).map(|voxel| stored[place(voxel)]).collect();
        let now = (pictures(dir.path(), "scan", "mask"), findings(&line), upright);
        assert!(now.2.contains(&1));
        assert!(seen.get_or_insert_with(|| now.clone()) == &now, "{flipped:?}");
    }
}

#[test]
fn the_window_changes_the_overlay_only() {
    let dir = tempfile::tempdir().unwrap();
    let [_, volume] = head(dir.path());
    let run = |window: &[&str]| {
        let line = segment(&[&volume], dir.path(), window).remove(0);
        let [mask, overlay] = ["mask", "overlay"].map(|kind| pictures(dir.path(), "scan", kind));
        (line["series"]["window"].clone(), findings(&line), mask, overlay)
    };
    let own = run(&[]);
    let subdural = run(&["--window", "subdural"]);
    let free = run(&["--window=-20,300"]);
    assert_eq!(own.0["width_hu"], 120.0, "the model's input window");
    assert_eq!([&subdural.0["center_hu"], &free.0["center_hu"]], [80.0, -20.0]);
    assert!(own.3 != subdural.3 && subdural.3 != free.3);
    assert!((&own.1, &own.2) == (&subdural.1, &subdural.2));
    assert!((&own.1, &own.2) == (&free.1, &free.2));
}

#[test]
fn every_format_has_its_own_file_name() {
    let dir = tempfile::tempdir().unwrap();
    let [dicom, _] = head(dir.path());
    let out = dir.path().join("out");
    let formats = "nifti,dicom-seg,dicom-sr,json,csv,montage";
    let line = segment(&[&dicom], &out, &["--format", formats]).remove(0);
    let mut names: Vec<String> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let kinds = [
        "lesions.csv",
        "mask.nii.gz",
        "montage.png",
        "regions.csv",
        "report.json",
        "seg.dcm",
        "sr.dcm",
    ];
    assert_eq!(names, kinds.map(|kind| format!("head_{kind}")));
    let report: Value =
        serde_json::from_slice(&std::fs::read(out.join("head_report.json")).unwrap()).unwrap();
    assert_eq!(findings(&report), findings(&line));
    let object = dicom_object::open_file(out.join("head_seg.dcm")).unwrap();
    let text = |name: &str| object.element_by_name(name).unwrap().to_str().unwrap().into_owned();
    assert_eq!((text("PatientID"), text("Modality")), ("PHANTOM".into(), "SEG".into()));
}

#[test]
fn dicom_files_named_alone_form_their_series_and_pictures_stay_alone() {
    let dir = tempfile::tempdir().unwrap();
    let [dicom, _] = head(dir.path());
    let mut files: Vec<PathBuf> =
        (1..=SLICES).map(|number| dicom.join(format!("{number:02}.dcm"))).collect();
    files.push(root().join("frontend/samples").join(BLEED));
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let lines = segment(&paths, &dir.path().join("out"), &[]);
    assert_eq!(lines.len(), 2);
    assert!(lines[0]["lesions"].is_array(), "one slice, one report");
    assert_eq!(lines[1]["series"]["slices"], SLICES);
    assert!(dir.path().join("out/01_006_overlay.png").is_file(), "named by its first file");
}

#[test]
fn a_folder_of_pictures_gives_each_its_own_report() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("pictures");
    std::fs::create_dir_all(folder.join("b")).unwrap();
    std::fs::write(folder.join("a.png"), sample(BLEED)).unwrap();
    std::fs::write(folder.join("b/a.png"), sample(NO_BLEED)).unwrap();
    std::fs::write(folder.join("notes.txt"), "no image").unwrap();
    let out = dir.path().join("out");
    let lines = segment(&[&folder], &out, &["--format", "png,nifti,csv"]);
    assert_eq!(lines.len(), 2);
    for stem in ["a", "b_a"] {
        assert!(out.join(format!("{stem}_mask.png")).is_file(), "{stem}");
        assert_eq!(voxels(&out.join(format!("{stem}_mask.nii.gz"))).len(), 512 * 512);
    }
    let codes = lines[0]["warnings"].as_array().unwrap();
    assert!(codes.iter().any(|w| w["code"] == "nifti_position_unknown"));
}

/// Other files of an exported study, and results of an earlier run.
#[test]
fn files_without_slices_in_an_exported_folder_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let [dicom, _] = head(dir.path());
    let out = dir.path().join("out");
    segment(&[&dicom], &out, &["--format", "dicom-sr"]);
    let study = dir.path().join("study");
    for (number, slice) in (1..=SLICES).enumerate() {
        // Folders in folders, files without extension.
        let folder = study.join(format!("DICOM/PA0/SE{}", number % 2));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(dicom.join(format!("{slice:02}.dcm")), folder.join(format!("IM{slice}")))
            .unwrap();
    }
    let broken = std::fs::read(dicom.join("03.dcm")).unwrap();
    std::fs::write(study.join("DICOM/PA0/SE0/IM3"), &broken[..broken.len() - 4000]).unwrap();
    for (from, to) in [("head_sr.dcm", "DICOM/SR1"), ("head_seg.dcm", "DICOM/SEG1")] {
        std::fs::copy(out.join(from), study.join(to)).unwrap();
    }
    // A table of contents is DICOM without an image, as is a report.
    std::fs::copy(out.join("head_sr.dcm"), study.join("DICOMDIR")).unwrap();
    std::fs::write(study.join("autorun.inf"), "[autorun]").unwrap();
    let lines = segment(&[&study], &out, &["--format", "json"]);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["series"]["slices"], SLICES - 1);
    let message = |code: &str| {
        let warnings = lines[0]["warnings"].as_array().unwrap();
        let found = warnings.iter().find(|w| w["code"] == code);
        found.unwrap_or_else(|| panic!("{code}: {warnings:?}"))["message"].to_string()
    };
    assert!(message("files_left_out").contains("4 files"));
    assert!(message("files_unreadable").contains("missing here: 1."));
    assert!(message("missing_slices").contains("12.00 mm"));
}

/// Runs `ichor segment` on a folder with `count` copies of `file`; returns its output.
fn refused(count: usize, file: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let first = dir.path().join("0");
    std::fs::write(&first, file).unwrap();
    // Links to one file, to save disk space.
    (1..count).for_each(|n| std::fs::hard_link(&first, dir.path().join(n.to_string())).unwrap());
    let run = Command::new(env!("CARGO_BIN_EXE_ichor"))
        .current_dir(root())
        .args(["segment", "--output"])
        .arg(dir.path().join("out"))
        .arg(dir.path())
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(1));
    format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr))
}

#[test]
fn a_series_of_ten_thousand_files_is_refused_by_the_limit_it_exceeds() {
    let slice = crate::dicom::phantom::ct_with(|_| {});
    let output = refused(10_001, &slice);
    assert!(output.contains("number of files in a folder is above the limit of 10000"), "{output}");
    let output = refused(10_000, &slice);
    assert!(output.contains("number of slices is above the limit of 512"), "{output}");
}

#[test]
fn dicom_without_an_image_is_refused_when_it_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let [dicom, _] = head(dir.path());
    let out = dir.path().join("out");
    segment(&[&dicom], &out, &["--format", "dicom-sr"]);
    let run = Command::new(env!("CARGO_BIN_EXE_ichor"))
        .current_dir(root())
        .args(["segment", "--output"])
        .arg(&out)
        .arg(out.join("head_sr.dcm"))
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(1));
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(text.contains("holds no pixel data; it may be a report"), "{text}");
}

#[tokio::test]
async fn the_api_returns_a_series_report_for_a_volume() {
    let query = "?model=unet&window=subdural&include=mask,overlay";
    let report = json(send(post(query, "application/nifti", nifti([false; 3]))).await.1).await;
    assert_eq!(report["series"]["slices"], SLICES, "{report}");
    assert_eq!(report["series"]["window"]["width_hu"], 200.0);
    let key = report["series"]["key_slice"].as_u64().unwrap() as usize;
    for (index, slice) in report["slices"].as_array().unwrap().iter().enumerate() {
        assert_eq!(slice.get("overlay").is_some(), index == key, "pictures of the key slice");
    }
    let query = "?model=unet&include=mask,probabilities,every_slice";
    let report = json(send(post(query, "application/nifti", nifti([false; 3]))).await.1).await;
    assert!(
        report["slices"]
            .as_array()
            .unwrap()
            .iter()
            .all(|s| s.get("mask").is_some() && s.get("probabilities").is_some())
    );
}

#[tokio::test]
async fn a_series_as_a_picture_is_a_montage() {
    let mut request = post("?model=unet", "application/nifti", nifti([false; 3]));
    request.headers_mut().insert("accept", "image/png".parse().unwrap());
    let (status, response) = send(request).await;
    assert_eq!(status, 200);
    let picture = image::load_from_memory(&crate::fixtures::bytes(response).await).unwrap();
    assert!(picture.width() >= 260 && picture.height() >= 260);
}

#[tokio::test]
async fn errors_for_a_series_over_the_limit_and_an_invalid_window_name_a_remedy() {
    let service = service_with(|limits| limits.slice.max_slices = SLICES - 1);
    let (status, response) =
        send_to(service, post("", "application/nifti", nifti([false; 3]))).await;
    let problem = json(response).await;
    assert_eq!(status, 413, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains(&(SLICES - 1).to_string()), "{problem}");
    for window in ["lung", "40,0", "40", "a,b"] {
        let query = format!("?window={window}");
        assert_problem(post(&query, "image/png", sample(BLEED)), 400, "invalid_parameter").await;
    }
}
