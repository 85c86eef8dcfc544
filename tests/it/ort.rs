//! onnxruntime on the CPU against the native engine, on the committed models.

use crate::archives::zip;
use crate::fixtures::{models, root, sample};
use crate::golden::{cases, crossings};
use ichor::decode::{Input, Limits, decode_slice, open};
use ichor::engine::{Engine, OrtRuntime, OrtSettings, Precision, Provider};
use ichor::model_spec::sigmoid;
use ichor::preprocess::NetworkInput;
use ichor::segmenter::{Analysis, Models, NoObserver, SegmentRequest, Segmenter};
use ichor::storage::read_model_dir;
use ichor_core::Error;
use prost::Message;
use std::path::PathBuf;
use std::time::Duration;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{AttributeProto, ModelProto, NodeProto};

/// f32 sums in another order; far below what moves an outline.
const LOGIT_TOLERANCE: f32 = 2e-3;
/// Of probabilities, in half precision.
const HALF_TOLERANCE: f32 = 5e-3;
/// In a mask of 512 x 512, where logits as near to each other as that may fall on either side of the threshold: an
/// outline crosses some 500 px, of which one in 500 lies so near.
const PIXELS_AT_THRESHOLD: usize = 8;

/// The library that `make` installs; without it these tests fail with the name of what is missing, they are not skipped.
fn library() -> PathBuf {
    let path = std::env::var_os("ICHOR_ONNXRUNTIME")
        .expect("ICHOR_ONNXRUNTIME must name libonnxruntime.so: `make rust-tests` sets it");
    PathBuf::from(path)
}

pub(crate) fn settings() -> OrtSettings {
    OrtSettings {
        library: library(),
        provider: Provider::Cpu,
        device: 0,
        device_bytes: None,
        precision: Precision::Auto,
        threads: 1,
        max_batch: Some(8),
        wait: Duration::from_millis(20),
        queue: 64,
    }
}

pub(crate) fn ort_models(settings: OrtSettings) -> Models {
    let runtime = OrtRuntime::open(settings).unwrap();
    Models::load_ort(read_model_dir(&root().join("models")).unwrap(), None, &runtime).unwrap()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The golden cases of a model, ready for its network.
fn golden_prepared(model: &Segmenter) -> Vec<NetworkInput> {
    let prepared = |case: PathBuf| {
        let name: serde_json::Value =
            serde_json::from_slice(&std::fs::read(case.join("case.json")).unwrap()).unwrap();
        let image = sample(name["image"].as_str().unwrap());
        let slice = decode_slice(&image, &Limits::default()).unwrap();
        model.logits(&slice).unwrap().0
    };
    cases(&model.spec().name).into_iter().map(prepared).collect()
}

fn golden_tensors(model: &Segmenter) -> Vec<Vec<f32>> {
    golden_prepared(model).into_iter().map(|prepared| prepared.tensor).collect()
}

/// The reference engine, with the network of a model.
fn tract(model: &Segmenter) -> Engine {
    let files = read_model_dir(&root().join("models")).unwrap();
    let files = files.into_iter().find(|files| files.spec.name == model.spec().name).unwrap();
    Engine::reference(&files.spec.io(), &files.onnx, &|_| ()).unwrap()
}

/// The largest differences of two engines over the golden cases of a model.
struct Difference {
    logit: f32,
    probability: f32,
    /// Pixels of the masks within the skull, which alone are served, that differ and are not at the threshold.
    wrong: usize,
}

fn compare_engines(
    own: &Segmenter,
    reference: &Engine,
    ort: &Segmenter,
    distance: f32,
) -> Difference {
    let mut difference = Difference { logit: 0.0, probability: 0.0, wrong: 0 };
    let (mut lesions, threshold) = (0, own.spec().postprocessing.threshold);
    for NetworkInput { tensor, within, .. } in golden_prepared(own) {
        let within = within.expect("the shipped models find the skull").pixels;
        let expected = reference.run(&tensor).unwrap();
        let actual = ort.engine().unwrap().run(&tensor).unwrap();
        difference.logit = difference
            .logit
            .max(largest_difference(&expected.mask, &actual.mask))
            .max(largest_difference(&expected.slice, &actual.slice));
        let [expected, actual] = [expected, actual]
            .map(|logits| logits.mask.iter().map(|&l| sigmoid(l)).collect::<Vec<f32>>());
        difference.probability = difference.probability.max(largest_difference(&expected, &actual));
        let [expected, actual] = [expected, actual].map(|p| {
            let inside = p.iter().zip(&within).map(|(&p, &within)| if within { p } else { 0.0 });
            inside.collect::<Vec<f32>>()
        });
        lesions += usize::from(expected.iter().any(|&p| p >= threshold));
        let wrong = crossings(&expected, &actual, threshold, distance);
        difference.wrong = difference.wrong.max(wrong);
    }
    assert!(lesions > 0, "no golden mask holds a lesion, so nothing was compared");
    difference
}

#[test]
fn masks_agree_with_tract_and_with_the_native_engine_on_the_golden_cases() {
    for (own, ort) in models().iter().zip(ort_models(settings()).iter()) {
        let facts = ort.engine().unwrap().facts();
        assert_eq!((facts.provider, facts.precision, facts.max_batch), ("cpu", "f32", 8));
        assert_eq!(facts.fallback, None);
        for reference in [&tract(own), own.engine().unwrap()] {
            // The slope of a logit as a probability is at most 1/4.
            let difference = compare_engines(own, reference, ort, LOGIT_TOLERANCE / 4.0);
            assert!(difference.logit <= LOGIT_TOLERANCE, "logits differ by {}", difference.logit);
            assert_eq!(difference.wrong, 0, "pixels of masks that are not at the threshold");
        }
    }
}

/// Which of the two depends on the CPU: the engine tests half precision on phantoms before it uses it.
#[test]
fn half_precision_moves_pixels_at_the_threshold_alone_or_is_not_used() {
    let ort = ort_models(OrtSettings { precision: Precision::F16, ..settings() });
    for (own, ort) in models().iter().zip(ort.iter()) {
        let facts = ort.engine().unwrap().facts();
        if facts.precision != "f16" {
            assert!(facts.fallback.is_some(), "single precision must not be taken in silence");
            continue;
        }
        let difference = compare_engines(own, &tract(own), ort, HALF_TOLERANCE);
        let probability = difference.probability;
        assert!(probability <= HALF_TOLERANCE, "probabilities differ by {probability}");
        assert_eq!(difference.wrong, 0, "pixels of masks that are not at the threshold");
    }
}

#[test]
fn a_batch_of_any_size_gives_the_logits_of_single_slices() {
    for model in ort_models(settings()).iter() {
        let engine = model.engine().unwrap();
        let tensors = golden_tensors(model);
        let alone: Vec<_> =
            tensors.iter().map(|t| engine.run_batch(&[t]).unwrap().remove(0)).collect();
        // 11 is more than a batch holds.
        for size in [1, 2, 7, 11] {
            let batch: Vec<&[f32]> = tensors.iter().cycle().take(size).map(Vec::as_slice).collect();
            let answers = engine.run_batch(&batch).unwrap();
            assert_eq!(answers.len(), size);
            for (answer, alone) in answers.iter().zip(alone.iter().cycle()) {
                let worst = largest_difference(&answer.mask, &alone.mask)
                    .max(largest_difference(&answer.slice, &alone.slice));
                assert!(worst <= LOGIT_TOLERANCE, "batch of {size}: {worst}");
            }
        }
        let others = largest_difference(&alone[0].mask, &alone[1].mask);
        assert!(others > 1.0, "different slices must differ, or a mix-up would pass");
    }
}

#[test]
fn a_missing_gpu_is_reported_and_requiring_it_fails() {
    let auto = OrtRuntime::open(OrtSettings { provider: Provider::Auto, ..settings() }).unwrap();
    let files = || read_model_dir(&root().join("models")).unwrap().swap_remove(1);
    let facts = Segmenter::load_ort(files(), &auto).unwrap().engine().unwrap().facts();
    assert_eq!((facts.provider, facts.device), ("cpu", None));
    let why = facts.fallback.unwrap();
    assert!(why.contains("built without CUDA") && why.contains("CPU computes"), "{why}");
    let only = OrtRuntime::open(OrtSettings { provider: Provider::Cuda, ..settings() }).unwrap();
    let error = Segmenter::load_ort(files(), &only).unwrap_err().to_string();
    assert!(error.contains("CUDA was asked for"), "{error}");
}

/// A network in which the slices of a batch would touch each other.
#[test]
fn a_network_that_mixes_its_batch_is_run_slice_by_slice() {
    let mut files = read_model_dir(&root().join("models")).unwrap().swap_remove(1);
    let mut network = ModelProto::decode(&files.onnx[..]).unwrap();
    let graph = network.graph.as_mut().unwrap();
    let [kept, mean] = ["slice_logits/own", "slice_logits/mean"].map(String::from);
    for name in graph.node.iter_mut().flat_map(|node| &mut node.output) {
        if name == "slice_logits" {
            name.clone_from(&kept);
        }
    }
    let attribute = |name: &str, i, ints: Vec<i64>| AttributeProto {
        name: name.into(),
        r#type: if ints.is_empty() { AttributeType::Int } else { AttributeType::Ints } as i32,
        i,
        ints,
        ..AttributeProto::default()
    };
    let node = |kind: &str, input: &[&String], output: &str, attribute| NodeProto {
        op_type: kind.into(),
        input: input.iter().map(|&name| name.clone()).collect(),
        output: vec![output.into()],
        attribute,
        ..NodeProto::default()
    };
    let axes = vec![attribute("axes", 0, vec![0]), attribute("keepdims", 1, Vec::new())];
    graph.node.push(node("ReduceMean", &[&kept], &mean, axes));
    graph.node.push(node("Add", &[&kept, &mean], "slice_logits", Vec::new()));
    files.onnx = network.encode_to_vec().into();
    let runtime = OrtRuntime::open(settings()).unwrap();
    let facts = Segmenter::load_ort(files, &runtime).unwrap().engine().unwrap().facts();
    assert_eq!(facts.max_batch, 1);
    assert!(facts.fallback.unwrap().contains("differ from those of single slices"));
}

#[test]
fn a_damaged_network_is_refused_with_an_error_of_the_model() {
    let mut files = read_model_dir(&root().join("models")).unwrap().swap_remove(0);
    files.onnx = files.onnx[..files.onnx.len() / 2].to_vec().into();
    let runtime = OrtRuntime::open(settings()).unwrap();
    let error = Segmenter::load_ort(files, &runtime).unwrap_err();
    assert!(matches!(error, Error::Model { .. }), "{error}");
}

/// A zip of the head's slices and of a file that is not a slice, of which the trailer warns.
fn archive() -> Vec<u8> {
    let folder = root().join("tests/data/dicom/head-ge");
    let read = |name| std::fs::read(folder.join(name)).unwrap();
    let names = ["18.dcm", "15.dcm", "17.dcm", "16.dcm"];
    let slices = names.map(read);
    let mut files: Vec<(&str, &[u8])> =
        names.into_iter().zip(slices.iter().map(Vec::as_slice)).collect();
    files.push(("notes.txt", b"no slice"));
    zip(&files)
}

fn segment(model: &Segmenter, bytes: &[u8], limits: &Limits) -> ichor_core::Result<Analysis> {
    let slices = open(Input::Bytes(bytes), limits)?;
    model.segment(slices, &SegmentRequest::default(), &NoObserver)
}

fn segmented(model: &Segmenter, bytes: &[u8]) -> Analysis {
    segment(model, bytes, &Limits::default()).unwrap()
}

#[test]
fn a_streamed_series_has_the_result_of_a_whole_one() {
    let (own, ort) = (models(), ort_models(settings()));
    let volume = crate::head::nifti([false, true, false]);
    for bytes in [archive(), volume] {
        for (own, ort) in own.iter().zip(ort.iter()) {
            let (expected, actual) = (segmented(own, &bytes), segmented(ort, &bytes));
            assert!(!actual.is_single_slice && !expected.is_single_slice);
            assert_eq!(actual.series.sources, expected.series.sources);
            assert_eq!(actual.warnings, expected.warnings);
            assert_eq!(actual.key_slice, expected.key_slice);
            for (index, (e, a)) in expected.slices.iter().zip(&actual.slices).enumerate() {
                assert_eq!(a.warnings, e.warnings);
                let worst = (a.probability.unwrap() - e.probability.unwrap()).abs();
                assert!(worst < 1e-3, "slice {index}: probability differs by {worst}");
                let masks = [&expected, &actual].map(|f| f.masks[index].unpack().pixels);
                let unlike = masks[0].iter().zip(&masks[1]).filter(|(a, b)| a != b).count();
                assert!(unlike <= PIXELS_AT_THRESHOLD, "slice {index}: {unlike} px differ");
            }
            let [batches, slices] = ort.engine().unwrap().counts().unwrap().so_far();
            assert!(batches < slices, "{batches} batches of {slices} slices");
        }
    }
}

#[test]
fn one_slice_is_not_a_series_and_a_damaged_file_is_an_error_of_the_input() {
    let ort = ort_models(settings());
    let model = ort.default_model();
    assert!(segmented(model, &sample(crate::fixtures::BLEED)).is_single_slice);
    let (limits, mut bytes) = (Limits { max_slices: 3, ..Limits::default() }, archive());
    let refused = segment(model, &bytes, &limits);
    assert!(
        matches!(refused, Err(Error::Image(ichor_image::Error::TooLarge { limit: 3, .. }))),
        "{refused:?}"
    );
    bytes.truncate(bytes.len() / 2);
    let refused = segment(model, &bytes, &limits);
    assert!(
        matches!(refused, Err(Error::Image(ichor_image::Error::Undecodable(_)))),
        "{refused:?}"
    );
}
