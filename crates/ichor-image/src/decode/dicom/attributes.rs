//! Attribute values that apply to one frame.

use dicom_core::Tag;
use dicom_core::value::{PrimitiveValue, Value};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;
use std::borrow::Cow;

/// The attributes of one frame. An enhanced object (PS3.3 C.7.6.16) has them in functional groups, per frame or shared;
/// other objects have them at the top level.
pub(super) struct Attributes<'a> {
    object: &'a InMemDicomObject,
    per_frame: Option<&'a InMemDicomObject>,
    shared: Option<&'a InMemDicomObject>,
    /// Index of the frame, from 0.
    pub(super) frame: usize,
}

impl<'a> Attributes<'a> {
    pub(super) fn of_frame(object: &'a InMemDicomObject, frame: usize) -> Self {
        let item = |tag, index| object.get(tag).and_then(|e| e.items()).and_then(|i| i.get(index));
        Self {
            object,
            per_frame: item(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, frame),
            shared: item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, 0),
            frame,
        }
    }

    /// The element `tag` in the functional group `group`, of this frame or shared.
    fn find_in_group(&self, group: Tag, tag: Tag) -> Option<&'a InMemElement> {
        let in_group = |groups: &'a InMemDicomObject| groups.get(group)?.items()?.first()?.get(tag);
        self.per_frame.and_then(in_group).or_else(|| self.shared.and_then(in_group))
    }

    /// Whether the functional group has the element.
    pub(super) fn in_group(&self, group: Tag, tag: Tag) -> bool {
        self.find_in_group(group, tag).is_some()
    }

    /// Text of the element in the functional group `group`, else at the top level, without padding; `None` if it is
    /// absent or empty.
    pub(super) fn text(&self, group: Tag, tag: Tag) -> Option<Cow<'a, str>> {
        self.find_in_group(group, tag).or_else(|| self.object.get(tag)).and_then(text)
    }

    /// Numbers of the element; `None` if it is absent or empty, an empty list if one of its values is not a finite
    /// number.
    pub(super) fn numbers(&self, group: Tag, tag: Tag) -> Option<Vec<f64>> {
        let text = self.text(group, tag)?;
        let number = |part: &str| part.trim().parse::<f64>().ok().filter(|n| n.is_finite());
        Some(text.split('\\').map(number).collect::<Option<_>>().unwrap_or_default())
    }
}

/// Text of an element without padding. Supports elements that an archive stored as UN (PS3.5 section 6.2.2), whose
/// bytes the library would return as numbers.
pub(super) fn text(element: &InMemElement) -> Option<Cow<'_, str>> {
    let padding = |c: char| c == '\0' || c.is_whitespace();
    match element.value() {
        Value::Primitive(PrimitiveValue::U8(bytes)) => {
            std::str::from_utf8(bytes).ok().map(|t| Cow::Borrowed(t.trim_matches(padding)))
        }
        Value::Primitive(value) => Some(Cow::Owned(value.to_str().trim_matches(padding).into())),
        _ => None,
    }
    .filter(|text| !text.is_empty())
}

/// An unsigned short (VR US), also if it is stored as UN.
pub(super) fn unsigned(object: &InMemDicomObject, tag: Tag) -> Option<u16> {
    match object.get(tag)?.value() {
        Value::Primitive(PrimitiveValue::U8(bytes)) => {
            <[u8; 2]>::try_from(&bytes[..]).ok().map(u16::from_le_bytes)
        }
        value => value.to_int::<u16>().ok(),
    }
}
