//! The rules that a `model.json` must satisfy. An error names the field, its value and what it must be.

use super::{Calibration, ModelSpec, SeriesChain, Step, StrongestCell};
use crate::lesion::{FEATURES, GreyScale, LesionTypes, TYPES};
use crate::overlay::parse_color;
use std::fmt::Debug;
use std::ops::RangeInclusive;

/// Sides that a network's input may have, px.
const SIDES: RangeInclusive<usize> = 16..=2048;

/// Tiles per side that CLAHE may use. Each takes a histogram, so that their number is bounded.
const TILES: RangeInclusive<usize> = 1..=64;

type Outcome = Result<(), String>;

const BETWEEN_0_AND_1: &str = "a number above 0 and below 1";
const FROM_0_TO_1: &str = "a number from 0 to 1";
const POSITIVE: &str = "a number above 0";
const FINITE: &str = "a finite number";
const TEXT: &str = "a text that is not empty";

/// Checks every rule, in the order of the fields; the first that is broken is reported.
pub(super) fn check(spec: &ModelSpec) -> Outcome {
    require(spec.schema == 1, "schema", spec.schema, "1, the version that this program reads")?;
    text("name", &spec.name)?;
    text("version", &spec.version)?;
    let is_plain =
        !matches!(spec.file.as_str(), "" | "." | "..") && !spec.file.contains(['/', '\\']);
    require(
        is_plain,
        "file",
        &spec.file,
        "the name of a file beside model.json, without a folder",
    )?;
    let is_hex = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    let is_digest = spec.sha256.len() == 64 && spec.sha256.bytes().all(is_hex);
    require(is_digest, "sha256", &spec.sha256, "64 hexadecimal digits in lower case")?;
    require(spec.task == "segmentation", "task", &spec.task, "\"segmentation\"")?;
    let modalities = &spec.modalities;
    let are_named = !modalities.is_empty() && modalities.iter().all(|name| !name.is_empty());
    require(are_named, "modalities", modalities, "a list of DICOM modalities, as [\"CT\"]")?;
    mask_class(spec)?;
    let [n, channels, height, width] = spec.input.shape;
    let is_tensor = n == 1 && channels > 0 && SIDES.contains(&height) && SIDES.contains(&width);
    require(
        is_tensor,
        "input.shape",
        spec.input.shape,
        "[1, channels, height, width] with a channel at least and sides from 16 to 2048",
    )?;
    text("input.name", &spec.input.name)?;
    require(spec.input.layout == "NCHW", "input.layout", &spec.input.layout, "\"NCHW\"")?;
    outputs(spec)?;
    preprocessing(spec)?;
    let steps = &spec.postprocessing;
    fraction("postprocessing.threshold", steps.threshold)?;
    let cut_off = steps.slice_threshold;
    let is_share = cut_off.is_none_or(|cut_off| (0.0..=1.0).contains(&cut_off));
    require(is_share, "postprocessing.slice_threshold", cut_off, FROM_0_TO_1)?;
    calibration("calibration", &spec.calibration)?;
    spec.series.as_ref().map_or(Ok(()), |chain| series(chain, height.min(width)))?;
    verdicts(spec)?;
    spec.lesion_types.as_ref().map_or(Ok(()), |types| lesion_types(spec, types))
}

fn mask_class(spec: &ModelSpec) -> Outcome {
    let [class] = spec.classes.as_slice() else {
        return broken("classes", spec.classes.len(), "a list of one mask class");
    };
    text("classes[0].code", &class.code)?;
    let is_color = parse_color(&class.color).is_some();
    require(is_color, "classes[0].color", &class.color, "a colour as #RRGGBB")
}

fn outputs(spec: &ModelSpec) -> Outcome {
    let mask = &spec.outputs.mask;
    text("outputs.mask.name", &mask.name)?;
    sigmoid("outputs.mask.activation", &mask.activation)?;
    let Some(slice) = &spec.outputs.slice else {
        return Ok(());
    };
    text("outputs.slice.name", &slice.name)?;
    let is_other = slice.name != mask.name;
    require(is_other, "outputs.slice.name", &slice.name, "another name than outputs.mask.name")?;
    sigmoid("outputs.slice.activation", &slice.activation)?;
    let codes: Vec<&str> = slice.classes.iter().map(|class| class.code.as_str()).collect();
    let starts_with_any = codes.first() == Some(&"any");
    require(
        starts_with_any,
        "outputs.slice.classes",
        &codes,
        "a list whose first code is \"any\"",
    )?;
    let is_repeated = |(index, code): (usize, &&str)| codes[..index].contains(code);
    let are_distinct = !codes.iter().enumerate().any(is_repeated);
    require(are_distinct, "outputs.slice.classes", &codes, "a list that holds each code once")?;
    let [_, _, height, width] = spec.input.shape;
    let cell = slice.strongest_cell.as_ref();
    cell.map_or(Ok(()), |cell| {
        strongest_cell("outputs.slice.strongest_cell", cell, height.min(width))
    })
}

fn strongest_cell(field: &str, cell: &StrongestCell, shorter_side: usize) -> Outcome {
    let fits = (1..=shorter_side).contains(&cell.side_px);
    let wanted = format!("from 1 to {shorter_side}, the shorter side of input.shape");
    require(fits, &format!("{field}.side_px"), cell.side_px, &wanted)?;
    finite(&format!("{field}.weight"), cell.weight)
}

fn preprocessing(spec: &ModelSpec) -> Outcome {
    for (index, step) in spec.preprocessing.iter().enumerate() {
        preprocessing_step(&format!("preprocessing[{index}]"), step)?;
    }
    let steps = &spec.preprocessing;
    let [_, channels, height, width] = spec.input.shape;
    let resize = steps.iter().rposition(|step| matches!(step, Step::Resize { .. }));
    let resized = resize.map(|index| steps[index]) == Some(Step::Resize { width, height });
    let wanted = format!("steps whose last resize is to {width} x {height} px, as in input.shape");
    require(resized, "preprocessing", resize.map(|index| steps[index]), &wanted)?;
    let mut reshapes = steps.iter().filter(|step| matches!(step, Step::Reshape { .. }));
    let reshape = reshapes.next_back();
    let wanted = format!("steps whose last reshape is to {channels} channels, as in input.shape");
    require(reshape == Some(&Step::Reshape { channels }), "preprocessing", reshape, &wanted)?;
    let is_skull = |step: &Step| matches!(step, Step::FindSkull { .. });
    let before_resize = &steps[..resize.unwrap_or(0)];
    let skull = before_resize.iter().find(|step| is_skull(step));
    require(skull.is_none(), "preprocessing", skull, "steps with find_skull after the last resize")
}

fn preprocessing_step(step_field: &str, step: &Step) -> Outcome {
    let field = |name: &str| format!("{step_field}.{name}");
    match *step {
        Step::Window { center_hu, width_hu } => {
            finite(&field("center_hu"), center_hu)?;
            positive(&field("width_hu"), width_hu)
        }
        Step::CropToHead { threshold, margin } => {
            fraction(&field("threshold"), threshold)?;
            share(&field("margin"), margin)
        }
        Step::Resize { width, height } => {
            [("width", width), ("height", height)].into_iter().try_for_each(|(name, side)| {
                require(SIDES.contains(&side), &field(name), side, "from 16 to 2048")
            })
        }
        Step::HistogramEqualization {} => Ok(()),
        Step::Clahe { clip_limit, tiles } => {
            positive(&field("clip_limit"), clip_limit)?;
            require(TILES.contains(&tiles), &field("tiles"), tiles, "from 1 to 64")
        }
        Step::ContrastStretch { low_percentile: low, high_percentile: high } => {
            require(low >= 0.0, &field("low_percentile"), low, "0 or more")?;
            require(high <= 100.0, &field("high_percentile"), high, "at most 100")?;
            require(low < high, &field("low_percentile"), low, "below high_percentile")
        }
        Step::FindSkull { bone } => fraction(&field("bone"), bone),
        Step::Normalize { mean, std } => {
            finite(&field("mean"), mean)?;
            positive(&field("std"), std)
        }
        Step::Reshape { channels } => {
            require(channels > 0, &field("channels"), channels, "1 or more")
        }
    }
}

fn calibration(field: &str, calibration: &Calibration) -> Outcome {
    let method = &calibration.method;
    require(method == "platt", &format!("{field}.method"), method, "\"platt\"")?;
    positive(&format!("{field}.slope"), calibration.slope)?;
    finite(&format!("{field}.intercept"), calibration.intercept)
}

fn series(chain: &SeriesChain, shorter_side: usize) -> Outcome {
    fraction("series.onset", chain.onset)?;
    fraction("series.end", chain.end)?;
    positive("series.slice_spacing_mm", chain.slice_spacing_mm)?;
    strongest_cell("series.cell", &chain.cell, shorter_side)?;
    calibration("series.calibration", &chain.calibration)?;
    share("series.slice_threshold", chain.slice_threshold)?;
    fraction("series.faint_threshold", chain.fallback_threshold)
}

fn verdicts(spec: &ModelSpec) -> Outcome {
    let Some(bands) = spec.verdicts else {
        return Ok(());
    };
    let (low, high) = (bands.unlikely_below, bands.likely_from);
    share("verdicts.unlikely_below", low)?;
    share("verdicts.likely_from", high)?;
    require(low <= high, "verdicts.unlikely_below", low, "at most verdicts.likely_from")
}

fn lesion_types(spec: &ModelSpec, types: &LesionTypes) -> Outcome {
    let has_features = GreyScale::from_spec(spec).is_some();
    let wanted =
        "left out, as its features need the step find_skull and no step that changes the contrast";
    require(has_features, "lesion_types", "given", wanted)?;
    let names: Vec<&str> = types.features.iter().map(|feature| feature.name.as_str()).collect();
    let is_known =
        |(index, name): (usize, &&str)| FEATURES.contains(name) && !names[..index].contains(name);
    let are_known = !names.is_empty() && names.iter().enumerate().all(is_known);
    let wanted = format!("a list of these, each once at most: {}", FEATURES.join(", "));
    require(are_known, "lesion_types.features", &names, &wanted)?;
    for (index, feature) in types.features.iter().enumerate() {
        finite(&format!("lesion_types.features[{index}].mean"), feature.mean)?;
        positive(&format!("lesion_types.features[{index}].scale"), feature.scale)?;
    }
    let codes: Vec<&str> = types.classes.iter().map(|class| class.code.as_str()).collect();
    let wanted = "EDH, SDH, SAH, IPH and IVH, in this order";
    require(codes == TYPES, "lesion_types.classes", &codes, wanted)?;
    for (index, class) in types.classes.iter().enumerate() {
        let field = |name: &str| format!("lesion_types.classes[{index}].{name}");
        text(&field("name"), &class.name)?;
        finite(&field("intercept"), class.intercept)?;
        let count = class.coefficients.len();
        let wanted = format!("a list of {} numbers, one per feature", names.len());
        require(count == names.len(), &field("coefficients"), count, &wanted)?;
        let are_finite = class.coefficients.iter().all(|factor| factor.is_finite());
        require(are_finite, &field("coefficients"), &class.coefficients, "finite numbers")?;
    }
    positive("lesion_types.temperature", types.temperature)?;
    let codes: Vec<&str> = spec.subtypes().map(|class| class.code.as_str()).collect();
    let are_same = spec.outputs.slice.is_none() || codes == TYPES;
    let wanted = "\"any\" and then EDH, SDH, SAH, IPH and IVH, as lesion_types is given";
    require(are_same, "outputs.slice.classes", &codes, wanted)
}

fn text(field: &str, value: &str) -> Outcome {
    require(!value.trim().is_empty(), field, value, TEXT)
}

fn sigmoid(field: &str, activation: &str) -> Outcome {
    require(activation == "sigmoid", field, activation, "\"sigmoid\"")
}

fn fraction(field: &str, value: f32) -> Outcome {
    require(value > 0.0 && value < 1.0, field, value, BETWEEN_0_AND_1)
}

fn share(field: &str, value: f32) -> Outcome {
    require((0.0..=1.0).contains(&value), field, value, FROM_0_TO_1)
}

fn positive(field: &str, value: f32) -> Outcome {
    require(value > 0.0 && value.is_finite(), field, value, POSITIVE)
}

fn finite(field: &str, value: f32) -> Outcome {
    require(value.is_finite(), field, value, FINITE)
}

fn require(is_met: bool, field: &str, value: impl Debug, wanted: &str) -> Outcome {
    if is_met { Ok(()) } else { broken(field, value, wanted) }
}

fn broken(field: &str, value: impl Debug, wanted: &str) -> Outcome {
    Err(format!("model.json: {field} is {value:?}; it must be {wanted}"))
}
