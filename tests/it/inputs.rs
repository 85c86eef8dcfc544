//! The inputs of `ichor segment`, and its warnings about files that it leaves out.

use crate::fixtures::root;
use crate::head::{SLICES, nifti, write_dicom};
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::tags;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Lines of `ichor segment`, which may fail for some of its inputs.
fn segment(inputs: &[&Path], output: &Path, more: &[&str], stdin: &[u8]) -> Vec<Value> {
    let mut run = Command::new(env!("CARGO_BIN_EXE_ichor"))
        .current_dir(root())
        .arg("segment")
        .args(inputs)
        .args(["--model", "unet", "--output"])
        .arg(output)
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    run.stdin.take().unwrap().write_all(stdin).unwrap();
    let output = run.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn codes(line: &Value) -> Vec<&str> {
    line["warnings"].as_array().unwrap().iter().map(|w| w["code"].as_str().unwrap()).collect()
}

/// Writes the head again into the same folder, with other values of some attributes.
fn add_series(folder: &Path, prefix: &str, values: &[(Tag, VR, &str)]) {
    for number in 1..=SLICES {
        let mut object = dicom_object::open_file(folder.join(format!("{number:02}.dcm"))).unwrap();
        for (tag, vr, value) in values {
            object.put(DataElement::new(*tag, *vr, *value));
        }
        object.write_to_file(folder.join(format!("{prefix}{number:02}.dcm"))).unwrap();
    }
}

#[test]
fn one_series_is_chosen_from_a_folder_and_its_zip_and_another_by_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("study");
    write_dicom(&folder);
    let bone = (tags::CONVOLUTION_KERNEL, VR::SH, "BONE");
    add_series(&folder, "a", &[bone, (tags::SERIES_NUMBER, VR::IS, "3")]);
    let files: Vec<(String, Vec<u8>)> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|e| (e.file_name().into_string().unwrap(), std::fs::read(e.path()).unwrap()))
        .collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (n.as_str(), &b[..])).collect();
    let zip = dir.path().join("study.zip");
    std::fs::write(&zip, crate::archives::zip(&files)).unwrap();
    for (more, taken) in [(&[][..], "1 was segmented"), (&["--series", "2"], "2 was segmented")] {
        for input in [&folder, &zip] {
            let lines = segment(&[input], &dir.path().join("out"), more, &[]);
            assert_eq!((lines.len(), &lines[0]["series"]["slices"]), (1, &SLICES.into()));
            let codes = codes(&lines[0]);
            assert!(codes.contains(&"series_chosen"), "{codes:?}");
            assert!(codes.contains(&"other_reconstruction_left_out"), "{codes:?}");
            assert!(lines[0]["warnings"].to_string().contains(taken), "{taken}");
            assert!(lines[0]["volume"]["total_volume_ml"].is_number());
        }
    }
}

#[test]
fn patients_that_share_a_series_are_separate_heads() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("two");
    write_dicom(&folder);
    add_series(&folder, "b", &[(tags::PATIENT_ID, VR::LO, "OTHER")]);
    let lines = segment(&[&folder], &dir.path().join("out"), &[], &[]);
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert_eq!(line["series"]["slices"], SLICES);
    }
}

#[test]
fn results_in_an_input_folder_are_not_inputs() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("head");
    write_dicom(&folder);
    let out = folder.join("results");
    let formats = ["--format", "png,nifti,dicom-seg,dicom-sr,json,csv,montage"];
    let first = segment(&[&folder], &out, &formats, &[]);
    let again = segment(&[&folder], &out, &formats, &[]);
    assert_eq!((first.len(), again.len()), (1, 1));
    assert_eq!(first[0]["hemorrhage"], again[0]["hemorrhage"]);
    assert!(codes(&again[0]).contains(&"results_left_out"));
}

#[test]
fn links_are_followed_and_missing_files_leave_the_result_undecided() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, links) = (dir.path().join("head"), dir.path().join("links"));
    write_dicom(&folder);
    std::fs::create_dir(&links).unwrap();
    for number in 1..=SLICES {
        let name = format!("{number:02}.dcm");
        std::os::unix::fs::symlink(folder.join(&name), links.join(&name)).unwrap();
    }
    let lines = segment(&[&links], &dir.path().join("out"), &[], &[]);
    assert_eq!((lines.len(), &lines[0]["series"]["slices"]), (1, &SLICES.into()));
    std::fs::remove_file(folder.join("03.dcm")).unwrap();
    let lines = segment(&[&links], &dir.path().join("out"), &[], &[]);
    assert_eq!((lines.len(), &lines[0]["series"]["slices"]), (2, &(SLICES - 1).into()));
    assert!(codes(&lines[0]).contains(&"files_unreadable"));
    assert_ne!(lines[0]["hemorrhage"]["detected"], false);
    assert!(lines[0]["volume"]["total_volume_ml"].is_null());
    assert!(lines[1]["error"].as_str().unwrap().contains("cannot be read"));
}

#[test]
fn the_standard_input_is_a_file_and_an_address_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let inputs = [Path::new("-"), Path::new("https://example.org/head.dcm")];
    let lines = segment(&inputs, dir.path(), &[], &nifti([false; 3]));
    assert_eq!(lines[0]["series"]["slices"], SLICES);
    assert!(dir.path().join("stdin_001_mask.png").is_file());
    assert!(lines[1]["error"].as_str().unwrap().contains("nothing is downloaded"));
}
