//! DICOM CT images.

use super::Limits;
use crate::error::{Error, Result};
use crate::slice::CtSlice;

pub(super) fn sniff(_bytes: &[u8]) -> bool {
    false
}

pub(super) fn decode(_bytes: &[u8], _limits: &Limits) -> Result<Vec<CtSlice>> {
    Err(Error::UnsupportedType("Not read yet.".into()))
}
