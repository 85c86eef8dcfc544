//! Phantoms of known size.

use super::*;
use crate::mask::Mask;
use crate::series::{SeriesRequest, assemble};
use crate::slice::{CtSlice, Intensity, Placement, Plane};

/// A grid of voxels, in which columns vary fastest.
#[derive(Clone)]
struct Phantom {
    /// Numbers of columns, rows and slices.
    sizes: [usize; 3],
    /// Spacing of columns, rows and slices, mm.
    spacing: [f64; 3],
    inside: Vec<bool>,
}

impl Phantom {
    fn new(sizes: [usize; 3], spacing: [f64; 3], f: impl Fn([f64; 3]) -> bool) -> Self {
        let place = |index: usize| {
            let [nx, ny, _] = sizes;
            [index % nx, index / nx % ny, index / nx / ny]
        };
        let middle = |at: [usize; 3]| {
            std::array::from_fn(|a| (at[a] as f64 + 0.5 - sizes[a] as f64 / 2.0) * spacing[a])
        };
        let voxels = sizes.iter().product();
        Self { sizes, spacing, inside: (0..voxels).map(|i| f(middle(place(i)))).collect() }
    }

    /// The same voxels, stacked along another of their axes.
    fn turned(&self, axes: [usize; 3]) -> Self {
        let [nx, ny, _] = self.sizes;
        let sizes = axes.map(|a| self.sizes[a]);
        let mut inside = Vec::new();
        for index in 0..self.inside.len() {
            let at = [index % sizes[0], index / sizes[0] % sizes[1], index / sizes[0] / sizes[1]];
            let mut old = [0; 3];
            axes.into_iter().zip(at).for_each(|(axis, v)| old[axis] = v);
            inside.push(self.inside[(old[2] * ny + old[1]) * nx + old[0]]);
        }
        Self { sizes, spacing: axes.map(|a| self.spacing[a]), inside }
    }

    /// The phantom as a series; each slice starts `shear` mm further back than the one before.
    fn series(&self, shear: f64) -> (Series, Vec<PackedMask>) {
        let [width, height, count] = self.sizes;
        let [dx, dy, dz] = self.spacing;
        let slice = |z: usize| CtSlice {
            spacing_mm: Some([dy as f32, dx as f32]),
            placement: Some(Placement {
                position_mm: [0.0, z as f64 * shear, z as f64 * dz],
                row: [1.0, 0.0, 0.0],
                column: [0.0, 1.0, 0.0],
            }),
            ..CtSlice::bare(Plane::filled(width, height, 0.0), Intensity::Hounsfield)
        };
        let mask = |pixels: &[bool]| Mask { width, height, pixels: pixels.to_vec() }.pack();
        let masks = self.inside.chunks(width * height).map(mask);
        (
            assemble((0..count).map(slice).collect::<Vec<_>>().into(), SeriesRequest::default())
                .unwrap(),
            masks.collect(),
        )
    }

    fn measure(&self) -> Volumetry {
        let (series, masks) = self.series(0.0);
        measure(&series, &masks)
    }
}

const SEMI_AXES: [f64; 3] = [30.0, 20.0, 25.0];

fn ellipsoid(spacing: [f64; 3]) -> Phantom {
    let sizes = std::array::from_fn(|a| (2.4 * SEMI_AXES[a] / spacing[a]) as usize);
    Phantom::new(sizes, spacing, |p| {
        (0..3).map(|a| (p[a] / SEMI_AXES[a]).powi(2)).sum::<f64>() < 1.0
    })
}

fn assert_near(actual: f32, expected: f64, tolerance: f64) {
    let error = f64::from(actual) / expected - 1.0;
    assert!(error.abs() < tolerance, "{actual} for {expected}: {:.2} %", 100.0 * error);
}

#[test]
fn an_anisotropic_ellipsoid_has_its_volume_within_one_percent() {
    let [a, b, c] = SEMI_AXES;
    let true_ml = 4.0 / 3.0 * std::f64::consts::PI * a * b * c / 1000.0;
    for spacing in [[0.49, 0.49, 5.0], [0.4, 0.6, 2.5], [1.0, 0.45, 0.625], [0.5, 0.5, 1.0]] {
        let found = ellipsoid(spacing).measure();
        assert_eq!(found.lesions.len(), 1);
        let lesion = &found.lesions[0];
        assert_near(found.total_volume_ml.unwrap(), true_ml, 0.01);
        assert_near(lesion.volume_ml.unwrap(), true_ml, 0.01);
        assert_near(lesion.largest_diameter_mm.unwrap(), 2.0 * a, 0.02);
        let abc2 = lesion.abc2.clone().unwrap();
        assert_near(abc2.a_mm, 2.0 * a, 0.02);
        assert_near(abc2.b_mm, 2.0 * b, 0.03);
        // Areas fall with 1 - (z/c)^2: whole up to 0.5 c, half up to 0.866 c, on either side.
        assert_near(abc2.c_mm, 1.366 * c, 0.05);
        let product = abc2.a_mm * abc2.b_mm * abc2.c_mm / 2000.0;
        assert_near(abc2.volume_ml, f64::from(product), 1e-5);
        let from_middle = lesion.key_slice.abs_diff(ellipsoid(spacing).sizes[2] / 2);
        assert!(from_middle as f64 * spacing[2] <= 5.0, "{}", lesion.key_slice);
        assert_eq!(found.key_slice, Some(lesion.key_slice));
    }
}

#[test]
fn volume_does_not_depend_on_the_order_of_the_axes() {
    let mut seed = 7_u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(seed >> 8) / f64::from(1 << 24)
    };
    for _ in 0..8 {
        let spheres: Vec<([f64; 3], f64)> = (0..6)
            .map(|_| (std::array::from_fn(|_| 20.0 * random() - 10.0), 1.0 + 4.0 * random()))
            .collect();
        let spacing = std::array::from_fn(|_| 0.4 + 1.6 * random());
        let phantom = Phantom::new([24, 30, 18], spacing, |p| {
            spheres.iter().any(|(c, r)| (0..3).map(|a| (p[a] - c[a]).powi(2)).sum::<f64>() < r * r)
        });
        let first = phantom.measure();
        assert!(first.total_volume_ml.unwrap() > 0.0);
        for axes in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let turned = phantom.turned(axes).measure();
            let both = [&first, &turned];
            let [a, b] = both.map(|v| v.total_volume_ml.unwrap());
            assert_near(a, f64::from(b), 1e-4);
            let sizes = |v: &Volumetry| v.lesions.iter().map(|l| l.voxels).collect::<Vec<_>>();
            assert_eq!(sizes(&first), sizes(&turned), "{axes:?}");
            for (a, b) in first.lesions.iter().zip(&turned.lesions) {
                let [a, b] = [a, b].map(|l| l.largest_diameter_mm.unwrap());
                assert_near(a, f64::from(b), 1e-4);
            }
        }
    }
}

/// Boxes, each given by its first and last voxel along each axis, on a grid of 20 x 20 x 6 voxels of 1 x 1 x 2 mm.
fn boxes(boxes: &[[[usize; 2]; 3]]) -> Phantom {
    let mut phantom = Phantom::new([20, 20, 6], [1.0, 1.0, 2.0], |_| false);
    for [xs, ys, zs] in boxes {
        for z in zs[0]..=zs[1] {
            for y in ys[0]..=ys[1] {
                (xs[0]..=xs[1]).for_each(|x| phantom.inside[(z * 20 + y) * 20 + x] = true);
            }
        }
    }
    phantom
}

#[test]
fn voxels_connect_by_corners_and_not_across_gaps() {
    let touching = boxes(&[[[2, 5], [2, 5], [0, 1]], [[6, 8], [6, 8], [2, 2]]]);
    assert_eq!(touching.measure().lesions.len(), 1);
    let apart = boxes(&[[[2, 5], [2, 5], [0, 1]], [[7, 8], [6, 8], [2, 2]]]);
    assert_eq!(apart.measure().lesions.len(), 2);
    let slice_between = boxes(&[[[2, 5], [2, 5], [0, 1]], [[2, 5], [2, 5], [3, 3]]]);
    let found = slice_between.measure();
    let sizes: Vec<_> = found
        .lesions
        .iter()
        .map(|l| (l.id, l.voxels, l.first_slice, l.last_slice, l.volume_ml.unwrap()))
        .collect();
    assert_eq!(sizes, [(1, 32, 0, 1, 0.064), (2, 16, 3, 3, 0.032)]);
}

#[test]
fn two_arms_that_meet_above_are_one_lesion() {
    let arches =
        boxes(&[[[2, 3], [5, 6], [0, 2]], [[9, 10], [5, 6], [0, 2]], [[2, 10], [5, 6], [3, 3]]]);
    let found = arches.measure();
    assert_eq!((found.lesions.len(), found.lesions[0].voxels), (1, 42));
    assert_eq!((found.key_slice, found.lesions[0].key_slice), (Some(3), 3));
}

#[test]
fn abc2_weights_slices_by_their_share_of_the_largest_area() {
    // Areas 16, 16, 8 (half), 3 (none) on slices of 2 mm.
    let steps =
        boxes(&[[[2, 5], [2, 5], [0, 1]], [[2, 5], [2, 3], [2, 2]], [[2, 4], [2, 2], [3, 3]]]);
    let abc2 = steps.measure().lesions[0].abc2.clone().unwrap();
    assert_eq!(abc2.c_mm, 2.0 + 2.0 + 1.0);
    // The diagonal between the midpoints of the outer edges of a 4 x 4 square.
    assert_near(abc2.a_mm, 5.0, 1e-6);
}

#[test]
fn the_diameter_of_one_voxel_is_its_longest_side() {
    let found = boxes(&[[[3, 3], [3, 3], [3, 3]]]).measure();
    assert_eq!(found.lesions[0].largest_diameter_mm, Some(2.0));
    assert_eq!(found.total_volume_ml, Some(0.002));
}

#[test]
fn slices_of_a_tilted_stack_connect_along_the_perpendicular() {
    // A column of 3 x 3 mm along the normal; the slices start 4 mm further back each, so that its
    // pixels lie 4 rows further up each and never touch by index.
    let mut column = boxes(&[]);
    for z in 0..5 {
        for (x, y) in (0..9).map(|n| (5 + n % 3, 17 - 4 * z + n / 3)) {
            column.inside[(z * 20 + y) * 20 + x] = true;
        }
    }
    // 4 mm in 8 mm of height is 26.6 degrees.
    column.spacing[2] = 8.0;
    let (series, masks) = column.series(4.0);
    assert!((series.tilt_degrees.unwrap() - 26.565).abs() < 0.01);
    let found = measure(&series, &masks);
    assert_eq!((found.lesions.len(), found.total_volume_ml), (1, Some(0.36)));
    // Upright in space: 40 mm high, 3 mm wide.
    assert_near(found.lesions[0].largest_diameter_mm.unwrap(), 40.0_f64.hypot(2.0), 0.01);
}

#[test]
fn unknown_geometry_gives_null_and_a_warning() {
    let phantom = boxes(&[[[2, 5], [2, 5], [0, 1]]]);
    let (mut series, masks) = phantom.series(0.0);
    series.extents_mm = None;
    let found = measure(&series, &masks);
    let lesion = &found.lesions[0];
    assert_eq!((found.total_volume_ml, lesion.volume_ml, lesion.voxels), (None, None, 32));
    assert!(lesion.abc2.is_none() && lesion.largest_diameter_mm.is_none());
    assert_eq!(found.warnings.iter().map(|w| w.code).collect::<Vec<_>>(), ["volume_unknown"]);

    let (mut series, masks) = phantom.series(0.0);
    series.slices[5].spacing_mm = Some([0.0, 1.0]);
    let found = measure(&series, &masks);
    assert_eq!((found.total_volume_ml, found.lesions[0].volume_ml), (None, Some(0.064)));
    assert!(found.warnings[0].message.contains("1 of 6 slices"));

    series.slices.iter_mut().for_each(|s| s.spacing_mm = None);
    let found = measure(&series, &masks);
    assert_eq!((found.lesions.len(), found.lesions[0].volume_ml), (1, None));
}

#[test]
fn an_empty_mask_measures_zero() {
    let found = boxes(&[]).measure();
    assert_eq!((found.total_volume_ml, found.key_slice), (Some(0.0), None));
    assert!(found.total_volume_ml.unwrap().is_sign_positive(), "JSON distinguishes 0 and -0");
    assert!(found.lesions.is_empty() && found.warnings.is_empty());
}

#[test]
fn the_diameter_of_a_lesion_with_many_corners_is_within_one_percent() {
    let phantom = ellipsoid([0.4, 0.4, 0.5]);
    let found = phantom.measure();
    assert_near(found.lesions[0].largest_diameter_mm.unwrap(), 60.0, 0.01);
}
