//! Mutated files of every decoder: slices or an error, in bounded time and memory.
//!
//! `make mutated` runs 2,000 of each kind and prints the three figures; the tests run fewer.

use crate::archives::{gzip, zip};
use crate::fixtures::{BLEED, root, sample};
use ichor::decode::{Limits, decode};
use ichor::series::{SeriesRequest, assemble};
use image::ImageFormat;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Time limit for a reader that hangs, with a margin for a busy machine.
const MAX_TIME: Duration = Duration::from_secs(60);
const MAX_MEBIBYTES: u64 = 512;

/// A small random number generator (xorshift64*), so that the mutations of every run are equal.
struct Generator(u64);

impl Generator {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end
    }

    /// Favours headers and the start of the frames, where changes have the largest effect.
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

/// Every file of a folder, by name.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().filter(|path| path.is_file()).map(|path| std::fs::read(path).unwrap()).collect()
}

fn picture(format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::load_from_memory(&sample(BLEED)).unwrap().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// The kinds of files, each with some to start from.
fn kinds() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let seeds = |target: &str| files(&root().join("fuzz/seeds").join(target));
    let nifti = || seeds("nifti").into_iter().filter(|file| !file.starts_with(&[0x1F, 0x8B]));
    let mut dicom = seeds("dicom");
    dicom.extend(files(&root().join("tests/data/dicom")).into_iter().filter(|f| f.len() > 10_000));
    let mut zips = seeds("archive");
    zips.push(zip(&[
        ("1.dcm", &dicom[0]),
        ("2.nii", &nifti().next().unwrap()),
        ("3.txt", b"words"),
    ]));
    let raster = |format, magic: &[u8]| {
        let small = seeds("raster").into_iter().filter(|file| file.starts_with(magic));
        small.chain([picture(format)]).collect()
    };
    vec![
        ("gzip", nifti().map(|file| gzip(&file)).collect()),
        ("nifti", nifti().collect()),
        ("dicom", dicom),
        ("zip", zips),
        ("png", raster(ImageFormat::Png, b"\x89PNG")),
        ("jpeg", raster(ImageFormat::Jpeg, b"\xff\xd8")),
        ("tiff", raster(ImageFormat::Tiff, b"II*")),
        ("webp", raster(ImageFormat::WebP, b"RIFF")),
        ("bmp", raster(ImageFormat::Bmp, b"BM")),
    ]
}

/// Peak memory of this process by Linux' own account, MiB.
fn peak_mebibytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib >> 10)
}

#[test]
#[ignore = "run in a process of its own by mutated_files_end_in_bounded_time_and_memory"]
fn run_alone() {
    let count: usize = std::env::var("ICHOR_MUTATIONS").unwrap().parse().unwrap();
    let mut generator = Generator(0x1C40_2026);
    let mut longest_of_all = Duration::ZERO;
    let mut files = 0;
    for (kind, seeds) in kinds() {
        assert!(!seeds.is_empty(), "{kind}");
        let (mut read, mut longest) = (0, Duration::ZERO);
        for round in 0..count {
            let mut bytes = seeds[round % seeds.len()].clone();
            for _ in 0..=generator.below(3) {
                if bytes.len() > 8 {
                    generator.mutate(&mut bytes);
                }
            }
            let start = Instant::now();
            // A panic that escapes the reader ends this process, and the test that waits for it.
            match decode(&bytes, &Limits::default()) {
                Ok(decoded) => {
                    read += 1;
                    for slice in &decoded.slices {
                        assert!(slice.plane.samples().iter().all(|v| v.is_finite()), "{kind}");
                    }
                    let _ = assemble(decoded, SeriesRequest::default());
                }
                Err(error) => assert!(error.to_string().len() > 20, "{kind}: {error}"),
            }
            longest = longest.max(start.elapsed());
            assert!(longest < MAX_TIME, "{kind} {round}: {longest:?}");
        }
        println!("{kind:6} {count} mutated files, {read} read, the longest took {longest:.2?}");
        longest_of_all = longest_of_all.max(longest);
        files += count;
    }
    let peak = peak_mebibytes();
    println!(
        "all    {files} mutated files: panics 0, longest {longest_of_all:.2?}, peak memory {} MiB",
        peak.map_or("unknown".into(), |mebibytes| mebibytes.to_string())
    );
    assert!(peak.is_none_or(|mebibytes| mebibytes < MAX_MEBIBYTES));
}

/// In a process of its own, so that its peak is that of the reader; `ICHOR_MUTATIONS` sets another
/// number of each kind.
#[test]
fn mutated_files_end_in_bounded_time_and_memory() {
    let count = std::env::var("ICHOR_MUTATIONS").unwrap_or_else(|_| "250".into());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "mutated::run_alone", "--ignored", "--nocapture"])
        .env("ICHOR_MUTATIONS", count)
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = errors.lines().rev().take(5).collect();
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout} {last:?}");
    for line in stdout.lines().filter(|line| line.contains("mutated files")) {
        println!("{line}");
    }
}
