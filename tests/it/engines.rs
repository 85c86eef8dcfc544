//! The engine that serves against tract, on the served models; and where `unsafe` may be.

use crate::fixtures::{root, sample};
use crate::golden::crossings;
use ichor::decode::{Limits, decode_slice};
use ichor::engine::{Engine, Level, Logits};
use ichor::model_spec::sigmoid;
use ichor::preprocess::preprocess;
use ichor::storage::read_model_dir;
use std::path::{Path, PathBuf};

/// Logits of up to about 20 after some 60 layers of 32-bit sums in another order.
const LOGIT_TOLERANCE: f32 = 1e-3;

fn largest_difference(a: &Logits, b: &Logits) -> f32 {
    assert_eq!((a.mask.len(), a.slice.len()), (b.mask.len(), b.slice.len()));
    let pairs = a.mask.iter().zip(&b.mask).chain(a.slice.iter().zip(&b.slice));
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn served_models_run_on_the_native_engine_and_agree_with_tract_at_every_simd_level() {
    let images: Vec<String> = std::fs::read_dir(root().join("frontend/samples"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".png"))
        .collect();
    assert!(images.len() >= 12, "{} samples", images.len());
    for files in read_model_dir(&root().join("models")).unwrap() {
        let spec = &files.spec;
        assert_eq!(Engine::load(&spec.io(), &files.onnx, &|_| ()).unwrap().facts().name, "blocked");
        let reference = Engine::reference(&spec.io(), &files.onnx, &|_| ()).unwrap();
        let tensors: Vec<Vec<f32>> = images
            .iter()
            .map(|name| decode_slice(&sample(name), &Limits::default()).unwrap())
            .map(|slice| preprocess(&slice, spec).unwrap().tensor)
            .collect();
        let expected: Vec<Logits> = tensors.iter().map(|t| reference.run(t).unwrap()).collect();
        for level in Level::available() {
            let engine = Engine::native(&spec.io(), &files.onnx, level, &|_| ()).unwrap();
            for ((tensor, expected), image) in tensors.iter().zip(&expected).zip(&images) {
                let place = format!("{} on {image} at {}", spec.name, level.name());
                let answer = engine.run(tensor).unwrap();
                let difference = largest_difference(&answer, expected);
                assert!(difference <= LOGIT_TOLERANCE, "{place}: logits differ by {difference}");
                // The slope of a logit as a probability is at most 1/4.
                let [ours, theirs] = [&answer, expected]
                    .map(|l| l.mask.iter().map(|&logit| sigmoid(logit)).collect::<Vec<f32>>());
                let threshold = spec.postprocessing.threshold;
                let wrong = crossings(&ours, &theirs, threshold, LOGIT_TOLERANCE / 4.0);
                assert_eq!(wrong, 0, "{place}: pixels of the mask that are not at the threshold");
            }
        }
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

#[test]
fn unsafe_code_is_allowed_in_the_kernels_and_the_exports_of_the_module_only() {
    // The lint is `deny` for all crates: what does not allow it has no unsafe code.
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"deny\""));
    let opens = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        text.replace("forbid(unsafe_code)", "").contains("unsafe_code")
    };
    let files = ["src", "crates"].map(|folder| sources(&root().join(folder))).concat();
    assert!(files.len() > 150, "{} files", files.len());
    let mut found: Vec<PathBuf> = files.into_iter().filter(opens).collect();
    found.sort();
    let allowed = ["ichor-engine/src/native/kernels.rs", "ichor-wasm/src/exports.rs"];
    assert_eq!(found, allowed.map(|file| root().join("crates").join(file)));
    // The exports have attributes and declarations that are unsafe, and no block: they follow no pointer.
    let exports = std::fs::read_to_string(&found[1]).unwrap();
    assert!(!exports.contains("unsafe {") && !exports.contains("unsafe fn"));
}
