//! Generated heads are readable in every window, size and frame; other images are not.

use super::hounsfield::{Evidence, Fault};
use super::phantom::{cropped, framed, head, random, show, side_by_side, without_bone};
use super::*;

const BRAIN: WindowLevel = WindowLevel { center_hu: 40.0, width_hu: 80.0 };

fn window(center_hu: f32, width_hu: f32) -> WindowLevel {
    WindowLevel { center_hu, width_hu }
}

fn picture(plane: &Plane) -> Assessment {
    assess(&CtSlice::bare(Plane::filled(1, 1, 0.0), Intensity::Display), plane)
}

fn hounsfield(plane: &Plane) -> Assessment {
    assess(&CtSlice::bare(Plane::filled(1, 1, 0.0), Intensity::Hounsfield), plane)
}

fn code(assessment: &Assessment) -> &'static str {
    assert!(assessment.is_unreadable(), "{assessment:?}");
    assessment.warnings[0].code
}

#[test]
fn brain_windows_are_known_and_need_no_warning() {
    for seed in 0..8 {
        for side in [160, 300, 512, 700] {
            for (center, width) in [(40.0, 80.0), (40.0, 120.0), (35.0, 100.0), (30.0, 70.0)] {
                let head = show(&head(side, seed), window(center, width));
                let found = picture(&head);
                let what = format!("{seed} {side} {center} {width} {found:?}");
                assert_eq!(found.gray_scale, GrayScale::WindowKnown, "{what}");
                assert!(found.warnings.is_empty() && found.head.is_some(), "{what}");
            }
        }
    }
}

#[test]
fn other_windows_are_estimated_so_that_brain_is_within_8_hu() {
    for seed in 0..8 {
        for (center, width) in [(127.5, 255.0), (75.0, 215.0), (40.0, 350.0), (40.0, 400.0)] {
            let true_window = window(center, width);
            let found = picture(&show(&head(512, seed), true_window));
            let what = format!("{seed} {center} {width} {found:?}");
            let GrayScale::WindowEstimated(estimated) = found.gray_scale else { panic!("{what}") };
            let brain = to_hounsfield(estimated, true_window.apply(33.0));
            assert!((brain - 33.0).abs() < 8.0, "{brain} {what}");
            let ratio = estimated.width_hu / width;
            assert!((0.55..1.8).contains(&ratio), "{what}");
            assert_eq!(found.warnings[0].code, "window_estimated");
        }
    }
}

#[test]
fn a_skull_that_the_border_cuts_is_recognized() {
    for seed in 0..8 {
        let whole = show(&head(512, seed), window(40.0, 90.0));
        let bright = |x: &usize| (100..400).any(|y| whole.samples[y * 512 + x] > 0.98);
        let left = (0..512).find(bright).unwrap();
        for inwards in [5, 15, 25, 32] {
            for sides in [[inwards, 0], [0, inwards], [inwards, inwards]] {
                let columns = [left + sides[0], 512 - left - sides[1]];
                let found = picture(&cropped(&whole, columns, [10, 502]));
                let what = format!("{seed} {columns:?} {found:?}");
                assert_eq!(found.gray_scale, GrayScale::WindowKnown, "{what}");
            }
        }
    }
}

#[test]
fn a_window_from_0_hu_is_estimated_without_a_closed_skull() {
    for seed in 0..12 {
        let head = without_bone(head(512, seed), 0.4 + 0.02 * seed as f32);
        for width in [200.0, 256.0, 300.0] {
            let assessment = picture(&show(&head, window(width / 2.0, width)));
            let estimated = assessment.gray_scale.estimated_window();
            let estimated =
                estimated.unwrap_or_else(|| panic!("{seed} {width}: {}", code(&assessment)));
            // Where the picture shows 32 HU, the estimate finds brain within 8 HU.
            let brain = estimated.to_hu(32.0 / width);
            assert!((brain - 32.0).abs() < 8.0, "{seed} {width}: brain at {brain} HU");
        }
        let assessment = picture(&show(&head, window(40.0, 100.0)));
        assert_eq!(assessment.gray_scale, GrayScale::WindowKnown, "{seed}: {}", code(&assessment));
    }
}

#[test]
fn bone_windows_are_unreadable() {
    for seed in 0..8 {
        for (center, width) in [(600.0, 2800.0), (500.0, 2000.0), (700.0, 4000.0)] {
            let found = picture(&show(&head(512, seed), window(center, width)));
            assert!(found.is_unreadable(), "{seed} {width} {found:?}");
        }
    }
}

#[test]
fn inverted_cut_and_assembled_pictures_are_unreadable() {
    for seed in 0..6 {
        let slices: Vec<Plane> = (0..6).map(|i| show(&head(256, seed * 7 + i), BRAIN)).collect();
        let inverted = slices[0].clone().map(|grey| 1.0 - grey);
        assert_eq!(code(&picture(&inverted)), "inverted_image", "{seed}");
        for (count, columns) in [(2, 2), (2, 1), (4, 2), (6, 3)] {
            let all = side_by_side(&slices[..count], columns);
            assert_eq!(code(&picture(&all)), "several_slices", "{seed} {count}");
        }
        // The lower part is cut off, as the neck is on a coronal view.
        let mut cut = slices[0].clone();
        cut.samples[150 * 256..].fill(0.0);
        assert!(picture(&cut).is_unreadable(), "{seed}");
    }
}

#[test]
fn frames_do_not_move_the_head() {
    for seed in 0..6 {
        let slice = show(&head(400, seed), BRAIN);
        let plain = picture(&slice).head.unwrap();
        for grey in [0.3, 0.5, 0.8, 1.0] {
            let found = picture(&framed(&slice, 60, grey));
            assert_eq!(found.gray_scale, GrayScale::WindowKnown, "{seed} {grey} {found:?}");
            let head = found.head.unwrap();
            assert!(head.x.abs_diff(plain.x + 60) <= 10, "{head:?} {plain:?}");
            assert!(head.width.abs_diff(plain.width) <= 15, "{head:?} {plain:?}");
        }
    }
}

#[test]
fn images_without_a_head_are_unreadable() {
    let mut next = random(5);
    let noise = Plane { width: 300, height: 200, samples: (0..60_000).map(|_| next()).collect() };
    assert!(picture(&noise).is_unreadable());
    for grey in [0.0, 0.5, 1.0] {
        assert_eq!(code(&picture(&Plane::filled(64, 80, grey))), "blank_image");
    }
    let ramp = (0..128 * 128).map(|i| (i % 128) as f32 / 127.0).collect();
    assert!(picture(&Plane { width: 128, height: 128, samples: ramp }).is_unreadable());
    // A body: soft tissue all through, and one bone.
    let mut body = Plane::filled(256, 256, 0.0);
    for (index, sample) in body.samples.iter_mut().enumerate() {
        let (x, y) = ((index % 256) as f32 - 128.0, (index / 256) as f32 - 128.0);
        if (x / 110.0).hypot(y / 80.0) < 1.0 {
            *sample = if (x / 20.0).hypot((y - 50.0) / 15.0) < 1.0 { 1.0 } else { 0.5 };
        }
    }
    assert!(picture(&body).is_unreadable());
    for (width, height) in [(0, 0), (1, 1), (1, 500), (4096, 1), (17, 16)] {
        assert!(picture(&Plane::filled(width, height, 0.4)).is_unreadable());
        assert!(!hounsfield(&Plane::filled(width, height, -1000.0)).is_unreadable());
    }
}

#[test]
fn hounsfield_units_and_their_faults_are_recognized() {
    let fault = |fault: Fault| Some(Evidence::Fault(fault));
    for seed in 0..8 {
        let head = head(512, seed);
        let read = |f: &dyn Fn(f32) -> f32| hounsfield(&head.clone().map(f)).evidence;
        assert_eq!(read(&|hu| hu), Some(Evidence::Brain), "{seed}");
        assert_eq!(read(&|hu| if hu < -900.0 { -3024.0 } else { hu }), Some(Evidence::Brain));
        assert_eq!(read(&|hu| hu.clamp(0.0, 255.0)), Some(Evidence::Brain));
        for shift in [1000.0, 1024.0] {
            assert_eq!(read(&|hu| hu + shift), fault(Fault::TooHigh), "{seed}");
            assert_eq!(read(&|hu| hu - shift), fault(Fault::TooLow), "{seed}");
        }
        let scaled: [&dyn Fn(f32) -> f32; 3] =
            [&|hu| BRAIN.apply(hu), &|hu| hu / 1000.0, &|hu| (hu + 700.0) / 500.0];
        for scale in scaled {
            assert_eq!(read(scale), fault(Fault::UnitRange), "{seed}");
        }
        assert_eq!(read(&|hu| BRAIN.apply(hu) * 255.0), fault(Fault::ByteRange), "{seed}");
        let stripped = |hu: f32| if (0.0..90.0).contains(&hu) { hu } else { 0.0 };
        assert_eq!(read(&stripped), fault(Fault::NoSkull), "{seed}");
    }
}

#[test]
fn values_that_ct_cannot_have_give_a_warning() {
    let found = hounsfield(&head(256, 1).map(|hu| if hu < -900.0 { 62_512.0 } else { hu }));
    assert!(found.warnings.iter().any(|w| w.code == "implausible_values"), "{found:?}");
}

#[test]
fn a_series_of_hounsfield_units_is_judged_as_a_whole() {
    let slices = |f: &dyn Fn(f32) -> f32| -> Vec<Assessment> {
        let mut slices: Vec<Assessment> =
            (0..4).map(|seed| hounsfield(&head(256, seed).map(f))).collect();
        // Air above the vertex.
        slices.push(hounsfield(&Plane::filled(256, 256, f(-1000.0))));
        slices
    };
    let judged = |slices: &[Assessment]| assess_series(&slices.iter().collect::<Vec<_>>());
    let mut good = slices(&|hu| hu);
    good.push(hounsfield(&Plane::filled(256, 256, 0.0).map(|_| 300.0)));
    assert_eq!(judged(&good), Assessment::new(GrayScale::Hounsfield));
    assert_eq!(code(&judged(&slices(&|hu| hu + 1024.0))), "hu_shifted");
    assert_eq!(code(&judged(&slices(&|hu| hu / 1000.0))), "hu_scaled");
    assert_eq!(judged(&[]).gray_scale, GrayScale::Unreadable);
}

#[test]
fn implausible_sizes_give_a_warning() {
    let slice = |spacing: f32| {
        let plane = head(512, 3);
        let bare = CtSlice::bare(Plane::filled(1, 1, 0.0), Intensity::Hounsfield);
        assess(&CtSlice { spacing_mm: Some([spacing; 2]), ..bare }, &plane)
    };
    let judged = |spacing: f32| assess_series(&[&slice(spacing); 10]);
    let sizes = |assessment: &Assessment| -> Vec<&str> {
        let doubted = |w: &&Warning| w.doubt == Some(Doubt::Unmeasurable);
        assessment.warnings.iter().filter(doubted).map(|w| w.code).collect()
    };
    for (spacing, alone, together) in
        [(0.45, true, true), (0.15, true, false), (0.045, false, false), (4.5, false, false)]
    {
        assert_eq!(sizes(&slice(spacing)).is_empty(), alone, "{spacing}");
        assert_eq!(sizes(&judged(spacing)).is_empty(), together, "{spacing}");
    }
    assert!(volume_warning(120.0).is_none() && volume_warning(21_800.0).is_some());
}
