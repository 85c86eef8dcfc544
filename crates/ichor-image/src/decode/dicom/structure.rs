//! A validating pass over a data set before its values are parsed.
//!
//! Real files declare lengths that exceed the file, nest without end, and mix encodings within one data set. The parser
//! of the DICOM library allocates or recurses by these declarations, or rejects the file. So this pass checks every
//! length and limit, and writes the attributes that describe the image to a buffer in one encoding; only the buffer is
//! parsed.

mod element;
mod tally;

pub(super) use element::Encoding;

use super::damaged;
use super::quoted::QuotedCollector;
use crate::error::{Error, Result};
use crate::slice::PatientStudy;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use element::{ElementHeader, INSIDE_UNKNOWN_VR, component_bytes, has_long_length};
use std::ops::ControlFlow;
use tally::Tally;

/// Maximum length of a copied value, bytes; no attribute that describes an image is longer.
const MAX_VALUE: usize = 1 << 20;

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_DELIMITER: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_DELIMITER: Tag = Tag(0xFFFE, 0xE0DD);
/// Bytes of the tag and length of an item or a delimiter.
const ITEM_HEADER: usize = 8;

/// Position and type of the pixel data of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PixelData {
    /// Offset of the value, or of the first fragment.
    pub(super) value: usize,
    /// Bytes of the value; `None` for encapsulated pixel data.
    pub(super) length: Option<u32>,
    /// Value representation.
    pub(super) vr: VR,
}

/// The part of a data set before the pixel data.
pub(super) struct Header {
    /// The public attributes, with explicit value representations, in the byte order of the data set.
    pub(super) attributes: Vec<u8>,
    pub(super) pixel_data: PixelData,
    /// Patient and study attributes that a derived object repeats.
    pub(super) patient_study: PatientStudy,
}

impl Header {
    /// Checks each declared length up to the pixel data. Elements after them (padding, signatures) are not needed and
    /// often damaged.
    ///
    /// # Errors
    /// [`Error::Undecodable`] for a length beyond the data, [`Error::TooLarge`] for a limit that is exceeded,
    /// [`Error::Unprocessable`] if there is no pixel data.
    pub(super) fn read(data_set: &[u8], encoding: Encoding) -> Result<Self> {
        let mut pass = Pass {
            bytes: data_set,
            at: 0,
            encoding,
            out: Vec::new(),
            quoted: QuotedCollector::default(),
            tally: Tally::default(),
        };
        match pass.top_level()? {
            Some(pixel_data) => {
                Ok(Self { attributes: pass.out, pixel_data, patient_study: pass.quoted.finish() })
            }
            None => Err(pass.tally.no_pixel_data()),
        }
    }
}

/// State of the pass: the position in the data set, and the output.
struct Pass<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Encoding of the top level; the output has its byte order.
    encoding: Encoding,
    out: Vec<u8>,
    quoted: QuotedCollector,
    tally: Tally,
}

/// A sequence, which contains items, or an item, which contains elements.
#[derive(Clone, Copy)]
enum Container {
    /// The sequence with this tag.
    Sequence(Tag),
    /// An item of the sequence with this tag.
    Item(Tag),
}

impl Container {
    /// The delimiter that ends a container of undefined length.
    fn delimiter(self) -> Tag {
        match self {
            Self::Sequence(_) => SEQUENCE_DELIMITER,
            Self::Item(_) => ITEM_DELIMITER,
        }
    }
}

/// Where the content of a container is, and what to do with it.
#[derive(Clone, Copy)]
struct Content {
    encoding: Encoding,
    /// Offset of its end; `None` if a delimiter marks the end.
    end: Option<usize>,
    /// Offset that it must not exceed.
    limit: usize,
    /// Whether it is copied to the output.
    keep: bool,
}

impl Pass<'_> {
    /// Reads the data set up to the pixel data.
    fn top_level(&mut self) -> Result<Option<PixelData>> {
        let end = self.bytes.len();
        while self.at < end {
            // Some writers add a delimiter after an item of defined length.
            if self.skip_delimiter(self.encoding, &[ITEM_DELIMITER, SEQUENCE_DELIMITER]) {
                continue;
            }
            let header = self.encoding.header(&self.bytes[self.at..]).ok_or_else(damaged)?;
            if header.tag == tags::PIXEL_DATA {
                let value = self.at + header.bytes;
                let vr = if header.is_unknown { VR::OW } else { header.vr };
                return Ok(Some(PixelData { value, length: header.length, vr }));
            }
            self.tally.note_float_pixels(header.tag);
            self.element(header, self.encoding, end, true)?;
        }
        Ok(None)
    }

    /// Reads an element that must end at `limit` or before.
    fn element(
        &mut self,
        header: ElementHeader,
        encoding: Encoding,
        limit: usize,
        keep: bool,
    ) -> Result<()> {
        self.tally.count_element()?;
        let ElementHeader { tag, vr, length, .. } = header;
        self.at += header.bytes;
        let keep = keep && is_needed(tag);
        let end = length.map(|length| self.end(length, limit)).transpose()?;
        if self.tally.is_top_level() {
            let bytes = self.bytes;
            let value = end.filter(|_| vr != VR::SQ).map(|end| &bytes[self.at..end]);
            // The dictionary may declare text for a value of unknown representation; the collector checks its bytes.
            let vr = if header.is_unknown { VR::UN } else { vr };
            self.quoted.add(tag, vr, value);
        }
        let encoding_inside = if header.is_unknown { INSIDE_UNKNOWN_VR } else { encoding };
        let content = Content { encoding: encoding_inside, end, limit, keep };
        match end {
            None if matches!(vr, VR::OB | VR::OW) || tag == tags::PIXEL_DATA => {
                self.skip_fragments(encoding, limit)
            }
            None => self.container(Container::Sequence(tag), content),
            Some(_) if vr == VR::SQ && keep => self.container(Container::Sequence(tag), content),
            Some(end) => {
                if keep && end - self.at <= MAX_VALUE {
                    self.copy_value(tag, vr, end)?;
                }
                self.at = end;
                Ok(())
            }
        }
    }

    /// Offset of the end of `length` bytes from here.
    fn end(&self, length: u32, limit: usize) -> Result<usize> {
        self.at.checked_add(length as usize).filter(|end| *end <= limit).ok_or_else(damaged)
    }

    /// Copies the value from here to `end` to the output, with its header.
    fn copy_value(&mut self, tag: Tag, vr: VR, end: usize) -> Result<()> {
        let value = &self.bytes[self.at..end];
        // The parser reads complete numbers only and continues after the last one. With a remainder it would interpret
        // the rest as an element whose length was not checked here.
        if !value.len().is_multiple_of(component_bytes(vr)) {
            return Err(damaged());
        }
        self.tally.count_values(value)?;
        let short = u16::try_from(value.len()).ok().filter(|_| !has_long_length(vr));
        self.write_tag(tag);
        match short {
            Some(length) => {
                self.out.extend(vr.to_bytes());
                self.write_number(length.to_le_bytes());
            }
            None => {
                let vr = if has_long_length(vr) { vr } else { VR::UN };
                self.out.extend(vr.to_bytes());
                self.out.extend([0, 0]);
                self.write_number((value.len() as u32).to_le_bytes());
            }
        }
        self.out.extend(value);
        Ok(())
    }

    /// Reads a sequence or an item, whose header was read already.
    fn container(&mut self, container: Container, content: Content) -> Result<()> {
        self.tally.enter()?;
        let limit = content.end.unwrap_or(content.limit);
        let rest = self.bytes.get(self.at..limit).unwrap_or_default();
        let content = match container {
            // Numbers in another byte order than the top level's are not converted, so they are not copied.
            Container::Sequence(_) => Content {
                limit,
                keep: content.keep && content.encoding.big_endian == self.encoding.big_endian,
                ..content
            },
            Container::Item(_) => {
                Content { limit, encoding: content.encoding.of_item(rest), ..content }
            }
        };
        if content.keep {
            self.write_start(container);
        }
        while content.end.is_none_or(|end| self.at < end) {
            if self.skip_delimiter(content.encoding, &[container.delimiter()]) {
                if content.end.is_none() {
                    break;
                }
                continue;
            }
            let next = match container {
                Container::Sequence(tag) => self.next_item(tag, content)?,
                Container::Item(tag) => self.next_element(tag, content)?,
            };
            if next.is_break() {
                break;
            }
        }
        if content.keep {
            self.write_tag(container.delimiter());
            self.out.extend([0; 4]);
        }
        self.tally.leave();
        Ok(())
    }

    /// Reads the next item of a sequence. Breaks if the sequence has ended without its delimiter.
    fn next_item(&mut self, sequence: Tag, content: Content) -> Result<ControlFlow<()>> {
        let Content { encoding, end, limit, .. } = content;
        match encoding.item(self.bytes.get(self.at..limit).unwrap_or_default()) {
            Some((ITEM, length)) => {
                self.at += ITEM_HEADER;
                let end = length.map(|length| self.end(length, limit)).transpose()?;
                self.container(Container::Item(sequence), Content { end, ..content })?;
            }
            Some((ITEM_DELIMITER, _)) => self.at += ITEM_HEADER,
            // The delimiter is missing, and the next element of the data set follows.
            Some((following, _)) if end.is_none() && following > sequence => {
                return Ok(ControlFlow::Break(()));
            }
            Some(_) => return Err(no_end(sequence)),
            None if end.is_none() => return Err(no_end(sequence)),
            None => return Err(damaged()),
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Reads the next element of an item. Breaks if the item has ended without its delimiter.
    fn next_element(&mut self, sequence: Tag, content: Content) -> Result<ControlFlow<()>> {
        let Content { encoding, end, limit, keep } = content;
        let rest = self.bytes.get(self.at..limit).unwrap_or_default();
        // The delimiter is missing: the sequence ends, or its next item begins.
        if end.is_none() && matches!(encoding.tag(rest), Some(SEQUENCE_DELIMITER | ITEM)) {
            return Ok(ControlFlow::Break(()));
        }
        if end.is_none() && rest.len() < ITEM_HEADER {
            return Err(no_end(sequence));
        }
        let header = encoding.header(rest).ok_or_else(damaged)?;
        self.element(header, encoding, limit, keep)?;
        Ok(ControlFlow::Continue(()))
    }

    /// Skips the fragments of compressed pixels inside a sequence, such as those of an icon.
    fn skip_fragments(&mut self, encoding: Encoding, limit: usize) -> Result<()> {
        loop {
            self.tally.count_element()?;
            let rest = self.bytes.get(self.at..limit).unwrap_or_default();
            let (tag, length) = encoding.item(rest).ok_or_else(damaged)?;
            self.at += ITEM_HEADER;
            match (tag, length) {
                (SEQUENCE_DELIMITER, _) => return Ok(()),
                (ITEM, Some(length)) => self.at = self.end(length, limit)?,
                _ => return Err(damaged()),
            }
        }
    }

    /// Skips one of `delimiters` if it is next. Returns whether it was.
    fn skip_delimiter(&mut self, encoding: Encoding, delimiters: &[Tag]) -> bool {
        let next = encoding.item(self.bytes.get(self.at..).unwrap_or_default());
        let is_delimiter = next.is_some_and(|(tag, _)| delimiters.contains(&tag));
        if is_delimiter {
            self.at += ITEM_HEADER;
        }
        is_delimiter
    }

    /// Writes the header of a container with undefined length.
    fn write_start(&mut self, container: Container) {
        match container {
            Container::Sequence(tag) => {
                self.write_tag(tag);
                self.out.extend(*b"SQ\0\0");
            }
            Container::Item(_) => self.write_tag(ITEM),
        }
        self.out.extend([0xFF; 4]);
    }

    fn write_tag(&mut self, tag: Tag) {
        self.write_number(tag.group().to_le_bytes());
        self.write_number(tag.element().to_le_bytes());
    }

    /// Writes a number, given in little-endian order, in the byte order of the data set.
    fn write_number<const N: usize>(&mut self, mut number: [u8; N]) {
        if self.encoding.big_endian {
            number.reverse();
        }
        self.out.extend(number);
    }
}

/// Whether an attribute may describe the image. Private attributes, overlays and icons do not, and can be large.
fn is_needed(tag: Tag) -> bool {
    let group = tag.group();
    group.is_multiple_of(2)
        && tag.element() != 0
        && !matches!(group, 0x5000..=0x50FF | 0x6000..=0x60FF)
        && tag != tags::ICON_IMAGE_SEQUENCE
}

fn no_end(sequence: Tag) -> Error {
    Error::Undecodable(format!(
        "the DICOM sequence ({:04X},{:04X}) has no end: a delimiter is missing",
        sequence.group(),
        sequence.element()
    ))
}
