//! Selects how the values of a volume are stored in memory: as 16-bit steps if that is exact.

use super::header::VolumeHeader;
use super::voxels::{AIR, for_each_row};
use crate::error::Result;
use crate::slice::{Scale, Warning};
use nifti::NiftiType;
use std::io::Read;

/// Maximum number of steps between the lowest and the highest value.
const MAX_STEPS: f64 = u16::MAX as f64;

/// Storage of the values of a volume.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Storage {
    /// 16-bit steps from the lowest value, without loss: integers of a small range.
    Exact(Scale),
    /// 16-bit steps from the lowest value to the highest, with rounding.
    Rounded(Scale),
    /// `f32`.
    Floats,
}

impl Storage {
    /// The storage for a sample type of 8 or 16 bits; `None` for wider types, where it depends on the values.
    pub(super) fn from_sample_type(header: &VolumeHeader) -> Option<Self> {
        let (lowest, highest) = match header.sample {
            NiftiType::Uint8 => (0, i32::from(u8::MAX)),
            NiftiType::Int8 => (i8::MIN.into(), i8::MAX.into()),
            NiftiType::Uint16 => (0, u16::MAX.into()),
            NiftiType::Int16 => (i16::MIN.into(), i16::MAX.into()),
            _ => return None,
        };
        let scale = scale(header, lowest);
        // A very large slope makes infinite values, which steps cannot represent.
        let ends = [lowest, highest].map(|end| scale.value(end));
        ends.iter().all(|value| value.is_finite()).then_some(Self::Exact(scale))
    }

    /// The storage with 16-bit steps for values of a range: exact if possible, else rounded.
    pub(super) fn from_range(range: &ValueRange, header: &VolumeHeader) -> Self {
        let [lowest, highest] = range.stored;
        let fits =
            highest - lowest <= MAX_STEPS && lowest.abs().max(highest.abs()) < 2.0_f64.powi(31);
        if range.are_integers && range.replaced == 0 && fits {
            return Self::Exact(scale(header, lowest as i32));
        }
        let [lowest, highest] = range.values;
        let slope = (highest - lowest) / MAX_STEPS;
        Self::Rounded(Scale { first: 0, slope, intercept: lowest })
    }

    /// The warning about rounded values.
    pub(super) fn warning(&self) -> Option<Warning> {
        let Self::Rounded(scale) = self else { return None };
        let message = format!(
            "The volume's many values have fractions; they were rounded to steps of {:.2e}.",
            scale.slope
        );
        Some(Warning::new("values_rounded", message))
    }
}

/// The scale of steps from `first`. For 8-bit pictures, 255 is white.
fn scale(header: &VolumeHeader, first: i32) -> Scale {
    let [slope, intercept] = header.scaling;
    let slope = if header.is_picture() { 1.0 / 255.0 } else { slope };
    Scale { first, slope, intercept }
}

/// The range of the values of a volume.
pub(super) struct ValueRange {
    /// Lowest and highest finite stored number.
    stored: [f64; 2],
    /// Lowest and highest scaled value, where NaN and infinite values count as air.
    values: [f64; 2],
    /// Whether all stored numbers are integers.
    are_integers: bool,
    /// Number of values that are NaN or infinite.
    replaced: usize,
}

impl ValueRange {
    /// Reads all values; `reader` is positioned at the first voxel.
    ///
    /// # Errors
    /// As [`for_each_row`].
    pub(super) fn read(reader: &mut impl Read, header: &VolumeHeader) -> Result<Self> {
        let empty = [f64::INFINITY, f64::NEG_INFINITY];
        let mut range = Self { stored: empty, values: empty, are_integers: true, replaced: 0 };
        let [slope, intercept] = header.scaling;
        let extend = |[low, high]: [f64; 2], value: f64| [low.min(value), high.max(value)];
        for_each_row(reader, header, |numbers, _| {
            for &number in numbers {
                let value = ((slope * number + intercept) as f32).into();
                if f64::is_finite(value) {
                    range.stored = extend(range.stored, number);
                    range.values = extend(range.values, value);
                    range.are_integers &= number.fract() == 0.0;
                } else {
                    range.values = extend(range.values, AIR.into());
                    range.replaced += 1;
                }
            }
        })?;
        Ok(range)
    }
}
