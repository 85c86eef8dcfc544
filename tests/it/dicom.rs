//! DICOM: Hounsfield units equal to pydicom's, geometry, and clear errors.

mod encapsulated;
mod hostile;
pub(crate) mod phantom;
mod structure;
mod texts;

use crate::fixtures::{models, root};
use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElement, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use dicom_transfer_syntax_registry::entries::EXPLICIT_VR_LITTLE_ENDIAN;
use ichor::decode::{Limits, decode};
use ichor::inspect::{Inspection, inspect};
use ichor::segmenter::{NoObserver, SegmentRequest, SliceResult};
use ichor::slice::{CtSlice, Intensity, QuotedAttribute};
use ichor_image::Result;
use phantom::{COLUMNS, ROWS, ct, ct_with, file, group, pixels, ramp, sequence, short, text};

const SYNTAXES: [(&str, &str); 7] = [
    ("ct_explicit.dcm", uids::EXPLICIT_VR_LITTLE_ENDIAN),
    ("ct_implicit.dcm", uids::IMPLICIT_VR_LITTLE_ENDIAN),
    ("ct_deflated.dcm", uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN),
    ("ct_rle.dcm", uids::RLE_LOSSLESS),
    ("ct_jpeg_lossless.dcm", uids::JPEG_LOSSLESS_SV1),
    ("ct_jpeg2000_lossless.dcm", uids::JPEG2000_LOSSLESS),
    ("ct_jpeg_baseline.dcm", uids::JPEG_BASELINE8_BIT),
];

/// Explicit VR, retired in 2006.
const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(root().join("tests/data/dicom").join(name)).unwrap()
}

/// The data set of an explicit, little endian file; the meta groups of the fixtures are too odd
/// for the library's own reader.
fn explicit_object(bytes: &[u8]) -> InMemDicomObject {
    let is_first = |w: &[u8]| w[..2] == [8, 0] && w[4..].iter().all(u8::is_ascii_uppercase);
    let start = bytes.windows(6).position(is_first).unwrap();
    let syntax = EXPLICIT_VR_LITTLE_ENDIAN.erased();
    InMemDicomObject::read_dataset_with_ts(&bytes[start..], &syntax).unwrap()
}

fn slices(bytes: &[u8]) -> Result<Vec<CtSlice>> {
    decode(bytes, &Limits::default()).map(|decoded| decoded.slices)
}

fn slice(bytes: &[u8]) -> CtSlice {
    slices(bytes).unwrap().remove(0)
}

fn facts(bytes: &[u8]) -> Inspection {
    inspect(bytes, &Limits::default()).unwrap()
}

fn codes(slice: &CtSlice) -> Vec<&str> {
    slice.warnings.iter().map(|w| w.code).collect()
}

fn refusal(bytes: &[u8]) -> String {
    slices(bytes).unwrap_err().to_string()
}

/// The expected values are pydicom's: `a = d.pixel_array * d.RescaleSlope + d.RescaleIntercept;
/// print(a.min(), a.max(), a.mean())` with pydicom 3.0.2 and pylibjpeg 2.1.0.
#[test]
fn seven_transfer_syntaxes_hold_pydicoms_hounsfield_units() {
    let truth = slice(&fixture("ct_explicit.dcm"));
    for (name, uid) in SYNTAXES {
        let inspection = facts(&fixture(name));
        assert_eq!(inspection.transfer_syntax.as_deref(), Some(uid));
        let slice = &inspection.slices[0];
        let samples = slice.samples;
        if uid == uids::JPEG_BASELINE8_BIT {
            // 8 bits at a slope of 32 HU; decoders round the cosine transform differently.
            assert!((samples.min + 3_083.352).abs() <= 32.2, "{}", samples.min);
            assert!((samples.max - 1_349.428_8).abs() <= 32.2, "{}", samples.max);
            assert!((samples.mean + 967.360_470).abs() <= 3.2, "{}", samples.mean);
        } else {
            assert_eq!((samples.min, samples.max), (-3024.0, 1378.0), "{name}");
            assert_eq!(samples.mean, -949.076_435_089_111_3, "{name}");
            assert_eq!(self::slice(&fixture(name)).plane, truth.plane, "{name}");
        }
        assert!(slice.is_hounsfield);
        assert_eq!((slice.width, slice.height), (512, 512));
        assert_eq!(slice.spacing_mm, Some([0.675_781, 0.675_781]));
        assert_eq!(slice.position_mm, Some([-161.399_994, -148.800_003, 4.7]));
        assert_eq!((slice.windows[0].center_hu, slice.windows[0].width_hu), (40.0, 400.0));
    }
}

#[test]
fn position_and_display_windows_of_the_header_are_kept() {
    let slice = slice(&ct_with(|_| {}));
    assert_eq!(slice.warnings, []);
    assert_eq!(slice.intensity, Intensity::Hounsfield);
    assert_eq!(slice.modality.as_deref(), Some("CT"));
    assert_eq!((slice.plane.width, slice.plane.height), (COLUMNS.into(), ROWS.into()));
    assert_eq!(slice.spacing_mm, Some([0.5, 0.25]), "rows first");
    assert_eq!(slice.thickness_mm, Some(5.0));
    let placement = slice.placement.unwrap();
    assert_eq!(placement.position_mm, [-16.0, -12.0, 30.5]);
    assert_eq!((placement.row, placement.column), ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]));
    let windows: Vec<_> = slice.windows.iter().map(|w| (w.center_hu, w.width_hu)).collect();
    assert_eq!(windows, [(40.0, 80.0), (300.0, 1500.0)]);
    let reference = slice.reference.unwrap();
    assert_eq!(reference.sop_class_uid, uids::CT_IMAGE_STORAGE);
    assert_eq!((reference.sop_instance_uid.as_str(), reference.frame), ("1.2.3.4", None));
    assert_eq!(reference.image_type, ["ORIGINAL", "PRIMARY", "AXIAL"]);
    assert_eq!(reference.gantry_tilt.as_deref(), Some("18.5"));
    let quoted = |a: &QuotedAttribute| a.value.as_deref() == Some(b"SECRET-1") && a.vr == *b"LO";
    assert!(reference.patient_study.attributes.iter().any(quoted));
}

#[test]
fn inspection_does_not_identify_the_patient() {
    let inspection = facts(&ct_with(|_| {}));
    assert_eq!(inspection.slices[0].gantry_tilt_degrees, Some(18.5));
    let json = serde_json::to_string(&inspection).unwrap();
    for secret in ["SECRET", "Nobody", "1.2.3.4"] {
        assert!(!json.contains(secret), "{json}");
    }
}

/// A change of the phantom.
type Change = fn(&mut InMemDicomObject);

/// A change, the Hounsfield units that pydicom gives, and the warnings.
type Case = (&'static str, Change, (f32, f32, f64), &'static [&'static str]);

const CASES: [Case; 13] = [
    ("as it is", |_| {}, (-1024.0, 2047.0, 511.5), &[]),
    (
        "a negative, fractional slope",
        |o| text(o, tags::RESCALE_SLOPE, VR::DS, "-0.5"),
        (-2559.5, -1024.0, -1791.75),
        &["padding"],
    ),
    (
        "signed samples",
        |o| {
            short(o, tags::PIXEL_REPRESENTATION, 1);
            text(o, tags::RESCALE_INTERCEPT, VR::DS, "0");
            pixels(o, ramp().map(|v| v.wrapping_sub(1000)));
        },
        (-1000.0, 2071.0, 535.5),
        &[],
    ),
    (
        "12 bits stored, rubbish above them",
        |o| {
            short(o, tags::BITS_STORED, 12);
            short(o, tags::HIGH_BIT, 11);
            pixels(o, ramp().map(|v| v | 0xA000));
        },
        (-1024.0, 2047.0, 511.5),
        &[],
    ),
    (
        "12 signed bits, not extended",
        |o| {
            short(o, tags::BITS_STORED, 12);
            short(o, tags::HIGH_BIT, 11);
            short(o, tags::PIXEL_REPRESENTATION, 1);
            text(o, tags::RESCALE_INTERCEPT, VR::DS, "0");
            pixels(o, ramp().map(|v| v.wrapping_sub(1024) & 0x0FFF));
        },
        (-1024.0, 2047.0, 511.5),
        &[],
    ),
    (
        "rescale values of VR UN",
        |o| {
            let bytes = |text: &str| PrimitiveValue::from(text.as_bytes());
            o.put(DataElement::new(tags::RESCALE_SLOPE, VR::UN, bytes("2 ")));
            o.put(DataElement::new(tags::RESCALE_INTERCEPT, VR::UN, bytes("-1000 ")));
        },
        (-1000.0, 5142.0, 2071.0),
        &[],
    ),
    (
        "no rescale values",
        |o| {
            o.remove_element(tags::RESCALE_SLOPE);
            o.remove_element(tags::RESCALE_INTERCEPT);
        },
        (0.0, 3071.0, 1535.5),
        &["rescale_missing", "no_air"],
    ),
    (
        "an empty slope",
        |o| text(o, tags::RESCALE_SLOPE, VR::DS, ""),
        (-1024.0, 2047.0, 511.5),
        &["rescale_missing"],
    ),
    (
        "MONOCHROME1: Hounsfield units are not turned round",
        |o| text(o, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME1"),
        (-1024.0, 2047.0, 511.5),
        &["inverted_display"],
    ),
    (
        "padding keeps the value that the file holds",
        |o| {
            short(o, tags::PIXEL_REPRESENTATION, 1);
            text(o, tags::RESCALE_INTERCEPT, VR::DS, "0");
            o.put(DataElement::new(
                tags::PIXEL_PADDING_VALUE,
                VR::SS,
                PrimitiveValue::from(-2000_i16),
            ));
            pixels(o, ramp().map(|v| if v == 0 { 2000_u16.wrapping_neg() } else { v }));
        },
        (-2000.0, 3071.0, 1_534.848_958_333_333_3),
        &["padding"],
    ),
    (
        "no modality",
        |o| {
            o.remove_element(tags::MODALITY);
        },
        (-1024.0, 2047.0, 511.5),
        &["modality_missing"],
    ),
    (
        "a spacing at the detector only",
        |o| {
            o.remove_element(tags::PIXEL_SPACING);
            text(o, tags::IMAGER_PIXEL_SPACING, VR::DS, "0.5\\0.5");
        },
        (-1024.0, 2047.0, 511.5),
        &["spacing_at_detector"],
    ),
    (
        "an impossible spacing and orientation",
        |o| {
            text(o, tags::PIXEL_SPACING, VR::DS, "0\\0.5");
            text(o, tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\1\\0\\0");
        },
        (-1024.0, 2047.0, 511.5),
        &["spacing_invalid", "placement_invalid"],
    ),
];

#[test]
fn unusual_headers_give_pydicoms_hounsfield_units() {
    for (what, change, (min, max, mean), warnings) in CASES {
        let bytes = ct_with(change);
        let samples = facts(&bytes).slices[0].samples;
        assert_eq!((samples.min, samples.max), (min, max), "{what}");
        assert!((samples.mean - mean).abs() < 1e-9, "{what}: {}", samples.mean);
        assert_eq!(codes(&slice(&bytes)), warnings, "{what}");
    }
}

#[test]
fn byte_orders_and_missing_preambles_change_nothing() {
    let truth = slice(&ct_with(|_| {})).plane;
    for uid in [uids::IMPLICIT_VR_LITTLE_ENDIAN, BIG_ENDIAN] {
        assert_eq!(slice(&file(ct(), uid)).plane, truth, "{uid}");
    }
    let explicit = ct_with(|_| {});
    assert_eq!(slice(&explicit[132..]).plane, truth, "no preamble, with meta group");
    let data_set = |bytes: &[u8]| {
        let start = bytes.windows(4).position(|w| w == [8, 0, 8, 0]).unwrap();
        bytes[start..].to_vec()
    };
    assert_eq!(slice(&data_set(&explicit)).plane, truth, "explicit, no meta group");
    let implicit = file(ct(), uids::IMPLICIT_VR_LITTLE_ENDIAN);
    assert_eq!(slice(&data_set(&implicit)).plane, truth, "implicit, no meta group");
}

#[test]
fn frames_of_an_enhanced_object_have_their_own_rescale_and_place() {
    let bytes = ct_with(|o| {
        for tag in [tags::RESCALE_SLOPE, tags::RESCALE_INTERCEPT, tags::IMAGE_POSITION_PATIENT] {
            o.remove_element(tag);
        }
        text(o, tags::SOP_CLASS_UID, VR::UI, uids::ENHANCED_CT_IMAGE_STORAGE);
        text(o, tags::NUMBER_OF_FRAMES, VR::IS, "2");
        pixels(o, ramp().chain(ramp().map(|v| v + 10)));
        let mut shared = InMemDicomObject::new_empty();
        shared.put(group(tags::PIXEL_MEASURES_SEQUENCE, &[(tags::PIXEL_SPACING, "0.4\\0.4")]));
        o.put(sequence(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]));
        let frame = |intercept, position| {
            let mut frame = InMemDicomObject::new_empty();
            frame.put(group(
                tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
                &[(tags::RESCALE_SLOPE, "1"), (tags::RESCALE_INTERCEPT, intercept)],
            ));
            frame.put(group(
                tags::PLANE_POSITION_SEQUENCE,
                &[(tags::IMAGE_POSITION_PATIENT, position)],
            ));
            frame
        };
        let frames = vec![frame("-1000", "0\\0\\1"), frame("-500", "0\\0\\6")];
        o.put(sequence(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, frames));
    });
    let slices = slices(&bytes).unwrap();
    let of = |f: fn(&CtSlice) -> f64| slices.iter().map(f).collect::<Vec<_>>();
    assert_eq!(of(|s| s.plane.samples()[0].into()), [-1000.0, -490.0]);
    assert_eq!(of(|s| s.placement.unwrap().position_mm[2]), [1.0, 6.0]);
    assert_eq!(of(|s| s.reference.as_ref().unwrap().frame.unwrap().into()), [1.0, 2.0]);
    assert!(slices.iter().all(|s| s.spacing_mm == Some([0.4, 0.4])));
}

#[test]
fn a_model_of_ct_reports_nothing_for_another_modality() {
    let models = models();
    let segment = |modality: &str| {
        let slice = slice(&ct_with(|o| text(o, tags::MODALITY, VR::CS, modality)));
        let model = models.default_model();
        model.segment_slice(&slice, &SegmentRequest::default(), &NoObserver).unwrap().result
    };
    let warned = |result: &SliceResult| {
        result.warnings.iter().any(|warning| warning.code == "modality_not_supported")
    };
    let (mr, ct) = (segment("MR"), segment("CT"));
    assert!(mr.detected.is_none() && warned(&mr));
    assert!(!warned(&ct));
}

#[test]
fn other_modalities_are_grey_with_a_warning() {
    let mr = |o: &mut InMemDicomObject| text(o, tags::MODALITY, VR::CS, "MR");
    let windowed = slice(&ct_with(mr));
    assert_eq!(windowed.intensity, Intensity::Display);
    assert_eq!(
        (windowed.modality.as_deref(), codes(&windowed)),
        (Some("MR"), vec!["not_hounsfield"])
    );
    // The file's first window is 40/80 after its rescale: sample 1064 is 40.
    assert!((windowed.plane.samples()[1064] - 0.5).abs() < 0.01);
    let stretched = |inverted: bool| {
        slice(&ct_with(|o| {
            mr(o);
            o.remove_element(tags::WINDOW_CENTER);
            let name = if inverted { "MONOCHROME1" } else { "MONOCHROME2" };
            text(o, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, name);
        }))
        .plane
        .samples()
    };
    assert_eq!((stretched(false)[0], stretched(false)[3071]), (0.0, 1.0));
    assert_eq!((stretched(true)[0], stretched(true)[3071]), (1.0, 0.0));
}

#[test]
fn captured_pictures_of_ct_are_not_hounsfield_units() {
    let captured = slice(&ct_with(|o| {
        text(o, tags::SOP_CLASS_UID, VR::UI, uids::SECONDARY_CAPTURE_IMAGE_STORAGE);
        o.remove_element(tags::RESCALE_INTERCEPT);
    }));
    assert_eq!(
        (captured.intensity, codes(&captured)),
        (Intensity::Display, vec!["not_hounsfield"])
    );
}

#[test]
fn errors_of_unreadable_files_name_the_cause_and_a_remedy() {
    let cases: [(&str, Change, &str); 12] = [
        ("zero slope", |o| text(o, tags::RESCALE_SLOPE, VR::DS, "0"), "rescale slope"),
        ("slope NaN", |o| text(o, tags::RESCALE_SLOPE, VR::DS, "nan"), "rescale slope"),
        ("intercept inf", |o| text(o, tags::RESCALE_INTERCEPT, VR::DS, "inf"), "rescale slope"),
        ("words", |o| text(o, tags::RESCALE_INTERCEPT, VR::DS, "1,5"), "rescale slope"),
        ("huge", |o| text(o, tags::RESCALE_SLOPE, VR::DS, "1e300"), "rescale slope"),
        ("RGB", |o| short(o, tags::SAMPLES_PER_PIXEL, 3), "original grey CT"),
        (
            "YBR",
            |o| {
                short(o, tags::SAMPLES_PER_PIXEL, 3);
                text(o, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "YBR_FULL_422");
            },
            "original grey CT",
        ),
        (
            "palette",
            |o| text(o, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "PALETTE COLOR"),
            "original grey CT",
        ),
        ("one bit", |o| short(o, tags::BITS_ALLOCATED, 1), "as 16-bit samples"),
        ("32 bits", |o| short(o, tags::BITS_ALLOCATED, 32), "32-bit"),
        (
            "lookup table",
            |o| {
                o.put(group(tags::MODALITY_LUT_SEQUENCE, &[(tags::LUT_EXPLANATION, "x")]));
            },
            "Modality LUT",
        ),
        (
            "no pixels",
            |o| {
                o.remove_element(tags::PIXEL_DATA);
            },
            "no pixel data",
        ),
    ];
    for (what, change, needle) in cases {
        let message = refusal(&ct_with(change));
        assert!(message.contains(needle), "{what}: {message}");
    }
}

#[test]
fn errors_name_unsupported_transfer_syntaxes() {
    for (uid, needle) in [
        (uids::JPEGLS_LOSSLESS, "JPEG-LS Lossless Image Compression (1.2.840.10008.1.2.4.80)"),
        (uids::JPEGLS_LOSSLESS, "dcmdjpls"),
        (uids::JPEGLS_NEAR_LOSSLESS, "(1.2.840.10008.1.2.4.81)"),
        (uids::HTJ2K_LOSSLESS, "gdcmconv --raw"),
        (uids::MPEG2MPML, "MPEG2"),
        ("1.2.840.113619.5.2", "private or unknown"),
    ] {
        let mut bytes = ct_with(|_| {});
        let at = bytes.windows(19).position(|w| w == b"1.2.840.10008.1.2.1").unwrap();
        // The meta group's value grows; its lengths are put right.
        let padded = format!("{uid}{}", if uid.len() % 2 == 1 { "\0" } else { "" });
        bytes.splice(at..at + 20, padded.bytes());
        bytes[at - 2..at].copy_from_slice(&(padded.len() as u16).to_le_bytes());
        let message = refusal(&bytes);
        assert!(message.contains(needle), "{uid}: {message}");
    }
}
