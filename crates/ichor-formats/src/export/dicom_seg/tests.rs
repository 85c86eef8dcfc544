//! The content of the object, read back with the same library; `tests/dicom` reads it with others.

use super::*;
use crate::mask::Mask;
use crate::slice::{Intensity, PatientStudy, Plane, QuotedAttribute};
use std::sync::Arc;

fn spec() -> ModelSpec {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/unet/model.json");
    ModelSpec::from_json("unet", &std::fs::read(path).unwrap()).unwrap()
}

fn patient() -> PatientStudy {
    let attribute = |element: u16, vr: &[u8; 2], value: Option<&str>| QuotedAttribute {
        tag: (0x10, element),
        vr: *vr,
        value: value.map(|text| text.as_bytes().to_vec()),
    };
    PatientStudy {
        character_set: Some(b"ISO_IR 192".to_vec()),
        attributes: vec![
            attribute(0x10, b"PN", Some("Müller^Änne")),
            attribute(0x20, b"LO", None),
            attribute(0x1030, b"DS", Some("61.5")),
        ],
    }
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
            patient_study: Arc::new(patient()),
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
    let seg = encode_dicom_seg(&spec(), &series(3), &masks, SystemTime::now()).unwrap();
    let [warning] = &seg.warnings[..] else { panic!("one warning") };
    assert_eq!(warning.code, "dicom_text_left_empty");
    assert!(warning.message.contains("PatientID (0010,0020)"), "{}", warning.message);
    let object = read(&seg.bytes);
    assert_eq!(text(&object, tags::NUMBER_OF_FRAMES), "2");
    assert_eq!(text(&object, tags::PATIENT_NAME), "Müller^Änne");
    assert_eq!(text(&object, tags::PATIENT_WEIGHT), "61.5");
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
fn series_without_the_required_values_are_refused() {
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
        |s| s.slices[1].spacing_mm = None,
    ];
    for change in cases {
        let mut series = series(2);
        change(&mut series);
        let masks = vec![Mask::empty(5, 3).pack(); 2];
        let refused = encode_dicom_seg(&spec(), &series, &masks, SystemTime::now());
        assert!(refused.unwrap_err().to_string().contains("--format"));
    }
}

/// Volume of each frame by its own pixel measures, mm³.
fn volumes(object: &InMemDicomObject) -> Vec<f64> {
    let first = |object: &InMemDicomObject, tag: dicom_core::Tag| {
        object.get(tag).map(|element| element.items().unwrap()[0].clone())
    };
    let shared = first(object, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).unwrap();
    let groups = object.element(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).unwrap();
    let volume = |frame: &InMemDicomObject| {
        let [own, all] = [frame, &shared].map(|group| first(group, tags::PIXEL_MEASURES_SEQUENCE));
        assert!(own.is_some() != all.is_some(), "in one of the two places");
        let measures = own.or(all).unwrap();
        let numbers = |tag| text(&measures, tag).split('\\').map(|v| v.parse().unwrap()).collect();
        let (spacing, depth): (Vec<f64>, Vec<f64>) =
            (numbers(tags::PIXEL_SPACING), numbers(tags::SLICE_THICKNESS));
        if let Some(between) = measures.get(tags::SPACING_BETWEEN_SLICES) {
            assert_eq!(between.to_float64().unwrap(), depth[0]);
        }
        spacing[0] * spacing[1] * depth[0]
    };
    groups.items().unwrap().iter().map(volume).collect()
}

#[test]
fn pixel_measures_give_the_volume_that_was_measured() {
    type Change = fn(&mut Series);
    let cases: [(Change, [f64; 3]); 4] = [
        (|_| (), [1.0; 3]),
        // Nominal thickness of slices that overlap or leave gaps.
        (|s| s.slices.iter_mut().for_each(|slice| slice.thickness_mm = Some(7.5)), [1.0; 3]),
        (|s| s.extents_mm = Some(vec![5.0, 6.0, 7.0]), [1.0, 1.2, 1.4]),
        (|s| s.slices[1].spacing_mm = Some([0.5, 0.8]), [1.0, 2.0, 1.0]),
    ];
    let mut mask = Mask::empty(5, 3);
    mask.pixels[7] = true;
    for (change, expected) in cases {
        let mut series = Series { extents_mm: Some(vec![5.0; 3]), ..series(3) };
        change(&mut series);
        let masks = vec![mask.pack(); 3];
        let seg = encode_dicom_seg(&spec(), &series, &masks, SystemTime::now()).unwrap();
        let volumes = volumes(&read(&seg.bytes));
        let near = |(a, b): (&f64, f64)| (a - b).abs() < 1e-5;
        assert!(volumes.iter().zip(expected).all(near), "{volumes:?} for {expected:?}");
    }
}

#[test]
fn slices_of_slightly_different_directions_keep_them() {
    let mut series = series(2);
    series.slices[1].placement.as_mut().unwrap().row = [0.999_391, 0.034_899, 0.0];
    let masks = vec![Mask::empty(5, 3).pack(); 2];
    let seg = encode_dicom_seg(&spec(), &series, &masks, SystemTime::now()).unwrap();
    let object = read(&seg.bytes);
    let groups = object.element(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).unwrap();
    let cosines = |frame: &InMemDicomObject| {
        let item = frame.element(tags::PLANE_ORIENTATION_SEQUENCE).unwrap();
        text(&item.items().unwrap()[0], tags::IMAGE_ORIENTATION_PATIENT)
    };
    let cosines: Vec<String> = groups.items().unwrap().iter().map(cosines).collect();
    assert_eq!(cosines, ["1\\0\\0\\0\\1\\0", "0.999391\\0.034899\\0\\0\\1\\0"]);
}
