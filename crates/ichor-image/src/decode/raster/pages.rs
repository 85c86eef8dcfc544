//! The pages of a TIFF (TIFF 6.0, and BigTIFF with offsets of 64 bits): a chain of directories, of
//! which decoders read the first alone.

use crate::error::{Error, Result};
use std::collections::HashSet;

/// A directory entry's tag (TIFF 6.0, section 8).
const NEW_SUBFILE_TYPE: u64 = 254;
const IMAGE_WIDTH: u64 = 256;
const IMAGE_LENGTH: u64 = 257;
/// Bits of NewSubfileType: a smaller copy of another page, and a transparency mask.
const REDUCED_OR_MASK: u64 = 0b101;

/// One directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    offset: u64,
    size: (u64, u64),
    /// A preview or a mask of another page.
    secondary: bool,
}

/// The directories of a file in their order.
pub(super) struct Pages<'a> {
    bytes: &'a [u8],
    /// A copy in which the header names another first directory.
    patched: Vec<u8>,
    pages: Vec<Page>,
    /// The chain leads out of the file or into itself.
    pub(super) broken: bool,
}

impl<'a> Pages<'a> {
    /// # Errors
    /// [`Error::TooLarge`] for more pages than `max_pages`.
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
        Ok(Self { bytes, patched: Vec::new(), pages, broken: next != Some(0) })
    }

    /// Number of pages, without previews and masks.
    pub(super) fn pictures(&self) -> usize {
        self.pages.iter().filter(|page| !page.secondary).count()
    }

    /// The pages of the size that most have, of equally many the size that comes first.
    pub(super) fn of_one_size(&self) -> Vec<Page> {
        let pictures = || self.pages.iter().copied().filter(|page| !page.secondary);
        let of_size = |size| pictures().filter(|page| page.size == size).collect::<Vec<_>>();
        let mut largest = Vec::new();
        for page in pictures() {
            // Files have as many sizes as pages at most, which are bounded.
            let alike = of_size(page.size);
            if alike.len() > largest.len() {
                largest = alike;
            }
        }
        largest
    }

    /// The file as if it began with `page`.
    pub(super) fn beginning_with(&mut self, page: Page) -> &[u8] {
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

    /// The directory at `offset`, and where the next one is.
    fn page(&self, offset: u64) -> Option<(Page, Option<u64>)> {
        let (count_bytes, entry_bytes) = if self.big { (8, 20) } else { (2, 12) };
        let start = usize::try_from(offset).ok()?;
        let count = usize::try_from(self.number(start, count_bytes)?).ok()?;
        let entries = start.checked_add(count_bytes)?;
        let end = entries.checked_add(count.checked_mul(entry_bytes)?)?;
        if count == 0 || end > self.bytes.len() {
            return None;
        }
        let mut page = Page { offset, size: (0, 0), secondary: false };
        for entry in (entries..end).step_by(entry_bytes) {
            let kind = self.number(entry + 2, 2)?;
            // A single number stands in the entry itself: BYTE, SHORT, LONG or LONG8.
            let length = match kind {
                1 => 1,
                3 => 2,
                4 => 4,
                16 if self.big => 8,
                _ => continue,
            };
            let value = self.number(entry + if self.big { 12 } else { 8 }, length)?;
            match self.number(entry, 2)? {
                NEW_SUBFILE_TYPE => page.secondary = value & REDUCED_OR_MASK != 0,
                IMAGE_WIDTH => page.size.0 = value,
                IMAGE_LENGTH => page.size.1 = value,
                _ => {}
            }
        }
        // Without a following offset the chain is broken here, not the page.
        Some((page, self.number(end, self.offset_bytes())))
    }
}
