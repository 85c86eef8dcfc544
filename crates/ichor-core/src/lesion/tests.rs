use super::phantom::{HeadPhantom, SIDE, spec};
use super::*;
use crate::components::label_components;
use crate::geometry::{CropBox, Turn};
use crate::mask::Mask;

fn of(features: &Features, name: &str) -> f32 {
    features[FEATURES.iter().position(|other| *other == name).unwrap()]
}

fn only(is_blood: impl Fn([f64; 2]) -> bool) -> Features {
    let features = HeadPhantom::default().features(is_blood).unwrap();
    assert_eq!(features.len(), 1);
    features[0]
}

/// Thick at the middle of the left side, within 0.5 of it to front and back.
fn lens([x, y]: [f64; 2]) -> bool {
    x > 0.0 && (x - 1.0).hypot(y / 1.6) < 0.32
}

/// Of one thickness, along most of the left side.
fn crescent([x, y]: [f64; 2]) -> bool {
    x.hypot(y) > 0.9 && x > 0.0 && y.abs() < 0.8
}

fn deep_ball([x, y]: [f64; 2]) -> bool {
    ((x + 0.38) * 1.1).hypot((y - 0.05) * 1.4) < 0.17
}

/// The left lateral ventricle, filled.
fn ventricle([x, y]: [f64; 2]) -> bool {
    (x - 0.13).hypot(y / 2.5) < 0.1
}

/// A sulcus at the surface, from the table inwards.
fn sulcus([x, y]: [f64; 2]) -> bool {
    x.hypot(y) > 0.72 && x > 0.0 && (y - 0.1 * x).abs() < 0.02
}

#[test]
fn bleeds_at_the_table_touch_it_and_deep_ones_do_not() {
    for at_table in [lens, crescent] {
        let features = only(at_table);
        assert!(of(&features, "edge_at_table") > 0.3, "{features:?}");
        assert!(of(&features, "depth_p10") < 0.1, "{features:?}");
    }
    for deep in [deep_ball, ventricle] {
        let features = only(deep);
        assert_eq!(of(&features, "edge_at_table"), 0.0);
        assert!(of(&features, "depth_median") > 0.4, "{features:?}");
    }
}

#[test]
fn a_lens_is_convex_and_a_crescent_long_and_hollow() {
    let (lens, crescent) = (only(lens), only(crescent));
    assert!(of(&lens, "solidity") > 0.95 && of(&crescent, "solidity") < 0.6);
    assert!(of(&crescent, "length_at_table") > of(&lens, "length_at_table"));
    assert!(of(&crescent, "width") < of(&lens, "width"));
    assert!(of(&lens, "alignment") > 0.95 && of(&crescent, "alignment") > 0.95);
}

#[test]
fn a_sulcus_points_to_the_centre_and_is_narrow() {
    let sulcus = only(sulcus);
    assert!(of(&sulcus, "alignment") < 0.2, "{sulcus:?}");
    assert!(of(&sulcus, "width") < 0.1 && of(&sulcus, "eccentricity") > 0.95);
}

#[test]
fn a_filled_ventricle_lies_at_the_midline_beside_the_other_one() {
    let (ventricle, ball) = (only(ventricle), only(deep_ball));
    assert!(of(&ventricle, "midline_gap") < of(&ball, "midline_gap"));
    assert!(of(&ventricle, "lateral") < 0.2 && of(&ball, "lateral") > 0.3);
    let part = of(&ventricle, "csf_far");
    assert!(part > 0.05, "the other ventricle is {part} of the ring");
    // A part of the brain that is as large, without fluid near it.
    assert_eq!(of(&only(|[x, y]| (x + 0.6).hypot(y / 2.5) < 0.1), "csf_far"), 0.0);
}

#[test]
fn area_and_grey_level_are_those_of_the_phantom() {
    let ball = only(deep_ball);
    // The area of an ellipse over that of the inside, both in units of the axes.
    let expected = (0.17_f32 * 0.17 / (1.1 * 1.4)).ln();
    assert!((of(&ball, "log_area") - expected).abs() < 0.03);
    assert!((of(&ball, "grey_mean") - 85.0 / 120.0).abs() < 1e-4);
    assert!(of(&ball, "grey_sd") < 1e-2);
    assert!((of(&ball, "ellipse_fill") - 1.0).abs() < 0.03);
}

#[test]
fn the_hull_of_a_corner_is_the_triangle_and_the_squares_around_it() {
    // Three squares of 20 px in the shape of an L; the hull adds half a square.
    let pixel = |at: f64, axis: usize| (at * super::phantom::AXES[axis] + 159.5).round() as i64;
    let corner = only(|[x, y]| {
        let (column, row) = (pixel(x, 0) - 140, pixel(y, 1) - 150);
        let (right, below) = ((0..40).contains(&column), (0..40).contains(&row));
        right && below && (column < 20 || row < 20)
    });
    assert!((of(&corner, "solidity") - 3.0 / 3.5).abs() < 1e-4, "{corner:?}");
    assert!((of(&corner, "extent") - 0.75).abs() < 1e-6);
}

#[test]
fn a_rotated_head_gives_the_same_place() {
    let upright = only(deep_ball);
    for degrees in [-16.0_f64, 8.0, 20.0] {
        let head = HeadPhantom { angle: degrees.to_radians() };
        let rotated = head.features(deep_ball).unwrap()[0];
        for name in ["lateral", "to_back", "radial", "depth_median", "midline_gap"] {
            let (a, b) = (of(&upright, name), of(&rotated, name));
            assert!((a - b).abs() < 0.03, "{name} at {degrees} degrees: {a}, {b}");
        }
    }
}

#[test]
fn several_lesions_are_described_each_and_largest_first() {
    let features = HeadPhantom::default().features(|at| deep_ball(at) || crescent(at)).unwrap();
    assert_eq!(features.len(), 2);
    assert!(of(&features[0], "edge_at_table") > 0.3 && of(&features[1], "edge_at_table") == 0.0);
    assert!((of(&features[0], "other_lesions") - 2.0_f32.ln()).abs() < 1e-6);
    let parts: f32 = features.iter().map(|lesion| of(lesion, "area_part")).sum();
    assert!((parts - 1.0).abs() < 1e-5);
}

#[test]
fn every_feature_of_a_single_pixel_and_of_a_full_head_is_finite() {
    for is_blood in [
        |[x, y]: [f64; 2]| x.abs() < 0.005 && (0.0..0.006).contains(&y),
        |_: [f64; 2]| true,
        |[x, y]: [f64; 2]| ((x * 40.0) as i64 + (y * 40.0) as i64) % 2 == 0,
    ] {
        let features = HeadPhantom::default().features(is_blood).unwrap();
        assert!(!features.is_empty() && features.iter().flatten().all(|value| value.is_finite()));
    }
}

#[test]
fn without_a_skull_there_are_no_features() {
    let nothing = GridLesions::from_mask(&Mask::empty(SIDE, SIDE));
    let samples = vec![0.0; SIDE * SIDE];
    assert!(Inside::find(&samples, &Mask::empty(SIDE, SIDE), 1.0, &nothing).is_none());
    // Without a wall, depth has no end.
    let everything = Mask { width: SIDE, height: SIDE, pixels: vec![true; SIDE * SIDE] };
    assert!(Inside::find(&samples, &everything, 1.0, &nothing).is_none());
}

#[test]
fn lesions_of_an_image_lie_at_the_same_place_of_the_grid() {
    let mut mask = Mask::empty(64, 48);
    for (x, y) in [(20, 10), (21, 10), (22, 11), (40, 30)] {
        mask.pixels[y * 64 + x] = true;
    }
    let crop = CropBox { x: 10, y: -2, side: 40 };
    let components = label_components(&mask);
    let on_grid = GridLesions::from_components(&components, crop, [80, 80], Turn::NONE);
    // Two cells per pixel: column 20 becomes 20 and 21, row 10 becomes 24 and 25.
    for (cell, label) in [([20, 24], 1), ([25, 27], 1), ([60, 64], 2), ([19, 24], 0), ([26, 27], 0)]
    {
        assert_eq!(on_grid.labels[cell[1] * 80 + cell[0]], label, "{cell:?}");
    }
    assert_eq!(on_grid.labels.iter().filter(|label| **label > 0).count(), 4 * 4);
}

/// Types that follow from the depth alone: IPH where it is large, EDH where it is small.
fn types() -> LesionTypes {
    let class = |code: &str, factor: f32| LesionClass {
        code: code.into(),
        name: code.into(),
        intercept: if factor == 0.0 { -3.0 } else { 0.0 },
        coefficients: vec![factor],
        assessed: code != "EDH",
    };
    LesionTypes {
        features: vec![FeatureScale { name: "depth_median".into(), mean: 0.3, scale: 0.1 }],
        classes: TYPES
            .map(|code| {
                class(
                    code,
                    [-2.0, 0.0, 0.0, 2.0, 0.0][TYPES.iter().position(|c| *c == code).unwrap()],
                )
            })
            .into(),
        temperature: 1.0,
        extra_axial_assessed: true,
        figures: serde_json::Value::Null,
    }
}

#[test]
fn a_type_that_is_not_assessed_is_listed_without_a_probability() {
    let deep = types().classify(&only(deep_ball));
    assert_eq!(deep.code, Some("IPH"));
    assert!(deep.probability.unwrap() > 0.9 && deep.extra_axial.unwrap() < 0.1);
    assert_eq!(deep.not_assessed, [Some("EDH"), None, None, None, None]);
    let codes: Vec<_> = deep.probabilities.iter().flatten().map(|of| of.code).collect();
    assert_eq!(codes, ["SDH", "SAH", "IPH", "IVH"]);
    let written = serde_json::to_value(&deep).unwrap();
    assert_eq!(written["not_assessed"], serde_json::json!(["EDH"]));
    assert_eq!(written["probabilities"].as_array().unwrap().len(), 4);
    let outside = types().classify(&only(lens));
    assert_eq!((outside.code, outside.probability), (None, None));
    assert!(outside.extra_axial.unwrap() > 0.9);
    assert!((outside.all().iter().sum::<f32>() - 1.0).abs() < 1e-5);
}

#[test]
fn the_type_of_a_lesion_is_the_mean_of_its_parts_by_area() {
    let (deep, outside) = (types().classify(&only(deep_ball)), types().classify(&only(lens)));
    let both = LesionType::of_parts([(&deep, 3.0), (&outside, 1.0)].into_iter()).unwrap();
    let expected = (3.0 * deep.all()[3] + outside.all()[3]) / 4.0;
    assert!((both.all()[3] - expected).abs() < 1e-5);
    assert_eq!((both.code, both.not_assessed), (Some("IPH"), deep.not_assessed));
    assert!(LesionType::of_parts(std::iter::empty()).is_none());
}

#[test]
fn a_feature_far_from_the_training_lesions_counts_up_to_a_limit() {
    let mut far = only(deep_ball);
    far[FEATURES.iter().position(|name| *name == "depth_median").unwrap()] = 1e9;
    assert!(types().probabilities(&far).iter().all(|p| p.is_finite()));
    assert!(GreyScale::from_spec(&spec()).is_some());
}

/// The location of the largest lesion of a head that is rotated by `degrees`.
fn location(degrees: f64, is_blood: impl Fn([f64; 2]) -> bool) -> super::SliceLocation {
    let head = HeadPhantom { angle: degrees.to_radians() };
    let measured = head.measure(is_blood).unwrap();
    // A pixel at the tip of a crescent may be apart.
    assert!(of(&measured[0].features, "area_part") > 0.99);
    measured[0].location.unwrap()
}

#[test]
fn side_and_depth_are_those_of_the_phantom_in_a_rotated_head_too() {
    use super::{Depth::*, Side::*};
    let deep = |x: f64, y: f64| move |at: [f64; 2]| (at[0] - x).hypot(at[1] - y) < 0.1;
    let at_table = |left: f64| move |[x, y]: [f64; 2]| x * left > 0.85 && x.hypot(y) > 0.9;
    for degrees in [0.0, -17.0, 9.0, 20.0] {
        let of = |location: super::SliceLocation| {
            let location = location.location();
            (location.side, location.depth, location.region)
        };
        assert_eq!(of(location(degrees, deep(0.35, 0.0))), (Some(Left), Deep, None));
        assert_eq!(of(location(degrees, deep(-0.35, 0.1))), (Some(Right), Deep, None));
        assert_eq!(of(location(degrees, deep(0.0, 0.2))), (Some(Midline), Deep, None));
        assert_eq!(of(location(degrees, at_table(1.0))), (Some(Left), Superficial, None));
        assert_eq!(of(location(degrees, at_table(-1.0))), (Some(Right), Superficial, None));
    }
    // Beyond the rotations that are searched, the sides are not named.
    let turned = location(40.0, deep(0.35, 0.0)).location();
    assert_eq!((turned.side, turned.depth), (None, Deep));
}

/// Chamfer distances on cells of 2 px: 1.5 mm, or 8 % of thick lesions.
#[test]
fn thickness_of_a_lesion_along_the_table_is_known_within_one_and_a_half_millimetres() {
    let spacing = Some([0.7_f32, 0.7]);
    for part in [0.1, 0.2, 0.3] {
        // A segment of the ellipse is as thick as its height; a crescent is thickest towards the longer axis.
        let segment = move |[x, _]: [f64; 2]| x > 1.0 - part;
        let crescent = move |[x, y]: [f64; 2]| x > 0.5 && x.hypot(y) > 1.0 - part;
        let height_mm = part * super::phantom::AXES[0] * 0.7;
        let allowed = f64::max(1.5, 0.08 * height_mm);
        for degrees in [0.0, 12.0] {
            let mm = f64::from(location(degrees, segment).thickness_mm(spacing).unwrap());
            assert!((mm - height_mm).abs() < allowed, "{part} {degrees}: {mm}, {height_mm}");
            let mm = f64::from(location(degrees, crescent).thickness_mm(spacing).unwrap());
            let range = height_mm - allowed..1.2 * height_mm + allowed;
            assert!(range.contains(&mm), "{part} {degrees}: {mm}, {height_mm}");
        }
    }
    let deep = location(0.0, deep_ball);
    assert_eq!(deep.thickness_mm(spacing), None, "it does not lie along the table");
    let thick = location(0.0, |[x, _]| x > 0.9);
    assert_eq!(thick.thickness_mm(None), None);
    assert_eq!(thick.thickness_mm(Some([0.5, 0.6])), None, "the pixels are not square");
}
