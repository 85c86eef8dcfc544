//! Pooling, resizing, sums and reductions. They are limited by memory bandwidth, so they are written in safe code that
//! the compiler vectorizes for the level into which it is inlined.

use super::vector::Vector;
use crate::native::graph::{Clamp, LerpTap, Window};
use crate::native::view::{LANES, Source, Target};

/// How several pixels are reduced to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Pooling {
    Max,
    Mean,
}

/// Pooling over a window.
#[derive(Debug)]
pub(in super::super) struct Pool {
    pub(in super::super) window: Window,
    pub(in super::super) pooling: Pooling,
}

impl Pooling {
    #[inline(always)]
    fn initial<const L: usize>(self) -> [f32; L] {
        [if self == Self::Max { f32::NEG_INFINITY } else { 0.0 }; L]
    }

    #[inline(always)]
    fn combine<const L: usize>(self, acc: [f32; L], pixel: &[f32; L]) -> [f32; L] {
        match self {
            Self::Max => std::array::from_fn(|lane| acc[lane].max(pixel[lane])),
            Self::Mean => std::array::from_fn(|lane| acc[lane] + pixel[lane]),
        }
    }

    #[inline(always)]
    fn finish<const L: usize>(self, acc: [f32; L], pixels: usize) -> [f32; L] {
        let factor = 1.0 / pixels as f32;
        if self == Self::Max { acc } else { acc.map(|sum| sum * factor) }
    }
}

/// The pixels of a row, each with `L` channels.
#[inline(always)]
fn pixels<'a, const L: usize>(source: Source<'a>, block: usize, y: usize) -> &'a [[f32; L]] {
    source.data[source.view.span(block, y)].as_chunks().0
}

/// Calls a function that is generic over the number of lanes, with that of `view`.
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
            to.fill(pool.pooling.initial());
            for tap in 0..kernel[0] {
                let from = pixels::<L>(source, block, pool.window.row(y, tap));
                for column in 0..kernel[1] {
                    let from = &from[column * dilation[1]..];
                    for (acc, pixel) in to.iter_mut().zip(from.iter().step_by(stride[1])) {
                        *acc = pool.pooling.combine(*acc, pixel);
                    }
                }
            }
            if pool.pooling == Pooling::Mean {
                to.iter_mut()
                    .for_each(|acc| *acc = pool.pooling.finish(*acc, kernel[0] * kernel[1]));
            }
        }
    }
}

#[inline(always)]
pub(super) fn resize<V: Vector>(taps: [&[LerpTap]; 2], source: Source<'_>, out: &mut Target<'_>) {
    by_lanes!(out.view, resize_lanes, taps, source, out);
}

#[inline(always)]
fn resize_lanes<const L: usize>(
    [rows, columns]: [&[LerpTap]; 2],
    source: Source<'_>,
    out: &mut Target<'_>,
) {
    for block in 0..out.view.blocks() {
        for y in out.rows.clone() {
            let LerpTap { first, second, weight } = rows[y];
            let upper = pixels::<L>(source, block, first);
            let lower = pixels::<L>(source, block, second);
            let to = out.data[out.view.span(block, y)].as_chunks_mut::<L>().0;
            for (pixel, column) in to.iter_mut().zip(columns) {
                let between_rows = |at: usize, lane: usize| {
                    upper[at][lane] + (lower[at][lane] - upper[at][lane]) * weight
                };
                *pixel = std::array::from_fn(|lane| {
                    let left = between_rows(column.first, lane);
                    left + (between_rows(column.second, lane) - left) * column.weight
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
            let clamped = |value: f32| value.max(clamp.low).min(clamp.high);
            match sources {
                [one] => {
                    let one = &one.data[from(one)];
                    to.iter_mut().zip(one).for_each(|(to, a)| *to = clamped(*a));
                }
                [one, two] => {
                    let (one, two) = (&one.data[from(one)], &two.data[from(two)]);
                    let both = one.iter().zip(two);
                    to.iter_mut().zip(both).for_each(|(to, (a, b))| *to = clamped(a + b));
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
        let mut acc = pooling.initial::<L>();
        for y in 0..shape.height {
            let row = pixels::<L>(source, block, y);
            acc = row.iter().fold(acc, |acc, pixel| pooling.combine(acc, pixel));
        }
        let acc = pooling.finish(acc, shape.height * shape.width);
        out.data[out.view.span(block, 0)].copy_from_slice(&acc);
    }
}
