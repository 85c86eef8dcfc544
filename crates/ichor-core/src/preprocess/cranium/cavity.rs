//! The largest region that bone encloses, and how much of its rim is bone.

use super::head::quantile;
use crate::components::{Run, label_components};
use crate::mask::Mask;
use crate::slice::Plane;

/// A connected region enclosed by a wall of bone.
pub(super) struct Cavity {
    runs: Vec<Run>,
}

impl Cavity {
    /// The largest connected region of `inside`; `None` where that is empty.
    pub(super) fn from_largest(inside: &Mask) -> Option<Self> {
        let parts = label_components(inside);
        let largest = parts.found.first()?;
        Some(Self { runs: parts.runs(largest).to_vec() })
    }

    /// The part of its rim, 0 to 1, that borders on soft tissue without bone between: on pixels that are neither in
    /// `region` nor `outside`. `inside` is the mask that this cavity was taken from.
    pub(super) fn openness(&self, inside: &Mask, region: &Mask, outside: &Mask) -> f64 {
        let width = inside.width;
        let (mut rim, mut open) = (0_u32, 0_u32);
        for run in &self.runs {
            for column in run.start..run.end {
                let place = run.row * width + column;
                let left = (column > 0).then(|| place - 1);
                let right = (column + 1 < width).then(|| place + 1);
                let above = place.checked_sub(width);
                let below = Some(place + width).filter(|&below| below < inside.pixels.len());
                let next = [left, right, above, below];
                let mut beside = next.iter().flatten().filter(|&&next| !inside.pixels[next]);
                let is_open = |&&next: &&usize| !region.pixels[next] && !outside.pixels[next];
                let at_rim = beside.clone().next().is_some();
                rim += u32::from(at_rim);
                open += u32::from(at_rim && beside.any(|next| is_open(&next)));
            }
        }
        f64::from(open) / f64::from(rim.max(1))
    }

    /// The median grey level of its pixels.
    pub(super) fn median(&self, plane: &Plane) -> f32 {
        let row = |run: &Run| run.row * plane.width + run.start..run.row * plane.width + run.end;
        quantile(self.runs.iter().flat_map(|run| plane.samples[row(run)].iter().copied()), 0.5)
    }

    /// The pixels of the cavity, in reading order.
    pub(super) fn runs(&self) -> &[Run] {
        &self.runs
    }
}

/// The convex hull of the pixels in `runs`, on a plane of `width` x `height` px.
pub(super) fn hull(runs: impl Iterator<Item = Run>, width: usize, height: usize) -> Mask {
    let mut first = vec![usize::MAX; height];
    let mut last = vec![0; height];
    for run in runs {
        first[run.row] = first[run.row].min(run.start);
        last[run.row] = last[run.row].max(run.end - 1);
    }
    let rows = || (0..height).filter(|&row| first[row] != usize::MAX);
    let left: Vec<_> = rows().map(|row| [row as f64, -(first[row] as f64)]).collect();
    let right: Vec<_> = rows().map(|row| [row as f64, last[row] as f64]).collect();
    let (left, right) = (upper_chain(&left), upper_chain(&right));
    let mut hull = Mask::empty(width, height);
    let Some((top, low)) = rows().next().zip(rows().next_back()) else {
        return hull;
    };
    for row in top..=low {
        let start = (-height_at(&left, row as f64)).ceil().max(0.0) as usize;
        let end = (height_at(&right, row as f64).floor() as usize + 1).min(width);
        hull.pixels[row * width..][start.min(end)..end].fill(true);
    }
    hull
}

/// The corners of the upper convex hull of points that are ordered by their first coordinate (Andrew 1979, *Another
/// efficient algorithm for convex hulls in two dimensions*).
fn upper_chain(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut chain: Vec<[f64; 2]> = Vec::with_capacity(points.len());
    for &[x, y] in points {
        while let [.., a, b] = chain[..] {
            if (b[0] - a[0]) * (y - a[1]) < (b[1] - a[1]) * (x - a[0]) {
                break;
            }
            chain.pop();
        }
        chain.push([x, y]);
    }
    chain
}

/// The height of a chain of points at `x`, interpolated linearly; beyond its ends, that of the end.
fn height_at(chain: &[[f64; 2]], x: f64) -> f64 {
    let after = chain.partition_point(|point| point[0] < x);
    match (after.checked_sub(1).map(|before| chain[before]), chain.get(after)) {
        (Some(a), Some(b)) => a[1] + (b[1] - a[1]) * (x - a[0]) / (b[0] - a[0]),
        (None, Some(b)) => b[1],
        (Some(a), None) => a[1],
        (None, None) => 0.0,
    }
}
