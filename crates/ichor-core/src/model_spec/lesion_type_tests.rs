//! One case per rule of `lesion_types`.

use super::ModelSpec;
use serde_json::{Value, json};

const DEEPLABV3: &[u8] = include_bytes!("../../../../models/deeplabv3/model.json");

/// A shipped `model.json` with types of lesions.
fn typed() -> Value {
    let mut spec: Value = serde_json::from_slice(DEEPLABV3).unwrap();
    let class = |code: &str, assessed: bool| json!({ "code": code, "name": code, "intercept": 0.0, "coefficients": [1.0, -1.0], "assessed": assessed });
    spec["lesion_types"] = json!({
        "features": [
            { "name": "log_area", "mean": -4.0, "scale": 1.5 },
            { "name": "depth_median", "mean": 0.3, "scale": 0.2 },
        ],
        "classes": [class("EDH", true), class("SDH", false), class("SAH", true), class("IPH", true), class("IVH", true)],
        "temperature": 1.2,
        "extra_axial_assessed": true,
        "figures": { "five_types": 0.7 },
    });
    spec
}

fn parse(spec: &Value) -> crate::Result<ModelSpec> {
    ModelSpec::from_json("example", &serde_json::to_vec(spec).unwrap())
}

#[test]
fn a_model_with_types_of_lesions_is_accepted_and_they_decide_what_is_experimental() {
    let spec = parse(&typed()).unwrap();
    let experimental: Vec<bool> = spec.subtypes().map(|class| class.experimental).collect();
    assert_eq!(experimental, [false, true, false, false, false]);
    let mut without_slice_head = typed();
    without_slice_head["outputs"]["slice"] = json!(null);
    assert!(parse(&without_slice_head).is_ok());
}

#[test]
fn a_broken_rule_names_the_field_and_what_it_must_be() {
    let unknown = json!({ "name": "colour", "mean": 0.0, "scale": 1.0 });
    let twice = json!({ "name": "log_area", "mean": 0.0, "scale": 1.0 });
    let list = "a list of these, each once at most: log_area, depth_median";
    let order = "EDH, SDH, SAH, IPH and IVH";
    let cases = [
        ("/lesion_types/features", json!([]), "lesion_types.features", list),
        ("/lesion_types/features/1", unknown, "lesion_types.features", list),
        ("/lesion_types/features/1", twice, "lesion_types.features", list),
        ("/lesion_types/features/0/mean", json!(1e39), "features[0].mean", "a finite number"),
        ("/lesion_types/features/1/scale", json!(0.0), "features[1].scale", "a number above 0"),
        ("/lesion_types/classes/2/code", json!("SDH"), "lesion_types.classes", order),
        ("/lesion_types/classes", json!([]), "lesion_types.classes", order),
        ("/lesion_types/classes/0/name", json!(" "), "classes[0].name", "a text"),
        (
            "/lesion_types/classes/3/intercept",
            json!(1e39),
            "classes[3].intercept",
            "a finite number",
        ),
        (
            "/lesion_types/classes/4/coefficients",
            json!([1.0]),
            "classes[4].coefficients",
            "a list of 2 numbers",
        ),
        (
            "/lesion_types/classes/4/coefficients",
            json!([1.0, 1e39]),
            "classes[4].coefficients",
            "finite numbers",
        ),
        ("/lesion_types/temperature", json!(0.0), "lesion_types.temperature", "a number above 0"),
        (
            "/outputs/slice/classes/1/code",
            json!("XYZ"),
            "outputs.slice.classes",
            "\"any\" and then EDH",
        ),
    ];
    for (pointer, value, field, wanted) in cases {
        let mut spec = typed();
        *spec.pointer_mut(pointer).unwrap() = value;
        let message = parse(&spec).expect_err(pointer).to_string();
        assert!(message.contains(field) && message.contains(wanted), "{pointer}: {message}");
    }
}

#[test]
fn types_need_the_skull_and_an_unchanged_contrast() {
    let mut without_skull = typed();
    without_skull["preprocessing"]
        .as_array_mut()
        .unwrap()
        .retain(|step| step["step"] != "find_skull");
    let mut equalized = typed();
    let step = json!({ "step": "histogram_equalization" });
    equalized["preprocessing"].as_array_mut().unwrap().insert(1, step);
    for spec in [without_skull, equalized] {
        let message = parse(&spec).unwrap_err().to_string();
        assert!(message.contains("lesion_types is") && message.contains("left out"), "{message}");
    }
}
