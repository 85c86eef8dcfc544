//! `ichor inspect` as a user runs it.

use crate::fixtures::{BLEED, root};
use serde_json::Value;
use std::process::{Command, Output};

fn inspect(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ichor"));
    command.current_dir(root()).arg("inspect").args(args).output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_folder_gives_one_line_per_file() {
    let output = inspect(&["--json", "fuzz/seeds/dicom"]);
    assert!(output.status.success());
    let lines = lines(&output);
    assert!(lines.len() >= 12);
    let enhanced = lines.iter().find(|l| l["file"] == "fuzz/seeds/dicom/enhanced").unwrap();
    assert_eq!((&enhanced["format"], &enhanced["slice_count"]), (&"dicom".into(), &2.into()));
    assert_eq!(enhanced["slices"][1]["position_mm"][2], 6.0);
    assert_eq!(enhanced["slices"][1]["samples"]["min"], -1000.0);
}

#[test]
fn unreadable_files_are_reported_and_the_others_are_shown() {
    let picture = format!("frontend/samples/{BLEED}");
    let output = inspect(&["--json", "Cargo.toml", &picture]);
    assert_eq!(output.status.code(), Some(1));
    let lines = lines(&output);
    assert!(lines[0]["error"].as_str().unwrap().contains("a text"));
    assert_eq!(lines[1]["slices"][0]["is_hounsfield"], false);
    assert_eq!(lines[1]["format"], "image");
}

#[test]
fn the_table_names_units() {
    let output = inspect(&["tests/data/dicom/ct_explicit.dcm"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for needle in
        ["512 x 512 px, CT", "min -3024 HU, max 1378 HU, mean -949.08 HU", "window center 40"]
    {
        assert!(text.contains(needle), "{text}");
    }
    assert!(!text.contains("MISTER"), "no patient attributes");
}
