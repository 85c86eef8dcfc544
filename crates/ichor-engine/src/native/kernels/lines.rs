//! What works pixel by pixel and is bound by memory: pooling, resizing, sums, reductions. Safe code,
//! which the compiler turns into vectors of the level that it is inlined into.

use super::vector::Vector;
use crate::native::graph::{Between, Clamp, Window};
use crate::native::view::{LANES, Source, Target};

/// What is kept of many pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Pooling {
    Max,
    Mean,
}

/// A window and what is kept of its pixels.
#[derive(Debug)]
pub(in super::super) struct Pool {
    pub(in super::super) window: Window,
    pub(in super::super) pooling: Pooling,
}

impl Pooling {
    #[inline(always)]
    fn start<const L: usize>(self) -> [f32; L] {
        [if self == Self::Max { f32::NEG_INFINITY } else { 0.0 }; L]
    }

    #[inline(always)]
    fn join<const L: usize>(self, kept: [f32; L], pixel: &[f32; L]) -> [f32; L] {
        match self {
            Self::Max => std::array::from_fn(|lane| kept[lane].max(pixel[lane])),
            Self::Mean => std::array::from_fn(|lane| kept[lane] + pixel[lane]),
        }
    }

    #[inline(always)]
    fn finish<const L: usize>(self, kept: [f32; L], pixels: usize) -> [f32; L] {
        let share = 1.0 / pixels as f32;
        if self == Self::Max { kept } else { kept.map(|sum| sum * share) }
    }
}

/// The pixels of a row.
#[inline(always)]
fn pixels<'a, const L: usize>(source: Source<'a>, block: usize, y: usize) -> &'a [[f32; L]] {
    source.data[source.view.span(block, y)].as_chunks().0
}

/// Calls a function for one lane or for 16, as the value has.
macro_rules! by_lanes {
    ($view:expr, $function:ident, $($argument:expr),+) => {
        if $view.lanes() == 1 { $function::<1>($($argument),+) } else { $function::<LANES>($($argument),+) }
    };
}

#[inline(always)]
pub(super) fn pool<V: Vector>(pool: &Pool, source: Source<'_>, out: &mut Target<'_>) {
    by_lanes!(out.view, pool_lanes, pool, source, out);
}

#[inline(always)]
fn pool_lanes<const L: usize>(pool: &Pool, source: Source<'_>, out: &mut Target<'_>) {
    let Window { kernel, stride, dilation, .. } = pool.window;
    for block in 0..out.view.blocks() {
        for y in out.rows.clone() {
            let to = out.data[out.view.span(block, y)].as_chunks_mut::<L>().0;
            to.fill(pool.pooling.start());
            for tap in 0..kernel[0] {
                let from = pixels::<L>(source, block, pool.window.row(y, tap));
                for column in 0..kernel[1] {
                    let from = &from[column * dilation[1]..];
                    for (kept, pixel) in to.iter_mut().zip(from.iter().step_by(stride[1])) {
                        *kept = pool.pooling.join(*kept, pixel);
                    }
                }
            }
            if pool.pooling == Pooling::Mean {
                to.iter_mut().for_each(|k| *k = pool.pooling.finish(*k, kernel[0] * kernel[1]));
            }
        }
    }
}

#[inline(always)]
pub(super) fn resize<V: Vector>(lines: [&[Between]; 2], source: Source<'_>, out: &mut Target<'_>) {
    by_lanes!(out.view, resize_lanes, lines, source, out);
}

#[inline(always)]
fn resize_lanes<const L: usize>(
    [rows, columns]: [&[Between]; 2],
    source: Source<'_>,
    out: &mut Target<'_>,
) {
    for block in 0..out.view.blocks() {
        for y in out.rows.clone() {
            let Between { first, second, share } = rows[y];
            let upper = pixels::<L>(source, block, first);
            let lower = pixels::<L>(source, block, second);
            let to = out.data[out.view.span(block, y)].as_chunks_mut::<L>().0;
            for (pixel, column) in to.iter_mut().zip(columns) {
                let down = |at: usize, lane: usize| {
                    upper[at][lane] + (lower[at][lane] - upper[at][lane]) * share
                };
                *pixel = std::array::from_fn(|lane| {
                    let left = down(column.first, lane);
                    left + (down(column.second, lane) - left) * column.share
                });
            }
        }
    }
}

#[inline(always)]
pub(super) fn sum<V: Vector>(clamp: Clamp, sources: &[Source<'_>], out: &mut Target<'_>) {
    for block in 0..out.view.blocks() {
        for y in out.rows.clone() {
            let to = &mut out.data[out.view.span(block, y)];
            let from = |s: &Source<'_>| s.view.span(block, y);
            let within = |number: f32| number.max(clamp.low).min(clamp.high);
            match sources {
                [one] => {
                    let one = &one.data[from(one)];
                    to.iter_mut().zip(one).for_each(|(to, a)| *to = within(*a));
                }
                [one, two] => {
                    let (one, two) = (&one.data[from(one)], &two.data[from(two)]);
                    let both = one.iter().zip(two);
                    to.iter_mut().zip(both).for_each(|(to, (a, b))| *to = within(a + b));
                }
                _ => unreachable!("a sum has one or two terms"),
            }
        }
    }
}

#[inline(always)]
pub(super) fn reduce<V: Vector>(pooling: Pooling, source: Source<'_>, out: &mut Target<'_>) {
    by_lanes!(out.view, reduce_lanes, pooling, source, out);
}

#[inline(always)]
fn reduce_lanes<const L: usize>(pooling: Pooling, source: Source<'_>, out: &mut Target<'_>) {
    let shape = source.view.shape;
    for block in 0..out.view.blocks() {
        let mut kept = pooling.start::<L>();
        for y in 0..shape.height {
            let row = pixels::<L>(source, block, y);
            kept = row.iter().fold(kept, |kept, pixel| pooling.join(kept, pixel));
        }
        let kept = pooling.finish(kept, shape.height * shape.width);
        out.data[out.view.span(block, 0)].copy_from_slice(&kept);
    }
}
