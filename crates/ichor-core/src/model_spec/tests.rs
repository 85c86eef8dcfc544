//! One case per rule: a `model.json` that breaks that rule alone, and the error that names it.

use super::{ModelSpec, Verdict, VerdictBands};
use serde_json::{Value, json};

const DEEPLABV3: &[u8] = include_bytes!("../../../../models/deeplabv3/model.json");
const UNET: &[u8] = include_bytes!("../../../../models/unet/model.json");

/// JSON has no infinity; this number is one as `f32`.
const OVERFLOWING: f64 = 1e39;

/// A shipped `model.json` with every optional object and every preprocessing step.
fn complete() -> Value {
    let mut spec: Value = serde_json::from_slice(DEEPLABV3).unwrap();
    spec["verdicts"] = json!({ "unlikely_below": 0.1, "likely_from": 0.6 });
    // Types of lesions need an unchanged contrast; `lesion_type_tests` has their rules.
    spec.as_object_mut().unwrap().remove("lesion_types");
    let steps = spec["preprocessing"].as_array_mut().unwrap();
    steps.insert(1, json!({ "step": "histogram_equalization" }));
    steps.insert(1, json!({ "step": "clahe", "clip_limit": 2.0, "tiles": 8 }));
    let stretch =
        json!({ "step": "contrast_stretch", "low_percentile": 1.0, "high_percentile": 99.0 });
    steps.insert(1, stretch);
    spec
}

fn parse(spec: &Value) -> crate::Result<ModelSpec> {
    ModelSpec::from_json("example", &serde_json::to_vec(spec).unwrap())
}

fn message(spec: &Value) -> String {
    parse(spec).expect_err("the rule is broken").to_string()
}

/// Where each preprocessing step of [`complete`] stands.
fn step(name: &str) -> usize {
    let spec = complete();
    let steps = spec["preprocessing"].as_array().unwrap();
    steps.iter().position(|step| step["step"] == name).unwrap()
}

#[test]
fn both_shipped_models_and_the_complete_example_are_accepted() {
    let [deeplabv3, unet] =
        [DEEPLABV3, UNET].map(|json| ModelSpec::from_json("shipped", json).unwrap());
    assert!(deeplabv3.verdicts.is_some_and(|bands| bands.unlikely_below < bands.likely_from));
    assert!(unet.verdicts.is_none());
    assert!(parse(&complete()).is_ok());
}

#[test]
fn a_broken_rule_names_the_field_its_value_and_what_it_must_be() {
    let fraction = "a number above 0 and below 1";
    let share = "a number from 0 to 1";
    let positive = "a number above 0";
    let finite = "a finite number";
    let text = "a text that is not empty";
    let sigmoid = "\"sigmoid\"";
    let any = json!([{ "code": "EDH", "name": "Epidural", "experimental": false }]);
    let class = json!({ "code": "any", "name": "Any", "experimental": false });
    let twice = json!([class, class]);
    let two_masks = json!([complete()["classes"][0], complete()["classes"][0]]);
    let cases = [
        ("schema", json!(2), "1, the version"),
        ("name", json!(""), text),
        ("name", json!("  "), text),
        ("version", json!(""), text),
        ("file", json!(""), "the name of a file beside model.json"),
        ("file", json!("../model.onnx"), "the name of a file beside model.json"),
        ("file", json!("a\\model.onnx"), "the name of a file beside model.json"),
        ("file", json!(".."), "the name of a file beside model.json"),
        ("sha256", json!("0".repeat(63)), "64 hexadecimal digits"),
        ("sha256", json!("A".repeat(64)), "64 hexadecimal digits"),
        ("task", json!("classification"), "\"segmentation\""),
        ("modalities", json!([]), "a list of DICOM modalities"),
        ("modalities", json!(["CT", ""]), "a list of DICOM modalities"),
        ("classes", json!([]), "a list of one mask class"),
        ("classes", two_masks, "a list of one mask class"),
        ("classes[0].code", json!(""), text),
        ("classes[0].color", json!("red"), "a colour as #RRGGBB"),
        ("input.shape", json!([2, 1, 320, 320]), "[1, channels, height, width]"),
        ("input.shape", json!([1, 0, 320, 320]), "[1, channels, height, width]"),
        ("input.shape", json!([1, 1, 15, 320]), "[1, channels, height, width]"),
        ("input.shape", json!([1, 1, 320, 2049]), "[1, channels, height, width]"),
        ("input.name", json!(""), text),
        ("input.layout", json!("NHWC"), "\"NCHW\""),
        ("outputs.mask.name", json!(""), text),
        ("outputs.mask.activation", json!("softmax"), sigmoid),
        ("outputs.slice.name", json!(""), text),
        ("outputs.slice.name", json!("mask_logits"), "another name than outputs.mask.name"),
        ("outputs.slice.activation", json!("softmax"), sigmoid),
        ("outputs.slice.classes", json!([]), "a list whose first code is \"any\""),
        ("outputs.slice.classes", any, "a list whose first code is \"any\""),
        ("outputs.slice.classes", twice, "a list that holds each code once"),
        ("outputs.slice.strongest_cell.side_px", json!(0), "from 1 to 320"),
        ("outputs.slice.strongest_cell.side_px", json!(321), "from 1 to 320"),
        ("outputs.slice.strongest_cell.weight", json!(OVERFLOWING), finite),
        ("postprocessing.threshold", json!(0.0), fraction),
        ("postprocessing.threshold", json!(1.0), fraction),
        ("postprocessing.slice_threshold", json!(-0.1), share),
        ("postprocessing.slice_threshold", json!(1.1), share),
        ("calibration.method", json!("isotonic"), "\"platt\""),
        ("calibration.slope", json!(0.0), positive),
        ("calibration.slope", json!(OVERFLOWING), positive),
        ("calibration.intercept", json!(OVERFLOWING), finite),
        ("series.onset", json!(0.0), fraction),
        ("series.end", json!(1.0), fraction),
        ("series.slice_spacing_mm", json!(0.0), positive),
        ("series.slice_spacing_mm", json!(OVERFLOWING), positive),
        ("series.cell.side_px", json!(0), "from 1 to 320"),
        ("series.cell.weight", json!(-OVERFLOWING), finite),
        ("series.calibration.method", json!("isotonic"), "\"platt\""),
        ("series.calibration.slope", json!(-1.0), positive),
        ("series.calibration.intercept", json!(OVERFLOWING), finite),
        ("series.slice_threshold", json!(1.5), share),
        ("series.faint_threshold", json!(0.0), fraction),
        ("verdicts.unlikely_below", json!(-0.1), share),
        ("verdicts.likely_from", json!(1.1), share),
        ("verdicts.unlikely_below", json!(0.7), "at most verdicts.likely_from"),
    ];
    for (field, value, wanted) in cases {
        assert_is_named(field, value, wanted);
    }
}

#[test]
fn a_parameter_of_a_step_that_is_out_of_range_is_named() {
    let cases = [
        ("window", "center_hu", json!(OVERFLOWING), "a finite number"),
        ("window", "width_hu", json!(0.0), "a number above 0"),
        ("window", "width_hu", json!(OVERFLOWING), "a number above 0"),
        ("crop_to_head", "threshold", json!(1.0), "a number above 0 and below 1"),
        ("crop_to_head", "margin", json!(-0.1), "a number from 0 to 1"),
        ("crop_to_head", "margin", json!(1.1), "a number from 0 to 1"),
        ("resize", "width", json!(15), "from 16 to 2048"),
        ("resize", "height", json!(2049), "from 16 to 2048"),
        ("clahe", "clip_limit", json!(0.0), "a number above 0"),
        ("clahe", "tiles", json!(0), "from 1 to 64"),
        ("clahe", "tiles", json!(65), "from 1 to 64"),
        ("contrast_stretch", "low_percentile", json!(-1.0), "0 or more"),
        ("contrast_stretch", "high_percentile", json!(101.0), "at most 100"),
        ("contrast_stretch", "low_percentile", json!(99.0), "below high_percentile"),
        ("find_skull", "bone", json!(0.0), "a number above 0 and below 1"),
        ("normalize", "mean", json!(OVERFLOWING), "a finite number"),
        ("normalize", "std", json!(0.0), "a number above 0"),
        ("normalize", "std", json!(OVERFLOWING), "a number above 0"),
        ("reshape", "channels", json!(0), "1 or more"),
    ];
    for (name, parameter, value, wanted) in cases {
        assert_is_named(&format!("preprocessing[{}].{parameter}", step(name)), value, wanted);
    }
}

/// Sets one field of the complete example and checks the error.
fn assert_is_named(field: &str, value: Value, wanted: &str) {
    let mut spec = complete();
    let pointer = format!("/{}", field.replace(['.', '['], "/").replace(']', ""));
    *spec.pointer_mut(&pointer).unwrap_or_else(|| panic!("{field} is a field")) = value;
    let message = message(&spec);
    let start = format!("Model 'example': model.json: {field} is ");
    assert!(message.starts_with(&start), "{field}: {message}");
    assert!(message.contains(&format!("; it must be {wanted}")), "{field}: {message}");
}

#[test]
fn preprocessing_must_end_in_the_shape_of_the_input() {
    let without = |name: &str| {
        let mut spec = complete();
        spec["preprocessing"].as_array_mut().unwrap().remove(step(name));
        spec
    };
    let with = |name: &str, parameter: &str, value: Value| {
        let mut spec = complete();
        spec["preprocessing"][step(name)][parameter] = value;
        spec
    };
    let appended = |step: Value| {
        let mut spec = complete();
        spec["preprocessing"].as_array_mut().unwrap().push(step);
        spec
    };
    let resize = "preprocessing is ";
    let cases = [
        (without("resize"), "last resize is to 320 x 320 px"),
        (with("resize", "width", json!(256)), "last resize is to 320 x 320 px"),
        (
            appended(json!({ "step": "resize", "width": 256, "height": 320 })),
            "last resize is to 320 x 320 px",
        ),
        (without("reshape"), "last reshape is to 1 channels"),
        (with("reshape", "channels", json!(3)), "last reshape is to 1 channels"),
        (
            appended(json!({ "step": "resize", "width": 320, "height": 320 })),
            "find_skull after the last resize",
        ),
    ];
    for (spec, wanted) in cases {
        let message = message(&spec);
        assert!(message.contains(resize) && message.contains(wanted), "{wanted}: {message}");
    }
}

#[test]
fn what_is_no_model_json_is_refused_with_the_reason() {
    let mut unknown_field = complete();
    unknown_field["colour"] = json!("red");
    let mut unknown_step = complete();
    unknown_step["preprocessing"][0] = json!({ "step": "sharpen" });
    let mut unknown_parameter = complete();
    unknown_parameter["preprocessing"][0]["level"] = json!(40);
    let mut half_a_verdict = complete();
    half_a_verdict["verdicts"] = json!({ "likely_from": 0.5 });
    let mut other_half = complete();
    other_half["verdicts"] = json!({ "unlikely_below": 0.5 });
    let mut missing = complete();
    missing.as_object_mut().unwrap().remove("calibration");
    let cases = [
        (unknown_field, "unknown field `colour`"),
        (unknown_step, "unknown variant `sharpen`, expected one of `window`"),
        (unknown_parameter, "unknown field `level`"),
        (half_a_verdict, "missing field `unlikely_below`"),
        (other_half, "missing field `likely_from`"),
        (missing, "missing field `calibration`"),
    ];
    for (spec, reason) in cases {
        let message = message(&spec);
        assert!(message.starts_with("Model 'example': model.json is not valid"), "{message}");
        assert!(message.contains(reason), "{reason}: {message}");
    }
    assert!(ModelSpec::from_json("example", b"{").is_err());
}

#[test]
fn limits_of_closed_ranges_are_accepted() {
    let cases = [
        ("/postprocessing/slice_threshold", json!(0.0)),
        ("/postprocessing/slice_threshold", json!(1.0)),
        ("/postprocessing/slice_threshold", json!(null)),
        ("/series/slice_threshold", json!(0.0)),
        ("/series/slice_threshold", json!(1.0)),
        ("/outputs/slice/strongest_cell/side_px", json!(320)),
        ("/verdicts", json!({ "unlikely_below": 0.0, "likely_from": 1.0 })),
        ("/verdicts", json!({ "unlikely_below": 0.5, "likely_from": 0.5 })),
        ("/verdicts", json!(null)),
        ("/outputs/slice", json!(null)),
    ];
    for (pointer, value) in cases {
        let mut spec = complete();
        *spec.pointer_mut(pointer).unwrap() = value;
        assert!(parse(&spec).is_ok(), "{pointer}: {:?}", parse(&spec).err());
    }
}

#[test]
fn verdict_bands_are_read_and_left_out_where_there_are_none() {
    let spec = parse(&complete()).unwrap();
    let bands = VerdictBands { unlikely_below: 0.1, likely_from: 0.6 };
    assert_eq!(spec.verdicts, Some(bands));
    assert_eq!(bands.verdict(0.3), Verdict::Uncertain);
    let written = serde_json::to_value(ModelSpec { verdicts: None, ..spec }).unwrap();
    assert!(written.get("verdicts").is_none());
}
