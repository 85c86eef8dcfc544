//! DICOM objects made for the tests: a ramp of every stored value from 0 to 3,071.

use dicom_core::value::{DataSetSequence, PrimitiveValue};
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

pub(crate) const COLUMNS: u16 = 64;
pub(crate) const ROWS: u16 = 48;

pub(crate) fn text(object: &mut InMemDicomObject, tag: Tag, vr: VR, value: &str) {
    object.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
}

pub(crate) fn short(object: &mut InMemDicomObject, tag: Tag, value: u16) {
    object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
}

pub(crate) fn pixels(object: &mut InMemDicomObject, stored: impl IntoIterator<Item = u16>) {
    let values = PrimitiveValue::U16(stored.into_iter().collect());
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, values));
}

pub(crate) fn ramp() -> std::ops::Range<u16> {
    0..COLUMNS * ROWS
}

/// One axial CT slice; -1024 to 2047 HU.
pub(crate) fn ct() -> InMemDicomObject {
    let mut object = InMemDicomObject::new_empty();
    for (tag, vr, value) in [
        (tags::SOP_CLASS_UID, VR::UI, uids::CT_IMAGE_STORAGE),
        (tags::SOP_INSTANCE_UID, VR::UI, "1.2.3.4"),
        (tags::STUDY_INSTANCE_UID, VR::UI, "1.2.3"),
        (tags::SERIES_INSTANCE_UID, VR::UI, "1.2.3.1"),
        (tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\AXIAL"),
        (tags::MODALITY, VR::CS, "CT"),
        (tags::PATIENT_NAME, VR::PN, "Nobody^Known"),
        (tags::PATIENT_ID, VR::LO, "SECRET-1"),
        (tags::SLICE_THICKNESS, VR::DS, "5"),
        (tags::GANTRY_DETECTOR_TILT, VR::DS, "18.5"),
        (tags::IMAGE_POSITION_PATIENT, VR::DS, "-16\\-12\\30.5"),
        (tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0"),
        (tags::PIXEL_SPACING, VR::DS, "0.5\\0.25"),
        (tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        (tags::WINDOW_CENTER, VR::DS, "40\\300"),
        (tags::WINDOW_WIDTH, VR::DS, "80\\1500"),
        (tags::RESCALE_INTERCEPT, VR::DS, "-1024"),
        (tags::RESCALE_SLOPE, VR::DS, "1"),
    ] {
        text(&mut object, tag, vr, value);
    }
    for (tag, value) in [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, ROWS),
        (tags::COLUMNS, COLUMNS),
        (tags::BITS_ALLOCATED, 16),
        (tags::BITS_STORED, 16),
        (tags::HIGH_BIT, 15),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        short(&mut object, tag, value);
    }
    pixels(&mut object, ramp());
    object
}

/// A sequence of one item with one element in it.
pub(crate) fn group(tag: Tag, elements: &[(Tag, &str)]) -> DataElement<InMemDicomObject> {
    let mut item = InMemDicomObject::new_empty();
    for (tag, value) in elements {
        text(&mut item, *tag, VR::DS, value);
    }
    sequence(tag, vec![item])
}

pub(crate) fn sequence(tag: Tag, items: Vec<InMemDicomObject>) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, VR::SQ, DataSetSequence::from(items))
}

pub(crate) fn file(object: InMemDicomObject, transfer_syntax: &str) -> Vec<u8> {
    let meta = FileMetaTableBuilder::new().transfer_syntax(transfer_syntax);
    let mut bytes = Vec::new();
    object.with_meta(meta).unwrap().write_all(&mut bytes).unwrap();
    bytes
}

/// The slice, changed, as a file.
pub(crate) fn ct_with(change: impl FnOnce(&mut InMemDicomObject)) -> Vec<u8> {
    let mut object = ct();
    change(&mut object);
    file(object, uids::EXPLICIT_VR_LITTLE_ENDIAN)
}
