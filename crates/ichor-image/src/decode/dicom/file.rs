//! The DICOM file format, PS3.10 section 7: preamble, meta group, data set.

use super::damaged;
use super::structure::Encoding;
use super::syntax::Syntax;
use crate::decode::source::{GZIP, Source};
use crate::decode::{Limits, foreign};
use crate::error::{Error, Result};
use crate::slice::Warning;
use dicom_dictionary_std::uids;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use std::borrow::Cow;
use std::io::{Cursor, Read, empty};

const PREAMBLE: usize = 128;
const MAGIC: &[u8] = b"DICM";

/// Maximum size of the attributes before the pixel data, bytes. An enhanced image of 512 frames has about 2 MiB of
/// them.
const MAX_HEAD: u64 = 64 << 20;

/// A data set and its encoding.
pub(super) struct DicomFile<'a> {
    /// The uncompressed data set from its first element on, up to [`MAX_HEAD`] or complete.
    pub(super) head: Cow<'a, [u8]>,
    /// The data after `head`.
    pub(super) rest: Box<dyn Read + 'a>,
    /// Whether `rest` may have data.
    pub(super) has_more: bool,
    /// The declared transfer syntax, with the actual encoding of the data set.
    pub(super) syntax: Syntax,
    /// Errors of the file that were corrected.
    pub(super) warnings: Vec<Warning>,
}

/// Whether the bytes are DICOM, also inside gzip: by the magic word, or by a data set without preamble that starts with
/// one of the usual elements, as older archives write it.
pub(in super::super) fn sniff(bytes: &[u8]) -> bool {
    is_dicom(bytes) || is_dicom(&foreign::gzip_content_head(bytes))
}

fn is_dicom(bytes: &[u8]) -> bool {
    bytes.get(PREAMBLE..PREAMBLE + 4) == Some(MAGIC) || starts_with_element(bytes)
}

/// Whether the bytes start with an element that usually begins a file or a data set.
fn starts_with_element(bytes: &[u8]) -> bool {
    let Some((group, element)) = tag(bytes) else { return false };
    let is_usual = match group {
        // File meta information: group length, version, SOP class, SOP instance, syntax.
        0x0002 => matches!(element, 0x0000..=0x0003 | 0x0010),
        // Identification: group length, character set, image type, dates, SOP class and instance.
        0x0008 => matches!(element, 0 | 1 | 5 | 8 | 0x12 | 0x13 | 0x14 | 0x16 | 0x18 | 0x20),
        _ => false,
    };
    let implicit_length = u32_at(bytes, 4).is_some_and(|length| length <= 256);
    is_usual && (is_explicit(bytes) || implicit_length)
}

impl<'a> DicomFile<'a> {
    /// Reads the head of the data set, after decompression, and determines its encoding. The source is opened once; the
    /// frames continue from the same reader.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read, [`Error::Undecodable`] for a damaged one,
    /// [`Error::UnsupportedType`] for an unsupported transfer syntax.
    pub(super) fn open(source: &'a mut dyn Source, limits: &Limits) -> Result<Self> {
        // Borrowed twice, because the borrow checker does not accept an early return of a borrow of `source`.
        if source.bytes().is_some_and(|bytes| !bytes.starts_with(&GZIP)) {
            let bytes = source.bytes().unwrap_or_default();
            return Self::from_head(bytes.into(), Box::new(empty()), false, limits);
        }
        let is_gzip = source.head()?.starts_with(&GZIP);
        let mut rest = source.open()?;
        if is_gzip {
            rest = Box::new(MultiGzDecoder::new(rest));
        }
        let mut head = Vec::new();
        rest.by_ref().take(MAX_HEAD).read_to_end(&mut head).map_err(|_| damaged())?;
        let has_more = head.len() as u64 == MAX_HEAD;
        Self::from_head(head.into(), rest, has_more, limits)
    }

    /// Determines the transfer syntax of a file that starts with `head`.
    fn from_head(
        head: Cow<'a, [u8]>,
        rest: Box<dyn Read + 'a>,
        has_more: bool,
        limits: &Limits,
    ) -> Result<Self> {
        let has_preamble = head.get(PREAMBLE..PREAMBLE + 4) == Some(MAGIC);
        let start = if has_preamble { PREAMBLE + MAGIC.len() } else { 0 };
        let (declared, data_set) = meta_group(&head[start..])?;
        let syntax = match declared {
            Some(uid) => Syntax::of_uid(uid)?,
            // PS3.5 section 10.1: the default is implicit. Files without meta group use both.
            None if is_explicit(data_set) => Syntax::of_uid(uids::EXPLICIT_VR_LITTLE_ENDIAN)?,
            None => Syntax::of_uid(uids::IMPLICIT_VR_LITTLE_ENDIAN)?,
        };
        // Some writers declare deflate and do not compress.
        let is_deflated = syntax.deflated && !starts_with_element(data_set);
        let start = head.len() - data_set.len();
        let head = match head {
            Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[start..]),
            Cow::Owned(mut bytes) => {
                bytes.drain(..start);
                Cow::Owned(bytes)
            }
        };
        let warnings = Vec::new();
        let file = match is_deflated {
            true => inflate(head, rest, syntax, limits)?,
            false => Self { head, rest, has_more, syntax, warnings },
        };
        file.with_detected_encoding()
    }

    /// Replaces the declared encoding by the actual one, with a warning if they differ.
    fn with_detected_encoding(mut self) -> Result<Self> {
        let Some(encoding) = Encoding::detect(&self.head) else { return Ok(self) };
        if encoding == self.syntax.encoding {
            return Ok(self);
        }
        if encoding.big_endian && !encoding.explicit {
            return Err(Error::Undecodable(
                "the DICOM data set does not begin with an element of its transfer syntax".into(),
            ));
        }
        let name = |encoding: Encoding| match (encoding.explicit, encoding.big_endian) {
            (true, false) => "explicit little endian",
            (true, true) => "explicit big endian",
            (false, _) => "implicit little endian",
        };
        let message = format!(
            "The DICOM file declares {} and is written in {}; it was read as it is written.",
            name(self.syntax.encoding),
            name(encoding)
        );
        self.warnings.push(Warning::new("transfer_syntax_contradicted", message));
        self.syntax.encoding = encoding;
        Ok(self)
    }
}

/// The transfer syntax UID, and the bytes after the meta group. The group should be explicit little endian (PS3.10
/// section
/// 7.1); some writers make it implicit. Its declared length is often wrong and not used.
fn meta_group(mut rest: &[u8]) -> Result<(Option<&str>, &[u8])> {
    let mut syntax = None;
    while let Some((0x0002, element)) = tag(rest) {
        let (start, length) = match rest.get(4..6).unwrap_or_default() {
            _ if !is_explicit(rest) => (8, u32_at(rest, 4).ok_or_else(damaged)? as usize),
            // Two reserved bytes and a length of four bytes (PS3.5 table 7.1-1).
            b"OB" | b"OW" | b"UN" | b"UT" => (12, u32_at(rest, 8).ok_or_else(damaged)? as usize),
            _ => (
                8,
                rest.get(6..8)
                    .map(|l| usize::from(u16::from_le_bytes([l[0], l[1]])))
                    .ok_or_else(damaged)?,
            ),
        };
        let value = rest[start.min(rest.len())..].get(..length).ok_or_else(damaged)?;
        if element == 0x0010 {
            let text = std::str::from_utf8(value).map_err(|_| damaged())?;
            syntax = Some(text.trim_matches(['\0', ' ']));
        }
        rest = &rest[start + length..];
    }
    Ok((syntax, rest))
}

/// Decompresses the head of a deflated data set, which is one raw deflate stream (PS3.5 A.5).
fn inflate<'a>(
    packed: Cow<'a, [u8]>,
    rest: Box<dyn Read + 'a>,
    syntax: Syntax,
    limits: &Limits,
) -> Result<DicomFile<'a>> {
    // Slices compress by a factor of 2 to 100, a decompression bomb by 1,000. A small file may be all air.
    let plausible = (packed.len() as u64).saturating_mul(64).max(16 << 20);
    let limit = plausible.min(limits.max_series_bytes);
    let packed: Box<dyn Read + 'a> = match packed {
        Cow::Borrowed(bytes) => Box::new(bytes),
        Cow::Owned(bytes) => Box::new(Cursor::new(bytes)),
    };
    let mut inflated = DeflateDecoder::new(packed.chain(rest)).take(limit + 1);
    let mut head = Vec::new();
    inflated.by_ref().take(MAX_HEAD).read_to_end(&mut head).map_err(|_| damaged())?;
    if head.len() as u64 > limit {
        return Err(Error::TooLarge {
            what: "The inflated size in bytes",
            limit,
            remedy: "Send the file without deflate compression.",
        });
    }
    let has_more = head.len() as u64 == MAX_HEAD;
    let head = head.into();
    Ok(DicomFile { head, rest: Box::new(inflated), has_more, syntax, warnings: Vec::new() })
}

pub(super) fn header_too_large() -> Error {
    Error::TooLarge {
        what: "The size of the DICOM attributes in bytes",
        limit: MAX_HEAD,
        remedy: "Export the images again, without private data.",
    }
}

fn tag(bytes: &[u8]) -> Option<(u16, u16)> {
    let t = bytes.get(..4)?;
    Some((u16::from_le_bytes([t[0], t[1]]), u16::from_le_bytes([t[2], t[3]])))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes)
}

/// Whether the first element has a value representation: two capital letters after the tag.
fn is_explicit(bytes: &[u8]) -> bool {
    bytes.get(4..6).is_some_and(|vr| vr.iter().all(u8::is_ascii_uppercase))
}
