//! Text attributes that a derived object repeats, as bytes: no library decodes every character set
//! of PS3.3 C.12.1.1.2, and bytes that are repeated with their character set need no decoding.

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

/// The longest value that is repeated, bytes. A person name of three groups of 64 characters takes
/// under 1,000 in any character set.
const MAX_BYTES: usize = 4096;
/// Begins the escape sequences that change between character sets (PS3.5 6.1.2.5).
const ESCAPE: u8 = 0x1b;

/// Gathers the attributes from the top level of a data set.
#[derive(Default)]
pub(super) struct Quoted {
    found: PatientStudy,
    /// A character set is named by no text.
    is_set_unknown: bool,
}

impl Quoted {
    /// Takes an element at the top level; a sequence has no value.
    pub(super) fn note(&mut self, tag: Tag, vr: VR, value: Option<&[u8]>) {
        if tag == tags::SPECIFIC_CHARACTER_SET {
            let set = repeatable(vr, value);
            self.is_set_unknown = set.is_none();
            self.found.character_set = set.filter(|set| !set.is_empty());
        } else if let Some((_, vr_of_tag)) = QUOTED.iter().find(|(quoted, _)| *quoted == tag) {
            let value = repeatable(vr, value);
            let tag = (tag.group(), tag.element());
            let attribute = QuotedAttribute { tag, vr: vr_of_tag.to_bytes(), value };
            // Of a tag that is repeated the last holds, so that a file cannot fill the memory.
            self.found.attributes.retain(|known| known.tag != tag);
            self.found.attributes.push(attribute);
        }
    }

    /// The attributes; without a known character set only what all sets share.
    pub(super) fn finish(mut self) -> PatientStudy {
        if self.is_set_unknown {
            let plain = |value: &Vec<u8>| value.is_ascii() && !value.contains(&ESCAPE);
            for attribute in &mut self.found.attributes {
                attribute.value = attribute.value.take().filter(plain);
            }
        }
        self.found
    }
}

/// The bytes of a text without its padding; `None` for other values and ones that are too long.
fn repeatable(vr: VR, value: Option<&[u8]>) -> Option<Vec<u8>> {
    let padding = |byte: &u8| matches!(byte, b' ' | 0);
    let value = value?;
    let end = value.iter().rposition(|byte| !padding(byte)).map_or(0, |last| last + 1);
    let value = &value[..end];
    // An archive that does not know an element keeps its bytes as UN.
    let is_control = |byte: &u8| *byte < b' ' && *byte != ESCAPE;
    let is_text = match vr {
        _ if value.is_empty() => true,
        VR::UN | VR::OB => !value.iter().any(is_control),
        vr => TEXTS.contains(&vr),
    };
    (is_text && value.len() <= MAX_BYTES).then(|| value.to_vec())
}

/// Value representations of characters, PS3.5 6.2.
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
    fn texts_keep_every_byte_but_their_padding() {
        let kept = |vr, value: &[u8]| repeatable(vr, Some(value));
        // The second byte of a character in GB18030 may be a backslash or 0xA0.
        let cases: [(&[u8], &[u8]); 5] = [
            (b"Wang^\x81\x5c\x81\xa0 ", b"Wang^\x81\x5c\x81\xa0"),
            (b" leading\\second \0", b" leading\\second"),
            (b"\x1b$B;3\x1b(B", b"\x1b$B;3\x1b(B"),
            (b"  ", b""),
            (b"", b""),
        ];
        for (value, expected) in cases {
            assert_eq!(kept(VR::PN, value).as_deref(), Some(expected));
            assert_eq!(kept(VR::UN, value).as_deref(), Some(expected));
        }
        assert_eq!(kept(VR::LO, b"a\x01b"), Some(b"a\x01b".to_vec()));
        assert_eq!(kept(VR::UN, b"a\x01b"), None);
        assert_eq!((kept(VR::US, b"ab"), kept(VR::US, b"")), (None, Some(Vec::new())));
        assert_eq!(repeatable(VR::SQ, None), None);
        assert_eq!(kept(VR::LO, &[b'a'; MAX_BYTES]).map(|v| v.len()), Some(MAX_BYTES));
        assert_eq!(kept(VR::LO, &[b'a'; MAX_BYTES + 1]), None);
    }
}
