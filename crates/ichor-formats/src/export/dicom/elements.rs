//! Data elements for the modules of a DICOM object.

use dicom_core::header::Tag;
use dicom_core::value::{DataSetSequence, PrimitiveValue};
use dicom_core::{DataElement, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

/// Puts text that Ichor wrote, with `?` for other characters than ASCII: the object has the character set of
/// its source, and ASCII is part of each of them.
pub(in crate::export) fn put_text(object: &mut InMemDicomObject, tag: Tag, vr: VR, value: &str) {
    let ascii = value.replace(|c: char| !c.is_ascii(), "?");
    object.put(DataElement::new(tag, vr, PrimitiveValue::from(ascii)));
}

/// Puts a value of the source, in the source's character set.
pub(in crate::export) fn put_quoted(object: &mut InMemDicomObject, tag: Tag, vr: VR, value: &[u8]) {
    let mut padded = value.to_vec();
    if padded.len() % 2 == 1 {
        padded.push(b' ');
    }
    let value = match vr {
        // The writer interprets the bytes of these representations as numbers, but writes a string as
        // Latin-1, in which each character is one byte.
        VR::DS | VR::IS => {
            PrimitiveValue::from(padded.into_iter().map(char::from).collect::<String>())
        }
        _ => PrimitiveValue::from(padded),
    };
    object.put(DataElement::new(tag, vr, value));
}

/// Text of an element, empty without it.
pub(in crate::export) fn text(object: &InMemDicomObject, tag: Tag) -> String {
    let text = object.get(tag).and_then(|element| element.to_str().ok());
    text.unwrap_or_default().trim().to_owned()
}

pub(in crate::export) fn put_u16(object: &mut InMemDicomObject, tag: Tag, value: u16) {
    object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
}

pub(in crate::export) fn put_sequence(
    object: &mut InMemDicomObject,
    tag: Tag,
    items: Vec<InMemDicomObject>,
) {
    object.put(DataElement::new(tag, VR::SQ, DataSetSequence::from(items)));
}

/// Puts an attribute whose value is a tag.
pub(in crate::export) fn put_tag(object: &mut InMemDicomObject, tag: Tag, value: Tag) {
    object.put(DataElement::new(tag, VR::AT, PrimitiveValue::Tags([value].as_slice().into())));
}

/// Puts decimal strings, PS3.5 6.2.
pub(in crate::export) fn put_decimals(object: &mut InMemDicomObject, tag: Tag, values: &[f64]) {
    let texts: Vec<String> = values.iter().map(|&value| decimal(value)).collect();
    put_text(object, tag, VR::DS, &texts.join("\\"));
}

/// Formats with as many digits as the 16 characters of a decimal string hold.
fn decimal(value: f64) -> String {
    let shortest = value.to_string();
    if shortest.len() <= 16 {
        return shortest;
    }
    let mut rounded = (0..15).rev().map(|digits| format!("{value:.digits$}"));
    rounded.find(|text| text.len() <= 16).unwrap_or_else(|| format!("{value:.8e}"))
}

/// A code of a coding scheme, PS3.3 8.8.
pub(in crate::export) fn code(scheme: &str, value: &str, meaning: &str) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    put_text(&mut item, tags::CODE_VALUE, VR::SH, value);
    put_text(&mut item, tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme);
    put_text(&mut item, tags::CODE_MEANING, VR::LO, meaning);
    item
}

/// A new UID: a random UUID as a decimal number under 2.25 (PS3.5 B.2).
pub(in crate::export) fn new_uid() -> String {
    format!("2.25.{}", crate::export::random::uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_fit_sixteen_characters_and_keep_their_value() {
        let values = [
            0.0,
            -125.0,
            0.488_281_25,
            -1.0 / 3.0,
            1e-9,
            123_456.789_012_345_67,
            -98_765.432_1,
            1e30,
        ];
        for value in values {
            let text = decimal(value);
            assert!(text.len() <= 16, "{text}");
            let error = (text.parse::<f64>().unwrap() - value).abs();
            assert!(error <= 1e-8 * value.abs().max(0.1), "{text}");
        }
    }

    #[test]
    fn uids_are_new_and_at_most_64_characters() {
        let (a, b) = (new_uid(), new_uid());
        assert!(a != b && a.len() <= 64 && a.starts_with("2.25."));
    }
}
