//! Tests on stacks of known geometry.

mod choice;
mod order;

use super::*;
use crate::slice::{DicomReference, Doubt, Intensity, Placement, Plane, SeriesTags};
use std::sync::Arc;

/// Assembles the slices of one file.
fn assemble(slices: Vec<CtSlice>, grid: Option<VolumeGrid>) -> Result<Series> {
    let decoded = Decoded { grid, ..Decoded::from(slices) };
    super::assemble(decoded, SeriesRequest::default())
}

const FLAT: [[f64; 3]; 2] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];

/// A slice at `position_mm` whose samples all have the value `mark`.
fn slice(mark: f32, position_mm: [f64; 3], [row, column]: [[f64; 3]; 2]) -> CtSlice {
    CtSlice {
        spacing_mm: Some([0.5, 0.5]),
        modality: Some("CT".into()),
        placement: Some(Placement { position_mm, row, column }),
        ..CtSlice::bare(Plane::filled(4, 4, mark), Intensity::Hounsfield)
    }
}

/// Axial slices at these heights, mm.
fn stack(heights: &[f64]) -> Vec<CtSlice> {
    let at = |(i, z): (usize, &f64)| slice(i as f32, [-100.0, -100.0, *z], FLAT);
    heights.iter().enumerate().map(at).collect()
}

/// Slices tilted by `degrees` about x, with a table that moves along z.
fn tilted(heights: &[f64], degrees: f64) -> Vec<CtSlice> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let directions = [[1.0, 0.0, 0.0], [0.0, cos, sin]];
    heights.iter().map(|z| slice(0.0, [0.0, 0.0, *z], directions)).collect()
}

fn reference(
    image_type: &str,
    series_uid: &str,
    tilt: Option<&str>,
) -> Option<Arc<DicomReference>> {
    Some(Arc::new(DicomReference {
        sop_class_uid: String::new(),
        sop_instance_uid: String::new(),
        frame: None,
        series_uid: series_uid.into(),
        study_uid: String::new(),
        frame_of_reference_uid: None,
        transfer_syntax: String::new(),
        image_type: image_type.split('\\').map(String::from).collect(),
        gantry_tilt: tilt.map(String::from),
        tags: SeriesTags::default(),
        patient_study: Arc::default(),
    }))
}

fn codes(series: &Series) -> Vec<&str> {
    series.warnings.iter().map(|w| w.code).collect()
}

/// Whether a warning has [`Doubt::Incomplete`].
fn is_incomplete(series: &Series) -> bool {
    series.warnings.iter().any(|warning| warning.doubt == Some(Doubt::Incomplete))
}

fn message(series: &Series, code: &str) -> String {
    series.warnings.iter().find(|w| w.code == code).unwrap().message.clone()
}

#[test]
fn sorts_by_height_in_any_input_order() {
    for order in [[0.0, 5.0, 10.0, 15.0], [15.0, 0.0, 10.0, 5.0], [10.0, 15.0, 5.0, 0.0]] {
        let series = assemble(stack(&order), None).unwrap();
        let heights: Vec<f64> =
            series.slices.iter().map(|s| s.placement.unwrap().position_mm[2]).collect();
        assert_eq!(heights, [0.0, 5.0, 10.0, 15.0]);
        let by_source: Vec<f64> = series.sources.iter().map(|&i| order[i]).collect();
        assert_eq!(by_source, heights);
        assert_eq!(series.extents_mm, Some(vec![5.0; 4]));
        assert_eq!(series.tilt_degrees, Some(0.0));
        assert_eq!(codes(&series), [""; 0]);
    }
}

#[test]
fn the_normal_points_to_the_head_if_columns_are_flipped() {
    let flipped = [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
    let slices = [3.0, 1.0, 2.0].map(|z| slice(0.0, [0.0, 0.0, z], flipped)).to_vec();
    assert_eq!(assemble(slices, None).unwrap().sources, [1, 2, 0]);
}

#[test]
fn leaves_localizers_out_and_counts_them() {
    let mut slices = stack(&[0.0, 5.0, 10.0]);
    slices.iter_mut().for_each(|s| s.reference = reference("ORIGINAL\\PRIMARY\\AXIAL", "1", None));
    slices[1].reference = reference("ORIGINAL\\PRIMARY\\LOCALIZER ", "1", None);
    let series = assemble(slices.clone(), None).unwrap();
    assert_eq!(series.sources, [0, 2]);
    assert_eq!(message(&series, "localizers_left_out"), "1 slice was left out: localiser (scout).");
    assert!(assemble(vec![slices.swap_remove(1)], None).is_err());
    assert!(assemble(Vec::new(), None).is_err());
}

#[test]
fn leaves_other_directions_out() {
    let mut slices = stack(&[0.0, 5.0, 10.0]);
    slices.insert(0, slice(9.0, [0.0; 3], [[0.0, 1.0, 0.0], [0.0, 0.0, -1.0]]));
    let series = assemble(slices, None).unwrap();
    assert_eq!(
        (series.sources.clone(), codes(&series)),
        (vec![1, 2, 3], vec!["series_chosen", "other_direction_left_out"])
    );
    assert!(!is_incomplete(&series));
}

#[test]
fn keeps_the_largest_consistent_group() {
    let mut slices = stack(&[0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0]);
    slices[0].plane = Plane::filled(8, 4, 0.0).into();
    slices[1].modality = Some("MR".into());
    slices[2].reference = reference("", "2", None);
    let series = assemble(slices, None).unwrap();
    assert_eq!(series.sources, [3, 4, 5, 6]);
    let codes = codes(&series);
    for code in ["other_modality_left_out", "series_chosen", "mixed_series"] {
        assert!(codes.contains(&code), "{code} {codes:?}");
    }
    assert!(
        is_incomplete(&series),
        "a slice of another size is outside of the range of the chosen ones"
    );
}

#[test]
fn extents_are_half_the_distance_to_both_neighbours() {
    let series = assemble(stack(&[0.0, 5.0, 10.0, 17.0, 24.0]), None).unwrap();
    assert_eq!(series.extents_mm, Some(vec![5.0, 5.0, 6.0, 7.0, 7.0]));
    assert_eq!(codes(&series), ["uneven_spacing"]);
    assert!(message(&series, "uneven_spacing").contains("5.00 to 7.00 mm"));
}

#[test]
fn the_extent_of_a_single_slice_is_its_thickness() {
    let mut slices = stack(&[0.0]);
    slices[0].thickness_mm = Some(5.0);
    assert_eq!(assemble(slices.clone(), None).unwrap().extents_mm, Some(vec![5.0]));
    slices[0].thickness_mm = Some(0.0);
    assert_eq!(assemble(slices, None).unwrap().extents_mm, None);
}

#[test]
fn missing_slices_are_distinguished_from_thicker_ones() {
    let heights = [0.0, 5.0, 10.0, 15.0, 30.0];
    let series = assemble(stack(&heights), None).unwrap();
    assert_eq!(codes(&series), ["missing_slices"]);
    let text = message(&series, "missing_slices");
    assert!(
        text.contains("About 2 ") && text.contains("15.00 mm") && text.contains("1 of 4"),
        "{text}"
    );

    let mut thick_top = stack(&[0.0, 5.0, 10.0, 15.0, 22.5, 32.5, 42.5]);
    for (slice, thickness) in thick_top.iter_mut().zip([5.0, 5.0, 5.0, 5.0, 10.0, 10.0, 10.0]) {
        slice.thickness_mm = Some(thickness);
    }
    assert_eq!(codes(&assemble(thick_top, None).unwrap()), ["uneven_spacing"]);
}

#[test]
fn a_tilted_gantry_is_measured_along_the_normal() {
    let series = assemble(tilted(&[0.0, 5.0, 10.0, 15.0], 18.5), None).unwrap();
    let tilt = series.tilt_degrees.unwrap();
    assert!((tilt - 18.5).abs() < 0.01, "{tilt}");
    let along = 5.0 * 18.5_f32.to_radians().cos();
    assert!(series.extents_mm.clone().unwrap().iter().all(|e| (e - along).abs() < 1e-4));
    assert_eq!(codes(&series), ["gantry_tilt"]);
    assert!(message(&series, "gantry_tilt").contains("18.5 degrees"));
}

#[test]
fn a_resized_or_shifted_field_of_view_is_not_a_tilt() {
    // The upper slices show 260 mm instead of 200 around the same centre.
    let mut resized = stack(&[0.0, 5.0, 10.0, 15.0]);
    for slice in &mut resized[2..] {
        slice.spacing_mm = Some([0.65, 0.65]);
        slice.placement.as_mut().unwrap().position_mm[..2].fill(-100.0 - 0.15 * 1.5);
    }
    let mut moved = stack(&[0.0, 5.0, 10.0, 15.0, 20.0]);
    for slice in &mut moved[3..] {
        slice.placement.as_mut().unwrap().position_mm[0] += 30.0;
    }
    for slices in [resized, moved] {
        let series = assemble(slices, None).unwrap();
        let tilt = series.tilt_degrees.unwrap();
        assert!(tilt < 1e-3 && codes(&series).is_empty(), "{tilt} {:?}", codes(&series));
        assert!(series.extents_mm.unwrap().iter().all(|extent| (extent - 5.0).abs() < 1e-5));
    }
}

#[test]
fn a_stack_with_an_implausible_tilt_is_not_measured() {
    let series = assemble(tilted(&[0.0, 5.0, 10.0], 40.0), None).unwrap();
    assert_eq!((series.extents_mm.clone(), codes(&series)), (None, vec!["tilt_implausible"]));
}

#[test]
fn the_tilt_tag_is_used_without_positions() {
    let mut slices = tilted(&[0.0, 5.0], 0.0);
    for s in &mut slices {
        s.reference = reference("", "1", Some("-18.5 "));
    }
    // By the positions, the tilt was corrected.
    assert_eq!(codes(&assemble(slices.clone(), None).unwrap()), [""; 0]);
    slices.truncate(1);
    let series = assemble(slices, None).unwrap();
    assert_eq!((series.tilt_degrees, codes(&series)), (None, vec!["gantry_tilt"]));
}

#[test]
fn slices_without_positions_keep_their_order() {
    let bare = |mark| CtSlice::bare(Plane::filled(4, 4, mark), Intensity::Display);
    let series = assemble(vec![bare(2.0), bare(1.0)], None).unwrap();
    assert_eq!((series.sources.clone(), codes(&series)), (vec![0, 1], vec!["order_as_given"]));
    assert_eq!((series.extents_mm, series.tilt_degrees), (None, None));
}

#[test]
fn nan_positions_are_ignored() {
    let mut slices = stack(&[0.0, 5.0, 10.0]);
    slices[1].placement.as_mut().unwrap().position_mm[2] = f64::NAN;
    let series = assemble(slices, None).unwrap();
    assert_eq!((series.sources.clone(), codes(&series)), (vec![0, 1, 2], vec!["order_as_given"]));
    assert_eq!((series.extents_mm, series.slices[0].placement), (None, None));
    let mut slices = stack(&[0.0, 5.0]);
    slices.iter_mut().for_each(|s| s.placement.as_mut().unwrap().row = [0.0; 3]);
    assert_eq!(codes(&assemble(slices, None).unwrap()), ["order_as_given"]);
}

#[test]
fn coronal_slices_give_a_warning() {
    let coronal = [[1.0, 0.0, 0.0], [0.0, 0.0, -1.0]];
    let slices = [0.0, 5.0].map(|y| slice(0.0, [0.0, y, 0.0], coronal)).to_vec();
    assert_eq!(codes(&assemble(slices, None).unwrap()), ["not_axial"]);
}

#[test]
fn planes_are_arranged_in_the_order_of_the_file() {
    // Columns increase against k, rows along i, slices against j.
    let grid = VolumeGrid {
        dimensions: [2, 3, 4],
        affine: [[0.0; 4]; 3],
        axes: [2, 0, 1],
        reversed: [true, false, true],
    };
    assert_eq!(grid.sizes(), [4, 2, 3]);
    let mut planes = vec![vec![0_usize; 8]; 3];
    for file in 0..24 {
        let (i, j, k) = (file % 2, file / 2 % 3, file / 6);
        planes[2 - j][i * 4 + (3 - k)] = file;
    }
    assert_eq!(grid.to_file_order(&planes), (0..24).collect::<Vec<_>>());
    assert_eq!(grid.to_file_order(&planes[..2]).iter().filter(|v| **v == 0).count(), 8);
}
