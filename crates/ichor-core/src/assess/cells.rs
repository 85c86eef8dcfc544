//! A slice on a coarse grid of at most 128 x 128 cells, on which the assessment works.

use super::bits::{Bits, MAX_WIDTH};
use crate::slice::Plane;

/// Mean, smallest and largest sample of square cells of pixels, row-major.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    /// Columns, cells.
    pub(super) width: usize,
    /// Rows, cells.
    pub(super) height: usize,
    /// Side of a cell, px.
    pub(super) side_px: usize,
    /// Column and row of the first cell on the grid of the whole slice.
    pub(super) start: [usize; 2],
    /// Mean sample of each cell.
    pub(super) mean: Vec<f32>,
    /// Smallest sample of each cell.
    pub(super) min: Vec<f32>,
    /// Largest sample of each cell.
    pub(super) max: Vec<f32>,
}

impl Cells {
    /// The cells of a plane. Pixels after the last whole cell are left out; `missing` replaces NaN and infinite
    /// samples.
    pub(super) fn new(plane: &Plane, missing: f32) -> Self {
        let side = plane.width.max(plane.height).div_ceil(MAX_WIDTH).max(1);
        let (width, height) = (plane.width / side, plane.height / side);
        let all = width * height;
        let (mut mean, mut min, mut max) =
            (Vec::with_capacity(all), Vec::with_capacity(all), Vec::with_capacity(all));
        let used = width * side;
        let (mut sums, mut lows, mut highs) = (vec![0.0; used], vec![0.0; used], vec![0.0; used]);
        let share = 1.0 / (side * side) as f32;
        for rows in plane.samples.chunks_exact(plane.width.max(1) * side).take(height) {
            sums.fill(0.0_f32);
            lows.fill(f32::INFINITY);
            highs.fill(f32::NEG_INFINITY);
            for row in rows.chunks_exact(plane.width.max(1)) {
                let columns = row.iter().zip(&mut sums).zip(&mut lows).zip(&mut highs);
                for (((&sample, sum), low), high) in columns {
                    let sample = if sample.abs() <= f32::MAX { sample } else { missing };
                    *sum += sample;
                    *low = if sample < *low { sample } else { *low };
                    *high = if sample > *high { sample } else { *high };
                }
            }
            fold_runs(&sums, side, &mut mean, |a, b| a + b);
            fold_runs(&lows, side, &mut min, |a, b| if b < a { b } else { a });
            fold_runs(&highs, side, &mut max, |a, b| if b > a { b } else { a });
        }
        mean.iter_mut().for_each(|sum| *sum *= share);
        Self { width, height, side_px: side, start: [0, 0], mean, min, max }
    }

    /// Number of cells.
    pub(super) fn len(&self) -> usize {
        self.mean.len()
    }

    /// The cells with `f` applied, which must be increasing. The mean is exact only where `f` is linear.
    pub(super) fn map(&self, f: impl Fn(f32) -> f32) -> Self {
        let each = |samples: &[f32]| samples.iter().map(|&sample| f(sample)).collect();
        Self { mean: each(&self.mean), min: each(&self.min), max: each(&self.max), ..*self }
    }

    /// The cells within `columns` and `rows`, each given as the first and the one after the last.
    pub(super) fn cut(&self, columns: [usize; 2], rows: [usize; 2]) -> Self {
        let cut = |samples: &[f32]| {
            let lines = samples.chunks_exact(self.width.max(1));
            let lines = lines.skip(rows[0]).take(rows[1] - rows[0]);
            lines.flat_map(|line| &line[columns[0]..columns[1]]).copied().collect()
        };
        Self {
            width: columns[1] - columns[0],
            height: rows[1] - rows[0],
            side_px: self.side_px,
            start: [self.start[0] + columns[0], self.start[1] + rows[0]],
            mean: cut(&self.mean),
            min: cut(&self.min),
            max: cut(&self.max),
        }
    }

    /// The cells whose index satisfies `is`.
    pub(super) fn bits(&self, is: impl Fn(usize) -> bool) -> Bits {
        Bits::new(self.width, self.height, is)
    }

    /// Share of the cells, 0 to 1, whose index satisfies `is`.
    pub(super) fn share(&self, is: impl Fn(usize) -> bool) -> f32 {
        let count = (0..self.len()).filter(|&index| is(index)).count();
        count as f32 / self.len().max(1) as f32
    }
}

/// Folds each run of `length` values by `f` and appends the results. The usual lengths are compile-time constants,
/// which halves the time of [`Cells::new`].
fn fold_runs(values: &[f32], length: usize, into: &mut Vec<f32>, f: impl Fn(f32, f32) -> f32) {
    fn fold<const N: usize>(values: &[f32], into: &mut Vec<f32>, f: impl Fn(f32, f32) -> f32) {
        let runs = values.as_chunks::<N>().0.iter();
        into.extend(
            runs.map(|run| run[1..].iter().fold(run[0], |folded, &value| f(folded, value))),
        );
    }
    match length {
        1 => fold::<1>(values, into, f),
        2 => fold::<2>(values, into, f),
        3 => fold::<3>(values, into, f),
        4 => fold::<4>(values, into, f),
        5 => fold::<5>(values, into, f),
        _ => into.extend(
            values.chunks_exact(length).map(|run| run[1..].iter().fold(run[0], |a, &b| f(a, b))),
        ),
    }
}

/// The quantile `at`, 0 to 1, of `values`, which are reordered; 0 for no values.
pub(super) fn percentile(values: &mut [f32], at: f32) -> f32 {
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    let index = (at * last as f32).round() as usize;
    *values.select_nth_unstable_by(index.min(last), f32::total_cmp).1
}

/// The most frequent value of `values`, each in `low..=high`, by a smoothed histogram.
pub(super) fn mode(values: impl Iterator<Item = f32>, low: f32, high: f32) -> f32 {
    const BINS: usize = 128;
    let mut counts = [0.0_f32; BINS];
    let scale = BINS as f32 / (high - low);
    for value in values {
        let bin = ((value - low) * scale).clamp(0.0, (BINS - 1) as f32) as usize;
        counts[bin] += 1.0;
    }
    let weight = |bin: usize| {
        let near =
            |offset: usize| bin.checked_add(offset).and_then(|b| counts.get(b.wrapping_sub(2)));
        let weights = [1.0, 2.0, 3.0, 2.0, 1.0];
        let terms = weights.iter().enumerate();
        terms.map(|(o, weight)| weight * near(o).copied().unwrap_or(0.0)).sum::<f32>()
    };
    let best = (0..BINS).fold(0, |best, bin| if weight(bin) > weight(best) { bin } else { best });
    low + (best as f32 + 0.5) / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_hold_mean_smallest_and_largest_sample() {
        let samples = (0..300 * 260).map(|i| (i % 300) as f32).collect();
        let cells = Cells::new(&Plane { width: 300, height: 260, samples }, 0.0);
        assert_eq!((cells.width, cells.height, cells.side_px), (100, 86, 3));
        assert_eq!((cells.mean[1], cells.min[1], cells.max[1]), (4.0, 3.0, 5.0));
        let cut = cells.cut([1, 3], [5, 7]);
        assert_eq!((cut.mean, cut.start), (vec![4.0, 7.0, 4.0, 7.0], [1, 5]));
        let odd = Plane { width: 32, height: 32, samples: vec![f32::NAN; 1024] };
        assert!(Cells::new(&odd, -1000.0).mean.iter().all(|&v| v == -1000.0));
        assert_eq!(Cells::new(&Plane::filled(0, 0, 0.0), 0.0).len(), 0);
    }

    #[test]
    fn modes_and_percentiles_equal_those_of_the_values() {
        let values: Vec<f32> =
            (0..1000).map(|i| if i % 3 == 0 { 0.5 } else { i as f32 / 999.0 }).collect();
        assert!((mode(values.iter().copied(), 0.0, 1.0) - 0.5).abs() < 0.02);
        assert!((percentile(&mut values.clone(), 0.9) - 0.85).abs() < 0.02);
        assert_eq!(percentile(&mut [], 0.5), 0.0);
    }
}
