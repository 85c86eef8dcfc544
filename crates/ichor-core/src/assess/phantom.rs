//! Generated heads in Hounsfield units, and the pictures that users send of them.

use crate::slice::Plane;
use crate::window::WindowLevel;

/// Pseudorandom numbers in [0, 1), the same on every run (SplitMix64).
pub(super) fn random(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z >> 40) as f32 / (1_u64 << 24) as f32
    }
}

/// An axial slice through the ventricles: air, skin, fat, skull, CSF, cortex, white matter.
pub(super) fn head(side: usize, seed: u64) -> Plane {
    let mut next = random(seed);
    let half = side as f32 / 2.0;
    let (a, b) = (0.62 + 0.12 * next(), 0.75 + 0.12 * next());
    let thick = 0.05 + 0.03 * next();
    let noise = 4.0 + 6.0 * next();
    let mut plane = Plane::filled(side, side, -1000.0);
    for (index, sample) in plane.samples.iter_mut().enumerate() {
        let (x, y) = ((index % side) as f32 + 0.5 - half, (index / side) as f32 + 0.5 - half);
        let (x, y) = (x / half, y / half);
        let r = (x / a).hypot(y / b);
        let hu = if r > 1.12 {
            continue;
        } else if r > 1.09 {
            50.0
        } else if r > 1.0 {
            -95.0
        } else if r > 1.0 - thick / a {
            900.0
        } else if (x.abs() / 0.13 - 0.5).hypot(y / 0.3) < 0.5 {
            8.0
        } else {
            // Folded cortex at the rim, white matter inside.
            let fold = (x.atan2(y) * 23.0).sin() * 0.05;
            if r + fold > 0.8 - thick / a { 38.0 } else { 29.0 }
        };
        // The sum of three uniform numbers approximates a normal distribution.
        *sample = hu + noise * (next() + next() + next() - 1.5) * 2.0;
    }
    plane
}

/// The head with scalp in place of the bone within `half_angle` radians of the patient's left, as after a craniectomy.
pub(super) fn without_bone(mut head: Plane, half_angle: f32) -> Plane {
    let (side, half) = (head.width, head.width as f32 / 2.0);
    for (index, sample) in head.samples.iter_mut().enumerate() {
        let (x, y) = ((index % side) as f32 + 0.5 - half, (index / side) as f32 + 0.5 - half);
        if *sample > 500.0 && y.atan2(x).abs() < half_angle {
            *sample = 45.0;
        }
    }
    head
}

/// A plane of Hounsfield units as a picture of 8 bits in a window.
pub(super) fn show(hounsfield: &Plane, window: WindowLevel) -> Plane {
    hounsfield.clone().map(|hu| (window.apply(hu) * 255.0).round() / 255.0)
}

/// The part of a plane within `columns` and `rows`, each given as the first and the one after the last.
pub(super) fn cropped(plane: &Plane, columns: [usize; 2], rows: [usize; 2]) -> Plane {
    let lines = plane.samples.chunks_exact(plane.width).skip(rows[0]).take(rows[1] - rows[0]);
    let samples = lines.flat_map(|line| &line[columns[0]..columns[1]]).copied().collect();
    Plane { width: columns[1] - columns[0], height: rows[1] - rows[0], samples }
}

/// Planes side by side, `columns` of them per row.
pub(super) fn side_by_side(planes: &[Plane], columns: usize) -> Plane {
    let (width, height) = (planes[0].width, planes[0].height);
    let rows = planes.len().div_ceil(columns);
    let mut all = Plane::filled(width * columns, height * rows, 0.0);
    for (number, plane) in planes.iter().enumerate() {
        let (left, top) = (number % columns * width, number / columns * height);
        for (y, row) in plane.samples.chunks_exact(width).enumerate() {
            all.samples[(top + y) * width * columns + left..][..width].copy_from_slice(row);
        }
    }
    all
}

/// The plane within a frame of one grey value, `frame` px wide.
pub(super) fn framed(plane: &Plane, frame: usize, grey: f32) -> Plane {
    let (width, height) = (plane.width + 2 * frame, plane.height + 2 * frame);
    let mut all = Plane::filled(width, height, grey);
    for (y, row) in plane.samples.chunks_exact(plane.width).enumerate() {
        all.samples[(frame + y) * width + frame..][..plane.width].copy_from_slice(row);
    }
    all
}
