//! DICOM files with false declarations are refused within bounded time and memory.

use super::phantom::{ct_with, file, sequence, short, text};
use super::{Change, SYNTAXES, explicit_object, fixture, refusal, slices};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use flate2::{Compression, write::DeflateEncoder};
use std::io::Write;

#[test]
fn every_prefix_of_a_file_fails_cleanly() {
    let files = SYNTAXES.iter().map(|(name, _)| fixture(name)).chain([ct_with(|_| {})]);
    for whole in files {
        for step in 0..40 {
            assert!(slices(&whole[..whole.len() * step / 40]).is_err());
        }
    }
}

#[test]
fn declared_lengths_beyond_the_file_are_refused_before_memory_is_taken() {
    let bytes = ct_with(|o| text(o, Tag(0x0009, 0x1001), VR::UT, "private text"));
    let at = bytes.windows(6).position(|w| w == [9, 0, 1, 0x10, b'U', b'T']).unwrap();
    for length in [bytes.len() as u32, 0x7FFF_FFFF, 0xFFFF_FFFE] {
        let mut altered = bytes.clone();
        altered[at + 8..at + 12].copy_from_slice(&length.to_le_bytes());
        assert!(refusal(&altered).contains("ends too early"));
    }
}

#[test]
fn numbers_with_a_remainder_are_refused() {
    // The library's parser would read the remainder as the next element, unchecked.
    let mut bytes = ct_with(|o| text(o, tags::ACCESSION_NUMBER, VR::SH, "0000000001"));
    let at = bytes.windows(6).position(|w| w == [8, 0, 0x50, 0, b'S', b'H']).unwrap();
    bytes[at + 4..at + 6].copy_from_slice(b"SL");
    assert!(refusal(&bytes).contains("damaged"));
}

#[test]
fn sizes_above_the_limits_are_refused() {
    let cases: [(Change, &str); 5] = [
        (|o| short(o, tags::ROWS, 65_535), "longest side"),
        (|o| short(o, tags::ROWS, 16), "at least 32 px"),
        (|o| text(o, tags::NUMBER_OF_FRAMES, VR::IS, "2147483647"), "number of frames"),
        (|o| text(o, tags::NUMBER_OF_FRAMES, VR::IS, "512"), "pixel data is shorter"),
        (|o| short(o, tags::ROWS, 49), "pixel data is shorter"),
    ];
    for (change, needle) in cases {
        let message = refusal(&ct_with(change));
        assert!(message.contains(needle), "{message}");
    }
}

#[test]
fn nesting_elements_and_values_are_bounded() {
    let mut nested = InMemDicomObject::new_empty();
    for _ in 0..100 {
        let mut outer = InMemDicomObject::new_empty();
        outer.put(sequence(tags::REFERENCED_IMAGE_SEQUENCE, vec![nested]));
        nested = outer;
    }
    let deep = ct_with(|o| {
        o.put(sequence(tags::REFERENCED_IMAGE_SEQUENCE, vec![nested]));
    });
    assert!(refusal(&deep).contains("nesting"));
    let items = vec![InMemDicomObject::new_empty(); 200_001];
    let wide = ct_with(|o| {
        o.put(sequence(tags::REFERENCED_IMAGE_SEQUENCE, items));
    });
    assert!(refusal(&wide).contains("number of DICOM elements"));
    let many = ct_with(|o| text(o, tags::LONG_CODE_VALUE, VR::UC, &"\\".repeat(1_000_001)));
    assert!(refusal(&many).contains("number of values"));
}

#[test]
fn a_deflate_bomb_is_refused() {
    let bytes = fixture("ct_deflated.dcm");
    let marker = b"1.2.840.10008.1.2.1.99";
    let at = bytes.windows(marker.len()).position(|w| w == marker).unwrap();
    let mut bomb = bytes[..at + marker.len()].to_vec();
    let mut encoder = DeflateEncoder::new(&mut bomb, Compression::best());
    encoder.write_all(&vec![0; 64 << 20]).unwrap();
    encoder.finish().unwrap();
    let message = refusal(&bomb);
    assert!(message.contains("inflated") || message.contains("damaged"), "{message}");
}

#[test]
fn a_compressed_frame_of_another_size_is_refused() {
    for (name, uid) in &SYNTAXES[4..] {
        let mut object = explicit_object(&fixture(name));
        short(&mut object, tags::ROWS, 600);
        assert!(refusal(&file(object, uid)).contains("another size"), "{name}");
    }
}
