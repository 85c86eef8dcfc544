//! Zip archives of slices (PKWARE APPNOTE 6.3, stored or deflated).
//!
//! Nothing is ever written to disk and no name is followed, so a path in an archive can lead
//! nowhere. Sizes that the archive declares are not believed: bytes are counted as they unpack.

mod directory;

use super::source::{Seekable, Source};
use super::{Decoded, Format, Heard, Limits, decode_file, raster};
use crate::error::{Error, Result};
use crate::slice::{CtSlice, Warning};
pub use directory::natural_order;
use directory::{Archive, open};
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
    let mut found = Found::default();
    for entry in entries.iter() {
        if entry.is_clutter() {
            found.skipped += 1;
            continue;
        }
        let mut file = Unpacked {
            archive: &mut archive,
            index: entry.index,
            at_most: length.saturating_mul(MOST_DEFLATE_SHRINKS),
            left: limits.max_series_bytes.saturating_sub(found.unpacked),
            counted: Cell::new(0),
        };
        match file.looks_like_an_image() {
            Ok(true) => found.add(&mut file, limits, heard)?,
            Ok(false) => found.skipped += 1,
            Err(error) => found.fail(error),
        }
        found.unpacked += file.counted.get();
    }
    found.finish()
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
    fn looks_like_an_image(&mut self) -> Result<bool> {
        let mut head = Vec::new();
        self.open()?.take(SNIFFED_BYTES).read_to_end(&mut head).map_err(|_| damaged())?;
        Ok(Format::of(&head) != Format::Raster || raster::is_image(&head))
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

/// What the archive held so far.
#[derive(Default)]
struct Found {
    decoded: Vec<Decoded>,
    slices: usize,
    decoded_bytes: u64,
    /// Bytes of the entries, unpacked.
    unpacked: u64,
    /// Entries that are no images.
    skipped: usize,
    /// Images that could not be read,
    failed: usize,
    /// and why the first could not.
    first_failure: Option<Error>,
}

impl Found {
    fn add(
        &mut self,
        file: &mut Unpacked<'_, '_>,
        limits: &Limits,
        heard: Heard<'_>,
    ) -> Result<()> {
        let left = Limits {
            max_slices: limits.max_slices.saturating_sub(self.slices),
            max_series_bytes: limits.max_series_bytes.saturating_sub(self.decoded_bytes),
            ..*limits
        };
        match file.decode(&left) {
            Ok(decoded) => self.keep(decoded, limits, heard),
            // The error must name the limit in force, not what other files left of it.
            Err(Error::TooLarge { what, limit, remedy }) => {
                let limit = match limit {
                    l if l == left.max_slices as u64 => limits.max_slices as u64,
                    l if l == left.max_series_bytes || l == file.left => limits.max_series_bytes,
                    l => l,
                };
                Err(Error::TooLarge { what, limit, remedy })
            }
            Err(error) => {
                self.fail(error);
                Ok(())
            }
        }
    }

    fn keep(&mut self, decoded: Decoded, limits: &Limits, heard: Heard<'_>) -> Result<()> {
        let first = self.decoded.len();
        let bytes = |slice: &CtSlice| slice.plane.sample_count() as u64 * 4;
        self.slices += decoded.slices.len();
        self.decoded_bytes += decoded.slices.iter().map(bytes).sum::<u64>();
        self.decoded.push(decoded);
        let remedy = "Send one series an archive.";
        if self.slices > limits.max_slices {
            let limit = limits.max_slices as u64;
            return Err(Error::TooLarge { what: "The number of slices", limit, remedy });
        }
        if self.decoded_bytes > limits.max_series_bytes {
            let limit = limits.max_series_bytes;
            return Err(Error::TooLarge { what: "The decoded size in bytes", limit, remedy });
        }
        self.decoded[first].slices.iter().for_each(heard);
        Ok(())
    }

    fn fail(&mut self, error: Error) {
        self.failed += 1;
        self.first_failure.get_or_insert(error);
    }

    fn finish(mut self) -> Result<Decoded> {
        let warnings = self.warnings();
        let mut all = match (self.decoded.len(), self.first_failure) {
            (0, Some(failure)) => return Err(failure),
            (0, None) => {
                return Err(Error::UnsupportedType(
                    "The archive holds no image that is read here. Pack the slices of one series."
                        .into(),
                ));
            }
            // One volume keeps its grid.
            (1, _) => self.decoded.remove(0),
            _ => self.decoded.into_iter().flat_map(|d| d.slices).collect::<Vec<_>>().into(),
        };
        all.slices.iter_mut().for_each(|slice| slice.warnings.extend(warnings.iter().cloned()));
        Ok(all)
    }

    fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if self.skipped > 0 {
            let message = format!("Files of the archive that are no images: {}.", self.skipped);
            warnings.push(Warning::new("archive_files_skipped", message));
        }
        if let Some(reason) = &self.first_failure {
            let message = format!(
                "Files of the archive that could not be read and are missing here: {}. The first: \
                 {reason}",
                self.failed
            );
            warnings.push(Warning::new("archive_files_unreadable", message));
        }
        warnings
    }
}
