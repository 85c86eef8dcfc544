//! Encapsulated pixel data: assigns fragments to frames (PS3.5 A.4).

use super::missing;
use crate::decode::dicom::damaged;
use crate::decode::dicom::layout::Layout;
use crate::decode::dicom::syntax::Coding;
use crate::error::{Error, Result};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use std::io::Read;

const ITEM: [u8; 4] = [0xFE, 0xFF, 0x00, 0xE0];
const SEQUENCE_DELIMITER: [u8; 4] = [0xFE, 0xFF, 0xDD, 0xE0];
/// Bytes of an item's tag and length.
const HEADER_BYTES: u64 = 8;

/// How fragments are assigned to frames.
#[derive(Debug)]
pub(super) enum Division {
    /// By the content of the fragments, and by a Basic Offset Table if there is one.
    ByContent,
    /// By an Extended Offset Table (PS3.3 C.7.6.3.1.8): one fragment per frame. For each, the offset from the first
    /// fragment and the length without padding, bytes.
    Extended(Vec<(u64, u64)>),
}

impl Division {
    /// Reads the Extended Offset Table of an object, if it has one.
    ///
    /// # Errors
    /// [`Error::Undecodable`] if the table does not match the number of frames.
    pub(super) fn read(object: &InMemDicomObject, layout: &Layout) -> Result<Self> {
        let numbers = |tag| {
            let value = object.get(tag)?.value();
            // An archive that does not know this attribute may have stored it as UN.
            match value.to_bytes() {
                Ok(bytes) if bytes.len() % 8 == 0 => {
                    let (numbers, _) = bytes.as_chunks::<8>();
                    Some(numbers.iter().map(|n| u64::from_le_bytes(*n)).collect::<Vec<_>>())
                }
                _ => Some(Vec::new()),
            }
        };
        let Some(offsets) = numbers(tags::EXTENDED_OFFSET_TABLE) else {
            return Ok(Self::ByContent);
        };
        let lengths = numbers(tags::EXTENDED_OFFSET_TABLE_LENGTHS).unwrap_or_default();
        if offsets.len() != layout.frames || lengths.len() != layout.frames {
            return Err(contradicted());
        }
        Ok(Self::Extended(offsets.into_iter().zip(lengths).collect()))
    }
}

/// A reader of fragments, in the order of the file.
pub(super) struct Fragments<'a> {
    reader: Box<dyn Read + 'a>,
    division: Division,
    coding: Coding,
    /// Bytes per uncompressed sample.
    bytes: usize,
    /// Offsets of the frames from the Basic Offset Table; empty if there is none.
    offsets: Vec<u64>,
    frames: usize,
    /// Index of the next frame, from 0.
    frame: usize,
    /// Distance from the header of the first fragment to that of the next one, bytes.
    position: u64,
    /// The position and the bytes of a fragment that was read but belongs to the next frame.
    lookahead: Option<(u64, Vec<u8>)>,
    /// Whether the end of the sequence was reached.
    is_at_end: bool,
    /// Whether the sequence has an end delimiter.
    has_delimiter: bool,
    /// Maximum size of a frame, bytes.
    max_bytes: u64,
}

impl<'a> Fragments<'a> {
    /// `reader` is positioned at the item of the Basic Offset Table; a frame may have `max_bytes` bytes.
    ///
    /// # Errors
    /// [`Error::Undecodable`] if the table is missing or damaged.
    pub(super) fn new(
        reader: Box<dyn Read + 'a>,
        division: Division,
        coding: Coding,
        layout: &Layout,
        max_bytes: u64,
    ) -> Result<Self> {
        let (bytes, frames) = (layout.bytes, layout.frames);
        let mut fragments = Self {
            reader,
            division,
            coding,
            bytes,
            offsets: Vec::new(),
            frames,
            frame: 0,
            position: 0,
            lookahead: None,
            is_at_end: false,
            has_delimiter: true,
            max_bytes,
        };
        let (_, table) = fragments.read()?.ok_or_else(missing)?;
        let (offsets, rest) = table.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(damaged());
        }
        // A table with another number of entries is wrong and not used.
        if offsets.len() == frames {
            fragments.offsets = offsets.iter().map(|o| u32::from_le_bytes(*o).into()).collect();
        }
        fragments.position = 0;
        Ok(fragments)
    }

    /// The bytes of the next frame.
    pub(super) fn next_frame(&mut self) -> Result<Vec<u8>> {
        let (position, mut bytes) = self.next_fragment()?.ok_or_else(missing)?;
        self.frame += 1;
        if let Division::Extended(table) = &self.division {
            let (offset, length) = table[self.frame - 1];
            let length = usize::try_from(length).map_err(|_| contradicted())?;
            // Fragments are padded to an even length.
            if offset != position || length > bytes.len() || bytes.len() - length > 1 {
                return Err(contradicted());
            }
            bytes.truncate(length);
            return Ok(bytes);
        }
        while let Some((position, fragment)) = self.next_fragment()? {
            if self.frames > 1 && self.begins_frame(position, &fragment) {
                self.lookahead = Some((position, fragment));
                break;
            }
            if (bytes.len() + fragment.len()) as u64 > self.max_bytes {
                return Err(too_large(self.max_bytes));
            }
            bytes.extend(fragment);
        }
        Ok(bytes)
    }

    /// Checks that no fragment with content is left. Returns whether the sequence has an end delimiter.
    pub(super) fn finish(mut self) -> Result<bool> {
        match self.next_fragment()? {
            // Some writers add an empty item at the end.
            Some((_, fragment)) if !fragment.is_empty() => Err(Error::Undecodable(
                "it holds more compressed frames than its Number of Frames says".into(),
            )),
            _ => Ok(self.has_delimiter),
        }
    }

    /// Whether a fragment is the first of a frame: by the offset table, or by the signature of its codestream.
    fn begins_frame(&self, position: u64, fragment: &[u8]) -> bool {
        self.offsets.contains(&position)
            || match self.coding {
                Coding::Native => self.offsets.is_empty(),
                // An RLE header: the number of segments, and the offset of the first one (PS3.5 annex G.5).
                Coding::Rle => fragment.starts_with(&[self.bytes as u8, 0, 0, 0, 64, 0, 0, 0]),
                Coding::Jpeg | Coding::Jpeg2000 => {
                    coding_of_codestream(fragment) == Some(self.coding)
                }
            }
    }

    fn next_fragment(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        match self.lookahead.take() {
            Some(fragment) => Ok(Some(fragment)),
            None => self.read(),
        }
    }

    /// Reads one item; `None` at the end of the sequence. Any other data end the sequence as well, because some writers
    /// omit the delimiter or replace it by zeros. Missing fragments are detected when a frame is decoded.
    fn read(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        if self.is_at_end {
            return Ok(None);
        }
        let mut header = Vec::new();
        self.reader.by_ref().take(HEADER_BYTES).read_to_end(&mut header).map_err(|_| damaged())?;
        let Some((ITEM, length)) = item_header(&header) else {
            self.is_at_end = true;
            self.has_delimiter = header.starts_with(&SEQUENCE_DELIMITER);
            return Ok(None);
        };
        let length = u64::from(length);
        if length > self.max_bytes {
            return Err(too_large(self.max_bytes));
        }
        // No capacity is reserved, because a file may declare more than it holds.
        let mut bytes = Vec::new();
        self.reader.by_ref().take(length).read_to_end(&mut bytes).map_err(|_| damaged())?;
        if bytes.len() as u64 != length {
            return Err(Error::Undecodable(
                "its pixel data ends within a compressed frame; the file is cut off".into(),
            ));
        }
        let position = self.position;
        self.position += HEADER_BYTES + length;
        Ok(Some((position, bytes)))
    }
}

fn item_header(header: &[u8]) -> Option<([u8; 4], u32)> {
    let &[a, b, c, d, ref length @ ..] = header.first_chunk::<{ HEADER_BYTES as usize }>()?;
    Some(([a, b, c, d], u32::from_le_bytes(*length)))
}

/// The value of the item at the start of `bytes`, cut off at their end, and the bytes after it.
pub(super) fn item(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (ITEM, length) = item_header(bytes)? else { return None };
    let value = bytes.get(HEADER_BYTES as usize..)?;
    Some(value.split_at(value.len().min(length as usize)))
}

/// Detects the compression of a codestream from its signature.
pub(super) fn coding_of_codestream(fragment: &[u8]) -> Option<Coding> {
    if fragment.starts_with(&[0xFF, 0xD8]) {
        Some(Coding::Jpeg)
    } else if fragment.starts_with(&[0xFF, 0x4F, 0xFF, 0x51])
        // The signature of a JP2 file, which some writers use as a container.
        || fragment.starts_with(b"\0\0\0\x0cjP  ")
    {
        Some(Coding::Jpeg2000)
    } else {
        None
    }
}

fn contradicted() -> Error {
    Error::Undecodable("its Extended Offset Table contradicts its frames".into())
}

fn too_large(limit: u64) -> Error {
    Error::TooLarge {
        what: "The size of a compressed frame in bytes",
        limit,
        remedy: "Export the images uncompressed.",
    }
}
