//! Headers of elements (PS3.5 section 7.1), as they are written and as they should be.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;

/// How a data set is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Encoding {
    /// Value representations are written.
    pub(in super::super) explicit: bool,
    /// The highest byte of a number comes first.
    pub(in super::super) big_endian: bool,
}

/// Within elements of unknown representation, in whatever encoding those lie (PS3.5 section 6.2.2).
pub(super) const WITHIN_UNKNOWN: Encoding = Encoding { explicit: false, big_endian: false };

/// Tag, representation and length of an element.
#[derive(Debug, Clone, Copy)]
pub(super) struct ElementHeader {
    pub(super) tag: Tag,
    /// As written, else as the dictionary says.
    pub(super) vr: VR,
    /// No representation that says anything was written, and its content is implicit.
    pub(super) unknown: bool,
    /// Bytes of the value; `None` where a delimiter ends it.
    pub(super) length: Option<u32>,
    /// Bytes of the header itself.
    pub(super) bytes: usize,
}

impl Encoding {
    /// What the first element of a data set says, as files contradict their declared syntax: its
    /// group is a small number, and representations are two capitals.
    pub(in super::super) fn of_data_set(bytes: &[u8]) -> Option<Self> {
        let group = u16::from_le_bytes(*bytes.first_chunk::<2>()?);
        let big_endian = group != 0 && group.is_multiple_of(0x100);
        Some(Self { explicit: bytes.get(4..6).is_some_and(is_capitals), big_endian })
    }

    /// What the first element of an item says; items are written as the data set that they lie in,
    /// save for those of some writers.
    pub(super) fn of_item(self, bytes: &[u8]) -> Self {
        let explicit = match self.explicit {
            true => bytes.get(4..6).is_some_and(is_capitals),
            // A length whose lowest bytes look like a representation is no reason to change, unless
            // it is the element's own or the length cannot be.
            false => written_vr(bytes).is_some_and(|vr| {
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

    /// Tag and length of an item or a delimiter.
    pub(super) fn item(self, bytes: &[u8]) -> Option<(Tag, Option<u32>)> {
        Some((self.tag(bytes)?, defined(self.u32(bytes, 4)?)))
    }

    pub(super) fn header(self, bytes: &[u8]) -> Option<ElementHeader> {
        let tag = self.tag(bytes)?;
        let written = if self.explicit { bytes.get(4..6)? } else { &[] };
        let vr = <[u8; 2]>::try_from(written).ok().and_then(VR::from_binary);
        let short = || Some((8, u32::from(self.u16(bytes, 6)?)));
        let long = || Some((12, self.u32(bytes, 8)?));
        let implicit = || Some((8, self.u32(bytes, 4)?));
        let (bytes, length) = match vr {
            Some(vr) if has_long_length(vr) => long()?,
            Some(_) => short()?,
            // Representations that are younger than this list have the long form (section 6.2).
            None if is_capitals(written) => {
                if bytes.get(6..8)? == [0, 0] {
                    long()?
                } else {
                    short()?
                }
            }
            None => implicit()?,
        };
        let unknown = vr.is_none_or(|vr| vr == VR::UN);
        let vr = match vr {
            Some(vr) if !unknown => vr,
            // Values within are little endian all the same.
            _ if self.big_endian => VR::UN,
            _ => dictionary_vr(tag).unwrap_or(VR::UN),
        };
        Some(ElementHeader { tag, vr, unknown, length: defined(length), bytes })
    }
}

fn defined(length: u32) -> Option<u32> {
    Some(length).filter(|length| *length != u32::MAX)
}

fn is_capitals(vr: &[u8]) -> bool {
    vr.len() == 2 && vr.iter().all(u8::is_ascii_uppercase)
}

fn written_vr(bytes: &[u8]) -> Option<VR> {
    VR::from_binary(*bytes.get(4..)?.first_chunk()?)
}

fn dictionary_vr(tag: Tag) -> Option<VR> {
    StandardDataDictionary.by_tag(tag).map(|entry| entry.vr().relaxed())
}

/// PS3.5 tables 7.1-1 and 7.1-2: these have two reserved bytes and a length of four.
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

/// Bytes of one number in a value, PS3.5 table 6.2-1; 1 for texts and bytes.
pub(super) fn number_bytes(vr: VR) -> usize {
    match vr {
        VR::US | VR::SS | VR::OW => 2,
        VR::UL | VR::SL | VR::FL | VR::OL | VR::OF | VR::AT => 4,
        VR::FD | VR::OD | VR::UV | VR::SV | VR::OV => 8,
        _ => 1,
    }
}
