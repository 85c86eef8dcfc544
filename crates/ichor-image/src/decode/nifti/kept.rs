//! How a volume's values are kept: 16 bits each wherever that loses nothing.

use super::header::VolumeHeader;
use super::voxels::{AIR, for_each_row};
use crate::error::Result;
use crate::slice::{Scale, Warning};
use nifti::NiftiType;
use std::io::Read;

/// Steps from the lowest value to the highest that 16 bits hold.
const MOST_STEPS: f64 = u16::MAX as f64;

/// What becomes of the stored numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kept {
    /// They are whole and near enough to each other: steps from the lowest.
    Exact(Scale),
    /// They are not: steps so small that the lowest and the highest value fit.
    Rounded(Scale),
    /// As they are.
    Floats,
}

impl Kept {
    /// What the type of the numbers tells; `None` where only the numbers do.
    pub(super) fn known(header: &VolumeHeader) -> Option<Self> {
        let (lowest, highest) = match header.sample {
            NiftiType::Uint8 => (0, i32::from(u8::MAX)),
            NiftiType::Int8 => (i8::MIN.into(), i8::MAX.into()),
            NiftiType::Uint16 => (0, u16::MAX.into()),
            NiftiType::Int16 => (i16::MIN.into(), i16::MAX.into()),
            _ => return None,
        };
        let scale = scale(header, lowest);
        // A slope near the greatest of numbers makes infinite values, which are no steps.
        let ends = [lowest, highest].map(|end| scale.value(end));
        ends.iter().all(|value| value.is_finite()).then_some(Self::Exact(scale))
    }

    /// What a look at all numbers tells.
    pub(super) fn after(survey: &Survey, header: &VolumeHeader) -> Self {
        let [lowest, highest] = survey.stored;
        let near =
            highest - lowest <= MOST_STEPS && lowest.abs().max(highest.abs()) < 2.0_f64.powi(31);
        if survey.whole && survey.replaced == 0 && near {
            return Self::Exact(scale(header, lowest as i32));
        }
        let [lowest, highest] = survey.values;
        let slope = (highest - lowest) / MOST_STEPS;
        Self::Rounded(Scale { first: 0, slope, intercept: lowest })
    }

    /// Says that values were rounded.
    pub(super) fn warning(&self) -> Option<Warning> {
        let Self::Rounded(scale) = self else { return None };
        let message = format!(
            "The volume's many values have fractions; they were rounded to steps of {:.2e}.",
            scale.slope
        );
        Some(Warning::new("values_rounded", message))
    }
}

/// Of 8-bit pictures, 255 is white.
fn scale(header: &VolumeHeader, first: i32) -> Scale {
    let [slope, intercept] = header.scaling;
    let slope = if header.is_picture() { 1.0 / 255.0 } else { slope };
    Scale { first, slope, intercept }
}

/// What all numbers of a volume have in common.
pub(super) struct Survey {
    /// Lowest and highest finite number as stored.
    stored: [f64; 2],
    /// Lowest and highest value, with air where there is none.
    values: [f64; 2],
    /// All are whole numbers.
    whole: bool,
    /// Values that are none.
    replaced: usize,
}

/// Looks at all numbers; `reader` stands at the start of the file.
///
/// # Errors
/// As [`for_each_row`].
pub(super) fn survey(reader: &mut impl Read, header: &VolumeHeader) -> Result<Survey> {
    let none = [f64::INFINITY, f64::NEG_INFINITY];
    let mut survey = Survey { stored: none, values: none, whole: true, replaced: 0 };
    let [slope, intercept] = header.scaling;
    let widen = |[low, high]: [f64; 2], value: f64| [low.min(value), high.max(value)];
    for_each_row(reader, header, |numbers, _| {
        for &number in numbers {
            let value = ((slope * number + intercept) as f32).into();
            if f64::is_finite(value) {
                survey.stored = widen(survey.stored, number);
                survey.values = widen(survey.values, value);
                survey.whole &= number.fract() == 0.0;
            } else {
                survey.values = widen(survey.values, AIR.into());
                survey.replaced += 1;
            }
        }
    })?;
    Ok(survey)
}
