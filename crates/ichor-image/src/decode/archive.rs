//! Zip archives of slices (PKWARE APPNOTE 6.3, stored or deflated).
//!
//! Nothing is ever written to disk and no name is followed, so a path in an archive can lead
//! nowhere. Sizes that the archive declares are not believed: bytes are counted as they unpack.

mod directory;

use super::several::{Origin, Several};
use super::source::{Seekable, Source};
use super::{Decoded, Format, Heard, Limits, decode_file, dicom, guarded, sniff as sniff_format};
use crate::error::{Error, Result};
use directory::{Archive, open};
pub use directory::{is_clutter, natural_order};
use std::cell::Cell;
use std::io::{Read, sink};

/// Enough for every sniffer: the magic of NIfTI ends at byte 348.
const SNIFFED_BYTES: u64 = 352;
/// Deflate cannot shrink further than this (258 bytes to two bits).
const MOST_DEFLATE_SHRINKS: u64 = 1032;

pub(super) fn sniff(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// Decodes every image of an archive, by name in natural order.
///
/// Files that are no images are skipped, as are images that cannot be read; both are counted in
/// the warnings of every slice. Archives within the archive are not opened.
pub(super) fn decode(
    source: &mut dyn Seekable,
    limits: &Limits,
    heard: Heard<'_>,
) -> Result<Decoded> {
    let length = source.at_most();
    let (mut archive, entries) = open(source, limits)?;
    let mut several = Several::new(Origin::Archive, limits);
    let mut unpacked = 0;
    for entry in entries.iter() {
        if entry.is_clutter() {
            several.skip();
            continue;
        }
        let mut file = Unpacked {
            archive: &mut archive,
            index: entry.index,
            at_most: length.saturating_mul(MOST_DEFLATE_SHRINKS),
            left: limits.max_series_bytes.saturating_sub(unpacked),
            counted: Cell::new(0),
        };
        match file.looks_like_an_image() {
            Ok(true) => add(&mut several, &mut file, limits, heard)?,
            Ok(false) => several.skip(),
            Err(error) => several.fail(error),
        }
        unpacked += file.counted.get();
    }
    several.finish()
}

/// Decodes one file and counts it among the others.
fn add(
    several: &mut Several<'_>,
    file: &mut Unpacked<'_, '_>,
    limits: &Limits,
    heard: Heard<'_>,
) -> Result<()> {
    let left = several.left();
    let read = file.decode(&left).map_err(|error| match error {
        Error::TooLarge { what, limit, remedy } if limit == file.left => {
            Error::TooLarge { what, limit: limits.max_series_bytes, remedy }
        }
        error => error,
    });
    let is_picture = read.is_err() && matches!(file.format(), Ok(Format::Raster));
    let identify = || (!is_picture).then(|| guarded(|| dicom::identify(file, limits)));
    several.add_read(read, &left, identify, heard)
}

/// One file of an archive. Its declared size is the packer's word: bytes are counted as they unpack,
/// and end where no more are allowed.
struct Unpacked<'a, 'b> {
    archive: &'a mut Archive<'b>,
    index: usize,
    at_most: u64,
    /// Bytes that may unpack,
    left: u64,
    /// and that have, in the reading of the most.
    counted: Cell<u64>,
}

impl Source for Unpacked<'_, '_> {
    fn open(&mut self) -> Result<Box<dyn Read + '_>> {
        let file = self.archive.by_index(self.index).map_err(|_| damaged())?;
        // One more than allowed, to know a file that is too large from one that just fits.
        let file = file.take(self.left.saturating_add(1));
        Ok(Box::new(Counted { file, read: 0, most: &self.counted }))
    }

    fn at_most(&self) -> u64 {
        self.at_most
    }
}

impl Unpacked<'_, '_> {
    fn head(&mut self) -> Result<Vec<u8>> {
        let mut head = Vec::new();
        self.open()?.take(SNIFFED_BYTES).read_to_end(&mut head).map_err(|_| damaged())?;
        Ok(head)
    }

    fn looks_like_an_image(&mut self) -> Result<bool> {
        Ok(sniff_format(&self.head()?).is_some())
    }

    fn format(&mut self) -> Result<Format> {
        Ok(Format::of(&self.head()?))
    }

    /// Decodes the file, and reads it to its end, where its checksum is compared.
    fn decode(&mut self, limits: &Limits) -> Result<Decoded> {
        let decoded = decode_file(self, limits).and_then(|decoded| {
            std::io::copy(&mut self.open()?, &mut sink()).map_err(|_| damaged())?;
            Ok(decoded)
        });
        // A decoder takes the cut for the file's end; this is the reason.
        if self.counted.get() > self.left {
            return Err(Error::TooLarge {
                what: "The unpacked size of the archive in bytes",
                limit: self.left,
                remedy: "Send one series an archive, and leave out what is no slice.",
            });
        }
        decoded
    }
}

/// Notes how far a file was read.
struct Counted<'a, R> {
    file: R,
    read: u64,
    most: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read += count as u64;
        self.most.set(self.most.get().max(self.read));
        Ok(count)
    }
}

fn damaged() -> Error {
    Error::Undecodable("a file of the archive is damaged".into())
}
