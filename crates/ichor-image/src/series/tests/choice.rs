//! Tests of the choice among several series, and of the warnings about the others.

use super::*;

/// Side of the planes, px: large enough for blocks without bone.
const SIDE: usize = 64;

/// Series UID and tags of a test series.
#[derive(Clone, Copy)]
struct Case {
    series: &'static str,
    tags: fn(&mut DicomReference),
}

fn head(mark: f32) -> Plane {
    let inside = |index: usize| {
        let (x, y) = ((index % SIDE) as f32 - 31.5, (index / SIDE) as f32 - 31.5);
        match x.hypot(y) {
            r if r < 20.0 => mark,
            r if r < 23.0 => 1000.0,
            _ => -1000.0,
        }
    };
    let samples = (0..SIDE * SIDE).map(inside).collect();
    Plane { width: SIDE, height: SIDE, samples }
}

/// Slices of one series at these heights, with `mark` HU in the brain.
fn part(heights: &[f64], mark: f32, case: Case) -> Vec<CtSlice> {
    let at = |(index, &z): (usize, &f64)| {
        let mut slice = slice(0.0, [-16.0, -16.0, z], FLAT);
        slice.plane = head(mark).into();
        slice.thickness_mm = Some(5.0);
        let mut of = (*reference("ORIGINAL\\PRIMARY\\AXIAL", case.series, None).unwrap()).clone();
        of.tags.instance_number = Some(index as i32 + 1);
        (case.tags)(&mut of);
        slice.reference = Some(Arc::new(of));
        slice
    };
    heights.iter().enumerate().map(at).collect()
}

const SHORT: [f64; 5] = [0.0, 5.0, 10.0, 15.0, 20.0];
const ABOVE: [f64; 3] = [40.0, 45.0, 50.0];
const PLAIN: Case = Case { series: "1", tags: |_| () };

/// Heights of a complete head.
fn whole_head() -> Vec<f64> {
    (0..26).map(|n| 5.0 * f64::from(n)).collect()
}

fn joined(parts: &[Vec<CtSlice>]) -> Series {
    assemble(parts.concat(), None).unwrap()
}

#[test]
fn the_preferred_series_is_chosen() {
    // The series that is not chosen, the one that is, and whether the former may show more of the head.
    let soft: fn(&mut DicomReference) = |r| r.tags.kernel = "STANDARD".into();
    let bone: fn(&mut DicomReference) = |r| r.tags.kernel = "BONE".into();
    let contrast: fn(&mut DicomReference) = |r| r.tags.has_contrast = true;
    let derived: fn(&mut DicomReference) = |r| r.image_type[0] = "DERIVED".into();
    let other: fn(&mut DicomReference) = |r| r.tags.patient = "OTHER".into();
    let earlier: fn(&mut DicomReference) = |r| {
        r.study_uid = "9".into();
        r.tags.study_time = "20190101 10".into();
    };
    let today: fn(&mut DicomReference) = |r| r.tags.study_time = "20200202 10".into();
    let nothing: fn(&mut DicomReference) = |_| ();
    let thin: Vec<f64> = (0..9).map(|n| 2.5 * f64::from(n)).collect();
    for (name, others, of_others, taken, code, incomplete) in [
        ("kernel, one UID", &SHORT[..], ("1", bone), soft, "other_reconstruction_left_out", false),
        ("kernel, thin", &thin, ("2", bone), soft, "other_reconstruction_left_out", false),
        ("contrast", &SHORT, ("2", contrast), nothing, "other_reconstruction_left_out", false),
        ("derived", &SHORT, ("2", derived), nothing, "other_reconstruction_left_out", false),
        ("contrast elsewhere", &ABOVE, ("2", contrast), nothing, "mixed_series", true),
        ("patient, one UID", &SHORT[..4], ("1", other), nothing, "other_patients_left_out", false),
        ("examination", &SHORT[..4], ("2", earlier), today, "other_examinations_left_out", false),
        ("more of the head", &ABOVE, ("2", nothing), nothing, "mixed_series", true),
    ] {
        let (series, tags) = of_others;
        let others = part(others, 30.0, Case { series, tags });
        let wanted = part(&SHORT, 30.0, Case { tags: taken, ..PLAIN });
        let series = joined(&[others.clone(), wanted]);
        let expected: Vec<usize> = (others.len()..others.len() + SHORT.len()).collect();
        assert_eq!(series.sources, expected, "{name}");
        let codes = codes(&series);
        assert!(codes.contains(&"series_chosen") && codes.contains(&code), "{name} {codes:?}");
        assert_eq!(is_incomplete(&series), incomplete, "{name} {codes:?}");
    }
}

#[test]
fn a_second_acquisition_is_a_copy_or_makes_the_result_incomplete() {
    let second = |mark: f32| {
        part(&SHORT, mark, Case { tags: |r| r.tags.acquisition_number = Some(2), ..PLAIN })
    };
    let first = part(&SHORT, 30.0, Case { tags: |r| r.tags.acquisition_number = Some(1), ..PLAIN });
    for (mark, incomplete) in [(30.0, false), (34.0, false), (70.0, true)] {
        let series = joined(&[first.clone(), second(mark)]);
        assert_eq!((series.sources.len(), is_incomplete(&series)), (5, incomplete), "{mark}");
        assert_eq!(series.sources, [0, 1, 2, 3, 4], "all slices are of one acquisition");
    }
}

#[test]
fn consecutive_acquisitions_are_one_head() {
    let acquisition = |number: i32, heights: &[f64]| {
        let mut slices = part(heights, 30.0, PLAIN);
        for slice in &mut slices {
            let mut of = (**slice.reference.as_ref().unwrap()).clone();
            of.tags.acquisition_number = Some(number);
            slice.reference = Some(Arc::new(of));
        }
        slices
    };
    let series = joined(&[
        acquisition(1, &[0.0, 5.0]),
        acquisition(2, &[10.0, 15.0]),
        acquisition(3, &[20.0]),
    ]);
    assert_eq!((series.slices.len(), codes(&series)), (5, vec![]));
}

#[test]
fn identifiers_that_differ_for_each_slice_are_not_used() {
    let each = |change: fn(&mut DicomReference, usize)| {
        let mut slices = part(&SHORT, 30.0, PLAIN);
        for (index, slice) in slices.iter_mut().enumerate() {
            let mut of = (**slice.reference.as_ref().unwrap()).clone();
            change(&mut of, index);
            slice.reference = Some(Arc::new(of));
        }
        assemble(slices, None).unwrap()
    };
    let uid = each(|of, index| of.series_uid = format!("1.{index}"));
    let frame = each(|of, index| {
        of.series_uid = format!("1.{index}");
        of.frame_of_reference_uid = Some(format!("2.{index}"));
        of.tags.series_number = Some(4);
    });
    let number = each(|of, index| {
        of.series_uid = format!("1.{index}");
        of.tags.series_number = Some(index as i32);
    });
    let study = each(|of, index| {
        of.series_uid = format!("1.{index}");
        of.study_uid = format!("3.{index}");
    });
    for (series, by) in
        [(uid, "frame of reference"), (frame, "series number"), (number, "positions")]
    {
        assert_eq!((series.slices.len(), codes(&series)), (5, vec!["series_uid_differs"]));
        assert!(message(&series, "series_uid_differs").contains(by), "{by}");
    }
    assert_eq!(codes(&study), ["study_uid_differs", "series_uid_differs"]);
    // Slices of many heads with the same patient: neither identifiers nor positions connect them.
    let mut apart = part(&[0.0, 5.0, 90.0, 300.0], 30.0, PLAIN);
    for (index, slice) in apart.iter_mut().enumerate() {
        let mut of = (**slice.reference.as_ref().unwrap()).clone();
        of.study_uid = format!("3.{index}");
        slice.reference = Some(Arc::new(of));
    }
    let series = assemble(apart, None).unwrap();
    assert_eq!((series.slices.len(), is_incomplete(&series)), (1, true));
}

#[test]
fn a_series_is_chosen_by_its_number() {
    let bone = part(&SHORT, 30.0, Case { tags: |r| r.tags.kernel = "BONE".into(), ..PLAIN });
    let slices = [bone, part(&SHORT, 30.0, PLAIN)].concat();
    let choose = |series| {
        let request = SeriesRequest { series, ..SeriesRequest::default() };
        super::super::assemble(slices.clone().into(), request)
    };
    assert_eq!(choose(None).unwrap().sources[0], 5);
    let listing = message(&choose(None).unwrap(), "series_chosen");
    assert!(
        listing.contains("number 2 was segmented") && listing.contains("1 (kernel BONE"),
        "{listing}"
    );
    assert_eq!(choose(Some(1)).unwrap().sources[0], 0);
    let error = choose(Some(3)).unwrap_err().to_string();
    assert!(error.contains("no series 3") && error.contains("kernel BONE"), "{error}");
}

#[test]
fn a_complete_head_beside_another_body_part_is_complete() {
    let neck = part(&[-60.0, -55.0, -50.0], 30.0, Case { series: "2", ..PLAIN });
    let series = joined(&[part(&whole_head(), 30.0, PLAIN), neck]);
    assert_eq!((series.slices.len(), is_incomplete(&series)), (26, false), "{:?}", codes(&series));
}

#[test]
fn pages_and_other_modalities_are_left_out() {
    let page = |change: fn(&mut CtSlice, &mut DicomReference)| {
        let mut page = part(&[7.0], 30.0, Case { series: "9", ..PLAIN }).remove(0);
        let mut of = (**page.reference.as_ref().unwrap()).clone();
        page.plane = Plane::filled(SIDE, SIDE, 0.0).into();
        change(&mut page, &mut of);
        page.reference = Some(Arc::new(of));
        page
    };
    let pages = [
        page(|_, of| {
            of.image_type = vec!["DERIVED".into(), "SECONDARY".into(), "SCREEN SAVE".into()]
        }),
        page(|_, of| of.sop_class_uid = "1.2.840.10008.5.1.4.1.1.7".into()),
        page(|slice, of| {
            slice.placement = None;
            of.image_type = vec!["ORIGINAL".into(), "SECONDARY".into()];
        }),
        page(|slice, _| slice.modality = Some("SR".into())),
        // With the same series UID: without a position, at the position of a slice, and far away.
        page(|slice, of| {
            slice.placement = None;
            of.series_uid = "1".into();
        }),
        page(|slice, of| {
            slice.placement.as_mut().unwrap().position_mm[2] = 5.0;
            of.series_uid = "1".into();
        }),
        page(|slice, of| {
            slice.placement.as_mut().unwrap().position_mm[2] = 900.0;
            of.series_uid = "1".into();
        }),
    ];
    for (index, page) in pages.into_iter().enumerate() {
        let mut slices = vec![page];
        slices.extend(part(&SHORT, 30.0, PLAIN));
        let series = assemble(slices.clone(), None).unwrap();
        assert_eq!(series.sources, [1, 2, 3, 4, 5], "{index} {:?}", codes(&series));
        assert!(!is_incomplete(&series) && !series.warnings.is_empty(), "{index}");
        // Without other slices it is kept.
        slices.truncate(1);
        assert_eq!(assemble(slices, None).unwrap().slices.len(), 1, "{index}");
    }
}

#[test]
fn volumes_and_pictures_in_several_files_are_separate() {
    let volume = |mark: f32| -> Vec<CtSlice> {
        let mut slices = part(&SHORT, mark, PLAIN);
        slices.iter_mut().for_each(|slice| slice.reference = None);
        slices
    };
    let bare = |mark| CtSlice::bare(Plane::filled(4, 4, mark), Intensity::Display);
    let files = |slices: Vec<CtSlice>, file_lengths: Vec<usize>, as_series: bool| {
        let request = SeriesRequest { as_series, ..SeriesRequest::default() };
        super::super::assemble(Decoded { slices, grid: None, file_lengths }, request).unwrap()
    };
    let two = files([volume(30.0), volume(60.0)].concat(), vec![5, 5], false);
    assert_eq!((two.sources.clone(), is_incomplete(&two)), (vec![0, 1, 2, 3, 4], true));
    let mask = files([volume(30.0), vec![bare(0.0); 5]].concat(), vec![5, 5], false);
    assert_eq!((mask.sources.len(), codes(&mask)), (5, vec!["pictures_left_out"]));
    for (as_series, lengths, one) in
        [(false, vec![1, 1, 1], false), (true, vec![1, 1, 1], true), (false, vec![3], true)]
    {
        let series = files(vec![bare(0.1), bare(0.2), bare(0.3)], lengths, as_series);
        assert_eq!((series.is_one_head, series.slices.len()), (one, 3));
        assert_eq!(codes(&series).contains(&"pictures_judged_alone"), !one);
    }
}
