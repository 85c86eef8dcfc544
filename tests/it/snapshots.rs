//! Outputs that users rely on, compared with snapshots in `tests/snapshots`: JSON, files and their contents, names of flags.
//!
//! `ICHOR_SNAPSHOTS=write cargo test snapshots` writes them again; the difference belongs into the same commit as its
//! cause. Numbers may differ a little, as CPUs round differently; texts must not.

use crate::fixtures::{BLEED, root};
use crate::head::{nifti, write_dicom};
use dicom_core::VR;
use dicom_core::value::Value as DicomValue;
use dicom_object::InMemDicomObject;
use serde_json::{Map, Value, json};
use std::io::Read;
use std::path::Path;
use std::process::Command;

const FORMATS: &str = "png,nifti,dicom-seg,dicom-sr,json,csv,montage";

/// Runs the program in `folder`: exit code, standard output and standard error.
fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_ichor"))
        .current_dir(folder)
        .args(args)
        .args(["--models", root().join("models").to_str().unwrap()])
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (run.status.code().unwrap(), text(run.stdout), text(run.stderr))
}

/// Segments `inputs` into all formats; returns exit code, output and files.
fn segmented(folder: &Path, inputs: &[&str], model: &str) -> Value {
    let options = ["--model", model, "--format", FORMATS, "--output", "out"];
    let (code, stdout, stderr) = run(folder, &[&["segment"], inputs, &options].concat());
    let lines: Vec<Value> = stdout.lines().map(|line| parsed(line.as_bytes())).collect();
    let mut files: Vec<_> =
        std::fs::read_dir(folder.join("out")).into_iter().flatten().map(|f| f.unwrap()).collect();
    files.sort_by_key(|file| file.file_name());
    let content = |file: &std::fs::DirEntry| {
        let name = file.file_name().into_string().unwrap();
        let value = file_content(&name, &std::fs::read(file.path()).unwrap());
        (name, value)
    };
    let files: Map<String, Value> = files.iter().map(content).collect();
    json!({ "exit": code, "lines": lines, "stderr": stderr, "files": files })
}

/// JSON without what changes from run to run.
fn parsed(bytes: &[u8]) -> Value {
    let mut value = serde_json::from_slice(bytes).unwrap();
    replace_variable_values(&mut value);
    value
}

/// Replaces times, identifiers and versions by their kind.
fn replace_variable_values(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                match name.as_str() {
                    "timings_ms" => *value = json!("times"),
                    "request_id" | "sha256" | "version" | "created_at" => *value = json!(name),
                    _ => replace_variable_values(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(replace_variable_values),
        _ => (),
    }
}

fn file_content(name: &str, bytes: &[u8]) -> Value {
    match name.rsplit('.').next().unwrap() {
        "json" => parsed(bytes),
        "csv" => table(std::str::from_utf8(bytes).unwrap()),
        "png" => {
            let picture = image::load_from_memory(bytes).unwrap();
            let lit = picture.to_luma8().iter().filter(|&&grey| grey > 0).count();
            json!({ "size": [picture.width(), picture.height()], "color": format!("{:?}", picture.color()), "lit": lit })
        }
        "gz" => {
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(bytes).read_to_end(&mut unpacked).unwrap();
            let (header, voxels) = unpacked.split_at(352);
            let lit = voxels.iter().filter(|&&voxel| voxel > 0).count();
            let header = hex::encode(header);
            json!({ "header": header, "voxels": voxels.len(), "lit": lit })
        }
        "dcm" => {
            let object = dicom_object::from_reader(bytes).unwrap();
            json!({ "transfer_syntax": object.meta().transfer_syntax(), "elements": elements(&object) })
        }
        _ => panic!("no reader for {name}"),
    }
}

/// Rows of cells, numbers as numbers.
fn table(text: &str) -> Value {
    let cell =
        |cell: &str| cell.parse::<f64>().map_or_else(|_| json!(cell), |number| json!(number));
    text.lines().map(|line| line.split(',').map(cell).collect::<Value>()).collect()
}

/// Elements by tag, without identifiers and dates; numbers as numbers, bulk data by length and bits.
fn elements(object: &InMemDicomObject) -> Value {
    let element = |element: &dicom_object::mem::InMemElement| {
        let tag = element.header().tag;
        let value = match element.value() {
            DicomValue::Sequence(items) => items.items().iter().map(elements).collect(),
            DicomValue::PixelSequence(_) => json!("fragments"),
            DicomValue::Primitive(value) => match element.vr() {
                VR::UI if !is_registered(&value.to_str()) => json!("uid"),
                VR::DA | VR::TM | VR::DT => json!("time"),
                VR::OB | VR::OW => {
                    let bytes = value.to_bytes();
                    let bits: u32 = bytes.iter().map(|byte| byte.count_ones()).sum();
                    json!({ "bytes": bytes.len(), "bits": bits })
                }
                // The version of the program: it changes with every release.
                _ if tag == dicom_dictionary_std::tags::SOFTWARE_VERSIONS => json!("version"),
                _ => {
                    let text = value.to_str();
                    let part = |part: &str| {
                        part.trim().parse::<f64>().map_or_else(|_| json!(part), |n| json!(n))
                    };
                    text.split('\\').map(part).collect()
                }
            },
        };
        (format!("{tag} {}", element.vr()), value)
    };
    Value::Object(object.iter().map(element).collect())
}

/// Whether a UID is one of the standard's, which name the kind of an object.
fn is_registered(uid: &str) -> bool {
    uid.starts_with("1.2.840.10008.")
}

/// Flags, their defaults, variables and values; not their prose.
fn flags(help: &str) -> Vec<String> {
    let kept = |line: &str| {
        let line = line.trim();
        let is_value = line.starts_with("- ") && line.contains(": ");
        match line {
            _ if line.starts_with('-') && !is_value => Some(line.to_owned()),
            _ if is_value => line.split(':').next().map(str::to_owned),
            // The value that the variable has on this machine is not part of the snapshot.
            _ if line.starts_with("[env:") => line.split('=').next().map(str::to_owned),
            _ if line.starts_with("[default:") => Some(line.to_owned()),
            _ => None,
        }
    };
    help.lines().filter_map(kept).collect()
}

/// Where `actual` is not as `expected`; numbers may differ by a fiftieth or by 0.02, counts of pixels by 8 more.
fn difference(place: &str, expected: &Value, actual: &Value) -> Option<String> {
    match (expected, actual) {
        (Value::Object(a), Value::Object(b)) => {
            let missing = a.keys().find(|key| !b.contains_key(*key));
            let new = b.keys().find(|key| !a.contains_key(*key));
            missing
                .map(|key| format!("{place}/{key} is missing"))
                .or_else(|| new.map(|key| format!("{place}/{key} is new")))
                .or_else(|| {
                    a.iter().find_map(|(k, v)| difference(&format!("{place}/{k}"), v, &b[k]))
                })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs.into_iter().find_map(|(i, (a, b))| difference(&format!("{place}/{i}"), a, b))
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            let counts =
                if a.fract() == 0.0 && b.fract() == 0.0 && a.abs() > 50.0 { 8.0 } else { 0.02 };
            let far = (a - b).abs() > counts + a.abs() / 50.0;
            far.then(|| format!("{place}: {b} in place of {a}"))
        }
        (a, b) => (a != b).then(|| format!("{place}: {b} in place of {a}")),
    }
}

fn assert_snapshot(name: &str, actual: Value) {
    let path = root().join("tests/snapshots").join(name).with_extension("json");
    if std::env::var("ICHOR_SNAPSHOTS").is_ok_and(|value| value == "write") {
        let text = serde_json::to_string_pretty(&actual).unwrap() + "\n";
        return std::fs::write(&path, text).unwrap();
    }
    let expected = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(difference(name, &expected, &actual), None, "{}", path.display());
}

#[test]
fn a_picture_gives_the_same_files() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(root().join("frontend/samples").join(BLEED), dir.path().join("slice.png"))
        .unwrap();
    assert_snapshot("picture", segmented(dir.path(), &["slice.png"], "deeplabv3"));
}

#[test]
fn a_dicom_series_gives_the_same_files() {
    let dir = tempfile::tempdir().unwrap();
    write_dicom(&dir.path().join("head"));
    assert_snapshot("dicom_series", segmented(dir.path(), &["head"], "unet"));
}

#[test]
fn a_volume_gives_the_same_files() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("scan.nii"), nifti([false; 3])).unwrap();
    assert_snapshot("volume", segmented(dir.path(), &["scan.nii"], "unet"));
}

#[test]
fn a_bad_file_beside_a_good_one_gives_the_same_lines() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("bad.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    std::fs::copy(root().join("frontend/samples").join(BLEED), dir.path().join("slice.png"))
        .unwrap();
    assert_snapshot("bad_file", segmented(dir.path(), &["bad.png", "slice.png"], "unet"));
}

#[test]
fn commands_have_the_same_flags() {
    let command = |name: &str| {
        let run =
            Command::new(env!("CARGO_BIN_EXE_ichor")).args([name, "--help"]).output().unwrap();
        (name.to_owned(), json!(flags(&String::from_utf8(run.stdout).unwrap())))
    };
    let names = ["segment", "serve", "info", "inspect", "models", "prepare", "evaluate"];
    assert_snapshot("flags", Value::Object(names.into_iter().map(command).collect()));
}
