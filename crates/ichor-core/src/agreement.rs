//! Phantoms that two forms of a network must agree on before the faster one is used.

use crate::Result;
use crate::engine::Logits;
use crate::model_spec::{ModelSpec, sigmoid};
use crate::preprocess::preprocess;
use crate::slice::{CtSlice, Intensity, Plane};

/// Least Dice of the masks of two forms.
const MASK_DICE: f64 = 0.999;
const SIDE: usize = 256;
/// Centre and half axes of the blood of each phantom, as parts of the side.
const BLEEDS: [[f32; 4]; 3] =
    [[0.60, 0.55, 0.09, 0.12], [0.38, 0.40, 0.05, 0.05], [0.70, 0.62, 0.03, 0.20]];

/// Tensors of heads with a bleed each (bone of 1000 HU, brain of 34, blood of 66, and a grain), and of
/// air: so different that slices which touch each other in a batch show it.
///
/// # Errors
/// As [`preprocess`].
pub(crate) fn tensors(spec: &ModelSpec) -> Result<Vec<Vec<f32>>> {
    let air = Plane::filled(SIDE, SIDE, -1000.0);
    let heads = BLEEDS.iter().map(|&bleed| phantom(bleed));
    heads
        .chain([CtSlice::bare(air, Intensity::Hounsfield)])
        .map(|slice| Ok(preprocess(&slice, spec)?.tensor))
        .collect()
}

fn phantom([x, y, wide, high]: [f32; 4]) -> CtSlice {
    let inside = |column: f32, row: f32, [x, y, a, b]: [f32; 4]| {
        ((column - x) / a).powi(2) + ((row - y) / b).powi(2) < 1.0
    };
    let mut grain = 1_u32;
    let samples = (0..SIDE * SIDE).map(|index| {
        let at = |place: usize| place as f32 / SIDE as f32;
        let (column, row) = (at(index % SIDE), at(index / SIDE));
        // Knuth's linear congruential numbers, -4 to 4 HU: the same on every machine.
        grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (grain >> 24) as f32 / 32.0 - 4.0;
        if !inside(column, row, [0.5, 0.5, 0.38, 0.45]) {
            -1000.0
        } else if !inside(column, row, [0.5, 0.5, 0.34, 0.41]) {
            1000.0
        } else if inside(column, row, [x, y, wide, high]) {
            66.0 + noise
        } else {
            34.0 + noise
        }
    });
    let plane = Plane { width: SIDE, height: SIDE, samples: samples.collect() };
    CtSlice::bare(plane, Intensity::Hounsfield)
}

/// Says whether the answers of two forms of a network are the same for people: masks at the model's
/// threshold, and probabilities.
pub(crate) fn agree(
    spec: &ModelSpec,
    expected: &[Logits],
    actual: &[Logits],
    tolerance: f32,
) -> bool {
    let threshold = spec.postprocessing.threshold;
    // A number that is none is near nothing.
    let near = |e: f32, a: f32| (e - a).abs() <= tolerance;
    let (mut both, mut sum) = (0_u64, 0_u64);
    for (expected, actual) in expected.iter().zip(actual) {
        for (&e, &a) in expected.mask.iter().zip(&actual.mask) {
            let (e, a) = (sigmoid(e), sigmoid(a));
            if !near(e, a) {
                return false;
            }
            both += u64::from(e >= threshold && a >= threshold);
            sum += u64::from(e >= threshold) + u64::from(a >= threshold);
        }
        let mut classes = expected.slice.iter().zip(&actual.slice);
        if !classes.all(|(&e, &a)| near(sigmoid(e), sigmoid(a))) {
            return false;
        }
    }
    sum == 0 || (2 * both) as f64 / sum as f64 >= MASK_DICE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> ModelSpec {
        ModelSpec::from_json("unet", include_bytes!("../../../models/unet/model.json")).unwrap()
    }

    fn logits(mask: Vec<f32>) -> Vec<Logits> {
        vec![Logits { mask, slice: vec![0.5] }]
    }

    #[test]
    fn a_shifted_mask_another_class_and_no_number_disagree() {
        let sure = logits([vec![9.0; 500], vec![-9.0; 500]].concat());
        let agrees = |other: &[Logits]| agree(&spec(), &sure, other, 1e-3);
        assert!(agrees(&sure));
        assert!(!agrees(&logits([vec![9.0; 499], vec![-9.0; 501]].concat())));
        assert!(!agrees(&logits([vec![9.0; 500], vec![f32::NAN; 500]].concat())));
        assert!(!agrees(&[Logits { slice: vec![0.6], ..sure[0].clone() }]));
    }

    #[test]
    fn an_edge_pixel_in_a_small_mask_is_too_much() {
        let [edge, over, under] = [spec().postprocessing.threshold, 1e-4, -1e-4].map(f64::from);
        let logit = |p: f64| (p / (1.0 - p)).ln() as f32;
        let at = |last: f32| logits([vec![9.0; 100], vec![last]].concat());
        let pair = (at(logit(edge + over)), at(logit(edge + under)));
        assert!(!agree(&spec(), &pair.0, &pair.1, 1e-3), "Dice of 101 and 100 px is 0.995");
    }

    #[test]
    fn phantoms_differ() {
        let tensors = tensors(&spec()).unwrap();
        for (index, tensor) in tensors.iter().enumerate() {
            assert!(tensors[..index].iter().all(|other| other != tensor));
        }
    }
}
