//! Bytes to [`CtSlice`]: the format is taken from the bytes, never from a name or header.

mod raster;

use crate::error::{Error, Result};
use crate::slice::CtSlice;

/// Largest and smallest input accepted; checked before memory is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Limits {
    /// Longest side, px.
    pub max_side_px: u32,
    /// Shortest side that can still show a head, px.
    pub min_side_px: u32,
    /// Decoded bytes of one slice.
    pub max_decoded_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_side_px: 4096, min_side_px: 32, max_decoded_bytes: 64 << 20 }
    }
}

/// Media types that [`decode_slice`] reads.
pub const MEDIA_TYPES: [&str; 5] =
    ["image/png", "image/jpeg", "image/tiff", "image/webp", "image/bmp"];

/// Decodes one slice.
///
/// # Errors
/// [`Error::EmptyInput`], [`Error::UnsupportedType`], [`Error::Undecodable`],
/// [`Error::TooLarge`] or [`Error::Unprocessable`]; nothing larger than the limits is allocated.
pub fn decode_slice(bytes: &[u8], limits: &Limits) -> Result<CtSlice> {
    if bytes.is_empty() {
        return Err(Error::EmptyInput);
    }
    // A decoder's panic on a hostile file must not end the process; none is known, but
    // codecs are the part of the program that strangers can reach.
    std::panic::catch_unwind(|| raster::decode(bytes, limits))
        .unwrap_or_else(|_| Err(Error::Undecodable("the decoder gave up on its contents".into())))
}
