//! Histogram equalisation, CLAHE and contrast stretching of planes with samples in [0, 1].

use crate::slice::Plane;
use image::GrayImage;

/// Bins of the histograms: the grey levels of an 8-bit picture.
const BINS: usize = 256;

fn bin(value: f32) -> usize {
    (value.clamp(0.0, 1.0) * (BINS - 1) as f32).round() as usize
}

/// Global histogram equalisation.
pub(super) fn equalize_histogram(plane: &Plane) -> Plane {
    let grey = GrayImage::from_fn(plane.width as u32, plane.height as u32, |x, y| {
        image::Luma([bin(plane.samples[y as usize * plane.width + x as usize]) as u8])
    });
    let equal = imageproc::contrast::equalize_histogram(&grey);
    let samples = equal.as_raw().iter().map(|&v| f32::from(v) / 255.0).collect();
    Plane { width: plane.width, height: plane.height, samples }
}

/// Stretches linearly so that the two percentiles become 0 and 1. A plane of one value stays as it is.
pub(super) fn stretch(plane: Plane, low_percentile: f32, high_percentile: f32) -> Plane {
    let mut sorted = plane.samples.clone();
    sorted.sort_by(f32::total_cmp);
    let at = |percentile: f32| {
        let last = sorted.len().saturating_sub(1);
        let index = (percentile / 100.0 * last as f32).round() as usize;
        sorted.get(index.min(last)).copied().unwrap_or(0.0)
    };
    let (low, high) = (at(low_percentile), at(high_percentile));
    if high - low < 1e-6 {
        return plane;
    }
    plane.map(|v| ((v - low) / (high - low)).clamp(0.0, 1.0))
}

/// Contrast limited adaptive histogram equalisation (Zuiderveld, *Graphics Gems IV*, 1994): one clipped histogram per
/// tile, whose cumulative curves are interpolated bilinearly between tile centres.
pub(super) fn clahe(plane: &Plane, clip_limit: f32, tiles: usize) -> Plane {
    let tiles = tiles.clamp(1, plane.width.min(plane.height).max(1));
    let curves: Vec<[f32; BINS]> = (0..tiles * tiles)
        .map(|i| tile_curve(plane, (i % tiles, i / tiles), tiles, clip_limit))
        .collect();
    // Tile centres lie at (i + 0.5) * side / tiles. Beyond the outermost centre its tile alone applies.
    let neighbours = |position: usize, side: usize| {
        let t = (position as f32 + 0.5) * tiles as f32 / side as f32 - 0.5;
        let t = t.clamp(0.0, (tiles - 1) as f32);
        let first = t.floor() as usize;
        (first, (first + 1).min(tiles - 1), t - first as f32)
    };
    let mut out = Plane::filled(plane.width, plane.height, 0.0);
    for y in 0..plane.height {
        let (y0, y1, fy) = neighbours(y, plane.height);
        for x in 0..plane.width {
            let (x0, x1, fx) = neighbours(x, plane.width);
            let index = y * plane.width + x;
            let b = bin(plane.samples[index]);
            let curve = |tx: usize, ty: usize| curves[ty * tiles + tx][b];
            let top = curve(x0, y0) * (1.0 - fx) + curve(x1, y0) * fx;
            let bottom = curve(x0, y1) * (1.0 - fx) + curve(x1, y1) * fx;
            out.samples[index] = top * (1.0 - fy) + bottom * fy;
        }
    }
    out
}

fn tile_curve(
    plane: &Plane,
    (tx, ty): (usize, usize),
    tiles: usize,
    clip_limit: f32,
) -> [f32; BINS] {
    let range = |t: usize, side: usize| (t * side / tiles)..((t + 1) * side / tiles);
    let mut histogram = [0.0_f32; BINS];
    let mut count = 0.0_f32;
    for y in range(ty, plane.height) {
        for x in range(tx, plane.width) {
            histogram[bin(plane.samples[y * plane.width + x])] += 1.0;
            count += 1.0;
        }
    }
    let ceiling = (clip_limit * count / BINS as f32).max(1.0);
    let excess: f32 = histogram.iter().map(|h| (h - ceiling).max(0.0)).sum();
    let share = excess / BINS as f32;
    let mut total = 0.0;
    histogram.map(|h| {
        total += h.min(ceiling) + share;
        (total / count.max(1.0)).min(1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(low: f32, high: f32) -> Plane {
        let samples = (0..64 * 64).map(|i| low + (high - low) * (i % 64) as f32 / 63.0).collect();
        Plane { width: 64, height: 64, samples }
    }

    fn spread(plane: &Plane) -> f32 {
        let max = plane.samples.iter().copied().fold(f32::MIN, f32::max);
        max - plane.samples.iter().copied().fold(f32::MAX, f32::min)
    }

    #[test]
    fn each_step_widens_a_narrow_ramp_and_preserves_its_order() {
        let narrow = ramp(0.4, 0.6);
        let cases = [
            ("equalisation", equalize_histogram(&narrow)),
            ("clahe", clahe(&narrow, 4.0, 1)),
            ("stretch", stretch(narrow.clone(), 1.0, 99.0)),
        ];
        for (name, out) in cases {
            assert!(spread(&out) > 2.0 * spread(&narrow), "{name}");
            assert!(out.samples[..64].is_sorted(), "{name}");
            assert!(out.samples.iter().all(|v| (0.0..=1.0).contains(v)), "{name}");
        }
    }

    #[test]
    fn equalisation_of_a_uniform_histogram_is_nearly_the_identity() {
        let full = ramp(0.0, 1.0);
        for (before, after) in full.samples.iter().zip(equalize_histogram(&full).samples) {
            assert!((before - after).abs() < 0.03);
        }
    }

    #[test]
    fn clahe_with_a_low_clip_limit_changes_less() {
        let narrow = ramp(0.4, 0.6);
        assert!(spread(&clahe(&narrow, 1.0, 2)) < spread(&clahe(&narrow, 8.0, 2)));
    }

    #[test]
    fn stretching_a_flat_plane_changes_nothing() {
        let flat = Plane::filled(8, 8, 0.3);
        assert_eq!(stretch(flat.clone(), 1.0, 99.0), flat);
    }
}
