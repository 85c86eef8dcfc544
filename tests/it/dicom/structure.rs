//! Data sets as scanners and archives write them: of unknown representation, in another encoding
//! than declared, without delimiters.

use super::phantom::{ct, ct_with, file, group, pixels, ramp, sequence, short, text};
use super::{BIG_ENDIAN, codes, explicit_object, fixture, refusal, slice, slices};
use dicom_core::value::{PixelFragmentSequence, PrimitiveValue};
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;

const UNDEFINED: u32 = u32::MAX;

fn tag(tag: Tag) -> Vec<u8> {
    [tag.group().to_le_bytes(), tag.element().to_le_bytes()].concat()
}

fn implicit(at: Tag, length: u32, value: &[u8]) -> Vec<u8> {
    [&tag(at)[..], &length.to_le_bytes(), value].concat()
}

fn element(at: Tag, value: &[u8]) -> Vec<u8> {
    implicit(at, value.len() as u32, value)
}

/// An explicit element with a length of four bytes.
fn explicit(at: Tag, vr: &[u8; 2], length: u32, value: &[u8]) -> Vec<u8> {
    [&tag(at)[..], vr, &[0, 0], &length.to_le_bytes(), value].concat()
}

fn item(length: Option<u32>, value: &[u8]) -> Vec<u8> {
    let end = element(Tag(0xFFFE, 0xE00D), &[]);
    let end = if length.is_none() { &end[..] } else { &[] };
    [&implicit(Tag(0xFFFE, 0xE000), length.unwrap_or(UNDEFINED), value)[..], end].concat()
}

fn sequence_end() -> Vec<u8> {
    element(Tag(0xFFFE, 0xE0DD), &[])
}

/// The bytes with `more` put before the first element `at`, explicit, little endian.
fn with_before(mut bytes: Vec<u8>, at: Tag, more: &[u8]) -> Vec<u8> {
    let place = bytes.windows(4).rposition(|w| w == &tag(at)[..]).unwrap();
    bytes.splice(place..place, more.iter().copied());
    bytes
}

fn plain() -> Vec<u8> {
    ct_with(|_| {})
}

fn assert_reads_as_plain(what: &str, bytes: &[u8]) -> Vec<&'static str> {
    let truth = slice(&plain());
    let read = slices(bytes).unwrap_or_else(|error| panic!("{what}: {error}")).remove(0);
    assert!(read.plane == truth.plane, "{what}");
    assert_eq!((read.placement, read.spacing_mm), (truth.placement, truth.spacing_mm), "{what}");
    read.warnings.iter().map(|warning| warning.code).collect()
}

#[test]
fn unknown_elements_of_undefined_length_are_implicit_sequences() {
    let inner = [element(Tag(0x2001, 0x0010), b"CREATOR "), element(Tag(0x2001, 0x1035), &[7, 0])];
    let inner = inner.concat();
    let nested = [
        implicit(Tag(0x2005, 0x1402), UNDEFINED, &item(None, &inner)),
        sequence_end(),
        element(Tag(0x2005, 0x1403), b"more"),
    ]
    .concat();
    let written_explicitly = [&tag(Tag(0x2001, 0x1035))[..], b"US\x02\0\x07\0"].concat();
    let cases = [
        ("an item of defined length", item(Some(inner.len() as u32), &inner)),
        ("an item of undefined length", item(None, &inner)),
        ("two items", [item(None, &inner), item(Some(inner.len() as u32), &inner)].concat()),
        ("nested", item(None, &nested)),
        ("empty", Vec::new()),
        ("an empty item", item(None, &[])),
        ("explicit content all the same", item(None, &written_explicitly)),
    ];
    for (what, items) in cases {
        let value = [items, sequence_end()].concat();
        for (at, before) in [
            (Tag(0x2001, 0x105F), tags::PIXEL_DATA),
            (tags::REFERENCED_IMAGE_SEQUENCE, tags::PATIENT_NAME),
        ] {
            let unknown = explicit(at, b"UN", UNDEFINED, &value);
            let codes = assert_reads_as_plain(what, &with_before(plain(), before, &unknown));
            assert!(codes.is_empty(), "{what}: {codes:?}");
        }
    }
}

#[test]
fn functional_groups_and_sizes_of_unknown_representation_are_read() {
    // As an archive without a dictionary of enhanced CT keeps them.
    let transformation = [
        element(tags::RESCALE_INTERCEPT, b"-1000 "),
        element(tags::RESCALE_SLOPE, b"2 "),
        element(tags::RESCALE_TYPE, b"HU"),
    ]
    .concat();
    let frame = |end: bool| {
        let items = item(None, &transformation);
        let of_group = implicit(
            tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
            if end { UNDEFINED } else { items.len() as u32 },
            &items,
        );
        item(None, &[of_group, if end { sequence_end() } else { Vec::new() }].concat())
    };
    for end in [true, false] {
        let frames = frame(end);
        let defined =
            explicit(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, b"UN", frames.len() as u32, &frames);
        let undefined = explicit(
            tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
            b"UN",
            UNDEFINED,
            &[&frames[..], &sequence_end()].concat(),
        );
        for unknown in [defined, undefined] {
            let bytes = with_before(plain(), tags::PIXEL_DATA, &unknown);
            let samples = slice(&bytes).plane.samples();
            assert_eq!((samples[0], samples[1]), (-1000.0, -998.0));
        }
    }
    let sizes = ct_with(|o| {
        for (tag, value) in [(tags::ROWS, 48_u16), (tags::COLUMNS, 64), (tags::BITS_STORED, 16)] {
            let bytes = PrimitiveValue::from(&value.to_le_bytes()[..]);
            o.put(DataElement::new(tag, VR::UN, bytes));
        }
    });
    assert_reads_as_plain("sizes of VR UN", &sizes);
}

/// Replaces the transfer syntax UID of a file by one of the same length, with padding.
fn declared(mut bytes: Vec<u8>, uid: &str) -> Vec<u8> {
    let at = bytes.windows(17).position(|w| w == b"1.2.840.10008.1.2").unwrap();
    let length = usize::from(bytes[at - 2]);
    let padded = format!("{uid}{}", if uid.len() % 2 == 1 { "\0" } else { "" });
    bytes[at - 2] = padded.len() as u8;
    bytes.splice(at..at + length, padded.bytes());
    bytes
}

#[test]
fn data_sets_are_read_in_their_actual_encoding_and_not_the_declared_one() {
    let syntaxes = [uids::IMPLICIT_VR_LITTLE_ENDIAN, uids::EXPLICIT_VR_LITTLE_ENDIAN, BIG_ENDIAN];
    for written in syntaxes {
        for declaration in syntaxes.into_iter().chain([uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN]) {
            let bytes = declared(file(ct(), written), declaration);
            if declaration == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN && written == BIG_ENDIAN {
                continue;
            }
            let what = format!("{written} declared as {declaration}");
            let codes = assert_reads_as_plain(&what, &bytes);
            let contradicted = codes.contains(&"transfer_syntax_contradicted");
            let deflated = declaration == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
                && written == uids::EXPLICIT_VR_LITTLE_ENDIAN;
            assert_eq!(contradicted, written != declaration && !deflated, "{what}");
        }
    }
}

#[test]
fn sequences_in_another_encoding_than_their_data_set_are_read() {
    let value = element(tags::REFERENCED_SOP_CLASS_UID, b"1.2.840.10008.5.1.4.1.1.2\0");
    let items = [item(None, &value), sequence_end()].concat();
    let implicit_items = explicit(tags::REFERENCED_IMAGE_SEQUENCE, b"SQ", UNDEFINED, &items);
    let bytes = with_before(plain(), tags::PATIENT_NAME, &implicit_items);
    assert_reads_as_plain("implicit items in an explicit data set", &bytes);
    // An implicit element among explicit ones, as some programs write it.
    let bytes = with_before(plain(), tags::PATIENT_NAME, &element(tags::STUDY_ID, b"no"));
    assert_reads_as_plain("an implicit element", &bytes);
}

#[test]
fn implicit_meta_groups_are_read() {
    let uid = b"1.2.840.10008.1.2.1\0";
    let meta = [
        element(Tag(2, 0), &[52, 0, 0, 0]),
        element(Tag(2, 1), &[0, 1]),
        element(Tag(2, 0x10), uid),
    ]
    .concat();
    let explicit = plain();
    let start = explicit.windows(4).position(|w| w == [8, 0, 8, 0]).unwrap();
    let with_preamble = [&[0; 128][..], b"DICM", &meta, &explicit[start..]].concat();
    assert_reads_as_plain("with preamble", &with_preamble);
    assert_reads_as_plain("without preamble", &with_preamble[132..]);
}

#[test]
fn missing_and_surplus_delimiters_are_tolerated_or_reported() {
    let value = [&tag(tags::REFERENCED_SOP_CLASS_UID)[..], b"UI\x04\x001.2\0"].concat();
    let open_item = implicit(Tag(0xFFFE, 0xE000), UNDEFINED, &value);
    let at = tags::REFERENCED_IMAGE_SEQUENCE;
    let cases = [
        ("no end of the item", [&open_item[..], &sequence_end()].concat()),
        (
            "no end of the first item",
            [&open_item[..], &item(None, &value), &sequence_end()].concat(),
        ),
        ("no end of the sequence", item(None, &value)),
        (
            "an end too many",
            [item(Some(12), &value), element(Tag(0xFFFE, 0xE00D), &[]), sequence_end()].concat(),
        ),
        ("two ends", [item(None, &value), sequence_end(), sequence_end()].concat()),
    ];
    for (what, items) in cases {
        let sequence = explicit(at, b"SQ", UNDEFINED, &items);
        assert_reads_as_plain(what, &with_before(plain(), tags::PATIENT_NAME, &sequence));
    }
    let neither = explicit(at, b"SQ", UNDEFINED, &open_item);
    let message = refusal(&with_before(plain(), tags::PATIENT_NAME, &neither));
    assert!(message.contains("(0008,1140) has no end"), "{message}");
}

/// Fixtures with fragments, of which the last has the sequence delimiter behind it.
const ENCAPSULATED: [&str; 4] =
    ["ct_rle.dcm", "ct_jpeg_lossless.dcm", "ct_jpeg2000_lossless.dcm", "ct_jpeg_baseline.dcm"];

#[test]
fn pixel_data_without_its_delimiter_is_read() {
    for name in ENCAPSULATED {
        let whole = fixture(name);
        let truth = slice(&whole);
        assert!(!codes(&truth).contains(&"pixel_data_end_missing"), "{name}");
        let end = whole.windows(8).rposition(|w| w == &sequence_end()[..]).unwrap();
        let tails: [&[u8]; 6] = [
            &[],
            &[0; 8],
            &[0; 4],
            &[0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0],
            &[0xFF, 0xFE, 0xE0, 0xDD, 0, 0, 0, 0],
            &[0xFC, 0xFF, 0xFC, 0xFF, b'O', b'B', 0, 0, 0, 0, 0, 0],
        ];
        for tail in tails {
            let read = slice(&[&whole[..end], tail].concat());
            assert!(read.plane == truth.plane, "{name} {tail:?}");
            assert!(codes(&read).contains(&"pixel_data_end_missing"), "{name} {tail:?}");
        }
        let of_undefined_length = implicit(Tag(0xFFFE, 0xE0DD), UNDEFINED, &[]);
        let read = slice(&[&whole[..end], &of_undefined_length].concat());
        assert!(read.plane == truth.plane, "{name}");
    }
}

#[test]
fn a_part_of_a_compressed_frame_is_refused() {
    for (name, uid) in ENCAPSULATED.into_iter().zip([
        uids::RLE_LOSSLESS,
        uids::JPEG_LOSSLESS_SV1,
        uids::JPEG2000_LOSSLESS,
        uids::JPEG_BASELINE8_BIT,
    ]) {
        let whole = fixture(name);
        let truth = slice(&whole).plane;
        let object = explicit_object(&whole);
        let frame = object.get(tags::PIXEL_DATA).unwrap().value().fragments().unwrap().concat();
        let with = |frame: Vec<u8>| {
            let mut object = object.clone();
            let fragments = PixelFragmentSequence::new_fragments(vec![frame]);
            object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, fragments));
            file(object, uid)
        };
        let lengths = (1..25).map(|part| frame.len() * part / 25);
        for length in lengths.chain((1..12).map(|less| frame.len() - less)) {
            let cut = &frame[..length / 2 * 2];
            for filled in [cut.to_vec(), [cut, &vec![0; frame.len() - cut.len()]].concat()] {
                let padded = filled.len() > cut.len();
                match slices(&with(filled)) {
                    // Padding, and end markers that padding follows, can be missing.
                    Ok(read) => assert!(read[0].plane == truth, "{name} cut to {length}"),
                    // RLE has no end marker; a frame that lacks samples is refused.
                    Err(error) => assert!(
                        error.to_string().contains("frame") || padded,
                        "{name} {length}: {error}"
                    ),
                }
            }
        }
    }
}

#[test]
fn frames_of_another_compression_than_declared_are_read() {
    for name in &ENCAPSULATED[1..] {
        let whole = fixture(name);
        let object = explicit_object(&whole);
        for declaration in [uids::EXPLICIT_VR_LITTLE_ENDIAN, uids::RLE_LOSSLESS] {
            let read = slice(&file(object.clone(), declaration));
            assert!(read.plane == slice(&whole).plane, "{name} as {declaration}");
            assert!(codes(&read).contains(&"compression_contradicted"), "{name}");
        }
    }
    let unpacked = declared(plain(), uids::JPEG2000_LOSSLESS);
    let codes = assert_reads_as_plain("unpacked frames, declared as compressed", &unpacked);
    assert_eq!(codes, ["compression_contradicted"]);
}

#[test]
fn gzipped_objects_are_read() {
    assert_reads_as_plain("gzip", &crate::archives::gzip(&plain()));
    let part = &crate::archives::gzip(&plain())[..2000];
    assert!(slices(part).is_err());
}

fn frames(count: usize, change: impl FnOnce(&mut InMemDicomObject)) -> Vec<u8> {
    ct_with(|o| {
        text(o, tags::NUMBER_OF_FRAMES, VR::IS, &count.to_string());
        pixels(o, (0..count).flat_map(|frame| ramp().map(move |v| v + frame as u16)));
        change(o);
    })
}

#[test]
fn frames_of_a_plain_object_stay_together() {
    let heights = |bytes: &[u8]| {
        let slices = slices(bytes).unwrap();
        let heights: Vec<Option<f64>> =
            slices.iter().map(|s| s.placement.map(|p| p.position_mm[2])).collect();
        (heights, codes(&slices[0]).iter().map(|code| code.to_string()).collect::<Vec<_>>())
    };
    let spaced = frames(3, |o| text(o, tags::SPACING_BETWEEN_SLICES, VR::DS, "2.5"));
    let (places, warnings) = heights(&spaced);
    assert_eq!(places, [Some(30.5), Some(33.0), Some(35.5)]);
    assert_eq!(warnings, ["frame_positions_derived"]);
    let located = frames(3, |o| text(o, tags::SLICE_LOCATION_VECTOR, VR::DS, "7\\2\\4"));
    assert_eq!(heights(&located).0, [Some(30.5), Some(25.5), Some(27.5)]);
    let unknown = frames(3, |_| {});
    let (places, warnings) = heights(&unknown);
    assert_eq!(
        (places, &warnings[..]),
        (vec![None; 3], &["frame_positions_missing".to_string()][..])
    );
    let in_time = frames(3, |o| {
        text(o, tags::SPACING_BETWEEN_SLICES, VR::DS, "2.5");
        let pointer = PrimitiveValue::Tags([tags::FRAME_TIME].into_iter().collect());
        o.put(DataElement::new(tags::FRAME_INCREMENT_POINTER, VR::AT, pointer));
    });
    assert_eq!(heights(&in_time).0, [None; 3]);
    let without = frames(3, |o| {
        o.remove_element(tags::IMAGE_POSITION_PATIENT);
        text(o, tags::SPACING_BETWEEN_SLICES, VR::DS, "2.5");
    });
    assert_eq!(heights(&without).0, [None; 3]);
}

#[test]
fn every_spelling_of_hounsfield_units_is_recognized() {
    for name in
        ["HU", "H", "HOUNSFIELD", "hounsfield units", "US", "UNSPECIFIED", "Unspecified", ""]
    {
        let bytes = ct_with(|o| text(o, tags::RESCALE_TYPE, VR::LO, name));
        assert_eq!(assert_reads_as_plain(name, &bytes), [] as [&str; 0], "{name}");
        assert_eq!(slice(&bytes).intensity, ichor::slice::Intensity::Hounsfield, "{name}");
    }
    for name in ["ED", "Z_EFF", "MGML", "OD", "IODINE"] {
        let bytes = ct_with(|o| text(o, tags::RESCALE_TYPE, VR::LO, name));
        assert_eq!(codes(&slice(&bytes)), ["not_hounsfield"], "{name}");
    }
    let in_group = ct_with(|o| {
        let mut shared = InMemDicomObject::new_empty();
        let tag = tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE;
        shared.put(group(tag, &[(tags::RESCALE_TYPE, "HOUNSFIELD")]));
        o.put(sequence(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]));
    });
    assert_reads_as_plain("in a functional group", &in_group);
}

#[test]
fn negative_samples_that_were_declared_unsigned_are_corrected() {
    let stored = |value: u16| value.wrapping_sub(1024);
    let declared = |signed: u16| {
        ct_with(|o| {
            short(o, tags::PIXEL_REPRESENTATION, signed);
            text(o, tags::RESCALE_INTERCEPT, VR::DS, "0");
            pixels(o, ramp().map(stored));
        })
    };
    let (right, wrong) = (slice(&declared(1)), slice(&declared(0)));
    assert!(right.plane == wrong.plane);
    assert_eq!((codes(&right), codes(&wrong)), (vec![], vec!["pixel_representation_wrong"]));
    // Values over the whole range are not corrected.
    let wide = slice(&ct_with(|o| pixels(o, ramp().map(|value| value.wrapping_mul(21)))));
    assert!(!codes(&wide).contains(&"pixel_representation_wrong"));
    assert!(wide.plane.samples().iter().any(|hu| *hu > 40_000.0));
}
