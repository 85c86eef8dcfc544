//! Constants of an ONNX file, as they are stored there until a kernel's weights are packed.

use super::Refusal;
use super::messages::TensorProto;
use super::messages::{DataLocation, DataType};

/// Numbers with a shape: those of the file, or none where the file leaves a bias out.
#[derive(Debug, Clone)]
pub(super) struct Constant<'a> {
    dims: Vec<usize>,
    source: Option<&'a TensorProto>,
}

impl<'a> Constant<'a> {
    /// A constant of the file; its size is held against its bytes here, before anything is reserved.
    pub(super) fn of(tensor: &'a TensorProto) -> Result<Self, Refusal> {
        let refuse = |what| Err(Refusal::new(format!("a constant {what}")));
        if tensor.data_location == Some(DataLocation::External as i32) || tensor.segment.is_some() {
            return refuse("lies outside the file");
        }
        let dims: Option<Vec<usize>> =
            tensor.dims.iter().map(|&d| usize::try_from(d).ok()).collect();
        let Some(dims) = dims else { return refuse("has a negative size") };
        let Some(len) = dims.iter().try_fold(1_usize, |n, &d| n.checked_mul(d)) else {
            return refuse("is too large");
        };
        let raw = |bytes| len.checked_mul(bytes) == Some(tensor.raw_data.len());
        let fits = match DataType::try_from(tensor.data_type) {
            Ok(DataType::Float) => raw(4) || tensor.float_data.len() == len,
            Ok(DataType::Float16) => raw(2),
            Ok(DataType::Int64) => raw(8) || tensor.int64_data.len() == len,
            _ => return refuse("is of a type that is not known"),
        };
        if fits { Ok(Self { dims, source: Some(tensor) }) } else { refuse("has too few bytes") }
    }

    /// `len` zeros.
    pub(super) fn zeros(len: usize) -> Self {
        Self { dims: vec![len], source: None }
    }

    /// The same numbers in another shape of the same size.
    pub(super) fn reshaped(self, dims: &[usize]) -> Self {
        Self { dims: dims.to_vec(), ..self }
    }

    pub(super) fn dims(&self) -> &[usize] {
        &self.dims
    }

    pub(super) fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// The numbers, row-major.
    pub(super) fn floats(&self) -> Result<Vec<f32>, Refusal> {
        let Some(tensor) = self.source else { return Ok(vec![0.0; self.len()]) };
        // Folds without a branch, which the compiler turns into vectors.
        let (floats, strange): (Vec<f32>, bool) = match DataType::try_from(tensor.data_type) {
            Ok(DataType::Float) => {
                let floats: Vec<f32> = if tensor.raw_data.is_empty() {
                    tensor.float_data.clone()
                } else {
                    tensor.raw_data.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
                };
                let strange = floats.iter().fold(false, |any, v| any | v.is_nan());
                (floats, strange)
            }
            Ok(DataType::Float16) => {
                let halves =
                    || tensor.raw_data.as_chunks().0.iter().map(|&b| u16::from_le_bytes(b));
                // Infinities and what is no number are not converted by `half`.
                let strange = halves().fold(false, |any, v| any | (v & 0x7c00 == 0x7c00));
                (halves().map(half).collect(), strange)
            }
            _ => return Err(Refusal::new("a constant is no floating-point number")),
        };
        if strange { Err(Refusal::new("a constant is no number")) } else { Ok(floats) }
    }

    /// The numbers, where they are whole.
    pub(super) fn integers(&self) -> Result<Vec<i64>, Refusal> {
        match self.source {
            Some(t) if t.data_type == DataType::Int64 as i32 && t.raw_data.is_empty() => {
                Ok(t.int64_data.clone())
            }
            Some(t) if t.data_type == DataType::Int64 as i32 => {
                Ok(t.raw_data.as_chunks().0.iter().map(|&b| i64::from_le_bytes(b)).collect())
            }
            _ => Err(Refusal::new("a constant is no whole number")),
        }
    }
}

/// An IEEE 754 binary16 number as binary32, exact for all finite ones: exponent and fraction are moved
/// into place and the exponent's bias is made good by a multiplication, which also handles subnormals.
fn half(bits: u16) -> f32 {
    let magnitude =
        f32::from_bits(u32::from(bits & 0x7fff) << 13) * f32::from_bits((254 - 15) << 23);
    f32::from_bits(magnitude.to_bits() | u32::from(bits & 0x8000) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::prelude::f16;

    #[test]
    fn converts_every_finite_half_exactly() {
        for bits in (0..=u16::MAX).filter(|b| b & 0x7c00 != 0x7c00) {
            assert_eq!(half(bits).to_bits(), f16::from_bits(bits).to_f32().to_bits(), "{bits:#x}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_hold() {
        let tensor = |dims: &[i64], data_type: DataType, bytes: usize| TensorProto {
            dims: dims.to_vec(),
            data_type: data_type as i32,
            raw_data: vec![0xff; bytes],
            ..TensorProto::default()
        };
        assert!(Constant::of(&tensor(&[2, 3], DataType::Float, 24)).is_ok());
        assert!(Constant::of(&tensor(&[2, 3], DataType::Float, 20)).is_err());
        assert!(Constant::of(&tensor(&[-1], DataType::Float, 4)).is_err());
        assert!(Constant::of(&tensor(&[1 << 40, 1 << 40], DataType::Float, 4)).is_err());
        assert!(Constant::of(&tensor(&[1], DataType::String, 4)).is_err());
        let infinite = tensor(&[1], DataType::Float16, 2);
        assert!(Constant::of(&infinite).unwrap().floats().is_err());
    }
}
