//! The precision of a volume's values: exact in 16 bits where possible, otherwise rounded with a warning.

use super::nifti_file::NiftiFile;
use super::{codes, phantom_slices, read, stored, voxel};
use crate::archives::gzip;
use ichor::decode::{Decoded, Limits, decode, decode_path};
use ichor::slice::Intensity;

/// The phantom with its samples as 32-bit numbers.
fn floats(change: impl Fn(i16) -> f32) -> NiftiFile {
    let mut file = stored([0, 1, 2], [false; 3]).file;
    let (samples, _) = file.voxels.as_chunks::<2>();
    let numbers = samples.iter().map(|b| change(i16::from_le_bytes(*b)));
    file.voxels = numbers.flat_map(f32::to_le_bytes).collect();
    (file.datatype, file.bitpix) = (16, 32);
    file
}

/// Limits under which the phantom counts as a long volume.
fn tight() -> Limits {
    Limits { max_series_bytes: 60_000, ..Limits::default() }
}

fn read_tight(file: &NiftiFile) -> Decoded {
    decode(&gzip(&file.bytes()), &tight()).unwrap()
}

#[test]
fn whole_numbers_of_any_type_stay_exact_in_long_volumes() {
    let file = floats(f32::from);
    let (short, long) = (read(&file.bytes()), read_tight(&file));
    for ((a, b), truth) in short.slices.iter().zip(&long.slices).zip(phantom_slices()) {
        assert!(a.plane == truth.plane && b.plane == truth.plane);
        assert_eq!(codes(b), ["hounsfield_assumed"]);
    }
}

#[test]
fn fractions_are_kept_in_short_volumes_and_rounded_with_a_warning_in_long_ones() {
    let file = floats(|v| f32::from(v) + 0.3);
    let (short, long) = (read(&file.bytes()), read_tight(&file));
    assert!(!codes(&short.slices[0]).contains(&"values_rounded"));
    assert!(codes(&long.slices[0]).contains(&"values_rounded"));
    for (z, (exact, rounded)) in short.slices.iter().zip(&long.slices).enumerate() {
        let (exact, rounded) = (exact.plane.samples(), rounded.plane.samples());
        assert_eq!(exact[0], f32::from(voxel([0, 0, z])) + 0.3);
        let off = exact.iter().zip(&rounded).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        // The phantom spans 1,100 HU, 65,535 steps of 0.017.
        assert!(off < 0.009 && exact != rounded, "{off}");
    }
}

#[test]
fn nan_voxels_are_air_in_long_volumes() {
    let file = floats(|v| if v == 70 { f32::NAN } else { f32::from(v) });
    let long = read_tight(&file);
    let slice = &long.slices[1];
    let replaced = slice.plane.samples().iter().filter(|v| (*v + 1000.0).abs() < 0.01).count();
    assert!(replaced >= 12 * 7, "{replaced}");
    assert!(codes(slice).contains(&"values_not_numbers"));
}

#[test]
fn unsigned_bytes_are_pictures_and_scaled_bytes_are_hounsfield_units() {
    let bytes = |scaling| {
        let mut file = NiftiFile::new([40, 40, 2], &[]);
        file.voxels = (0..3200).map(|n| (n % 256) as u8).collect();
        (file.datatype, file.bitpix, file.scaling) = (2, 8, scaling);
        read(&file.bytes()).slices.remove(0)
    };
    let (picture, scaled) = (bytes([1.0, 0.0]), bytes([8.0, -1024.0]));
    assert_eq!((picture.intensity, scaled.intensity), (Intensity::Display, Intensity::Hounsfield));
    // Rows run to the back, against the file's: the first of the slice is the file's last.
    let row = |n: f32| (n + 39.0 * 40.0 + 39.0) % 256.0;
    assert_eq!(picture.plane.samples()[0], row(0.0) / 255.0);
    assert_eq!(scaled.plane.samples()[0], row(0.0) * 8.0 - 1024.0);
}

#[test]
fn a_file_on_disk_reads_as_its_bytes_do() {
    let folder = tempfile::tempdir().unwrap();
    let volume = stored([1, 2, 0], [true, false, true]).file.bytes();
    let packed = gzip(&volume);
    let archive = super::zip(&[("a/head.nii.gz", &packed), ("b.txt", b"words")]);
    for (name, bytes) in [("a.nii", volume), ("b.nii.gz", packed), ("c.zip", archive)] {
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        let (disk, memory) = (decode_path(&path, &Limits::default()).unwrap(), read(&bytes));
        assert_eq!(disk.grid, memory.grid, "{name}");
        assert_eq!(disk.slices.len(), memory.slices.len(), "{name}");
        for (a, b) in disk.slices.iter().zip(&memory.slices) {
            assert!(a.plane == b.plane && a.warnings == b.warnings, "{name}");
        }
    }
    assert!(decode_path(&folder.path().join("none"), &Limits::default()).is_err());
}
