//! Convolution to one channel, with bias and activation: sums over the lanes of each pixel.

use super::dense::{Convolution, MOST_PARTS};
use super::vector::Vector;
use crate::native::graph::Window;
use crate::native::view::{Buffer, LANES, Source, Target};

/// Weights `[tap row][input block][tap column]` and then 16, zeros beyond the last channel.
#[derive(Debug)]
pub(in super::super) struct Single {
    window: Window,
    blocks: usize,
    weights: Buffer,
    bias: f32,
}

impl Single {
    /// Packs weights `[1, channels, rows, columns]`.
    pub(in super::super) fn pack(
        window: Window,
        channels: usize,
        weights: &[f32],
        bias: f32,
    ) -> Self {
        let [rows, columns] = window.kernel;
        let blocks = channels.div_ceil(LANES);
        let mut packed = Buffer::zeros(rows * blocks * columns * LANES);
        for (at, &weight) in weights.iter().enumerate() {
            let (channel, row, column) = (at / (rows * columns), at / columns % rows, at % columns);
            let place = (row * blocks + channel / LANES) * columns + column;
            packed.numbers_mut()[place * LANES + channel % LANES] = weight;
        }
        Self { window, blocks, weights: packed, bias }
    }
}

#[inline(always)]
pub(super) fn run<V: Vector>(single: &Single, call: &Convolution<'_>, out: &mut Target<'_>) {
    let Window { kernel, stride, dilation, pad } = single.window;
    let width = out.view.shape.width;
    assert!(out.view.lanes() == 1 && call.scatter.step == 1 && call.residual.is_none());
    assert!(call.sources.len() <= MOST_PARTS);
    assert_eq!(call.sources.iter().map(|s| s.view.blocks()).sum::<usize>(), single.blocks);
    for y in out.rows.clone() {
        let row = &mut out.data[out.view.span(0, y)];
        row.fill(single.bias);
        let mut place = 0;
        let (first_tap, last_tap) = single.window.taps(y, call.sources[0].view.shape.height);
        for tap in 0..kernel[0] {
            for Source { data, view } in call.sources {
                assert!(view.lanes() == LANES);
                for block in 0..view.blocks() {
                    for column in 0..kernel[1] {
                        let weights = &single.weights.numbers()[place * LANES..][..LANES];
                        place += 1;
                        if !(first_tap..last_tap).contains(&tap) {
                            continue;
                        }
                        let start = view.row(block, single.window.row(y, tap))
                            + column * dilation[1] * LANES;
                        let start = start.checked_sub(pad[1] * LANES).expect("the margin is there");
                        let step = stride[1] * LANES;
                        let numbers = &data[start..][..(width - 1) * step + LANES];
                        for (x, sum) in row.iter_mut().enumerate() {
                            // SAFETY: the slices hold 16 numbers from each address on.
                            *sum += unsafe {
                                V::load(numbers.as_ptr().add(x * step))
                                    .multiply_add(V::load(weights.as_ptr()), V::splat(0.0))
                                    .total()
                            };
                        }
                    }
                }
            }
        }
        for sum in row {
            *sum = sum.max(call.clamp.low).min(call.clamp.high);
        }
    }
}
