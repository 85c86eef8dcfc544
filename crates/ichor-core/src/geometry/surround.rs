//! Removes the surround of a picture: a border, a letterbox, the page it was pasted on, or air that is not black.

use crate::components::{BoundingBox, flood_fill};
use crate::mask::Mask;
use crate::slice::Plane;

/// Largest change of the step from one pixel to the next along a line of the surround, which is constant or a ramp.
/// Four levels of 255, as JPEG compression leaves.
const MAX_STEP_CHANGE: f32 = 4.1 / 255.0;

/// One in this many pixels of a line may change more, as a speck does.
const PIXELS_PER_SPECK: usize = 33;

/// Smallest width and height of a picture within a border, px.
const MIN_PICTURE: usize = 16;

/// Largest mean deviation from the median in a corner of the surround: that of grey air in a compressed picture.
const MAX_DEVIATION: f32 = 0.02;

/// Largest difference between the grey levels of two corners of one surround.
const MAX_LEVEL_DIFFERENCE: f32 = 0.06;

/// Smallest share of the neighbourhood at the surround's level for a pixel through which the surround is followed.
const MIN_DENSITY: f32 = 0.85;

/// Sets the surround of the picture on `plane` to 0 where it is at least as bright as `threshold`, so that no later
/// step takes it for tissue. Returns the box that holds the picture. Where no such surround is found, returns `None`
/// and leaves the plane as it is.
pub fn remove_surround(plane: &mut Plane, threshold: f32) -> Option<BoundingBox> {
    let whole = BoundingBox::whole(plane.width, plane.height);
    let (inner, mut levels) = trim(plane, threshold);
    let corners = Corner::all(plane, inner);
    let bright: Vec<&Corner> = corners.iter().filter(|c| c.is_surround(threshold)).collect();
    let trimmed = inner != whole;
    if !trimmed && bright.len() < 2 {
        return None;
    }
    levels.extend(bright.iter().map(|corner| corner.level));
    let occurs_twice = |corner: &&&Corner| {
        levels.iter().filter(|&level| (level - corner.level).abs() <= MAX_LEVEL_DIFFERENCE).count()
            >= 2
    };
    let mut picture = cut(plane, inner);
    let around = bright.iter().filter(occurs_twice).fold(None::<Mask>, |around, corner| {
        let (x, y) = (corner.x - inner.x, corner.y - inner.y);
        let seed = y * inner.width + x;
        let covered = around.as_ref().is_some_and(|a| a.pixels[seed + corner.middle(inner.width)]);
        if covered {
            return around;
        }
        let region = surround_from(&picture, corner, [x, y]);
        Some(match around {
            None => region,
            Some(mut around) => {
                around.pixels.iter_mut().zip(region.pixels).for_each(|(a, b)| *a |= b);
                around
            }
        })
    });
    // A region that reaches the middle includes the head.
    let around = around.filter(|around| !around.is_empty() && !reaches_middle(around));
    if !trimmed && around.is_none() {
        return None;
    }
    if let Some(around) = &around {
        picture.samples.iter_mut().zip(&around.pixels).for_each(|(s, &out)| {
            *s = if out { 0.0 } else { *s };
        });
    }
    plane.samples.fill(0.0);
    for (row, samples) in picture.samples.chunks_exact(picture.width).enumerate() {
        let start = (inner.y + row) * plane.width + inner.x;
        plane.samples[start..start + samples.len()].copy_from_slice(samples);
    }
    Some(around.map_or(inner, |around| remaining(&around, inner)))
}

/// The samples of a box that lies within the plane.
fn cut(plane: &Plane, inner: BoundingBox) -> Plane {
    let rows = plane.samples.chunks_exact(plane.width.max(1)).skip(inner.y).take(inner.height);
    let samples = rows.flat_map(|row| &row[inner.x..inner.x + inner.width]).copied().collect();
    Plane { width: inner.width, height: inner.height, samples }
}

/// Whether a line is at least nine tenths bright, and constant or a ramp.
fn is_blank(line: impl Iterator<Item = f32> + Clone, threshold: f32) -> bool {
    let (mut count, mut dark, mut uneven) = (0, 0, 0);
    let mut last: Option<(f32, f32)> = None;
    for sample in line {
        count += 1;
        dark += usize::from(sample < threshold);
        let (before, step) = last.unwrap_or((sample, 0.0));
        uneven += usize::from((sample - before - step).abs() > MAX_STEP_CHANGE);
        last = Some((sample, sample - before));
    }
    dark * 10 <= count && uneven * PIXELS_PER_SPECK <= count
}

/// The box without the blank rows and columns along the sides of the plane, and the median grey level of the innermost
/// of these on each side.
fn trim(plane: &Plane, threshold: f32) -> (BoundingBox, Vec<f32>) {
    let (mut x, mut y) = (0..plane.width, 0..plane.height);
    let row = |at: usize, x: &std::ops::Range<usize>| {
        plane.samples[at * plane.width..][x.clone()].iter().copied()
    };
    let column = |at: usize, y: &std::ops::Range<usize>| {
        let (start, count) = (y.start * plane.width + at, y.len());
        plane.samples[start..].iter().step_by(plane.width).take(count).copied()
    };
    let mut levels = [None; 4];
    loop {
        if x.len() <= MIN_PICTURE || y.len() <= MIN_PICTURE {
            return (BoundingBox::whole(plane.width, plane.height), Vec::new());
        }
        let before = (x.clone(), y.clone());
        if is_blank(row(y.start, &x), threshold) {
            levels[0] = Some(median(row(y.start, &x), x.len()));
            y.start += 1;
        }
        if is_blank(row(y.end - 1, &x), threshold) {
            levels[1] = Some(median(row(y.end - 1, &x), x.len()));
            y.end -= 1;
        }
        if is_blank(column(x.start, &y), threshold) {
            levels[2] = Some(median(column(x.start, &y), y.len()));
            x.start += 1;
        }
        if is_blank(column(x.end - 1, &y), threshold) {
            levels[3] = Some(median(column(x.end - 1, &y), y.len()));
            x.end -= 1;
        }
        if (x.clone(), y.clone()) == before {
            break;
        }
    }
    let inner = BoundingBox { x: x.start, y: y.start, width: x.len(), height: y.len() };
    (inner, levels.into_iter().flatten().collect())
}

fn median(samples: impl Iterator<Item = f32>, count: usize) -> f32 {
    let mut sorted = Vec::with_capacity(count);
    sorted.extend(samples);
    sorted.sort_unstable_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// A square in a corner of a picture.
struct Corner {
    /// First column and row on the plane, px.
    x: usize,
    y: usize,
    /// Side, px.
    side: usize,
    /// Median grey level.
    level: f32,
    /// Mean absolute deviation from the median.
    deviation: f32,
}

impl Corner {
    fn all(plane: &Plane, inner: BoundingBox) -> Vec<Self> {
        let shorter = inner.width.min(inner.height);
        let side = (shorter / 40).max(4).min(shorter);
        let (right, low) = (inner.x + inner.width - side, inner.y + inner.height - side);
        let places = [(inner.x, inner.y), (right, inner.y), (inner.x, low), (right, low)];
        places.map(|(x, y)| Self::at(plane, x, y, side)).into()
    }

    fn at(plane: &Plane, x: usize, y: usize, side: usize) -> Self {
        let rows = plane.samples.chunks_exact(plane.width.max(1)).skip(y).take(side);
        let samples = rows.flat_map(|row| row[x..x + side].iter().copied());
        let level = median(samples.clone(), side * side);
        let sum: f32 = samples.map(|sample| (sample - level).abs()).sum();
        Self { x, y, side, level, deviation: sum / (side * side).max(1) as f32 }
    }

    fn is_surround(&self, threshold: f32) -> bool {
        self.deviation <= MAX_DEVIATION && self.level + 2.0 * self.deviation >= threshold
    }

    /// Row-major offset from its first pixel to its middle, in a picture of `width` columns.
    fn middle(&self, width: usize) -> usize {
        self.side / 2 * (width + 1)
    }
}

/// The pixels at a corner's grey level that are connected to it. Passages of a few pixels do not connect, so that the
/// region does not enter the head through a gap in the scalp.
fn surround_from(picture: &Plane, corner: &Corner, [x, y]: [usize; 2]) -> Mask {
    let (width, height) = (picture.width, picture.height);
    let tolerance = (4.0 * corner.deviation).max(MAX_STEP_CHANGE);
    let radius = (width.min(height) / 100).max(1);
    let near: Vec<bool> =
        picture.samples.iter().map(|s| (s - corner.level).abs() <= tolerance).collect();
    let share = neighbourhood_share(&near, [width, height], radius);
    let pixels = share.iter().map(|&share| share >= MIN_DENSITY).collect();
    let seeds = (y..y + corner.side).flat_map(|y| (x..x + corner.side).map(move |x| y * width + x));
    let reached = flood_fill(&Mask { width, height, pixels }, seeds);
    let close = neighbourhood_share(&reached.pixels, [width, height], radius);
    let pixels = close.iter().zip(near.iter().zip(&share));
    let pixels = pixels.map(|(&close, (&near, &share))| close > 0.0 && (near || share >= 0.5));
    Mask { width, height, pixels: pixels.collect() }
}

/// For each pixel, the share of set pixels in the square of `2 * radius + 1` px around it.
fn neighbourhood_share(set: &[bool], [width, height]: [usize; 2], radius: usize) -> Vec<f32> {
    let mut rows = vec![0_u16; set.len()];
    for (set, sums) in set.chunks_exact(width).zip(rows.chunks_exact_mut(width)) {
        let mut sum: u16 = set[..radius.min(width)].iter().map(|&s| u16::from(s)).sum();
        for (column, sums) in sums.iter_mut().enumerate() {
            sum += set.get(column + radius).map_or(0, |&s| u16::from(s));
            *sums = sum;
            sum -= column.checked_sub(radius).map_or(0, |left| u16::from(set[left]));
        }
    }
    let reach =
        |at: usize, length: usize| (at + radius + 1).min(length) - at.saturating_sub(radius);
    let mut sums = vec![0_u32; width];
    let mut shares = vec![0.0; set.len()];
    let row = |at: usize| &rows[at * width..][..width];
    for at in 0..radius.min(height) {
        sums.iter_mut().zip(row(at)).for_each(|(sum, &r)| *sum += u32::from(r));
    }
    for at in 0..height {
        if at + radius < height {
            sums.iter_mut().zip(row(at + radius)).for_each(|(sum, &r)| *sum += u32::from(r));
        }
        let lines = reach(at, height);
        for (column, (share, &sum)) in shares[at * width..].iter_mut().zip(&sums).enumerate() {
            *share = sum as f32 / (lines * reach(column, width)) as f32;
        }
        if let Some(above) = at.checked_sub(radius) {
            sums.iter_mut().zip(row(above)).for_each(|(sum, &r)| *sum -= u32::from(r));
        }
    }
    shares
}

/// Whether a mask holds a pixel in the middle two fifths of its width and height.
fn reaches_middle(mask: &Mask) -> bool {
    let middle = |length: usize| length * 3 / 10..length * 7 / 10;
    let mut rows = mask.pixels.chunks_exact(mask.width).skip(middle(mask.height).start);
    rows.by_ref()
        .take(middle(mask.height).len())
        .any(|row| row[middle(mask.width)].iter().any(|&set| set))
}

/// The bounding box of the pixels that are not in `around`, a mask of the box `inner`.
fn remaining(around: &Mask, inner: BoundingBox) -> BoundingBox {
    let kept = |row: &[bool]| row.iter().any(|&out| !out);
    let rows = || around.pixels.chunks_exact(around.width);
    let (Some(top), Some(low)) = (rows().position(kept), rows().rposition(kept)) else {
        return inner;
    };
    let left = rows().filter_map(|row| row.iter().position(|&out| !out)).min().unwrap_or(0);
    let right = rows().filter_map(|row| row.iter().rposition(|&out| !out)).max().unwrap_or(0);
    let (x, y) = (inner.x + left, inner.y + top);
    BoundingBox { x, y, width: right + 1 - left, height: low + 1 - top }
}
