//! The seeds of the fuzz targets (`fuzz/`), and inputs that the fuzzer found, as ordinary tests:
//! a result or an error, in bounded time, without a panic.

use crate::fixtures::root;
use ichor::decode::{Limits, decode};
use ichor::http::multipart::{MultipartError, boundary, parts};
use std::path::Path;
use std::time::{Duration, Instant};

fn read_all(target: &Path) -> usize {
    let mut read = 0;
    for entry in std::fs::read_dir(target).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let start = Instant::now();
        match decode(&bytes, &Limits::default()) {
            Ok(decoded) => {
                read += 1;
                for slice in decoded.slices {
                    let plane = slice.plane;
                    assert_eq!(plane.samples().len(), plane.width * plane.height, "{path:?}");
                    assert!(plane.samples().iter().all(|s| s.is_finite()), "{path:?}");
                }
            }
            Err(error) => assert!(error.to_string().len() > 20, "{path:?}: {error}"),
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{path:?}");
    }
    read
}

#[test]
fn seeds_of_every_target_are_read_or_refused() {
    // The minimum number of seeds that each target must read, so that an empty folder fails.
    for (target, at_least) in [("dicom", 12), ("nifti", 3), ("archive", 3), ("raster", 8)] {
        let read = read_all(&root().join("fuzz/seeds").join(target));
        assert!(read >= at_least, "{target}: {read}");
    }
}

#[test]
fn seeds_of_forms_are_read_or_refused() {
    let read = |name: &str| {
        let bytes = std::fs::read(root().join("fuzz/seeds/multipart").join(name)).unwrap();
        let end = bytes.iter().position(|&byte| byte == b'\n').unwrap();
        let boundary = boundary(std::str::from_utf8(&bytes[..end]).unwrap()).unwrap();
        let parts = parts(&bytes[end + 1..], &boundary, 16);
        parts.map(|parts| {
            parts.into_iter().map(|part| (part.name, part.content.len())).collect::<Vec<_>>()
        })
    };
    assert_eq!(read("form"), Ok(vec![("model".into(), 4), ("file".into(), 8)]));
    assert_eq!(read("line_feeds"), Ok(vec![("file".into(), 4), ("file".into(), 6)]));
    assert_eq!(read("cut_off"), Err(MultipartError::Truncated));
}
