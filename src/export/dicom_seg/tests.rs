//! What the object says, read back with the same library; `tests/dicom` reads it with others.

use super::*;
use crate::mask::Mask;
use crate::slice::{Intensity, Plane};
use std::sync::Arc;

fn spec() -> ModelSpec {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/unet/model.json");
    ModelSpec::from_json("unet", &std::fs::read(path).unwrap()).unwrap()
}

/// Slices of 5 x 3 px, 5 mm apart, of one multi-frame object.
fn series(slices: usize) -> Series {
    let slice = |index: usize| CtSlice {
        spacing_mm: Some([0.5, 0.4]),
        placement: Some(Placement {
            position_mm: [-10.5, 20.0, 30.0 + 5.0 * index as f64],
            row: [1.0, 0.0, 0.0],
            column: [0.0, 1.0, 0.0],
        }),
        reference: Some(Arc::new(DicomReference {
            sop_class_uid: uids::ENHANCED_CT_IMAGE_STORAGE.into(),
            sop_instance_uid: "1.2.3".into(),
            frame: Some(index as u32 + 1),
            series_uid: "1.2".into(),
            study_uid: "1".into(),
            frame_of_reference_uid: None,
            transfer_syntax: uids::EXPLICIT_VR_LITTLE_ENDIAN.into(),
            image_type: Vec::new(),
            gantry_tilt: None,
            tags: Default::default(),
            patient_study: vec![((0x10, 0x10), *b"PN", "Müller^Änne".into())],
        })),
        ..CtSlice::bare(Plane::filled(5, 3, 0.0), Intensity::Hounsfield)
    };
    Series {
        slices: (0..slices).map(slice).collect(),
        sources: (0..slices).collect(),
        extents_mm: None,
        tilt_degrees: None,
        grid: None,
        is_one_head: true,
        warnings: Vec::new(),
    }
}

fn read(bytes: &[u8]) -> InMemDicomObject {
    dicom_object::from_reader(bytes).unwrap().into_inner()
}

fn text(object: &InMemDicomObject, tag: dicom_core::Tag) -> String {
    object.element(tag).unwrap().to_str().unwrap().into_owned()
}

#[test]
fn frames_are_the_slices_with_hemorrhage_bit_after_bit() {
    let mut masks = vec![Mask::empty(5, 3); 3];
    masks[1].pixels[0] = true;
    masks[2].pixels[14] = true;
    let masks: Vec<PackedMask> = masks.iter().map(Mask::pack).collect();
    let object =
        read(&encode_dicom_seg(&spec(), &series(3), &masks, SystemTime::now()).unwrap().bytes);
    assert_eq!(text(&object, tags::NUMBER_OF_FRAMES), "2");
    assert_eq!(text(&object, tags::PATIENT_NAME), "Müller^Änne");
    assert_eq!(text(&object, tags::PATIENT_ID), "");
    // 30 bits: the first, and the fifteenth of the second frame.
    let bits = object.element(tags::PIXEL_DATA).unwrap().to_bytes().unwrap();
    assert_eq!(bits[..], [1, 0, 0, 0b10_0000]);
    let groups = object.element(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).unwrap();
    let frame = &groups.items().unwrap()[0];
    let position = &frame.element(tags::PLANE_POSITION_SEQUENCE).unwrap().items().unwrap()[0];
    assert_eq!(text(position, tags::IMAGE_POSITION_PATIENT), "-10.5\\20\\35");
    let shared = object.element(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).unwrap();
    let measures = shared.items().unwrap()[0].element(tags::PIXEL_MEASURES_SEQUENCE).unwrap();
    assert_eq!(text(&measures.items().unwrap()[0], tags::PIXEL_SPACING), "0.5\\0.4");
}

#[test]
fn without_hemorrhage_every_slice_has_an_empty_frame() {
    let masks = vec![Mask::empty(5, 3).pack(); 2];
    let object =
        read(&encode_dicom_seg(&spec(), &series(2), &masks, SystemTime::now()).unwrap().bytes);
    assert_eq!(text(&object, tags::NUMBER_OF_FRAMES), "2");
    let bits = object.element(tags::PIXEL_DATA).unwrap().to_bytes().unwrap();
    assert_eq!(bits[..], [0; 4]);
}

#[test]
fn what_cannot_be_quoted_is_refused() {
    type Change = fn(&mut Series);
    let cases: [Change; 5] = [
        |s| s.slices[0].reference = None,
        |s| s.slices[1].placement = None,
        |s| s.slices[0].spacing_mm = None,
        |s| {
            if let Some(reference) = s.slices[0].reference.as_mut() {
                Arc::make_mut(reference).sop_instance_uid.clear();
            }
        },
        |s| {
            if let Some(placement) = &mut s.slices[1].placement {
                placement.row = [0.0, 0.0, 1.0];
            }
        },
    ];
    for change in cases {
        let mut series = series(2);
        change(&mut series);
        let masks = vec![Mask::empty(5, 3).pack(); 2];
        let refused = encode_dicom_seg(&spec(), &series, &masks, SystemTime::now());
        assert!(refused.unwrap_err().to_string().contains("--format"));
    }
}
