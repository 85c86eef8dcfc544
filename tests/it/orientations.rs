//! A series stored in any direction of its plane gives the result of its NIfTI, at the same place in the head.

use crate::head::{COLUMNS, Layout, ROWS, SLICES, nifti, write_with_layout};
use crate::series::{pictures, segment};
use dicom_dictionary_std::tags;
use serde_json::Value;
use std::path::Path;

fn layouts() -> impl Iterator<Item = Layout> {
    (0..8).map(|bits| Layout { transposed: bits & 1 > 0, flipped: [bits & 2 > 0, bits & 4 > 0] })
}

/// Probabilities of the slices, to the last digit.
fn probabilities(line: &Value) -> Vec<&Value> {
    line["slices"].as_array().unwrap().iter().map(|slice| &slice["probability"]).collect()
}

fn volume_ml(line: &Value) -> f64 {
    line["volume"]["total_volume_ml"].as_f64().unwrap()
}

/// Pixels that differ between the mask of the head as NIfTI cuts it and that of a stored slice.
fn differing(upright: &[u8], stored: &[u8], layout: Layout) -> usize {
    let place = |pixel: usize| {
        let [column, row] = layout.voxel(pixel);
        row * COLUMNS + column
    };
    stored.iter().enumerate().filter(|&(pixel, value)| upright[place(pixel)] != *value).count()
}

/// Frames of a segmentation object as masks, 0 and 255, by the number of the source slice.
fn frames(path: &Path) -> Vec<(usize, Vec<u8>)> {
    let object = dicom_object::open_file(path).unwrap();
    let bits = object.element(tags::PIXEL_DATA).unwrap().to_bytes().unwrap().into_owned();
    let groups = object.element(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).unwrap();
    let items = groups.items().unwrap().iter().enumerate();
    items
        .map(|(frame, item)| {
            let inner = |object: &dicom_object::InMemDicomObject, tag| {
                object.element(tag).unwrap().items().unwrap()[0].clone()
            };
            let source =
                inner(&inner(item, tags::DERIVATION_IMAGE_SEQUENCE), tags::SOURCE_IMAGE_SEQUENCE);
            let uid = source.element(tags::REFERENCED_SOP_INSTANCE_UID).unwrap();
            let uid = uid.to_str().unwrap().into_owned();
            let number: usize = uid.rsplit('.').next().unwrap().parse().unwrap();
            let bit = |pixel: usize| bits[pixel / 8] >> (pixel % 8) & 1;
            let first = frame * ROWS * COLUMNS;
            let mask = (first..first + ROWS * COLUMNS).map(|pixel| 255 * bit(pixel)).collect();
            (number - 1, mask)
        })
        .collect()
}

#[test]
fn every_direction_in_the_plane_gives_the_result_of_the_nifti() {
    let dir = tempfile::tempdir().unwrap();
    let scan = dir.path().join("scan.nii");
    std::fs::write(&scan, nifti([false; 3])).unwrap();
    let expected = segment(&[&scan], dir.path(), &["--format", "png"]).remove(0);
    let upright = pictures(dir.path(), "scan", "mask");
    assert_eq!(expected["hemorrhage"]["detected"], true);
    for (number, layout) in layouts().enumerate() {
        let (name, head) = (format!("head{number}"), dir.path().join(format!("head{number}")));
        write_with_layout(&head, layout);
        let formats = ["--format", "png,dicom-seg,json"];
        let line = segment(&[&head], dir.path(), &formats).remove(0);
        assert_eq!(probabilities(&line), probabilities(&expected), "{layout:?}");
        let (volume, same) = (volume_ml(&line), volume_ml(&expected));
        assert!((volume - same).abs() <= 1e-3 * same, "{layout:?}: {volume} for {same}");
        // The output of the network is the same; resampling it the other way round may round a pixel.
        let masks = pictures(dir.path(), &name, "mask");
        let off: usize = upright.iter().zip(&masks).map(|(a, b)| differing(a, b, layout)).sum();
        assert!(off <= 2, "{layout:?}: {off} px");
        let frames = frames(&dir.path().join(format!("{name}_seg.dcm")));
        assert!(!frames.is_empty() && frames.len() <= SLICES);
        for (slice, frame) in frames {
            assert!(frame == masks[slice], "{layout:?}: slice {slice}");
        }
    }
}
