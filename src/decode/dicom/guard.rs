//! A pass over the structure before values are read. The parser reserves what a file declares,
//! recurses into its sequences and splits its texts: 100 KB could take gigabytes or the stack.

use super::damaged;
use super::syntax::Syntax;
use crate::error::{Error, Result};
use dicom_core::VR;
use dicom_dictionary_std::tags;
use dicom_parser::StatefulDecode;
use dicom_parser::dataset::LazyDataToken;
use dicom_parser::dataset::lazy_read::LazyDataSetReader;
use std::io::Cursor;

/// Nested sequences; enhanced images need about 6.
const MAX_DEPTH: usize = 32;
/// Elements, items and fragments; 512 frames of an enhanced image hold about 50,000.
const MAX_ELEMENTS: usize = 200_000;
/// Separators of multi-valued texts, outside pixel data: every value is kept as a string.
const MAX_VALUES: usize = 1_000_000;

/// Where the pixel data of an object begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PixelData {
    /// Start of the element, where the attributes end.
    pub(super) element: usize,
    /// Start of its value, or of its first fragment.
    pub(super) value: usize,
    /// Bytes of the value; `None` where it is encapsulated in fragments.
    pub(super) length: Option<u32>,
    /// Its value representation.
    pub(super) vr: VR,
}

/// Checks every declared length up to the pixel data, and returns where those begin. What follows
/// them (padding, signatures) is not needed and often damaged.
///
/// # Errors
/// [`Error::Undecodable`] for lengths beyond the data, [`Error::Unprocessable`] where there is no
/// pixel data.
pub(super) fn find_pixel_data(data_set: &[u8], syntax: &Syntax) -> Result<PixelData> {
    let mut reader = LazyDataSetReader::new_with_ts(Cursor::new(data_set), &syntax.encoding)
        .map_err(|_| damaged())?;
    let mut tally = Tally::default();
    let mut offset_table_next = false;
    while let Some(token) = reader.advance() {
        let token = token.map_err(|_| damaged())?;
        match &token {
            LazyDataToken::LazyValue { header, decoder } => {
                if header.tag == tags::PIXEL_DATA && tally.depth == 0 {
                    let (length, vr) = (Some(header.len.0), header.vr);
                    return PixelData::at(data_set, decoder.position(), length, vr, syntax);
                }
                let value = value_at(data_set, decoder.position(), header.len.0)?;
                // The parser takes whole numbers and goes on where they end: with a remainder it
                // would read other lengths than were checked here.
                check_whole(value, number_bytes(header.vr))?;
                if header.tag != tags::PIXEL_DATA {
                    tally.count_values(value)?;
                }
                tally.note_other_pixels(header.tag);
            }
            LazyDataToken::LazyItemValue { len, decoder } => {
                let value = value_at(data_set, decoder.position(), *len)?;
                if std::mem::take(&mut offset_table_next) {
                    check_whole(value, size_of::<u32>())?;
                }
            }
            LazyDataToken::PixelSequenceStart if tally.depth == 0 => {
                let value = reader.into_decoder().position();
                return PixelData::at(data_set, value, None, VR::OB, syntax);
            }
            // Of an icon, within a sequence.
            LazyDataToken::PixelSequenceStart => {
                offset_table_next = true;
                tally.enter()?;
            }
            LazyDataToken::SequenceStart { .. } | LazyDataToken::ItemStart { .. } => {
                tally.enter()?
            }
            LazyDataToken::SequenceEnd | LazyDataToken::ItemEnd => {
                // An empty offset table has no value.
                offset_table_next = false;
                tally.depth = tally.depth.checked_sub(1).ok_or_else(damaged)?;
            }
            _ => tally.count_element()?,
        }
        token.skip().map_err(|_| damaged())?;
    }
    Err(tally.without_pixel_data())
}

impl PixelData {
    /// The header before `value` takes 8 or 12 bytes (PS3.5 section 7.1); its tag tells which.
    fn at(
        data_set: &[u8],
        value: u64,
        length: Option<u32>,
        vr: VR,
        syntax: &Syntax,
    ) -> Result<Self> {
        let value = usize::try_from(value).map_err(|_| damaged())?;
        let tag = |element: &usize| {
            let bytes = data_set.get(*element..element + 4)?;
            let part = |at: usize| syntax.u16([bytes[at], bytes[at + 1]]);
            Some(dicom_core::Tag(part(0), part(2)))
        };
        let starts = [12, 8].into_iter().filter_map(|header| value.checked_sub(header));
        let element = starts
            .into_iter()
            .find(|element| tag(element) == Some(tags::PIXEL_DATA))
            .ok_or_else(damaged)?;
        Ok(Self { element, value, length, vr })
    }
}

fn value_at(data_set: &[u8], position: u64, length: u32) -> Result<&[u8]> {
    let start = usize::try_from(position).map_err(|_| damaged())?;
    data_set.get(start..).and_then(|rest| rest.get(..length as usize)).ok_or_else(damaged)
}

fn check_whole(value: &[u8], unit: usize) -> Result<()> {
    if value.len().is_multiple_of(unit) { Ok(()) } else { Err(damaged()) }
}

/// Bytes of one number in a value, PS3.5 table 6.2-1; 1 for texts and bytes.
fn number_bytes(vr: VR) -> usize {
    match vr {
        VR::US | VR::SS | VR::OW => 2,
        VR::UL | VR::SL | VR::FL | VR::OL | VR::OF | VR::AT => 4,
        VR::FD | VR::OD | VR::UV | VR::SV | VR::OV => 8,
        _ => 1,
    }
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
        if self.depth > MAX_DEPTH {
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

    fn note_other_pixels(&mut self, tag: dicom_core::Tag) {
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

fn too_large(what: &'static str, limit: usize) -> Error {
    Error::TooLarge {
        what,
        limit: limit as u64,
        remedy: "Export the images anew, without private data.",
    }
}
