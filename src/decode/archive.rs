//! Zip archives of slices.

use super::{Decoded, Limits};
use crate::error::{Error, Result};

pub(super) fn sniff(_bytes: &[u8]) -> bool {
    false
}

pub(super) fn decode(_bytes: &[u8], _limits: &Limits) -> Result<Decoded> {
    Err(Error::UnsupportedType("Not read yet.".into()))
}
