//! Decodes files to [`CtSlice`]s. The format is identified by the bytes, never by a name or a media type.

mod archive;
mod dicom;
mod foreign;
mod jpeg;
mod nifti;
mod raster;
mod reader;
mod source;
mod tally;

pub use archive::{is_clutter, natural_order};
pub use raster::picture_size;
pub use reader::{Input, SliceReader, open};
pub use tally::Trailer;

use crate::error::{Error, Result};
use crate::series::VolumeGrid;
use crate::slice::CtSlice;
use source::{OnDisk, Source};
use std::panic::AssertUnwindSafe;
use std::path::Path;

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
    /// Bytes of one series at 4 bytes per sample, of which a quarter to a half are used where 16 bits hold
    /// the samples; also unpacked bytes of one archive.
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

/// The decoded content of one input.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// At least one slice, in the order of the file.
    pub slices: Vec<CtSlice>,
    /// How a NIfTI volume was cut into slices; `None` for other formats.
    pub grid: Option<VolumeGrid>,
    /// Slices of each file, in their order; one length where all are of one file.
    pub file_lengths: Vec<usize>,
}

impl Decoded {
    /// All slices of an input, each with the warnings of the trailer.
    pub fn new(mut slices: Vec<CtSlice>, trailer: Trailer) -> Self {
        let Trailer { grid, file_lengths, warnings } = trailer;
        slices.iter_mut().for_each(|slice| slice.warnings.extend(warnings.iter().cloned()));
        Self { slices, grid, file_lengths }
    }
}

impl From<Vec<CtSlice>> for Decoded {
    fn from(slices: Vec<CtSlice>) -> Self {
        Self { file_lengths: vec![slices.len()], slices, grid: None }
    }
}

/// Decodes every slice of a file: a picture or its pages, a DICOM object, a NIfTI volume or a zip.
///
/// # Errors
/// [`Error::EmptyInput`], [`Error::UnsupportedType`], [`Error::Undecodable`],
/// [`Error::TooLarge`] or [`Error::Unprocessable`]; nothing larger than the limits is allocated.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded> {
    open(Input::Bytes(bytes), limits)?.read_all()
}

/// Decodes every slice of a file on disk, which is never in memory as a whole beside its slices.
///
/// # Errors
/// As [`decode`]; [`Error::Io`] for a file that cannot be read.
pub fn decode_path(path: &Path, limits: &Limits) -> Result<Decoded> {
    open(Input::Path(path), limits)?.read_all()
}

/// Decodes one file that is no archive.
fn decode_file(source: &mut dyn Source, limits: &Limits) -> Result<Decoded> {
    let format = Format::from_head(source.head()?);
    guarded(|| match format {
        Format::Dicom => dicom::decode(source, limits).map(Decoded::from),
        Format::Nifti => nifti::decode(source, limits),
        Format::Zip => Err(Error::UnsupportedType(
            "An archive within an archive is not read. Unpack it first.".into(),
        )),
        Format::Raster => raster::decode(source, limits).map(Decoded::from),
    })
}

/// Turns a panic into an error: a decoder's panic on a hostile file must not end the process. Codecs process
/// bytes from any client.
fn guarded<T>(decode: impl FnOnce() -> Result<T>) -> Result<T> {
    // Only the position and buffers of the source may be inconsistent after a panic, and they are dropped with
    // the error.
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

/// The kind of a DICOM object, by its header alone.
#[derive(Debug)]
pub enum Identity {
    /// Images: its frames without their samples.
    Frames(Vec<CtSlice>),
    /// A directory, report, segmentation or another object without an image to segment.
    NoImage,
    /// A page or screenshot that cannot be read, for this reason.
    Page(Error),
}

/// The kind of a file on disk.
#[derive(Debug)]
pub enum FileKind {
    /// A DICOM object, or why its header cannot be read.
    Dicom(Result<Identity>),
    /// An image of another format. Pictures of formats that are not read count, as they are to be named in
    /// an error rather than left out.
    Image(Format),
    /// Anything else.
    Other,
}

/// Identifies a file on disk without decoding its samples. The file is opened once.
///
/// # Errors
/// [`Error::Io`] for a file that cannot be read.
pub fn identify(path: &Path, limits: &Limits) -> Result<FileKind> {
    let mut source = OnDisk::new(path)?;
    Ok(match sniff(source.head()?) {
        Some(Format::Dicom) => FileKind::Dicom(guarded(|| dicom::identify(&mut source, limits))),
        Some(format) => FileKind::Image(format),
        None => FileKind::Other,
    })
}

/// The kind of a file by its first bytes; `None` for one that holds no image.
fn sniff(head: &[u8]) -> Option<Format> {
    let format = Format::from_head(head);
    let is_image = || raster::is_image(head) || foreign::is_image(head);
    (format != Format::Raster || is_image()).then_some(format)
}

/// A group of formats that one reader handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A DICOM object.
    Dicom,
    /// A NIfTI volume, packed or not.
    Nifti,
    /// A zip archive.
    Zip,
    /// A picture, or a file of no known format.
    Raster,
}

impl Format {
    fn from_head(bytes: &[u8]) -> Self {
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
