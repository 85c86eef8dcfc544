//! Encapsulated pixel data: which fragments make up each frame (PS3.5 A.4).

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
/// An item's tag and length.
const HEADER_BYTES: u64 = 8;

/// How the object says that its frames lie in the fragments.
#[derive(Debug)]
pub(super) enum Division {
    /// By the fragments themselves and a Basic Offset Table, if it is there.
    ByContent,
    /// By an Extended Offset Table (PS3.3 C.7.6.3.1.8): a fragment a frame, with the offset of each
    /// from the first and its length without padding.
    Extended(Vec<(u64, u64)>),
}

impl Division {
    /// # Errors
    /// [`Error::Undecodable`] for an Extended Offset Table of another number of frames.
    pub(super) fn read(object: &InMemDicomObject, layout: &Layout) -> Result<Self> {
        let numbers = |tag| {
            let value = object.get(tag)?.value();
            // An archive without a dictionary of this attribute may have stored it as UN.
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

/// Fragments, read in their order.
pub(super) struct Fragments<'a> {
    reader: Box<dyn Read + 'a>,
    division: Division,
    coding: Coding,
    /// Bytes of one uncompressed sample.
    bytes: usize,
    /// Offsets of the frames by the Basic Offset Table; empty without one.
    offsets: Vec<u64>,
    frames: usize,
    /// The next frame, counted from 0.
    frame: usize,
    /// From the first fragment's header to the next one's, bytes.
    position: u64,
    /// A fragment that was read ahead, and where it lies.
    ahead: Option<(u64, Vec<u8>)>,
    /// The sequence was read to its end,
    ended: bool,
    /// which a delimiter marks.
    delimited: bool,
    /// Most bytes of one frame.
    most: u64,
}

impl<'a> Fragments<'a> {
    /// `reader` stands before the item of the Basic Offset Table.
    pub(super) fn new(
        reader: Box<dyn Read + 'a>,
        division: Division,
        coding: Coding,
        layout: &Layout,
        most: u64,
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
            ahead: None,
            ended: false,
            delimited: true,
            most,
        };
        let (_, table) = fragments.read()?.ok_or_else(missing)?;
        let (offsets, rest) = table.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(damaged());
        }
        // A table of another length is wrong; the fragments speak for themselves.
        if offsets.len() == frames {
            fragments.offsets = offsets.iter().map(|o| u32::from_le_bytes(*o).into()).collect();
        }
        fragments.position = 0;
        Ok(fragments)
    }

    pub(super) fn next_frame(&mut self) -> Result<Vec<u8>> {
        let (position, mut bytes) = self.next_fragment()?.ok_or_else(missing)?;
        self.frame += 1;
        if let Division::Extended(table) = &self.division {
            let (offset, length) = table[self.frame - 1];
            let length = usize::try_from(length).map_err(|_| contradicted())?;
            // Padding makes lengths even.
            if offset != position || length > bytes.len() || bytes.len() - length > 1 {
                return Err(contradicted());
            }
            bytes.truncate(length);
            return Ok(bytes);
        }
        while let Some((position, fragment)) = self.next_fragment()? {
            if self.frames > 1 && self.begins_frame(position, &fragment) {
                self.ahead = Some((position, fragment));
                break;
            }
            if (bytes.len() + fragment.len()) as u64 > self.most {
                return Err(too_large(self.most));
            }
            bytes.extend(fragment);
        }
        Ok(bytes)
    }

    pub(super) fn finish(mut self) -> Result<bool> {
        match self.next_fragment()? {
            // Some writers end with an empty item.
            Some((_, fragment)) if !fragment.is_empty() => Err(Error::Undecodable(
                "it holds more compressed frames than its Number of Frames says".into(),
            )),
            _ => Ok(self.delimited),
        }
    }

    /// Whether a fragment is the first of a frame: by the offset table, or as every codestream has a
    /// beginning of its own.
    fn begins_frame(&self, position: u64, fragment: &[u8]) -> bool {
        self.offsets.contains(&position)
            || match self.coding {
                Coding::Native => self.offsets.is_empty(),
                // PS3.5 annex G.5: the number of segments, and the first one's offset.
                Coding::Rle => fragment.starts_with(&[self.bytes as u8, 0, 0, 0, 64, 0, 0, 0]),
                Coding::Jpeg | Coding::Jpeg2000 => {
                    coding_of_codestream(fragment) == Some(self.coding)
                }
            }
    }

    fn next_fragment(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        match self.ahead.take() {
            Some(fragment) => Ok(Some(fragment)),
            None => self.read(),
        }
    }

    /// Reads one item; `None` at the end of the sequence. Whatever is no item ends it too: writers
    /// leave the delimiter out, or put zeros in its place. What is missing before shows in the frames.
    fn read(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        if self.ended {
            return Ok(None);
        }
        let mut header = Vec::new();
        self.reader.by_ref().take(HEADER_BYTES).read_to_end(&mut header).map_err(|_| damaged())?;
        let Some((ITEM, length)) = item_header(&header) else {
            self.ended = true;
            self.delimited = header.starts_with(&SEQUENCE_DELIMITER);
            return Ok(None);
        };
        let length = u64::from(length);
        if length > self.most {
            return Err(too_large(self.most));
        }
        // Not reserved: a file may declare more than it holds.
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

/// The value of the item that `bytes` begin with, as far as it goes, and what follows.
pub(super) fn item(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (ITEM, length) = item_header(bytes)? else { return None };
    let value = bytes.get(HEADER_BYTES as usize..)?;
    Some(value.split_at(value.len().min(length as usize)))
}

/// Codestreams say by their beginning what they are.
pub(super) fn coding_of_codestream(fragment: &[u8]) -> Option<Coding> {
    if fragment.starts_with(&[0xFF, 0xD8]) {
        Some(Coding::Jpeg)
    } else if fragment.starts_with(&[0xFF, 0x4F, 0xFF, 0x51])
        // Some files wrap the codestream in a JP2 container.
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
