//! Constants of an ONNX file. They stay in the parsed file, in its element type, until a kernel's weights are packed.

use super::LoadError;
use super::messages::TensorProto;
use super::messages::{DataLocation, DataType};

/// A constant tensor of the file, or zeros for a bias that the file omits.
#[derive(Debug, Clone)]
pub(super) struct Constant<'a> {
    dims: Vec<usize>,
    /// `None` for zeros.
    source: Option<&'a TensorProto>,
}

impl<'a> Constant<'a> {
    /// Checks that a tensor of the file has as many elements as its shape declares, before any memory is allocated.
    pub(super) fn from_tensor(tensor: &'a TensorProto) -> Result<Self, LoadError> {
        let fail = |what| Err(LoadError::new(format!("a constant {what}")));
        if tensor.data_location == Some(DataLocation::External as i32) || tensor.segment.is_some() {
            return fail("is stored outside the file");
        }
        let dims: Option<Vec<usize>> =
            tensor.dims.iter().map(|&d| usize::try_from(d).ok()).collect();
        let Some(dims) = dims else { return fail("has a negative size") };
        let Some(len) = dims.iter().try_fold(1_usize, |n, &d| n.checked_mul(d)) else {
            return fail("is too large");
        };
        let raw = |bytes| len.checked_mul(bytes) == Some(tensor.raw_data.len());
        let fits = match DataType::try_from(tensor.data_type) {
            Ok(DataType::Float) => raw(4) || tensor.float_data.len() == len,
            Ok(DataType::Float16) => raw(2),
            Ok(DataType::Int64) => raw(8) || tensor.int64_data.len() == len,
            _ => return fail("has an unsupported element type"),
        };
        if fits {
            Ok(Self { dims, source: Some(tensor) })
        } else {
            fail("does not have as many bytes as its shape")
        }
    }

    /// A vector of `len` zeros.
    pub(super) fn zeros(len: usize) -> Self {
        Self { dims: vec![len], source: None }
    }

    /// The same elements in another shape. `dims` must have the same product.
    pub(super) fn reshaped(self, dims: &[usize]) -> Self {
        Self { dims: dims.to_vec(), ..self }
    }

    pub(super) fn dims(&self) -> &[usize] {
        &self.dims
    }

    pub(super) fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// The elements of a floating-point constant, row-major.
    ///
    /// # Errors
    /// [`LoadError`] for another element type, for NaN, and for infinities in half precision.
    pub(super) fn floats(&self) -> Result<Vec<f32>, LoadError> {
        let Some(tensor) = self.source else { return Ok(vec![0.0; self.len()]) };
        // Folds without branches, which the compiler vectorizes.
        let (floats, invalid): (Vec<f32>, bool) = match DataType::try_from(tensor.data_type) {
            Ok(DataType::Float) => {
                let floats: Vec<f32> = if tensor.raw_data.is_empty() {
                    tensor.float_data.clone()
                } else {
                    tensor.raw_data.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
                };
                let invalid = floats.iter().fold(false, |any, v| any | v.is_nan());
                (floats, invalid)
            }
            Ok(DataType::Float16) => {
                let halves =
                    || tensor.raw_data.as_chunks().0.iter().map(|&b| u16::from_le_bytes(b));
                // `f16_to_f32` does not convert infinities and NaN.
                let invalid = halves().fold(false, |any, v| any | (v & 0x7c00 == 0x7c00));
                (halves().map(f16_to_f32).collect(), invalid)
            }
            _ => return Err(LoadError::new("a constant does not have floating-point elements")),
        };
        if invalid {
            Err(LoadError::new("a constant has NaN or infinite elements"))
        } else {
            Ok(floats)
        }
    }

    /// The elements of an integer constant, row-major.
    ///
    /// # Errors
    /// [`LoadError`] for an element type other than `int64`.
    pub(super) fn integers(&self) -> Result<Vec<i64>, LoadError> {
        match self.source {
            Some(t) if t.data_type == DataType::Int64 as i32 && t.raw_data.is_empty() => {
                Ok(t.int64_data.clone())
            }
            Some(t) if t.data_type == DataType::Int64 as i32 => {
                Ok(t.raw_data.as_chunks().0.iter().map(|&b| i64::from_le_bytes(b)).collect())
            }
            _ => Err(LoadError::new("a constant does not have 64-bit integer elements")),
        }
    }
}

/// Converts finite IEEE 754 binary16 bits to `f32`, exactly. Exponent and fraction are moved into place; a
/// multiplication corrects the bias of the exponent and normalizes subnormals.
fn f16_to_f32(bits: u16) -> f32 {
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
            let expected = f16::from_bits(bits).to_f32();
            assert_eq!(f16_to_f32(bits).to_bits(), expected.to_bits(), "{bits:#x}");
        }
    }

    #[test]
    fn rejects_wrong_sizes_unsupported_types_and_infinities() {
        let tensor = |dims: &[i64], data_type: DataType, bytes: usize| TensorProto {
            dims: dims.to_vec(),
            data_type: data_type as i32,
            raw_data: vec![0xff; bytes],
            ..TensorProto::default()
        };
        assert!(Constant::from_tensor(&tensor(&[2, 3], DataType::Float, 24)).is_ok());
        assert!(Constant::from_tensor(&tensor(&[2, 3], DataType::Float, 20)).is_err());
        assert!(Constant::from_tensor(&tensor(&[-1], DataType::Float, 4)).is_err());
        assert!(Constant::from_tensor(&tensor(&[1 << 40, 1 << 40], DataType::Float, 4)).is_err());
        assert!(Constant::from_tensor(&tensor(&[1], DataType::String, 4)).is_err());
        let infinite = tensor(&[1], DataType::Float16, 2);
        assert!(Constant::from_tensor(&infinite).unwrap().floats().is_err());
    }
}
