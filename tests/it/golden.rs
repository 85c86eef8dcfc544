//! The served models against reference outputs of PyTorch, stage by stage.

use crate::fixtures::{models, root, sample};
use ichor::decode::{Limits, decode_slice};
use ichor::model_spec::sigmoid;
use ichor::segmenter::Segmenter;
use npyz::NpyFile;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tract_onnx::prelude::f16;

/// Tensors are stored as f16: relative rounding 2^-11 of values up to about 4.
const TENSOR_TOLERANCE: f32 = 2e-3;
/// f16 storage of the probability (2.5e-4) plus f32 sums in another order, and weights that
/// the ONNX file stores as f16 where PyTorch kept f32.
const PROBABILITY_TOLERANCE: f32 = 5e-3;
/// Logits of the slice head: as above, before the sigmoid.
const SLICE_LOGIT_TOLERANCE: f32 = 5e-2;

pub(crate) fn cases(model: &str) -> Vec<PathBuf> {
    let folder = root().join("models").join(model).join("golden");
    let mut cases: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.join("case.json").is_file())
        .collect();
    cases.sort();
    assert!(cases.len() >= 3, "{model} has {} golden cases", cases.len());
    cases
}

fn read_f16(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    let file = NpyFile::new(&bytes[..]).unwrap();
    file.into_vec::<f16>().unwrap().into_iter().map(f16::to_f32).collect()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Pixels that lie on different sides of the threshold, and further from it than `distance`. There must be
/// none, in whatever order the CPU adds.
pub(crate) fn crossings(a: &[f32], b: &[f32], threshold: f32, distance: f32) -> usize {
    assert_eq!(a.len(), b.len());
    let far = |value: f32| (value - threshold).abs() > distance;
    a.iter().zip(b).filter(|&(&a, &b)| (a >= threshold) != (b >= threshold) && far(a)).count()
}

fn check(model: &Segmenter, folder: &Path) {
    let place = folder.display();
    let case: Value =
        serde_json::from_slice(&std::fs::read(folder.join("case.json")).unwrap()).unwrap();
    let image = sample(case["image"].as_str().unwrap());
    let slice = decode_slice(&image, &Limits::default()).unwrap();
    let (prepared, logits) = model.logits(&slice).unwrap();

    let difference = largest_difference(&prepared.tensor, &read_f16(&folder.join("tensor.npy")));
    assert!(difference <= TENSOR_TOLERANCE, "{place}: tensor differs by {difference}");

    let probabilities: Vec<f32> = logits.mask.iter().map(|&l| sigmoid(l)).collect();
    let difference =
        largest_difference(&probabilities, &read_f16(&folder.join("probabilities.npy")));
    assert!(difference <= PROBABILITY_TOLERANCE, "{place}: probabilities differ by {difference}");

    let expected: Vec<f32> = case["slice_logits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap() as f32)
        .collect();
    let difference = largest_difference(&logits.slice, &expected);
    assert!(difference <= SLICE_LOGIT_TOLERANCE, "{place}: slice logits differ by {difference}");

    let truth = image::open(folder.join("mask.png")).unwrap().to_luma8();
    let threshold = model.spec().postprocessing.threshold;
    let pairs = probabilities.iter().zip(truth.as_raw());
    let far = |p: f32| (p - threshold).abs() > PROBABILITY_TOLERANCE;
    let wrong = pairs.filter(|&(&p, &t)| (p >= threshold) != (t > 0) && far(p)).count();
    assert_eq!(wrong, 0, "{place}: pixels of the mask that are not at the threshold");
}

#[test]
fn tensor_probabilities_and_mask_agree_with_pytorch() {
    let models = models();
    let mut lesions = 0;
    for model in models.iter() {
        for case in cases(&model.spec().name) {
            check(model, &case);
            let mask = image::open(case.join("mask.png")).unwrap().to_luma8();
            lesions += usize::from(mask.iter().any(|&v| v > 0));
        }
    }
    assert!(lesions > 0, "at least one golden mask must hold a lesion, or nothing was compared");
}

#[test]
fn model_files_are_small_enough_to_serve() {
    for model in models().iter() {
        let path = root().join("models").join(&model.spec().name).join(&model.spec().file);
        assert!(std::fs::metadata(path).unwrap().len() <= 12 << 20);
    }
}
