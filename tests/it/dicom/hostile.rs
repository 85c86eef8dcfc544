//! DICOM files that lie: refused within bounded time and memory.

use super::phantom::{ct, ct_with, file, pixels, sequence, short, text};
use super::{BIG_ENDIAN, Change, SYNTAXES, explicit_object, fixture, refusal, slices};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use flate2::{Compression, write::DeflateEncoder};
use std::io::Write;
use std::time::{Duration, Instant};

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
        let mut lying = bytes.clone();
        lying[at + 8..at + 12].copy_from_slice(&length.to_le_bytes());
        assert!(refusal(&lying).contains("ends too early"));
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
fn sizes_are_held_against_the_limits() {
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
        outer.put(sequence(Tag(0x0009, 0x1002), vec![nested]));
        nested = outer;
    }
    let deep = ct_with(|o| {
        o.put(sequence(Tag(0x0009, 0x1002), vec![nested]));
    });
    assert!(refusal(&deep).contains("nesting"));
    let items = vec![InMemDicomObject::new_empty(); 200_001];
    let wide = ct_with(|o| {
        o.put(sequence(Tag(0x0009, 0x1002), items));
    });
    assert!(refusal(&wide).contains("number of DICOM elements"));
    let many = ct_with(|o| text(o, Tag(0x0009, 0x1003), VR::UC, &"\\".repeat(1_000_001)));
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

/// A small generator (xorshift64*), so that every run mutates alike.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end
    }

    /// Headers and the start of the frames are where lies matter most.
    fn place(&mut self, length: usize) -> usize {
        if self.below(3) == 0 { self.below(length) } else { self.below(length.min(4096)) }
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        match self.below(4) {
            0 => {
                for _ in 0..=self.below(16) {
                    let at = self.place(bytes.len());
                    bytes[at] ^= 1 << self.below(8);
                }
            }
            1 => bytes.truncate(self.place(bytes.len())),
            2 => {
                const LENGTHS: [u32; 6] = [0, 1, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFE, 0xFFFF_FFFF];
                let at = self.place(bytes.len().saturating_sub(4)) & !1;
                let length = LENGTHS[self.below(LENGTHS.len())];
                bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
            }
            _ => {
                let (from, to) = (self.place(bytes.len()), self.place(bytes.len()));
                let length = self.below(64).min(bytes.len() - from.max(to));
                bytes.copy_within(from..from + length, to);
            }
        }
    }
}

/// 2,000 files take about 3 s; `ICHOR_MUTATIONS` sets another number. Prints the peak memory of the
/// process: run it alone, with `--nocapture`.
#[test]
fn mutated_files_end_within_ten_seconds_without_a_panic() {
    let count = std::env::var("ICHOR_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(2000);
    let mut seeds: Vec<Vec<u8>> = SYNTAXES.iter().map(|(name, _)| fixture(name)).collect();
    seeds.push(ct_with(|_| {}));
    seeds.push(file(ct(), BIG_ENDIAN));
    seeds.push(ct_with(|o| {
        text(o, tags::NUMBER_OF_FRAMES, VR::IS, "2");
        pixels(o, 0..6144);
    }));
    let mut dice = Dice(0x1C40_2026);
    let (mut read, mut longest) = (0, Duration::ZERO);
    for round in 0..count {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..=dice.below(3) {
            if bytes.len() > 8 {
                dice.mutate(&mut bytes);
            }
        }
        let start = Instant::now();
        // A panic that escapes the reader fails the test.
        match slices(&bytes) {
            Ok(slices) => {
                read += 1;
                assert!(slices.iter().all(|s| s.plane.samples.iter().all(|v| v.is_finite())));
            }
            Err(error) => assert!(error.to_string().len() > 20, "{error}"),
        }
        longest = longest.max(start.elapsed());
        assert!(longest < Duration::from_secs(10), "round {round}: {longest:?}");
    }
    println!("{count} mutated files: {read} read, the longest took {longest:?}{}", peak_memory());
}

/// Linux' own account of the process.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .map_or(String::new(), |l| format!(", {l}"))
}
