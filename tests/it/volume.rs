//! Volumes and archives: every orientation gives the same head.

mod harmful;
pub(crate) mod nifti_file;
mod precision;

use crate::archives::{gzip, zip};
use ichor::decode::{Decoded, Limits, decode};
use ichor::mask::{Mask, PackedMask};
use ichor::series::{Series, SeriesRequest, assemble};
use ichor::slice::{CtSlice, Intensity, Placement, Plane};
use ichor::volumetry::{Volumetry, measure};
use nifti_file::NiftiFile;

/// Columns to the left, rows to the back, slices up.
const SIZES: [usize; 3] = [40, 34, 5];
/// Voxel sides along columns, rows and slices, mm.
const SIDES: [f64; 3] = [0.5, 0.75, 4.0];
/// Centre of the first voxel in the patient's coordinates (left, back, up), mm.
const CORNER: [f64; 3] = [-10.0, -12.5, 30.0];

/// An asymmetric phantom with air and blood, in Hounsfield units.
fn voxel([x, y, z]: [usize; 3]) -> i16 {
    let bleed = (8..20).contains(&x) && (5..12).contains(&y) && (1..4).contains(&z);
    if bleed { 70 } else { (x * 7 + y * 31 + z * 113) as i16 % 1000 - 1000 }
}

fn read(bytes: &[u8]) -> Decoded {
    decode(bytes, &Limits::default()).unwrap_or_else(|e| panic!("{e}"))
}

fn codes(slice: &CtSlice) -> Vec<&str> {
    slice.warnings.iter().map(|w| w.code).collect()
}

/// The phantom as slices made by hand.
fn phantom_slices() -> Vec<CtSlice> {
    let [width, height, count] = SIZES;
    let slice = |z: usize| {
        let samples = (0..width * height).map(|n| voxel([n % width, n / width, z]).into());
        CtSlice {
            spacing_mm: Some([SIDES[1] as f32, SIDES[0] as f32]),
            placement: Some(Placement {
                position_mm: [CORNER[0], CORNER[1], CORNER[2] + z as f64 * SIDES[2]],
                row: [1.0, 0.0, 0.0],
                column: [0.0, 1.0, 0.0],
            }),
            thickness_mm: Some(SIDES[2] as f32),
            ..CtSlice::bare(
                Plane { width, height, samples: samples.collect() },
                Intensity::Hounsfield,
            )
        }
    };
    (0..count).map(slice).collect()
}

/// The phantom as a file whose axis `a` runs along the patient's axis `axes[a]`, against it where
/// `flipped[a]`.
struct Stored {
    file: NiftiFile,
    /// Rotation with signs, columns for file axes, in NIfTI's world (right, front, up).
    rotation: [[f64; 3]; 3],
    samples: Vec<i16>,
}

fn stored(axes: [usize; 3], flipped: [bool; 3]) -> Stored {
    let dimensions = axes.map(|axis| SIZES[axis]);
    let mut samples = Vec::new();
    for n in 0..dimensions.iter().product() {
        let at = [
            n % dimensions[0],
            n / dimensions[0] % dimensions[1],
            n / dimensions[0] / dimensions[1],
        ];
        let mut place = [0; 3];
        for a in 0..3 {
            place[axes[a]] = if flipped[a] { dimensions[a] - 1 - at[a] } else { at[a] };
        }
        samples.push(voxel(place));
    }
    // Left and back are negative in NIfTI's world.
    let sign = [-1.0, -1.0, 1.0];
    let mut rotation = [[0.0; 3]; 3];
    let mut origin: [f64; 3] = std::array::from_fn(|w| sign[w] * CORNER[w]);
    for a in 0..3 {
        let world = axes[a];
        rotation[world][a] = if flipped[a] { -sign[world] } else { sign[world] };
        if flipped[a] {
            origin[world] += sign[world] * SIDES[world] * (dimensions[a] as f64 - 1.0);
        }
    }
    let mut file = NiftiFile::new(dimensions, &samples);
    for a in 0..3 {
        file.pixdim[a + 1] = SIDES[axes[a]] as f32;
    }
    file.sform = Some(std::array::from_fn(|w| {
        std::array::from_fn(|a| match a {
            3 => origin[w] as f32,
            a => (rotation[w][a] * SIDES[axes[a]]) as f32,
        })
    }));
    Stored { file, rotation, samples }
}

/// The six orders of the axes with eight flips each.
fn orientations() -> impl Iterator<Item = ([usize; 3], [bool; 3])> {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    orders
        .into_iter()
        .flat_map(|axes| (0..8).map(move |f| (axes, [f & 1, f & 2, f & 4].map(|b| b > 0))))
}

fn assert_phantom(decoded: &Decoded, what: &str) {
    assert_eq!(decoded.slices.len(), SIZES[2], "{what}");
    for (found, expected) in decoded.slices.iter().zip(phantom_slices()) {
        assert_eq!(found.plane, expected.plane, "{what}");
        assert_eq!(found.intensity, Intensity::Hounsfield);
        assert_eq!(found.spacing_mm, expected.spacing_mm, "{what}");
        assert_eq!(found.thickness_mm, expected.thickness_mm, "{what}");
        let (a, b) = (found.placement.unwrap(), expected.placement.unwrap());
        let numbers = |p: Placement| [p.position_mm, p.row, p.column].concat();
        let near = numbers(a).iter().zip(numbers(b)).all(|(a, b)| (a - b).abs() < 1e-4);
        assert!(near, "{what}: {a:?}");
        assert_eq!(codes(found), ["hounsfield_assumed"], "{what}");
    }
}

#[test]
fn all_48_orientations_give_the_same_slices_and_return_to_the_file() {
    let mut seen = 0;
    for (axes, flipped) in orientations() {
        let stored = stored(axes, flipped);
        let decoded = read(&stored.file.bytes());
        assert_phantom(&decoded, &format!("{axes:?} {flipped:?}"));
        let grid = decoded.grid.unwrap();
        let planes: Vec<Vec<f32>> = decoded.slices.into_iter().map(|s| s.plane.samples()).collect();
        let back: Vec<i16> = grid.to_file_order(&planes).into_iter().map(|v| v as i16).collect();
        assert_eq!(back, stored.samples, "{axes:?} {flipped:?}");
        seen += 1;
    }
    assert_eq!(seen, 48);
}

#[test]
fn all_48_orientations_are_read_from_the_quaternion() {
    for (axes, flipped) in orientations() {
        let mut stored = stored(axes, flipped);
        let sform = stored.file.sform.take().unwrap();
        let mut r = stored.rotation;
        // A mirrored file has a rotation for its first two axes, and a negative third side.
        let minors = |a: usize, b: usize| r[1][a] * r[2][b] - r[1][b] * r[2][a];
        let determinant = r[0][0] * minors(1, 2) - r[0][1] * minors(0, 2) + r[0][2] * minors(0, 1);
        if determinant < 0.0 {
            stored.file.pixdim[0] = -1.0;
            r.iter_mut().for_each(|row| row[2] = -row[2]);
        }
        let [b, c, d] = quaternion(r);
        let [x, y, z] = sform.map(|row| row[3]);
        stored.file.qform = Some([b as f32, c as f32, d as f32, x, y, z]);
        assert_phantom(&read(&stored.file.bytes()), &format!("{axes:?} {flipped:?}"));
        // For an unusable sform the quaternion is used, with a warning.
        stored.file.sform = Some([[f32::NAN; 4]; 3]);
        let fallen = read(&stored.file.bytes());
        assert_eq!(fallen.slices[0].plane, phantom_slices()[0].plane);
        assert!(codes(&fallen.slices[0]).contains(&"orientation_unusable"));
    }
}

/// b, c and d of a rotation's unit quaternion with a >= 0: those of the largest component's form.
fn quaternion(r: [[f64; 3]; 3]) -> [f64; 3] {
    let trace = r[0][0] + r[1][1] + r[2][2];
    let squares = [
        1.0 + trace,
        1.0 + 2.0 * r[0][0] - trace,
        1.0 + 2.0 * r[1][1] - trace,
        1.0 + 2.0 * r[2][2] - trace,
    ];
    let largest = (0..4).max_by(|&a, &b| squares[a].total_cmp(&squares[b])).unwrap();
    let s = 2.0 * squares[largest].sqrt();
    let [x, y, z] = [r[2][1] - r[1][2], r[0][2] - r[2][0], r[1][0] - r[0][1]];
    let [xy, xz, yz] = [r[0][1] + r[1][0], r[0][2] + r[2][0], r[1][2] + r[2][1]];
    let [a, b, c, d] = match largest {
        0 => [s / 4.0, x / s, y / s, z / s],
        1 => [x / s, s / 4.0, xy / s, xz / s],
        2 => [y / s, xy / s, s / 4.0, yz / s],
        _ => [z / s, xz / s, yz / s, s / 4.0],
    };
    if a < 0.0 { [-b, -c, -d] } else { [b, c, d] }
}

/// Blood where the phantom is 70 HU.
fn measured(decoded: Decoded) -> (Series, Volumetry) {
    let series = assemble(decoded, SeriesRequest::default()).unwrap();
    let blood = |s: &CtSlice| Mask {
        width: s.plane.width,
        height: s.plane.height,
        pixels: s.plane.samples().iter().map(|&hu| hu == 70.0).collect(),
    };
    let masks: Vec<PackedMask> = series.slices.iter().map(|s| blood(s).pack()).collect();
    let volumetry = measure(&series, &masks);
    (series, volumetry)
}

#[test]
fn the_volume_does_not_depend_on_the_files_axes() {
    let true_ml = (12 * 7 * 3) as f32 * 0.5 * 0.75 * 4.0 / 1000.0;
    for (axes, flipped) in orientations() {
        let (series, found) = measured(read(&stored(axes, flipped).file.bytes()));
        assert!(series.warnings.is_empty() && series.grid.is_some());
        assert!((found.lesions[0].volume_ml.unwrap() - true_ml).abs() < 1e-6);
        assert_eq!((found.lesions.len(), found.key_slice), (1, Some(1)));
    }
}

#[test]
fn a_volume_and_its_slices_in_any_order_make_the_same_series() {
    let (from_volume, volume) =
        measured(read(&stored([1, 2, 0], [true, false, true]).file.bytes()));
    let mut slices = phantom_slices();
    let mut seed = 3_usize;
    for _ in 0..20 {
        for n in (1..slices.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            slices.swap(n, (seed >> 33) % (n + 1));
        }
        let (series, found) = measured(slices.clone().into());
        for (a, b) in series.slices.iter().zip(&from_volume.slices) {
            assert_eq!(a.plane, b.plane);
        }
        assert_eq!(series.extents_mm, from_volume.extents_mm);
        assert_eq!(found.total_volume_ml, volume.total_volume_ml);
        for (place, &source) in series.sources.iter().enumerate() {
            assert_eq!(slices[source].plane, series.slices[place].plane);
        }
    }
}

#[test]
fn every_number_type_and_byte_order_is_read() {
    let [ni, nj, nk] = [34, 33, 2];
    let value = |n: usize| (n % 100) as i16;
    let numbers: Vec<i16> = (0..ni * nj * nk).map(value).collect();
    macro_rules! case {
        ($code:expr, $number:ty) => {
            ($code, size_of::<$number>(), |v: i16, big: bool| {
                let v = v as $number;
                if big { v.to_be_bytes().to_vec() } else { v.to_le_bytes().to_vec() }
            })
        };
    }
    type Case = (i16, usize, fn(i16, bool) -> Vec<u8>);
    let cases: [Case; 10] = [
        case!(2, u8),
        case!(256, i8),
        case!(512, u16),
        case!(4, i16),
        case!(768, u32),
        case!(8, i32),
        case!(1280, u64),
        case!(1024, i64),
        case!(16, f32),
        case!(64, f64),
    ];
    for ((datatype, bytes, encode), big_endian) in
        cases.into_iter().flat_map(|case| [(case, false), (case, true)])
    {
        let file = NiftiFile {
            datatype,
            bitpix: 8 * bytes as i16,
            big_endian,
            scaling: [2.0, -1024.0],
            voxels: numbers.iter().flat_map(|&v| encode(v, big_endian)).collect(),
            ..NiftiFile::new([ni, nj, nk], &[])
        };
        let decoded = read(&gzip(&file.bytes()));
        let grid = decoded.grid.unwrap();
        let planes: Vec<_> = decoded.slices.iter().map(|s| s.plane.samples()).collect();
        let expected: Vec<f32> = numbers.iter().map(|&v| 2.0 * f32::from(v) - 1024.0).collect();
        assert_eq!(grid.to_file_order(&planes), expected, "{datatype} {big_endian}");
        assert_eq!(decoded.slices[0].intensity, Intensity::Hounsfield);
    }
}

/// What a change of the header does to the first slice.
type HeaderCase = (&'static str, fn(&mut NiftiFile), fn(&Decoded));

#[test]
fn odd_headers_are_read_with_a_warning() {
    let cases: [HeaderCase; 10] = [
        (
            "several volumes",
            |f| {
                f.dim = [4, 40, 34, 5, 3, 1, 1, 1];
                f.voxels = f.voxels.repeat(3)
            },
            |d| {
                assert!(codes(&d.slices[0]).contains(&"first_volume_only") && d.slices.len() == 5);
            },
        ),
        (
            "slices along the fourth axis",
            |f| f.dim = [4, 40, 34, 1, 5, 1, 1, 1],
            |d| {
                let planes = |slices: &[CtSlice]| -> Vec<_> {
                    slices.iter().map(|slice| slice.plane.clone()).collect()
                };
                assert_eq!(planes(&d.slices), planes(&phantom_slices()));
                assert!(codes(&d.slices[0]).contains(&"slices_along_fourth_axis"));
            },
        ),
        (
            "one flat image",
            |f| {
                f.dim = [2, 40, 34, 0, 0, 0, 0, 0];
                f.voxels.truncate(40 * 34 * 2)
            },
            |d| {
                assert_eq!((d.slices.len(), d.slices[0].thickness_mm), (1, None));
                assert_eq!(d.slices[0].plane, phantom_slices()[0].plane);
            },
        ),
        (
            "micrometres",
            |f| {
                f.units = 3;
                f.sform.iter_mut().flatten().flatten().for_each(|v| *v *= 1000.0)
            },
            |d| {
                assert_eq!(d.slices[0].spacing_mm, Some([0.75, 0.5]));
                assert!((d.slices[0].placement.unwrap().position_mm[2] - 30.0).abs() < 1e-3);
            },
        ),
        (
            "no orientation",
            |f| f.sform = None,
            |d| {
                assert!(codes(&d.slices[0]).contains(&"orientation_assumed"));
                assert_eq!(d.slices[0].spacing_mm, Some([0.75, 0.5]));
            },
        ),
        (
            "no sides either",
            |f| {
                f.sform = None;
                f.pixdim = [0.0; 8]
            },
            |d| {
                assert!(codes(&d.slices[0]).contains(&"spacing_unknown"));
                assert_eq!((d.slices[0].spacing_mm, d.slices[0].placement), (None, None));
            },
        ),
        (
            "no slope",
            |f| f.scaling = [0.0, 99.0],
            |d| assert_eq!(d.slices[0].plane, phantom_slices()[0].plane),
        ),
        (
            "slope that is no number",
            |f| f.scaling = [f32::NAN, 0.0],
            |d| {
                assert!(codes(&d.slices[0]).contains(&"scaling_ignored"));
            },
        ),
        (
            "notes before the voxels",
            |f| {
                f.vox_offset = 384.0;
                f.voxels.splice(0..0, [7; 32]);
            },
            |d| {
                assert_eq!(d.slices[0].plane, phantom_slices()[0].plane);
            },
        ),
        (
            "shifted values",
            |f| f.scaling = [1.0, 1024.0],
            |d| assert!(codes(&d.slices[0]).contains(&"no_air")),
        ),
    ];
    for (what, change, check) in cases {
        println!("{what}");
        let mut file = stored([0, 1, 2], [false; 3]).file;
        change(&mut file);
        check(&read(&file.bytes()));
    }
}

#[test]
fn an_oblique_volume_keeps_its_slices_and_reports_the_angle() {
    let mut file = stored([0, 1, 2], [false; 3]).file;
    let (sin, cos) = 20_f32.to_radians().sin_cos();
    let [_, y, z] = file.sform.unwrap();
    let sform = file.sform.as_mut().unwrap();
    for a in 0..3 {
        sform[1][a] = cos * y[a] - sin * z[a];
        sform[2][a] = sin * y[a] + cos * z[a];
    }
    let decoded = read(&file.bytes());
    let warning = decoded.slices[0].warnings.iter().find(|w| w.code == "oblique_volume").unwrap();
    assert!(warning.message.contains("20.0 degrees"), "{}", warning.message);
    assert_eq!(decoded.slices[0].plane, phantom_slices()[0].plane);
    let (series, found) = measured(decoded);
    assert!(series.tilt_degrees.unwrap() < 0.01);
    assert!((series.extents_mm.unwrap()[0] - 4.0).abs() < 1e-4);
    assert!((found.total_volume_ml.unwrap() - 0.378).abs() < 1e-5);
}

#[test]
fn bytes_are_pictures_and_nan_and_infinite_voxels_are_air() {
    let mut file = NiftiFile::new([32, 32, 1], &[]);
    (file.datatype, file.bitpix, file.voxels) = (2, 8, vec![51; 1024]);
    let slice = read(&file.bytes()).slices.remove(0);
    assert_eq!((slice.intensity, slice.plane.samples()[0]), (Intensity::Display, 0.2));

    let mut values = vec![10.0_f32; 1024];
    values[..3].copy_from_slice(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
    let stored = |v: &[f32]| v.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    (file.datatype, file.bitpix, file.voxels) = (16, 32, stored(&values));
    let slice = read(&file.bytes()).slices.remove(0);
    assert_eq!(slice.plane.samples().iter().filter(|v| **v == -1000.0).count(), 3);
    assert!(slice.warnings.iter().any(|w| w.message.starts_with("3 of 1024 values")));
    file.voxels = stored(&[f32::NAN; 1024]);
    assert!(decode(&file.bytes(), &Limits::default()).is_err());
}

#[test]
fn an_archive_of_one_volume_keeps_its_grid() {
    let file = stored([2, 0, 1], [true, true, false]).file.bytes();
    let decoded = read(&zip(&[("head.nii.gz", &gzip(&file)), ("notes.txt", b"words")]));
    assert_eq!(decoded.grid, read(&file).grid);
    assert!(codes(&decoded.slices[0]).contains(&"archive_files_skipped"));
    let two = read(&zip(&[("a.nii", &file), ("b.nii", &file)]));
    assert_eq!((two.grid, two.slices.len()), (None, 10));
}

#[test]
fn an_archive_is_read_by_name_without_clutter() {
    let picture = |grey: u8| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let image = image::GrayImage::from_pixel(40, 40, image::Luma([grey]));
        image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    };
    let [one, two, ten] = [picture(51), picture(102), picture(204)];
    let decoded = read(&zip(&[
        ("case/10.png", &ten),
        ("case/2.png", &two),
        ("../../../etc/1.png", &one),
        ("/case/3.png", &one[..60]),
        ("__MACOSX/case/2.png", &two),
        ("case/.2.png", &two),
        ("DICOMDIR", b"any"),
        ("LICENSE", b"words"),
        ("inner.zip", &zip(&[("1.png", &one)])),
    ]));
    let greys: Vec<f32> = decoded.slices.iter().map(|s| s.plane.samples()[0]).collect();
    assert_eq!(greys, [0.2, 0.4, 0.8]);
    let messages: Vec<&str> =
        decoded.slices[1].warnings.iter().map(|w| w.message.as_str()).collect();
    assert!(messages.iter().any(|m| m.ends_with("no images: 4.")), "{messages:?}");
    assert!(messages.iter().any(|m| m.contains("missing here: 2.")), "{messages:?}");
    assert!(!std::path::Path::new("../../../etc/1.png").exists());
}
