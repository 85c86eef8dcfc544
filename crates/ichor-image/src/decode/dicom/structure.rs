//! A pass over the structure of a data set before values are read. Files declare lengths that they do
//! not hold, nest without end, and mix encodings within one data set; the library's parser reserves,
//! recurses and refuses. So what is needed is written here in one encoding, and that is parsed.

mod element;

pub(super) use element::Encoding;

use super::damaged;
use super::quoted::Quoted;
use crate::error::{Error, Result};
use crate::slice::PatientStudy;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use element::{ElementHeader, WITHIN_UNKNOWN, has_long_length, number_bytes};

/// Nested sequences; enhanced images need about 6.
const MAX_DEPTH: usize = 32;
/// Elements, items and fragments; 512 frames of an enhanced image hold about 50,000.
const MAX_ELEMENTS: usize = 200_000;
/// Separators of multi-valued texts: every value is kept as a string.
const MAX_VALUES: usize = 1_000_000;
/// Longest value that is kept, bytes; nothing that describes an image is longer.
const MAX_VALUE: usize = 1 << 20;

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_DELIMITER: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_DELIMITER: Tag = Tag(0xFFFE, 0xE0DD);
/// Bytes of an item's or a delimiter's tag and length.
const ITEM_HEADER: usize = 8;

/// Where the pixel data of an object begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PixelData {
    /// Start of its value, or of its first fragment.
    pub(super) value: usize,
    /// Bytes of the value; `None` where it is encapsulated in fragments.
    pub(super) length: Option<u32>,
    /// Its value representation.
    pub(super) vr: VR,
}

/// What stands before the pixel data.
pub(super) struct Header {
    /// The public attributes, explicit and in the byte order of the data set.
    pub(super) attributes: Vec<u8>,
    pub(super) pixel_data: PixelData,
    /// What a derived object repeats.
    pub(super) patient_study: PatientStudy,
}

impl Header {
    /// Checks every declared length up to the pixel data. What follows them (padding, signatures) is
    /// not needed and often damaged.
    ///
    /// # Errors
    /// [`Error::Undecodable`] for lengths beyond the data, [`Error::Unprocessable`] where there is no
    /// pixel data.
    pub(super) fn read(data_set: &[u8], encoding: Encoding) -> Result<Self> {
        let mut pass = Pass {
            bytes: data_set,
            at: 0,
            encoding,
            out: Vec::new(),
            quoted: Quoted::default(),
            tally: Tally::default(),
        };
        match pass.top_level()? {
            Some(pixel_data) => {
                Ok(Self { attributes: pass.out, pixel_data, patient_study: pass.quoted.finish() })
            }
            None => Err(pass.tally.without_pixel_data()),
        }
    }
}

/// The place in a data set, and what was kept of it.
struct Pass<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Of the data set itself; what is kept has its byte order.
    encoding: Encoding,
    out: Vec<u8>,
    quoted: Quoted,
    tally: Tally,
}

/// Up to where a sequence or an item goes: where its length says, or to its delimiter.
type End = Option<usize>;

impl Pass<'_> {
    fn top_level(&mut self) -> Result<Option<PixelData>> {
        let all = self.bytes.len();
        while self.at < all {
            // A delimiter too many, as some writers put after items of a defined length.
            if self.step_over_delimiter(self.encoding, &[ITEM_DELIMITER, SEQUENCE_DELIMITER]) {
                continue;
            }
            let header = self.encoding.header(&self.bytes[self.at..]).ok_or_else(damaged)?;
            if header.tag == tags::PIXEL_DATA {
                let value = self.at + header.bytes;
                let vr = if header.unknown { VR::OW } else { header.vr };
                return Ok(Some(PixelData { value, length: header.length, vr }));
            }
            self.tally.note_other_pixels(header.tag);
            self.element(header, self.encoding, all, true)?;
        }
        Ok(None)
    }

    /// Reads an element within a data set that ends at `limit` at the latest.
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
        if self.tally.depth == 0 {
            let bytes = self.bytes;
            let value = end.filter(|_| vr != VR::SQ).map(|end| &bytes[self.at..end]);
            // By the dictionary an unknown value is a text; whether it is one, its bytes tell.
            let written = if header.unknown { VR::UN } else { vr };
            self.quoted.note(tag, written, value);
        }
        let content = if header.unknown { WITHIN_UNKNOWN } else { encoding };
        match end {
            None if matches!(vr, VR::OB | VR::OW) || tag == tags::PIXEL_DATA => {
                self.skip_fragments(encoding, limit)
            }
            None => self.sequence(tag, content, None, limit, keep),
            Some(end) if vr == VR::SQ && keep => {
                self.sequence(tag, content, Some(end), limit, keep)
            }
            Some(end) => {
                if keep && end - self.at <= MAX_VALUE {
                    self.keep_value(tag, vr, end)?;
                }
                self.at = end;
                Ok(())
            }
        }
    }

    fn end(&self, length: u32, limit: usize) -> Result<usize> {
        self.at.checked_add(length as usize).filter(|end| *end <= limit).ok_or_else(damaged)
    }

    fn keep_value(&mut self, tag: Tag, vr: VR, end: usize) -> Result<()> {
        let value = &self.bytes[self.at..end];
        // The parser takes whole numbers and goes on where they end: with a remainder it would read
        // other lengths than were checked here.
        if !value.len().is_multiple_of(number_bytes(vr)) {
            return Err(damaged());
        }
        self.tally.count_values(value)?;
        let short = u16::try_from(value.len()).ok().filter(|_| !has_long_length(vr));
        self.put_tag(tag);
        match short {
            Some(length) => {
                self.out.extend(vr.to_bytes());
                let bytes = length.to_le_bytes();
                self.put(bytes);
            }
            None => {
                let vr = if has_long_length(vr) { vr } else { VR::UN };
                self.out.extend(vr.to_bytes());
                self.out.extend([0, 0]);
                self.put((value.len() as u32).to_le_bytes());
            }
        }
        self.out.extend(&self.bytes[self.at..end]);
        Ok(())
    }

    fn sequence(
        &mut self,
        tag: Tag,
        encoding: Encoding,
        end: End,
        limit: usize,
        keep: bool,
    ) -> Result<()> {
        self.tally.enter()?;
        let limit = end.unwrap_or(limit);
        // Numbers of another byte order than the data set's are not turned round.
        let keep = keep && encoding.big_endian == self.encoding.big_endian;
        if keep {
            self.put_tag(tag);
            self.out.extend(*b"SQ\0\0\xff\xff\xff\xff");
        }
        while end.is_none_or(|end| self.at < end) {
            if self.step_over_delimiter(encoding, &[SEQUENCE_DELIMITER]) {
                if end.is_none() {
                    break;
                }
                continue;
            }
            let rest = self.bytes.get(self.at..limit).unwrap_or_default();
            match encoding.item(rest) {
                Some((ITEM, length)) => {
                    self.at += ITEM_HEADER;
                    let end = length.map(|length| self.end(length, limit)).transpose()?;
                    self.item(tag, encoding, end, limit, keep)?;
                }
                Some((ITEM_DELIMITER, _)) => self.at += ITEM_HEADER,
                // The delimiter is missing, and what follows is the next element of the data set.
                Some((following, _)) if end.is_none() && following > tag => break,
                Some(_) => return Err(without_end(tag)),
                None if end.is_none() => return Err(without_end(tag)),
                None => return Err(damaged()),
            }
        }
        if keep {
            self.put_tag(SEQUENCE_DELIMITER);
            self.out.extend([0; 4]);
        }
        self.tally.depth -= 1;
        Ok(())
    }

    fn item(
        &mut self,
        sequence: Tag,
        encoding: Encoding,
        end: End,
        limit: usize,
        keep: bool,
    ) -> Result<()> {
        self.tally.enter()?;
        let limit = end.unwrap_or(limit);
        let encoding = encoding.of_item(self.bytes.get(self.at..limit).unwrap_or_default());
        if keep {
            self.put_tag(ITEM);
            self.out.extend([0xFF; 4]);
        }
        while end.is_none_or(|end| self.at < end) {
            if self.step_over_delimiter(encoding, &[ITEM_DELIMITER]) {
                if end.is_none() {
                    break;
                }
                continue;
            }
            let rest = self.bytes.get(self.at..limit).unwrap_or_default();
            let tag = encoding.tag(rest);
            // The delimiter is missing: the sequence ends, or its next item begins.
            if end.is_none() && matches!(tag, Some(SEQUENCE_DELIMITER | ITEM)) {
                break;
            }
            if end.is_none() && rest.len() < ITEM_HEADER {
                return Err(without_end(sequence));
            }
            let header = encoding.header(rest).ok_or_else(damaged)?;
            self.element(header, encoding, limit, keep)?;
        }
        if keep {
            self.put_tag(ITEM_DELIMITER);
            self.out.extend([0; 4]);
        }
        self.tally.depth -= 1;
        Ok(())
    }

    /// Fragments of compressed pixels within a sequence, as of an icon.
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

    fn step_over_delimiter(&mut self, encoding: Encoding, delimiters: &[Tag]) -> bool {
        let next = encoding.item(self.bytes.get(self.at..).unwrap_or_default());
        let found = next.is_some_and(|(tag, _)| delimiters.contains(&tag));
        if found {
            self.at += ITEM_HEADER;
        }
        found
    }

    fn put_tag(&mut self, tag: Tag) {
        self.put(tag.group().to_le_bytes());
        self.put(tag.element().to_le_bytes());
    }

    /// A number, given with its lowest byte first.
    fn put<const N: usize>(&mut self, mut number: [u8; N]) {
        if self.encoding.big_endian {
            number.reverse();
        }
        self.out.extend(number);
    }
}

/// Public attributes that describe the image; private ones, overlays and icons can be large.
fn is_needed(tag: Tag) -> bool {
    let group = tag.group();
    group.is_multiple_of(2)
        && tag.element() != 0
        && !matches!(group, 0x5000..=0x50FF | 0x6000..=0x60FF)
        && tag != tags::ICON_IMAGE_SEQUENCE
}

/// What has been seen so far.
#[derive(Default)]
struct Tally {
    depth: usize,
    elements: usize,
    values: usize,
    float_pixels: bool,
}

impl Tally {
    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        // A sequence and its item.
        if self.depth > 2 * MAX_DEPTH {
            return Err(too_large("The nesting of DICOM sequences", MAX_DEPTH));
        }
        self.count_element()
    }

    fn count_element(&mut self) -> Result<()> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(too_large("The number of DICOM elements", MAX_ELEMENTS));
        }
        Ok(())
    }

    fn count_values(&mut self, value: &[u8]) -> Result<()> {
        self.values += value.iter().filter(|&&b| b == b'\\').count();
        if self.values > MAX_VALUES {
            return Err(too_large("The number of values in DICOM elements", MAX_VALUES));
        }
        Ok(())
    }

    fn note_other_pixels(&mut self, tag: Tag) {
        self.float_pixels |= tag == tags::FLOAT_PIXEL_DATA || tag == tags::DOUBLE_FLOAT_PIXEL_DATA;
    }

    fn without_pixel_data(&self) -> Error {
        Error::Unprocessable(if self.float_pixels {
            "The DICOM file holds floating-point pixel data, which is not read here. Export the \
             CT images as 16-bit integers."
                .into()
        } else {
            "The DICOM file holds no pixel data; it may be a report, a document or a directory. \
             Send the CT images themselves."
                .into()
        })
    }
}

fn without_end(sequence: Tag) -> Error {
    Error::Undecodable(format!(
        "the DICOM sequence ({:04X},{:04X}) has no end: a delimiter is missing",
        sequence.group(),
        sequence.element()
    ))
}

fn too_large(what: &'static str, limit: usize) -> Error {
    Error::TooLarge {
        what,
        limit: limit as u64,
        remedy: "Export the images again, without private data.",
    }
}
