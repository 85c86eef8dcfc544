//! Bytes to [`CtSlice`]s: the format is taken from the bytes, never from a name or header.

mod archive;
mod dicom;
mod nifti;
mod raster;

pub use archive::natural_order;

use crate::error::{Error, Result};
use crate::series::VolumeGrid;
use crate::slice::CtSlice;
use std::panic::UnwindSafe;

/// Largest and smallest input accepted; checked before memory is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Limits {
    /// Longest side, px.
    pub max_side_px: u32,
    /// Shortest side that can still show a head, px.
    pub min_side_px: u32,
    /// Decoded bytes of one slice.
    pub max_decoded_bytes: u64,
    /// Slices of one series.
    pub max_slices: usize,
    /// Decoded bytes of one series, and unpacked bytes of one archive.
    pub max_series_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_side_px: 4096,
            min_side_px: 32,
            max_decoded_bytes: 64 << 20,
            max_slices: 512,
            max_series_bytes: 544 << 20,
        }
    }
}

/// Media types that [`decode_slice`] reads.
pub const MEDIA_TYPES: [&str; 5] =
    ["image/png", "image/jpeg", "image/tiff", "image/webp", "image/bmp"];

/// What one file holds.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// At least one slice, in the order of the file.
    pub slices: Vec<CtSlice>,
    /// How a NIfTI volume was cut into slices; `None` for other formats.
    pub grid: Option<VolumeGrid>,
}

impl From<Vec<CtSlice>> for Decoded {
    fn from(slices: Vec<CtSlice>) -> Self {
        Self { slices, grid: None }
    }
}

/// Decodes every slice of a file: one image, a multi-frame DICOM object, a NIfTI volume or a zip.
///
/// # Errors
/// [`Error::EmptyInput`], [`Error::UnsupportedType`], [`Error::Undecodable`],
/// [`Error::TooLarge`] or [`Error::Unprocessable`]; nothing larger than the limits is allocated.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded> {
    if bytes.is_empty() {
        return Err(Error::EmptyInput);
    }
    if archive::sniff(bytes) {
        guarded(|| archive::decode(bytes, limits))
    } else {
        decode_file(bytes, limits)
    }
}

/// Decodes one file that is no archive.
fn decode_file(bytes: &[u8], limits: &Limits) -> Result<Decoded> {
    guarded(|| match Format::of(bytes) {
        Format::Dicom => dicom::decode(bytes, limits).map(Decoded::from),
        Format::Nifti => nifti::decode(bytes, limits),
        Format::Zip => Err(Error::UnsupportedType(
            "An archive within an archive is not read. Unpack it first.".into(),
        )),
        Format::Raster => raster::decode(bytes, limits).map(|slice| vec![slice].into()),
    })
}

/// A decoder's panic on a hostile file must not end the process: codecs are the part of the
/// program that strangers can reach.
fn guarded(decode: impl FnOnce() -> Result<Decoded> + UnwindSafe) -> Result<Decoded> {
    std::panic::catch_unwind(decode)
        .unwrap_or_else(|_| Err(Error::Undecodable("the decoder gave up on its contents".into())))
}

/// Decodes a file that must hold one slice.
///
/// # Errors
/// As [`decode`]; [`Error::Unprocessable`] for a file with several slices.
pub fn decode_slice(bytes: &[u8], limits: &Limits) -> Result<CtSlice> {
    let mut slices = decode(bytes, limits)?.slices;
    match (slices.pop(), slices.is_empty()) {
        (Some(slice), true) => Ok(slice),
        _ => {
            Err(Error::Unprocessable("The file holds several slices where one is expected.".into()))
        }
    }
}

/// What the first bytes say.
enum Format {
    Dicom,
    Nifti,
    Zip,
    Raster,
}

impl Format {
    fn of(bytes: &[u8]) -> Self {
        if dicom::sniff(bytes) {
            Self::Dicom
        } else if nifti::sniff(bytes) {
            Self::Nifti
        } else if archive::sniff(bytes) {
            Self::Zip
        } else {
            Self::Raster
        }
    }
}
