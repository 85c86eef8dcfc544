//! Zip archives of slices (PKWARE APPNOTE 6.3, stored or deflated).
//!
//! No file is written to disk and the names of entries are not used as paths. Sizes that the archive declares are
//! not used either: bytes are counted as they are unpacked.

mod directory;

use super::reader::Files;
use super::source::{HEAD_BYTES, MAX_DEFLATE_RATIO, ReadSeek, Source};
use super::tally::Tally;
use super::{Format, decode_file, dicom, guarded, sniff as sniff_format};
use crate::decode::{Decoded, Limits};
use crate::error::{Error, Result};
use crate::slice::CtSlice;
use directory::{Archive, Entry, list};
pub use directory::{is_clutter, natural_order};
use std::io::{Read, sink};

pub(super) fn sniff(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// The files of an archive, by name in natural order.
///
/// Files that are no images are skipped, as are images that cannot be read; both are counted in the
/// tally. Archives within the archive are not opened.
pub(super) struct ArchiveFiles<'a> {
    archive: Archive<'a>,
    entries: std::vec::IntoIter<Entry>,
    /// Upper bound of the bytes that can be unpacked.
    max_bytes: u64,
    /// Bytes unpacked so far.
    unpacked: u64,
}

impl<'a> ArchiveFiles<'a> {
    /// Opens an archive of `length` bytes and reads its list.
    ///
    /// # Errors
    /// [`Error::Undecodable`] for a damaged archive, [`Error::UnsupportedType`] for an encrypted one or one of
    /// another method, [`Error::TooLarge`] for more files than a series may have.
    pub(super) fn open(
        reader: Box<dyn ReadSeek + 'a>,
        length: u64,
        limits: &Limits,
    ) -> Result<Self> {
        let (archive, entries) = list(reader, limits)?;
        let max_bytes = length.saturating_mul(MAX_DEFLATE_RATIO);
        Ok(Self { archive, entries: entries.into_iter(), max_bytes, unpacked: 0 })
    }
}

impl Files for ArchiveFiles<'_> {
    fn read_next(&mut self, tally: &mut Tally) -> Result<Option<Vec<CtSlice>>> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        if entry.is_clutter() {
            tally.skip();
            return Ok(Some(Vec::new()));
        }
        let mut file = ArchiveFile {
            archive: &mut self.archive,
            index: entry.index,
            max_bytes: self.max_bytes,
            remaining: tally.limits().max_series_bytes.saturating_sub(self.unpacked),
            unpacked: 0,
            head: None,
        };
        let slices = match file.is_image() {
            Ok(true) => add(tally, &mut file),
            Ok(false) => {
                tally.skip();
                Ok(Vec::new())
            }
            Err(error) => {
                tally.fail(error);
                Ok(Vec::new())
            }
        };
        self.unpacked += file.unpacked;
        slices.map(Some)
    }
}

/// Decodes one file and counts it among the others.
fn add(tally: &mut Tally, file: &mut ArchiveFile<'_, '_>) -> Result<Vec<CtSlice>> {
    let remaining = tally.remaining();
    let max_series_bytes = tally.limits().max_series_bytes;
    let decoded = file.decode(&remaining).map_err(|error| match error {
        Error::TooLarge { what, limit, remedy } if limit == file.remaining => {
            Error::TooLarge { what, limit: max_series_bytes, remedy }
        }
        error => error,
    });
    let is_picture = decoded.is_err() && matches!(file.format(), Ok(Format::Raster));
    let limits = *tally.limits();
    let identify = || (!is_picture).then(|| guarded(|| dicom::identify(file, &limits)));
    tally.add_or_skip(decoded, &remaining, identify)
}

/// One file of an archive. The size that the archive declares may be wrong: bytes are counted as they are
/// unpacked, and reading ends where no more are allowed.
struct ArchiveFile<'a, 'b> {
    archive: &'a mut Archive<'b>,
    index: usize,
    max_bytes: u64,
    /// Bytes that may be unpacked.
    remaining: u64,
    /// Bytes unpacked by the pass that unpacked most.
    unpacked: u64,
    head: Option<Vec<u8>>,
}

impl Source for ArchiveFile<'_, '_> {
    fn open(&mut self) -> Result<Box<dyn Read + '_>> {
        let file = self.archive.by_index(self.index).map_err(|_| damaged())?;
        // One byte more than allowed distinguishes a file that is too large from one that just fits.
        let file = file.take(self.remaining.saturating_add(1));
        Ok(Box::new(CountingReader { file, count: 0, max: &mut self.unpacked }))
    }

    fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    fn head(&mut self) -> Result<&[u8]> {
        if self.head.is_none() {
            let mut head = Vec::new();
            self.open()?.take(HEAD_BYTES).read_to_end(&mut head).map_err(|_| damaged())?;
            self.head = Some(head);
        }
        Ok(self.head.as_deref().unwrap_or_default())
    }
}

impl ArchiveFile<'_, '_> {
    fn is_image(&mut self) -> Result<bool> {
        Ok(sniff_format(self.head()?).is_some())
    }

    fn format(&mut self) -> Result<Format> {
        Ok(Format::from_head(self.head()?))
    }

    /// Decodes the file, and reads it to its end, where its checksum is compared.
    fn decode(&mut self, limits: &Limits) -> Result<Decoded> {
        let decoded = decode_file(self, limits).and_then(|decoded| {
            std::io::copy(&mut self.open()?, &mut sink()).map_err(|_| damaged())?;
            Ok(decoded)
        });
        // A decoder takes the cut for the end of the file; this is the real reason.
        if self.unpacked > self.remaining {
            return Err(Error::TooLarge {
                what: "The unpacked size of the archive in bytes",
                limit: self.remaining,
                remedy: "Send one series per archive, and leave out files that are no slices.",
            });
        }
        decoded
    }
}

/// Counts the bytes that are read.
struct CountingReader<'a, R> {
    file: R,
    count: u64,
    max: &'a mut u64,
}

impl<R: Read> Read for CountingReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.count += count as u64;
        *self.max = (*self.max).max(self.count);
        Ok(count)
    }
}

fn damaged() -> Error {
    Error::Undecodable("a file of the archive is damaged".into())
}
