//! Texts of patient and study, kept as the bytes of the file.

use super::phantom::{ct, file, sequence};
use super::slice;
use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use ichor::slice::PatientStudy;
use std::sync::Arc;

fn bytes(object: &mut InMemDicomObject, tag: Tag, vr: VR, value: &[u8]) {
    object.put(DataElement::new(tag, vr, PrimitiveValue::from(value.to_vec())));
}

fn read(object: InMemDicomObject, transfer_syntax: &str) -> Arc<PatientStudy> {
    slice(&file(object, transfer_syntax)).reference.unwrap().patient_study.clone()
}

/// The value of a patient attribute: `None` where the file lacks it, `Some(None)` for no text.
fn value(study: &PatientStudy, element: u16) -> Option<Option<&[u8]>> {
    let found = study.attributes.iter().find(|attribute| attribute.tag == (0x10, element));
    found.map(|attribute| attribute.value.as_deref())
}

#[test]
fn every_byte_is_kept_with_its_character_set() {
    let cases: [(&[u8], &[u8]); 7] = [
        (b"ISO_IR 148", b"\xc7avu\xfeo\xf0lu^G\xfcl"),
        (b"GB18030", b"Wang^\x81\x5c\x85\x5e\x81\xa0"),
        (b"\\ISO 2022 IR 87", b"Yamada=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B="),
        (b"ISO 2022 IR 6\\ISO 2022 IR 159", b"Fuji=\x1b$(D0!\x1b(B"),
        (b"ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3\x5c"),
        (b"ISO_IR 192", "A^B^C^D^E=甲^乙=あ".as_bytes()),
        (b"NO SUCH SET", b" \xff\xfe leading"),
    ];
    for syntax in [uids::EXPLICIT_VR_LITTLE_ENDIAN, uids::IMPLICIT_VR_LITTLE_ENDIAN] {
        for (set, name) in cases {
            let mut object = ct();
            bytes(&mut object, tags::SPECIFIC_CHARACTER_SET, VR::CS, set);
            bytes(&mut object, tags::PATIENT_NAME, VR::PN, name);
            let study = read(object, syntax);
            assert_eq!(study.character_set.as_deref(), Some(set));
            assert_eq!(value(&study, 0x10), Some(Some(name)));
            assert_eq!(value(&study, 0x20), Some(Some(&b"SECRET-1"[..])));
        }
    }
}

#[test]
fn values_that_are_not_text_are_left_out() {
    let mut object = ct();
    bytes(&mut object, tags::PATIENT_NAME, VR::UN, b"M\xfcller");
    bytes(&mut object, tags::PATIENT_ID, VR::OB, &[0, 1, 2, 3]);
    bytes(&mut object, tags::STUDY_ID, VR::SH, &[b'7'; 5000]);
    let study = read(object, uids::EXPLICIT_VR_LITTLE_ENDIAN);
    assert_eq!(study.character_set, None);
    assert_eq!(value(&study, 0x10), Some(Some(&b"M\xfcller"[..])));
    assert_eq!(value(&study, 0x20), Some(None));
    assert_eq!(value(&study, 0x30), None);
    let unquoted = study.attributes.iter().filter(|attribute| attribute.value.is_none());
    assert_eq!(unquoted.map(|a| a.tag).collect::<Vec<_>>(), [(0x10, 0x20), (0x20, 0x10)]);

    // Without its character set text cannot be interpreted; ASCII is part of all sets.
    let mut object = ct();
    bytes(&mut object, tags::SPECIFIC_CHARACTER_SET, VR::OB, &[1, 2]);
    bytes(&mut object, tags::PATIENT_NAME, VR::PN, b"M\xfcller");
    let study = read(object, uids::EXPLICIT_VR_LITTLE_ENDIAN);
    assert_eq!((value(&study, 0x10), study.character_set.as_deref()), (Some(None), None));
    assert_eq!(value(&study, 0x20), Some(Some(&b"SECRET-1"[..])));
}

#[test]
fn texts_of_nested_items_are_not_taken_for_the_patients() {
    let mut item = InMemDicomObject::new_empty();
    bytes(&mut item, tags::PATIENT_NAME, VR::PN, b"Other^Nested");
    let mut object = ct();
    object.put(sequence(tags::REFERENCED_STUDY_SEQUENCE, vec![item]));
    let study = read(object, uids::EXPLICIT_VR_LITTLE_ENDIAN);
    assert_eq!(value(&study, 0x10), Some(Some(&b"Nobody^Known"[..])));
    assert!(!format!("{study:?}").contains("Nobody"));
}
