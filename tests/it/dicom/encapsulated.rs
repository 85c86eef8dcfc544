//! Which fragments make up a frame, PS3.5 A.4: by the offset tables, or by the fragments themselves.

use super::phantom::{COLUMNS, ROWS, ct, file, ramp, short, text};
use super::{explicit_object, fixture, refusal, slice, slices};
use dicom_core::value::{PixelFragmentSequence, PrimitiveValue};
use dicom_core::{DataElement, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;

/// A frame of the ramp plus `more`, RLE lossless in literal runs (PS3.5 annex G).
fn frame(more: u16) -> Vec<u8> {
    let bytes: Vec<[u8; 2]> = ramp().map(|v| (v + more).to_be_bytes()).collect();
    let segment = |byte: usize| -> Vec<u8> {
        let lane: Vec<u8> = bytes.iter().map(|b| b[byte]).collect();
        lane.chunks(128).flat_map(|run| [&[run.len() as u8 - 1], run].concat()).collect()
    };
    let (high, low) = (segment(0), segment(1));
    let mut header = vec![0_u32; 16];
    header[..3].copy_from_slice(&[2, 64, 64 + high.len() as u32]);
    let header: Vec<u8> = header.into_iter().flat_map(u32::to_le_bytes).collect();
    // Fragments have an even length.
    let mut frame = [header, high, low].concat();
    frame.resize(frame.len().next_multiple_of(2), 0);
    frame
}

struct Encapsulated {
    frames: usize,
    offsets: Vec<u32>,
    fragments: Vec<Vec<u8>>,
    extended: Option<[Vec<u64>; 2]>,
}

impl Encapsulated {
    fn of(frames: usize, fragments: Vec<Vec<u8>>) -> Self {
        Self { frames, offsets: Vec::new(), fragments, extended: None }
    }

    /// Each frame in two fragments; returns the offsets of their first ones.
    fn split(frames: usize) -> (Self, Vec<u32>) {
        let (mut fragments, mut offsets, mut offset) = (Vec::new(), Vec::new(), 0);
        for number in 0..frames {
            let frame = frame(100 * number as u16);
            offsets.push(offset);
            offset += frame.len() as u32 + 16;
            let (head, tail) = frame.split_at(1000);
            fragments.extend([head.to_vec(), tail.to_vec()]);
        }
        (Self::of(frames, fragments), offsets)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut object = ct();
        text(&mut object, tags::NUMBER_OF_FRAMES, VR::IS, &self.frames.to_string());
        if let Some(tables) = &self.extended {
            let pair = [tags::EXTENDED_OFFSET_TABLE, tags::EXTENDED_OFFSET_TABLE_LENGTHS];
            for (tag, table) in pair.into_iter().zip(tables) {
                let numbers = PrimitiveValue::U64(table.iter().copied().collect());
                object.put(DataElement::new(tag, VR::OV, numbers));
            }
        }
        let fragments = PixelFragmentSequence::new(self.offsets.clone(), self.fragments.clone());
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, fragments));
        file(object, uids::RLE_LOSSLESS)
    }

    /// The first sample of every frame, HU.
    fn firsts(&self) -> Vec<f32> {
        slices(&self.bytes()).unwrap().iter().map(|s| s.plane.samples()[0]).collect()
    }
}

const FIRSTS: [f32; 3] = [-1024.0, -924.0, -824.0];

#[test]
fn frames_of_one_fragment_need_no_table() {
    let three = || (0..3).map(|n| frame(100 * n)).collect::<Vec<_>>();
    assert_eq!(Encapsulated::of(3, three()).firsts(), FIRSTS);
    // A table of another length is wrong, and ignored.
    let wrong = Encapsulated { offsets: vec![0, 4], ..Encapsulated::of(3, three()) };
    assert_eq!(wrong.firsts(), FIRSTS);
    let plane = slices(&Encapsulated::of(3, three()).bytes()).unwrap()[1].plane.samples();
    assert!(plane.iter().zip(ramp()).all(|(hu, v)| *hu == f32::from(v) - 924.0));
    assert_eq!(plane.len(), usize::from(COLUMNS) * usize::from(ROWS));
}

#[test]
fn frames_of_several_fragments_are_put_together() {
    let (without, offsets) = Encapsulated::split(3);
    assert_eq!(without.firsts(), FIRSTS, "by the header of each frame");
    assert_eq!(Encapsulated { offsets, ..without }.firsts(), FIRSTS, "by the table");
    let (single, _) = Encapsulated::split(1);
    assert_eq!(single.firsts(), [-1024.0]);
}

#[test]
fn codestreams_are_distinguished_by_their_start() {
    for (name, uid) in [
        ("ct_jpeg2000_lossless.dcm", uids::JPEG2000_LOSSLESS),
        ("ct_jpeg_lossless.dcm", uids::JPEG_LOSSLESS_SV1),
    ] {
        let whole = fixture(name);
        let mut object = explicit_object(&whole);
        let frame = object.get(tags::PIXEL_DATA).unwrap().value().fragments().unwrap().concat();
        let (head, tail) = frame.split_at(frame.len() / 4 * 2);
        let twice = [head.to_vec(), tail.to_vec(), head.to_vec(), tail.to_vec()];
        text(&mut object, tags::NUMBER_OF_FRAMES, VR::IS, "2");
        let fragments = PixelFragmentSequence::new_fragments(twice.to_vec());
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, fragments));
        let slices = slices(&file(object, uid)).unwrap();
        assert_eq!(slices.len(), 2, "{name}");
        let truth = slice(&whole).plane;
        assert!(slices.iter().all(|s| s.plane == truth), "{name}");
    }
}

#[test]
fn an_extended_offset_table_is_followed_or_refused() {
    let frames: Vec<Vec<u8>> = (0..3).map(|n| frame(100 * n)).collect();
    let step = frames[0].len() as u64 + 8;
    let offsets: Vec<u64> = (0..3).map(|n| n * step).collect();
    let lengths: Vec<u64> = frames.iter().map(|f| f.len() as u64).collect();
    let with = |offsets: &[u64], lengths: &[u64]| Encapsulated {
        extended: Some([offsets.to_vec(), lengths.to_vec()]),
        ..Encapsulated::of(3, frames.clone())
    };
    assert_eq!(with(&offsets, &lengths).firsts(), FIRSTS);
    let unpadded: Vec<u64> = lengths.iter().map(|l| l - 1).collect();
    for (offsets, lengths) in [
        (&[0, step, 2 * step + 2][..], &lengths[..]),
        (&offsets[..2], &lengths[..2]),
        (&offsets, &[]),
        (&offsets, &[u64::MAX; 3]),
        (&offsets, &[4; 3]),
    ] {
        let message = refusal(&with(offsets, lengths).bytes());
        assert!(message.contains("Extended Offset Table"), "{message}");
    }
    // The last byte of these frames is a sample: without it one is missing, with padding it is not.
    assert!(refusal(&with(&offsets, &unpadded).bytes()).contains("RLE"));
}

#[test]
fn missing_and_surplus_frames_are_refused() {
    let three: Vec<Vec<u8>> = (0..3).map(|n| frame(100 * n)).collect();
    for frames in [2, 4] {
        let message = refusal(&Encapsulated::of(frames, three.clone()).bytes());
        assert!(message.contains("frames"), "{message}");
    }
    let mut empty_end = three;
    empty_end.push(Vec::new());
    assert_eq!(Encapsulated::of(3, empty_end).firsts(), FIRSTS);
}

#[test]
fn fragments_without_compression_are_read() {
    let plain = |more: u16| ramp().flat_map(|v| (v + more).to_le_bytes()).collect::<Vec<u8>>();
    let mut object = ct();
    text(&mut object, tags::NUMBER_OF_FRAMES, VR::IS, "2");
    let fragments = PixelFragmentSequence::new_fragments(vec![plain(0), plain(100)]);
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, fragments));
    let uid = uids::ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN;
    let slices = slices(&file(object, uid)).unwrap();
    assert_eq!(slices[1].plane.samples()[0], -924.0);
}

/// A JPEG Extended frame of 12 bits as far as its frame header.
fn twelve_bits() -> Vec<u8> {
    let size = [ROWS.to_be_bytes(), COLUMNS.to_be_bytes()].concat();
    [&[0xFF, 0xD8, 0xFF, 0xC1, 0, 11, 12][..], &size, &[1, 1, 0x11, 0, 0xFF, 0xD9, 0]].concat()
}

#[test]
fn the_error_of_twelve_bit_jpeg_names_a_remedy() {
    let mut object: InMemDicomObject = ct();
    short(&mut object, tags::BITS_STORED, 12);
    short(&mut object, tags::HIGH_BIT, 11);
    let fragments = PixelFragmentSequence::new_fragments(vec![twelve_bits()]);
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, fragments));
    let message = refusal(&file(object, uids::JPEG_EXTENDED12_BIT));
    assert!(
        message.contains("1.2.840.10008.1.2.4.51") && message.contains("dcmdjpeg"),
        "{message}"
    );
}
