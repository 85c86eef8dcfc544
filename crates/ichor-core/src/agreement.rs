//! The agreement probe: phantoms on which two forms of a network must give the same result before the faster one, as
//! half precision, is used.

use crate::Result;
use crate::engine::Logits;
use crate::model_spec::{ModelSpec, sigmoid};
use crate::preprocess::preprocess;
use crate::slice::{CtSlice, Intensity, Plane};

/// Smallest Dice coefficient of the masks of two forms.
const MIN_MASK_DICE: f64 = 0.999;
/// Side of the phantoms, px.
const SIDE: usize = 256;
/// Centre and half axes of the bleed of each phantom, as fractions of the side.
const BLEEDS: [[f32; 4]; 3] =
    [[0.60, 0.55, 0.09, 0.12], [0.38, 0.40, 0.05, 0.05], [0.70, 0.62, 0.03, 0.20]];

/// Input tensors of heads with one bleed each (bone of 1000 HU, brain of 34 HU, blood of 66 HU, with noise), and of air.
/// They differ so much that an error which mixes the slices of a batch is detected.
///
/// # Errors
/// As [`preprocess`].
pub(crate) fn probe_tensors(spec: &ModelSpec) -> Result<Vec<Vec<f32>>> {
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
    let mut state = 1_u32;
    let samples = (0..SIDE * SIDE).map(|index| {
        let at = |place: usize| place as f32 / SIDE as f32;
        let (column, row) = (at(index % SIDE), at(index / SIDE));
        // A linear congruential generator (*Numerical Recipes*), -4 to 4 HU, the same on every machine.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (state >> 24) as f32 / 32.0 - 4.0;
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

/// Whether the outputs of two forms of a network are equivalent: every probability within `tolerance`, and the masks at
/// the model's threshold with a Dice coefficient of at least [`MIN_MASK_DICE`].
pub(crate) fn outputs_agree(
    spec: &ModelSpec,
    expected: &[Logits],
    actual: &[Logits],
    tolerance: f32,
) -> bool {
    let threshold = spec.postprocessing.threshold;
    // NaN is within no tolerance.
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
    sum == 0 || (2 * both) as f64 / sum as f64 >= MIN_MASK_DICE
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
    fn another_mask_another_class_and_nan_disagree() {
        let sure = logits([vec![9.0; 500], vec![-9.0; 500]].concat());
        let agrees = |other: &[Logits]| outputs_agree(&spec(), &sure, other, 1e-3);
        assert!(agrees(&sure));
        assert!(!agrees(&logits([vec![9.0; 499], vec![-9.0; 501]].concat())));
        assert!(!agrees(&logits([vec![9.0; 500], vec![f32::NAN; 500]].concat())));
        assert!(!agrees(&[Logits { slice: vec![0.6], ..sure[0].clone() }]));
    }

    #[test]
    fn one_pixel_of_difference_in_a_small_mask_disagrees() {
        let [edge, over, under] = [spec().postprocessing.threshold, 1e-4, -1e-4].map(f64::from);
        let logit = |p: f64| (p / (1.0 - p)).ln() as f32;
        let at = |last: f32| logits([vec![9.0; 100], vec![last]].concat());
        let pair = (at(logit(edge + over)), at(logit(edge + under)));
        assert!(!outputs_agree(&spec(), &pair.0, &pair.1, 1e-3), "Dice of 101 and 100 px is 0.995");
    }

    #[test]
    fn phantoms_differ() {
        let tensors = probe_tensors(&spec()).unwrap();
        for (index, tensor) in tensors.iter().enumerate() {
            assert!(tensors[..index].iter().all(|other| other != tensor));
        }
    }
}
