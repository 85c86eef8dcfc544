//! Bytes to [`CtSlice`]s: the format is taken from the bytes, never from a name or header.

mod archive;
mod dicom;
mod foreign;
mod jpeg;
mod nifti;
mod raster;
mod several;
mod source;

pub use archive::{is_clutter, natural_order};
pub use raster::picture_size;
pub use several::decode_several;
pub use several::{Origin, Several};

use crate::error::{Error, Result};
use crate::series::VolumeGrid;
use crate::slice::CtSlice;
use source::{InMemory, OnDisk, Seekable, Source};
use std::panic::AssertUnwindSafe;
use std::path::Path;

/// Enough to tell every format: the magic of NIfTI ends at byte 348.
const HEAD_BYTES: u64 = 4096;

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
    /// Bytes of one series at 4 a sample, of which a quarter to a half are taken where 16 bits hold
    /// the samples; and unpacked bytes of one archive.
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

/// Media types that [`decode`] reads. NIfTI has none registered; this one is in use.
pub const MEDIA_TYPES: [&str; 9] = [
    "image/png",
    "image/jpeg",
    "image/tiff",
    "image/webp",
    "image/bmp",
    "application/dicom",
    "application/nifti",
    "application/gzip",
    "application/zip",
];

/// What one file holds.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// At least one slice, in the order of the file.
    pub slices: Vec<CtSlice>,
    /// How a NIfTI volume was cut into slices; `None` for other formats.
    pub grid: Option<VolumeGrid>,
    /// Slices of each file, in their order; one length where all are of one file.
    pub file_lengths: Vec<usize>,
}

impl From<Vec<CtSlice>> for Decoded {
    fn from(slices: Vec<CtSlice>) -> Self {
        Self { file_lengths: vec![slices.len()], slices, grid: None }
    }
}

/// Hears of each slice as soon as it is decoded, in the order of [`Decoded::slices`]. What the end of
/// a file says of all of them, warnings only, is not on it yet.
pub type Heard<'a> = &'a mut dyn FnMut(&CtSlice);

/// Decodes every slice of a file: a picture or its pages, a DICOM object, a NIfTI volume or a zip.
///
/// # Errors
/// [`Error::EmptyInput`], [`Error::UnsupportedType`], [`Error::Undecodable`],
/// [`Error::TooLarge`] or [`Error::Unprocessable`]; nothing larger than the limits is allocated.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded> {
    decode_heard(bytes, limits, &mut |_| ())
}

/// As [`decode`], while somebody hears of the slices.
///
/// # Errors
/// As [`decode`]; slices that were heard of are then part of nothing.
pub fn decode_heard(bytes: &[u8], limits: &Limits, heard: Heard<'_>) -> Result<Decoded> {
    decode_seekable(&mut InMemory(bytes), limits, heard)
}

/// Decodes every slice of a file on disk, which is never in memory as a whole beside its slices.
///
/// # Errors
/// As [`decode`]; [`Error::Io`] for a file that cannot be read.
pub fn decode_path(path: &Path, limits: &Limits) -> Result<Decoded> {
    decode_path_heard(path, limits, &mut |_| ())
}

/// As [`decode_path`], while somebody hears of the slices.
///
/// # Errors
/// As [`decode_path`]; slices that were heard of are then part of nothing.
pub fn decode_path_heard(path: &Path, limits: &Limits, heard: Heard<'_>) -> Result<Decoded> {
    decode_seekable(&mut OnDisk::new(path)?, limits, heard)
}

fn decode_seekable(
    source: &mut dyn Seekable,
    limits: &Limits,
    heard: Heard<'_>,
) -> Result<Decoded> {
    if source.at_most() == 0 {
        return Err(Error::EmptyInput);
    }
    let is_archive = archive::sniff(&source::head(source, HEAD_BYTES)?);
    guarded(|| match is_archive {
        true => archive::decode(source, limits, heard),
        false => {
            let decoded = decode_file(source, limits)?;
            decoded.slices.iter().for_each(heard);
            Ok(decoded)
        }
    })
}

/// Decodes one file that is no archive.
fn decode_file(source: &mut dyn Source, limits: &Limits) -> Result<Decoded> {
    let format = Format::of(&source::head(source, HEAD_BYTES)?);
    guarded(|| match format {
        Format::Dicom => dicom::decode(source, limits).map(Decoded::from),
        Format::Nifti => nifti::decode(source, limits),
        Format::Zip => Err(Error::UnsupportedType(
            "An archive within an archive is not read. Unpack it first.".into(),
        )),
        Format::Raster => raster::decode(source, limits).map(Decoded::from),
    })
}

/// A decoder's panic on a hostile file must not end the process: codecs are the part of the
/// program that strangers can reach.
fn guarded<T>(decode: impl FnOnce() -> Result<T>) -> Result<T> {
    // What a panic leaves half done is the source's place and buffers, dropped with the error.
    std::panic::catch_unwind(AssertUnwindSafe(decode))
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

/// What a DICOM file is, by its header alone.
#[derive(Debug)]
pub enum Identity {
    /// Images: its frames without their samples.
    Frames(Vec<CtSlice>),
    /// A directory, report, segmentation or another object without an image to look at.
    NoImage,
    /// A page or screenshot that cannot be read, for this reason.
    Page(Error),
}

/// Says what a DICOM file is without decoding its frames.
///
/// # Errors
/// As [`decode_path`].
pub fn identify_dicom(path: &Path, limits: &Limits) -> Result<Identity> {
    guarded(|| dicom::identify(&mut OnDisk::new(path)?, limits))
}

/// The kind of a file that its first 4 KiB tell; `None` for one that holds no image. Pictures of formats
/// that are not read count, as they are to be named rather than passed over.
pub fn sniff(head: &[u8]) -> Option<Format> {
    let format = Format::of(head);
    let is_image = || raster::is_image(head) || foreign::is_image(head);
    (format != Format::Raster || is_image()).then_some(format)
}

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A DICOM object.
    Dicom,
    /// A NIfTI volume, packed or not.
    Nifti,
    /// An archive.
    Zip,
    /// A picture, or nothing that is read here.
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
