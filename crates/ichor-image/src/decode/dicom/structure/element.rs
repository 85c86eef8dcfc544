//! Headers of data elements (PS3.5 section 7.1), and the encodings that files use for them.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;

/// Encoding of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Encoding {
    /// Whether each element header contains its value representation.
    pub(in super::super) explicit: bool,
    /// Whether numbers begin with their most significant byte.
    pub(in super::super) big_endian: bool,
}

/// Encoding inside an element of unknown value representation, whatever encoding surrounds it (PS3.5 section 6.2.2).
pub(super) const INSIDE_UNKNOWN_VR: Encoding = Encoding { explicit: false, big_endian: false };

/// Tag, value representation and length of an element.
#[derive(Debug, Clone, Copy)]
pub(super) struct ElementHeader {
    pub(super) tag: Tag,
    /// As in the file, else as in the DICOM dictionary.
    pub(super) vr: VR,
    /// Whether the file has no usable value representation; nested content is then implicit.
    pub(super) is_unknown: bool,
    /// Bytes of the value; `None` if a delimiter ends it.
    pub(super) length: Option<u32>,
    /// Bytes of the header.
    pub(super) bytes: usize,
}

impl Encoding {
    /// Detects the encoding from the first element of a data set, because files contradict their declared transfer
    /// syntax. The group of the first element is a small number, and a value representation is two capital letters.
    pub(in super::super) fn detect(bytes: &[u8]) -> Option<Self> {
        let group = u16::from_le_bytes(*bytes.first_chunk::<2>()?);
        let big_endian = group != 0 && group.is_multiple_of(0x100);
        Some(Self { explicit: bytes.get(4..6).is_some_and(is_capitals), big_endian })
    }

    /// The encoding of an item, from its first element. It should be that of the surrounding data set, but some writers
    /// change between explicit and implicit.
    pub(super) fn of_item(self, bytes: &[u8]) -> Self {
        let explicit = match self.explicit {
            true => bytes.get(4..6).is_some_and(is_capitals),
            // The low bytes of an implicit length may look like a value representation. It counts as one only if the
            // length would exceed the data, or it is the representation of this tag in the dictionary.
            false => vr_in_file(bytes).is_some_and(|vr| {
                let fits = self.u32(bytes, 4).is_some_and(|length| length as usize <= bytes.len());
                !fits || self.tag(bytes).and_then(dictionary_vr) == Some(vr)
            }),
        };
        Self { explicit, ..self }
    }

    pub(super) fn tag(self, bytes: &[u8]) -> Option<Tag> {
        Some(Tag(self.u16(bytes, 0)?, self.u16(bytes, 2)?))
    }

    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let number = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u16::from_be_bytes(number) } else { u16::from_le_bytes(number) })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let number = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(number) } else { u32::from_le_bytes(number) })
    }

    /// Reads the tag and length of an item or a delimiter.
    pub(super) fn item(self, bytes: &[u8]) -> Option<(Tag, Option<u32>)> {
        Some((self.tag(bytes)?, defined(self.u32(bytes, 4)?)))
    }

    /// Reads the header of an element; `None` if `bytes` is too short.
    pub(super) fn header(self, bytes: &[u8]) -> Option<ElementHeader> {
        let tag = self.tag(bytes)?;
        let in_file = if self.explicit { bytes.get(4..6)? } else { &[] };
        let vr = <[u8; 2]>::try_from(in_file).ok().and_then(VR::from_binary);
        let short = || Some((8, u32::from(self.u16(bytes, 6)?)));
        let long = || Some((12, self.u32(bytes, 8)?));
        let implicit = || Some((8, self.u32(bytes, 4)?));
        let (bytes, length) = match vr {
            Some(vr) if has_long_length(vr) => long()?,
            Some(_) => short()?,
            // Value representations that are newer than the library have the long form (section 6.2).
            None if is_capitals(in_file) => {
                if bytes.get(6..8)? == [0, 0] {
                    long()?
                } else {
                    short()?
                }
            }
            None => implicit()?,
        };
        let is_unknown = vr.is_none_or(|vr| vr == VR::UN);
        let vr = match vr {
            Some(vr) if !is_unknown => vr,
            // Values inside an unknown element are little endian even in a big endian data set.
            _ if self.big_endian => VR::UN,
            _ => dictionary_vr(tag).unwrap_or(VR::UN),
        };
        Some(ElementHeader { tag, vr, is_unknown, length: defined(length), bytes })
    }
}

/// `None` for the value that means an undefined length.
fn defined(length: u32) -> Option<u32> {
    Some(length).filter(|length| *length != u32::MAX)
}

fn is_capitals(vr: &[u8]) -> bool {
    vr.len() == 2 && vr.iter().all(u8::is_ascii_uppercase)
}

fn vr_in_file(bytes: &[u8]) -> Option<VR> {
    VR::from_binary(*bytes.get(4..)?.first_chunk()?)
}

fn dictionary_vr(tag: Tag) -> Option<VR> {
    StandardDataDictionary.by_tag(tag).map(|entry| entry.vr().relaxed())
}

/// Whether the header has two reserved bytes and a length of four bytes (PS3.5 tables 7.1-1 and 7.1-2).
pub(super) fn has_long_length(vr: VR) -> bool {
    matches!(
        vr,
        VR::OB
            | VR::OD
            | VR::OF
            | VR::OL
            | VR::OV
            | VR::OW
            | VR::SQ
            | VR::SV
            | VR::UC
            | VR::UN
            | VR::UR
            | VR::UT
            | VR::UV
    )
}

/// Bytes per number in a value (PS3.5 table 6.2-1); 1 for text and bytes.
pub(super) fn component_bytes(vr: VR) -> usize {
    match vr {
        VR::US | VR::SS | VR::OW => 2,
        VR::UL | VR::SL | VR::FL | VR::OL | VR::OF | VR::AT => 4,
        VR::FD | VR::OD | VR::UV | VR::SV | VR::OV => 8,
        _ => 1,
    }
}
