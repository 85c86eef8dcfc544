//! Files with false declarations: an error that names a remedy, and little memory.

use super::nifti_file::NiftiFile;
use super::{SIZES, stored};
use crate::archives::{gzip, zip};
use ichor::decode::{Limits, decode};
use ichor_image::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Zero bytes, which compress well.
fn zeros(mebibytes: usize) -> Vec<u8> {
    vec![0; mebibytes << 20]
}

fn phantom() -> NiftiFile {
    stored([0, 1, 2], [false; 3]).file
}

/// Changes the phantom's file and returns its bytes.
fn altered(change: impl Fn(&mut NiftiFile)) -> Vec<u8> {
    let mut file = phantom();
    change(&mut file);
    file.bytes()
}

/// An archive whose directory is overwritten at `offset` from the first `signature`.
fn patched(mut archive: Vec<u8>, signature: &[u8], offset: usize, bytes: &[u8]) -> Vec<u8> {
    let at = archive.windows(4).rposition(|w| w == signature).unwrap() + offset;
    archive[at..at + bytes.len()].copy_from_slice(bytes);
    archive
}

/// An archive that declares a list of 2^24 files in the Zip64 form.
fn false_zip64() -> Vec<u8> {
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.resize(32 << 20, 0);
    let record = bytes.len() as u64;
    bytes.extend(b"PK\x06\x06");
    bytes.extend(44_u64.to_le_bytes());
    bytes.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    [1 << 24, 1 << 24, 0, record].iter().for_each(|v: &u64| bytes.extend(v.to_le_bytes()));
    bytes.extend(b"PK\x06\x07\0\0\0\0");
    bytes.extend(record.to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0");
    bytes
}

/// A name, the bytes, and a part of the error that they must give.
fn harmful() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let png: &[u8] = b"\x89PNG\r\n\x1a\n";
    let dicom = |tail: Vec<u8>| [vec![0; 128], b"DICM".to_vec(), tail].concat();
    let many: Vec<String> = (0..10_000).map(|n| format!("{n}.dcm")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|n| (n.as_str(), &b"x"[..])).collect();
    let plain = zip(&[("head.nii", &phantom().bytes())]);
    vec![
        (
            "gzip bomb, declared too large",
            gzip(&[altered(|f| f.dim = [3, 4096, 4096, 512, 1, 1, 1, 1]), zeros(64)].concat()),
            "above the limit",
        ),
        (
            "gzip bomb behind a small volume that ends early",
            gzip(&altered(|f| f.dim = [3, 512, 512, 256, 1, 1, 1, 1])),
            "before its last voxel",
        ),
        ("gzip of zeros", gzip(&zeros(256)), "no NIfTI"),
        ("truncated", phantom().bytes()[..4000].to_vec(), "before its last voxel"),
        ("truncated gzip", gzip(&phantom().bytes())[..900].to_vec(), "ends or is damaged"),
        ("header only", phantom().bytes()[..348].to_vec(), "before its last voxel"),
        ("half a header", phantom().bytes()[..200].to_vec(), "NIfTI header"),
        ("nine axes", altered(|f| f.dim[0] = 9), "dimensions"),
        ("an axis of nothing", altered(|f| f.dim[2] = 0), "dimensions"),
        ("negative axis", altered(|f| f.dim[1] = (-40_i16) as u16), "its last voxel"),
        ("all axes at their most", altered(|f| f.dim = [7; 8].map(|_| u16::MAX)), "dimensions"),
        ("one row of voxels", altered(|f| f.dim = [3, 6800, 1, 1, 1, 1, 1, 1]), "above the limit"),
        ("a thin volume", altered(|f| f.dim = [3, 10, 34, 5, 1, 1, 1, 1]), "at least 32 px"),
        ("unknown samples", altered(|f| f.datatype = 77), "sample type"),
        ("colours", altered(|f| f.datatype = 128), "colours"),
        ("voxels out of reach", altered(|f| f.vox_offset = 1e30), "out of reach"),
        ("voxels nowhere", altered(|f| f.vox_offset = f32::NAN), "out of reach"),
        ("no image", altered(|f| f.magic = *b"ni1\0"), "fslchfiletype"),
        ("ANALYZE 7.5", altered(|f| f.magic = [0; 4]), "ANALYZE"),
        ("wrong magic", altered(|f| f.magic = *b"nope"), "damaged"),
        ("NIfTI-2", [540_i32.to_le_bytes().to_vec(), vec![0; 600]].concat(), "NIfTI-2"),
        ("zip bomb without a format", zip(&[("1.dcm", &zeros(1024))]), "holds no image"),
        (
            "zip bomb of a picture",
            zip(&[("1.png", &[png, &zeros(300)].concat())]),
            "above the limit",
        ),
        ("zip bomb of DICOM", zip(&[("1.dcm", &dicom(zeros(400)))]), ""),
        ("zip of 10,000 files", zip(&many), "number of files"),
        ("zip that declares many files", false_zip64(), "Zip64"),
        (
            "many end records",
            [b"PK\x03\x04", &b"PK\x05\x06".repeat(9000)[..]].concat(),
            "many archives",
        ),
        ("empty zip", zip(&[]), "holds no image"),
        ("truncated zip", plain[..plain.len() / 2].to_vec(), "damaged"),
        ("encrypted zip", patched(plain.clone(), b"PK\x01\x02", 8, &[1]), "encrypted"),
        ("another packing", patched(plain.clone(), b"PK\x01\x02", 10, &[12]), "deflate"),
        (
            "sizes that lie",
            // The list declares one byte; what unpacks does not match its checksum.
            patched(plain.clone(), b"PK\x01\x02", 16, &[0, 0, 0, 0]),
            "damaged",
        ),
        ("zip in zip", zip(&[("a.zip", &plain)]), "within an archive"),
    ]
}

#[test]
fn harmful_files_are_refused_with_a_clear_error() {
    for (what, bytes, expected) in harmful() {
        let start = Instant::now();
        let error = decode(&bytes, &Limits::default()).expect_err(what).to_string();
        assert!(error.contains(expected) && error.len() > 20, "{what}: {error}");
        assert!(start.elapsed().as_secs() < 60, "{what}: {:?}", start.elapsed());
    }
}

#[test]
fn a_gzip_bomb_stops_at_the_limit_in_force() {
    let limits = Limits { max_series_bytes: 8 << 20, ..Limits::default() };
    let bomb = gzip(&[altered(|f| f.dim = [3, 512, 512, 16, 1, 1, 1, 1]), zeros(16)].concat());
    assert!(matches!(decode(&bomb, &limits), Err(Error::TooLarge { limit: 8_388_608, .. })));
    // Volumes after the first are not unpacked.
    let long = gzip(&[phantom().bytes(), zeros(64)].concat());
    assert_eq!(decode(&long, &limits).unwrap().slices.len(), SIZES[2]);
}

#[test]
fn archives_keep_to_the_limits_of_one_series() {
    let file = phantom().bytes();
    let archive = zip(&[("1.nii", &file), ("2.nii", &file)]);
    let most = Limits { max_slices: 9, ..Limits::default() };
    assert!(matches!(decode(&archive, &most), Err(Error::TooLarge { limit: 9, .. })));
    let small = Limits { max_series_bytes: 30_000, ..Limits::default() };
    assert!(matches!(decode(&archive, &small), Err(Error::TooLarge { limit: 30_000, .. })));
}

#[test]
fn every_prefix_and_many_mutations_fail_cleanly() {
    let limits = Limits { max_series_bytes: 16 << 20, ..Limits::default() };
    let file = phantom().bytes();
    for mut bytes in [file.clone(), gzip(&file), zip(&[("1.nii", &file), ("b.txt", b"words")])] {
        let step = bytes.len() / 150 + 1;
        for end in (0..bytes.len()).step_by(step).chain(0..60) {
            assert!(decode(&bytes[..end.min(bytes.len() - 1)], &limits).is_err(), "{end}");
        }
        let mut seed = 11_usize;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        // Most of them in the header, the list or the last records.
        for n in 0..400 {
            let len = bytes.len();
            let at = match n % 3 {
                0 => random(len.min(352)),
                1 => len - 1 - random(len.min(200)),
                _ => random(len),
            };
            let before = std::mem::replace(&mut bytes[at], random(256) as u8);
            if let Err(error) = decode(&bytes, &limits) {
                assert!(error.to_string().len() > 20);
            }
            bytes[at] = before;
        }
    }
}

/// Peak memory of this process, MiB.
fn peak_mebibytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? >> 10)
}

#[test]
#[ignore = "run alone in a process of its own by harmful_files_take_little_memory"]
fn one_harmful_file() {
    let bytes = std::fs::read(std::env::var("ICHOR_TEST_HARMFUL").unwrap()).unwrap();
    let before = peak_mebibytes().unwrap();
    assert!(decode(&bytes, &Limits::default()).is_err());
    let more = peak_mebibytes().unwrap() - before;
    assert!(more < 320, "{more} MiB");
    println!("{more} MiB");
}

#[test]
#[ignore = "run alone in a process of its own by a_long_volume_takes_the_memory_of_its_samples"]
fn one_long_volume() {
    let path = std::env::var("ICHOR_TEST_HARMFUL").unwrap();
    let before = peak_mebibytes().unwrap();
    let decoded = ichor::decode::decode_path(path.as_ref(), &Limits::default()).unwrap();
    assert_eq!(decoded.slices.len(), 256);
    let more = peak_mebibytes().unwrap() - before;
    // 128 MiB are its samples at 16 bits.
    assert!(more < 160, "{more} MiB");
}

#[test]
fn a_long_volume_takes_the_memory_of_its_samples() {
    if peak_mebibytes().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let header = NiftiFile::new([512, 512, 256], &[]).bytes();
    let path = folder.path().join("long.nii");
    std::fs::write(&path, [header, zeros(128)].concat()).unwrap();
    run_alone("volume::harmful::one_long_volume", &path, "a long volume");
}

/// A process each, so that its peak is that of one file.
#[test]
fn harmful_files_take_little_memory() {
    if peak_mebibytes().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (what, bytes, _) in harmful().into_iter().filter(|(what, ..)| what.contains("zip")) {
        let path = folder.path().join("harmful");
        std::fs::write(&path, bytes).unwrap();
        let stdout = run_alone("volume::harmful::one_harmful_file", &path, what);
        println!("{what}: {}", stdout.lines().find(|l| l.ends_with("MiB")).unwrap_or_default());
    }
}

/// Runs an ignored test on a file, and returns what it printed.
fn run_alone(test: &str, file: &Path, what: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env("ICHOR_TEST_HARMFUL", file)
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{what}: {stdout}");
    stdout.into_owned()
}
