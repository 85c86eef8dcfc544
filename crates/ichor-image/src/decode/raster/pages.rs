//! Lists the pages of a TIFF (TIFF 6.0, and BigTIFF with 64-bit offsets): a chain of directories, of which decoders
//! read only the first.

use crate::error::{Error, Result};
use std::collections::HashSet;

// Tags of directory entries (TIFF 6.0, section 8).
const NEW_SUBFILE_TYPE: u64 = 254;
const IMAGE_WIDTH: u64 = 256;
const IMAGE_LENGTH: u64 = 257;
/// Bits of NewSubfileType that mark a reduced copy of another page and a transparency mask.
const REDUCED_OR_MASK: u64 = 0b101;

/// A directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    offset: u64,
    size: (u64, u64),
    /// Whether it is a preview or a mask of another page.
    is_secondary: bool,
}

/// The directories of a file, in the order of the chain.
pub(super) struct Pages<'a> {
    bytes: &'a [u8],
    /// A copy of the file whose header refers to another first directory.
    patched: Vec<u8>,
    pages: Vec<Page>,
    /// Whether the chain leaves the file or forms a cycle.
    pub(super) is_broken: bool,
}

impl<'a> Pages<'a> {
    /// Reads the chain of directories.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more than `max_pages` pages.
    pub(super) fn read(bytes: &'a [u8], max_pages: usize) -> Result<Self> {
        let reader = Reader::new(bytes);
        let mut pages = Vec::new();
        let mut seen = HashSet::new();
        let mut next = reader.number(reader.first_offset_at(), reader.offset_bytes());
        while let Some(offset) = next.filter(|offset| *offset != 0 && seen.insert(*offset)) {
            let Some((page, following)) = reader.page(offset) else { break };
            if pages.len() == max_pages {
                return Err(Error::TooLarge {
                    what: "The number of pages of the TIFF",
                    limit: max_pages as u64,
                    remedy: "Send the slices of the head alone.",
                });
            }
            pages.push(page);
            next = following;
        }
        Ok(Self { bytes, patched: Vec::new(), pages, is_broken: next != Some(0) })
    }

    /// Number of pages, without previews and masks.
    pub(super) fn pictures(&self) -> usize {
        self.pages.iter().filter(|page| !page.is_secondary).count()
    }

    /// The pages of the most frequent size; of equally frequent sizes, that of the first page.
    pub(super) fn of_most_frequent_size(&self) -> Vec<Page> {
        let pictures = || self.pages.iter().copied().filter(|page| !page.is_secondary);
        let of_size = |size| pictures().filter(|page| page.size == size).collect::<Vec<_>>();
        let mut largest = Vec::new();
        for page in pictures() {
            // Quadratic in the number of pages, which is limited.
            let alike = of_size(page.size);
            if alike.len() > largest.len() {
                largest = alike;
            }
        }
        largest
    }

    /// The file with `page` as its first page.
    pub(super) fn with_first_page(&mut self, page: Page) -> &[u8] {
        let reader = Reader::new(self.bytes);
        if self.patched.is_empty() {
            self.patched = self.bytes.to_vec();
        }
        let (at, length) = (reader.first_offset_at(), reader.offset_bytes());
        let offset = match reader.big_endian {
            true => page.offset.to_be_bytes()[8 - length..].to_vec(),
            false => page.offset.to_le_bytes()[..length].to_vec(),
        };
        self.patched[at..at + length].copy_from_slice(&offset);
        &self.patched
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    /// Offsets and counts have 64 bits.
    big: bool,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let big_endian = bytes.starts_with(b"MM");
        let reader = Self { bytes, big_endian, big: false };
        Self { big: reader.number(2, 2) == Some(43), ..reader }
    }

    fn number(&self, at: usize, length: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(length)?)?;
        let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(match self.big_endian {
            true => bytes.iter().fold(0, add),
            false => bytes.iter().rev().fold(0, add),
        })
    }

    fn offset_bytes(&self) -> usize {
        if self.big { 8 } else { 4 }
    }

    fn first_offset_at(&self) -> usize {
        if self.big { 8 } else { 4 }
    }

    /// The directory at `offset`, and the offset of the next one.
    fn page(&self, offset: u64) -> Option<(Page, Option<u64>)> {
        let (count_bytes, entry_bytes) = if self.big { (8, 20) } else { (2, 12) };
        let start = usize::try_from(offset).ok()?;
        let count = usize::try_from(self.number(start, count_bytes)?).ok()?;
        let entries = start.checked_add(count_bytes)?;
        let end = entries.checked_add(count.checked_mul(entry_bytes)?)?;
        if count == 0 || end > self.bytes.len() {
            return None;
        }
        let mut page = Page { offset, size: (0, 0), is_secondary: false };
        for entry in (entries..end).step_by(entry_bytes) {
            let kind = self.number(entry + 2, 2)?;
            // A single number is stored in the entry itself: BYTE, SHORT, LONG or LONG8.
            let length = match kind {
                1 => 1,
                3 => 2,
                4 => 4,
                16 if self.big => 8,
                _ => continue,
            };
            let value = self.number(entry + if self.big { 12 } else { 8 }, length)?;
            match self.number(entry, 2)? {
                NEW_SUBFILE_TYPE => page.is_secondary = value & REDUCED_OR_MASK != 0,
                IMAGE_WIDTH => page.size.0 = value,
                IMAGE_LENGTH => page.size.1 = value,
                _ => {}
            }
        }
        // The page is usable even if the offset of the next one is missing.
        Some((page, self.number(end, self.offset_bytes())))
    }
}
