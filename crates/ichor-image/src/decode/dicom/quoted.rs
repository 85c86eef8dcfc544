//! Text attributes that a derived DICOM object repeats. They are kept as bytes together with their character set, so
//! that no character set of PS3.3 C.12.1.1.2 has to be decoded.

use crate::slice::{PatientStudy, QuotedAttribute};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

/// The Patient, General Study, Patient Study and Frame of Reference modules (PS3.3 C.7.1.1,
/// C.7.2.1, C.7.2.2, C.7.4.1), as far as CT carries them.
const QUOTED: [(Tag, VR); 16] = [
    (tags::STUDY_DATE, VR::DA),
    (tags::STUDY_TIME, VR::TM),
    (tags::ACCESSION_NUMBER, VR::SH),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN),
    (tags::STUDY_DESCRIPTION, VR::LO),
    (tags::PATIENT_NAME, VR::PN),
    (tags::PATIENT_ID, VR::LO),
    (tags::ISSUER_OF_PATIENT_ID, VR::LO),
    (tags::PATIENT_BIRTH_DATE, VR::DA),
    (tags::PATIENT_SEX, VR::CS),
    (tags::PATIENT_AGE, VR::AS),
    (tags::PATIENT_WEIGHT, VR::DS),
    (tags::PATIENT_IDENTITY_REMOVED, VR::CS),
    (tags::DEIDENTIFICATION_METHOD, VR::LO),
    (tags::STUDY_ID, VR::SH),
    (tags::POSITION_REFERENCE_INDICATOR, VR::LO),
];

/// Maximum length of a repeated value, bytes. A person name of three groups of 64 characters takes less than 1,000 in
/// any character set.
const MAX_BYTES: usize = 4096;
/// First byte of the escape sequences that switch between character sets (PS3.5 6.1.2.5).
const ESCAPE: u8 = 0x1b;

/// Collects the attributes from the top level of a data set.
#[derive(Default)]
pub(super) struct QuotedCollector {
    quoted: PatientStudy,
    /// Whether the file has a character set that cannot be repeated.
    is_set_unknown: bool,
}

impl QuotedCollector {
    /// Adds an element if it is one of the attributes. `value` is `None` for a sequence.
    pub(super) fn add(&mut self, tag: Tag, vr: VR, value: Option<&[u8]>) {
        if tag == tags::SPECIFIC_CHARACTER_SET {
            let set = repeatable(vr, value);
            self.is_set_unknown = set.is_none();
            self.quoted.character_set = set.filter(|set| !set.is_empty());
        } else if let Some((_, vr_of_tag)) = QUOTED.iter().find(|(listed, _)| *listed == tag) {
            let value = repeatable(vr, value);
            let tag = (tag.group(), tag.element());
            let attribute = QuotedAttribute { tag, vr: vr_of_tag.to_bytes(), value };
            // The last value of a repeated tag counts, so that the list stays bounded.
            self.quoted.attributes.retain(|other| other.tag != tag);
            self.quoted.attributes.push(attribute);
        }
    }

    /// The attributes. Without a usable character set, only ASCII values are kept, which all sets share.
    pub(super) fn finish(mut self) -> PatientStudy {
        if self.is_set_unknown {
            let is_ascii = |value: &Vec<u8>| value.is_ascii() && !value.contains(&ESCAPE);
            for attribute in &mut self.quoted.attributes {
                attribute.value = attribute.value.take().filter(is_ascii);
            }
        }
        self.quoted
    }
}

/// The bytes of a text without padding; `None` for values that are not text or too long.
fn repeatable(vr: VR, value: Option<&[u8]>) -> Option<Vec<u8>> {
    let padding = |byte: &u8| matches!(byte, b' ' | 0);
    let value = value?;
    let end = value.iter().rposition(|byte| !padding(byte)).map_or(0, |last| last + 1);
    let value = &value[..end];
    // Archives store the bytes of elements that they do not know as UN.
    let is_control = |byte: &u8| *byte < b' ' && *byte != ESCAPE;
    let is_text = match vr {
        _ if value.is_empty() => true,
        VR::UN | VR::OB => !value.iter().any(is_control),
        vr => TEXTS.contains(&vr),
    };
    (is_text && value.len() <= MAX_BYTES).then(|| value.to_vec())
}

/// Value representations that consist of characters (PS3.5 6.2).
const TEXTS: [VR; 17] = [
    VR::AE,
    VR::AS,
    VR::CS,
    VR::DA,
    VR::DS,
    VR::DT,
    VR::IS,
    VR::LO,
    VR::LT,
    VR::PN,
    VR::SH,
    VR::ST,
    VR::TM,
    VR::UC,
    VR::UI,
    VR::UR,
    VR::UT,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_values_keep_all_bytes_except_padding() {
        let bytes = |vr, value: &[u8]| repeatable(vr, Some(value));
        // The second byte of a character in GB18030 may be a backslash or 0xA0.
        let cases: [(&[u8], &[u8]); 5] = [
            (b"Wang^\x81\x5c\x81\xa0 ", b"Wang^\x81\x5c\x81\xa0"),
            (b" leading\\second \0", b" leading\\second"),
            (b"\x1b$B;3\x1b(B", b"\x1b$B;3\x1b(B"),
            (b"  ", b""),
            (b"", b""),
        ];
        for (value, expected) in cases {
            assert_eq!(bytes(VR::PN, value).as_deref(), Some(expected));
            assert_eq!(bytes(VR::UN, value).as_deref(), Some(expected));
        }
        assert_eq!(bytes(VR::LO, b"a\x01b"), Some(b"a\x01b".to_vec()));
        assert_eq!(bytes(VR::UN, b"a\x01b"), None);
        assert_eq!((bytes(VR::US, b"ab"), bytes(VR::US, b"")), (None, Some(Vec::new())));
        assert_eq!(repeatable(VR::SQ, None), None);
        assert_eq!(bytes(VR::LO, &[b'a'; MAX_BYTES]).map(|v| v.len()), Some(MAX_BYTES));
        assert_eq!(bytes(VR::LO, &[b'a'; MAX_BYTES + 1]), None);
    }
}
