//! Separable bilinear resizing. Where the result is smaller, the triangle filter is as wide as the ratio.

use crate::slice::Plane;
use std::ops::Range;

/// Rows that are computed together, so that the compiler uses vectors of 8 values.
const LANES: usize = 8;

/// A rectangle of a plane to be resized. It may reach beyond the plane, where samples are 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cutout<'a> {
    pub(super) plane: &'a Plane,
    /// First column and row; may be negative.
    pub(super) start: [i64; 2],
    /// Columns and rows, at least one of each.
    pub(super) size: [usize; 2],
}

/// Half the width of the triangle filter from `from` to `to` pixels, in source pixels.
pub(super) fn reach(from: usize, to: usize) -> f64 {
    (from as f64 / to as f64).max(1.0)
}

/// The source pixels and their weights for each of a range of target pixels, along one axis.
struct Taps {
    /// First source pixel of each target pixel.
    firsts: Vec<usize>,
    /// Weights, `each` per target pixel.
    weights: Vec<f32>,
    /// Source pixels per target pixel.
    each: usize,
}

impl Taps {
    /// Taps of the target pixels `places`, where `from` source pixels become `to` target pixels.
    fn new(from: usize, to: usize, places: Range<usize>) -> Self {
        let (scale, reach) = (from as f64 / to as f64, reach(from, to));
        // The largest number of pixel centres within the triangle.
        let each = ((2.0 * reach).ceil() as usize).min(from);
        let firsts = Vec::with_capacity(places.len());
        let weights = Vec::with_capacity(places.len() * each);
        let mut taps = Self { firsts, weights, each };
        for place in places {
            let centre = (place as f64 + 0.5) * scale;
            let first = (centre - reach + 0.5).floor().max(0.0) as usize;
            let first = first.min(from - each);
            let weight = |tap: usize| {
                let distance = (first + tap) as f64 + 0.5 - centre;
                (1.0 - distance.abs() / reach).max(0.0)
            };
            let sum: f64 = (0..each).map(weight).sum();
            taps.firsts.push(first);
            taps.weights.extend((0..each).map(|tap| (weight(tap) / sum) as f32));
        }
        taps
    }

    fn weights(&self, place: usize) -> &[f32] {
        &self.weights[place * self.each..][..self.each]
    }

    /// The range of source pixels that any target pixel reads.
    fn source_range(&self) -> Range<usize> {
        match (self.firsts.first(), self.firsts.last()) {
            (Some(&first), Some(&last)) => first..last + self.each,
            _ => 0..0,
        }
    }
}

impl Cutout<'_> {
    /// The cutout resized to `to` columns and rows, of which only `columns` and `rows` are computed.
    pub(super) fn resized(self, to: [usize; 2], [columns, rows]: [Range<usize>; 2]) -> Plane {
        let (width, height) = (columns.len(), rows.len());
        let mut resized = Plane::filled(width, height, 0.0);
        let across = Taps::new(self.size[0], to[0], columns);
        let down = Taps::new(self.size[1], to[1], rows);
        let read = across.source_range();
        let inside = overlap(self.start[0], &read, self.plane.width);
        let mut line = vec![0.0; inside.len()];
        let mut lanes = vec![[0.0_f32; LANES]; read.len()];
        // Vertically first, as whole rows are added at once.
        for top in (0..height).step_by(LANES) {
            let block = LANES.min(height - top);
            for lane in 0..block {
                line.fill(0.0);
                self.add_rows(&down, top + lane, &inside, &mut line);
                let shift = inside.start - read.start;
                for (numbers, &value) in lanes[shift..].iter_mut().zip(&line) {
                    numbers[lane] = value;
                }
            }
            for column in 0..width {
                let from = &lanes[across.firsts[column] - read.start..][..across.each];
                let mut sum = [0.0; LANES];
                for (numbers, &weight) in from.iter().zip(across.weights(column)) {
                    for (sum, &number) in sum.iter_mut().zip(numbers) {
                        *sum += weight * number;
                    }
                }
                for (lane, &sum) in sum[..block].iter().enumerate() {
                    resized.samples[(top + lane) * width + column] = sum;
                }
            }
        }
        resized
    }

    /// Adds to `line` the weighted source rows of one target row, restricted to the columns `inside` the plane.
    fn add_rows(&self, down: &Taps, row: usize, inside: &Range<usize>, line: &mut [f32]) {
        let Plane { width, height, samples } = self.plane;
        for (tap, &weight) in down.weights(row).iter().enumerate() {
            let y = self.start[1] + (down.firsts[row] + tap) as i64;
            if weight == 0.0 || inside.is_empty() || !(0..*height as i64).contains(&y) {
                continue;
            }
            // `inside` lies within the plane, so that the index is not negative.
            let first = y * *width as i64 + self.start[0] + inside.start as i64;
            let from = &samples[first as usize..][..inside.len()];
            line.iter_mut().zip(from).for_each(|(sum, &sample)| *sum += weight * sample);
        }
    }
}

/// The part of `places`, counted from pixel `start`, that lies within a side of `length` pixels.
fn overlap(start: i64, places: &Range<usize>, length: usize) -> Range<usize> {
    let first = places.start.max((-start).max(0) as usize);
    let end = places.end.min((length as i64 - start).max(0) as usize);
    first..end.max(first)
}
