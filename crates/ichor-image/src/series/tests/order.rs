//! Tests of the order of slices with wrong or missing positions.

use super::*;

/// A series of `count` tagged slices, each modified by `change`.
fn tagged(count: usize, change: impl Fn(&mut CtSlice, &mut DicomReference, usize)) -> Series {
    let heights: Vec<f64> = (0..count).map(|n| 5.0 * n as f64).collect();
    let mut slices = stack(&heights);
    for (index, slice) in slices.iter_mut().enumerate() {
        let mut of = (*reference("ORIGINAL\\PRIMARY\\AXIAL", "1", None).unwrap()).clone();
        slice.thickness_mm = Some(5.0);
        change(slice, &mut of, index);
        slice.reference = Some(Arc::new(of));
    }
    assemble(slices, None).unwrap()
}

fn position(slice: &mut CtSlice) -> &mut [f64; 3] {
    &mut slice.placement.as_mut().unwrap().position_mm
}

#[test]
fn equal_positions_are_replaced_by_locations_then_numbers_then_input_order() {
    let by_location = tagged(5, |slice, of, index| {
        position(slice)[2] = 7.0;
        of.tags.slice_location_mm = Some(-5.0 * index as f64);
        of.tags.instance_number = Some(1);
    });
    let by_number = tagged(5, |slice, of, index| {
        position(slice)[2] = 7.0;
        of.tags.instance_number = Some(9 - index as i32);
        of.tags.spacing_between_slices_mm = Some(5.0);
    });
    let as_given = tagged(5, |slice, _, _| position(slice)[2] = 7.0);
    for (series, code, sources, extents) in [
        (by_location, "order_by_slice_location", [4, 3, 2, 1, 0], Some(vec![5.0; 5])),
        (by_number, "order_by_instance_number", [4, 3, 2, 1, 0], Some(vec![5.0; 5])),
        (as_given, "order_as_given", [0, 1, 2, 3, 4], None),
    ] {
        assert_eq!((series.sources.clone(), codes(&series)), (sources.to_vec(), vec![code]));
        assert_eq!(series.extents_mm, extents, "{code}");
        assert!(series.slices.iter().all(|slice| slice.placement.is_none()), "{code}");
        assert!(message(&series, code).starts_with("5 slices have 1 different positions"));
    }
}

#[test]
fn a_multi_frame_object_with_one_position_keeps_all_frames_in_order() {
    let series = tagged(9, |slice, of, index| {
        if index > 0 {
            slice.placement = None;
        }
        of.frame = Some(index as u32 + 1);
        of.tags.instance_number = Some(1);
        of.tags.spacing_between_slices_mm = Some(5.0);
        of.tags.slice_location_mm = (index == 0).then_some(3.0);
    });
    assert_eq!(series.sources, (0..9).collect::<Vec<_>>());
    assert_eq!(series.extents_mm, Some(vec![5.0; 9]));
    assert_eq!(series.gaps_mm(), Some(vec![5.0; 8]));
    assert!(message(&series, "order_as_given").starts_with("8 of 9 slices carry no position"));
}

#[test]
fn positions_in_metres_or_centimetres_are_corrected_or_not_measured() {
    // Metres; centimetres, confirmed by the corner or by the location, and unconfirmed; thin slices in millimetres.
    for (factor, corner, location, thickness, code, step) in [
        (0.001, -100.0, None, 5.0, "positions_rescaled", Some(5.0)),
        (0.1, -100.0, None, 5.0, "positions_rescaled", Some(5.0)),
        (0.1, 0.0, Some(5.0), 5.0, "positions_rescaled", Some(5.0)),
        (0.1, 0.0, None, 5.0, "positions_implausible", None),
        (0.001, 0.0, None, 0.6, "positions_implausible", None),
        (0.2, 0.0, None, 1.0, "", Some(1.0)),
    ] {
        let series = tagged(7, |slice, of, index| {
            // A field of view of 200 mm.
            slice.spacing_mm = Some([50.0, 50.0]);
            slice.thickness_mm = Some(thickness);
            of.tags.slice_location_mm = location.map(|step: f64| step * index as f64);
            *position(slice) = [corner * factor, corner * factor, 5.0 * index as f64 * factor];
        });
        let codes = codes(&series);
        let name = format!("{factor} {corner} {thickness} {codes:?}");
        assert_eq!(
            codes,
            [code].into_iter().filter(|c| !c.is_empty()).collect::<Vec<_>>(),
            "{name}"
        );
        assert_eq!(series.sources.len(), 7, "{name}");
        let is_unmeasurable = series.warnings.iter().any(|w| w.doubt == Some(Doubt::Unmeasurable));
        assert_eq!(is_unmeasurable, step.is_none(), "{name}");
        if let Some(step) = step {
            let extents = series.extents_mm.unwrap();
            assert!(
                extents.iter().all(|extent| (extent - step).abs() < 1e-3),
                "{name} {extents:?}"
            );
        }
    }
}

#[test]
fn copies_and_an_equal_second_scan_are_left_out_with_a_warning() {
    let copies = assemble([stack(&[0.0, 5.0, 10.0]), stack(&[0.0, 5.0, 10.0])].concat(), None);
    let copies = copies.unwrap();
    assert_eq!((copies.sources.clone(), codes(&copies)), (vec![0, 1, 2], vec!["copies_left_out"]));
    let mut twice = stack(&[0.0, 5.0, 10.0, 5.0]);
    twice[3].plane = Plane::filled(4, 4, 2.0).into();
    let same = assemble(twice.clone(), None).unwrap();
    assert_eq!((codes(&same), is_incomplete(&same)), (vec!["copies_left_out"], false));
    twice[3].plane = Plane::filled(4, 4, 60.0).into();
    let different = assemble(twice, None).unwrap();
    assert_eq!((different.sources.clone(), is_incomplete(&different)), (vec![0, 1, 2], true));
}

#[test]
fn gaps_are_the_inverse_of_extents() {
    let series = assemble(stack(&[0.0, 5.0, 10.0, 17.0, 24.0]), None).unwrap();
    assert_eq!(series.gaps_mm(), Some(vec![5.0, 5.0, 7.0, 7.0]));
}
