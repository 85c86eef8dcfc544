//! Dense convolution to one output channel, with bias and activation, as sums over the lanes of each pixel.

use super::dense::{ConvArgs, MAX_SOURCES};
use super::vector::Vector;
use crate::native::graph::Window;
use crate::native::view::{Buffer, LANES, Source, Target};

/// A convolution to one channel, with its weights ordered `[kernel row][input block][kernel column][16]`; the lanes
/// beyond the last channel are zero.
#[derive(Debug)]
pub(in super::super) struct OneChannelConv {
    window: Window,
    blocks: usize,
    weights: Buffer,
    bias: f32,
}

impl OneChannelConv {
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
            let at = (row * blocks + channel / LANES) * columns + column;
            packed.as_mut_slice()[at * LANES + channel % LANES] = weight;
        }
        Self { window, blocks, weights: packed, bias }
    }
}

#[inline(always)]
pub(super) fn run<V: Vector>(single: &OneChannelConv, args: &ConvArgs<'_>, out: &mut Target<'_>) {
    let Window { kernel, stride, dilation, pad } = single.window;
    let width = out.view.shape.width;
    assert!(out.view.lanes() == 1 && args.scatter.step == 1 && args.residual.is_none());
    assert!(args.sources.len() <= MAX_SOURCES);
    assert_eq!(args.sources.iter().map(|s| s.view.blocks()).sum::<usize>(), single.blocks);
    for y in out.rows.clone() {
        let row = &mut out.data[out.view.span(0, y)];
        row.fill(single.bias);
        let mut tap_index = 0;
        let (first_tap, last_tap) = single.window.taps(y, args.sources[0].view.shape.height);
        for tap in 0..kernel[0] {
            for Source { data, view } in args.sources {
                assert!(view.lanes() == LANES);
                for block in 0..view.blocks() {
                    for column in 0..kernel[1] {
                        let weights = &single.weights.as_slice()[tap_index * LANES..][..LANES];
                        tap_index += 1;
                        if !(first_tap..last_tap).contains(&tap) {
                            continue;
                        }
                        let start = view.row(block, single.window.row(y, tap))
                            + column * dilation[1] * LANES;
                        let start = start
                            .checked_sub(pad[1] * LANES)
                            .expect("the margin is as wide as the padding");
                        let step = stride[1] * LANES;
                        let input = &data[start..][..(width - 1) * step + LANES];
                        for (x, sum) in row.iter_mut().enumerate() {
                            // SAFETY: both slices have 16 elements from each address on.
                            *sum += unsafe {
                                V::load(input.as_ptr().add(x * step))
                                    .multiply_add(V::load(weights.as_ptr()), V::splat(0.0))
                                    .total()
                            };
                        }
                    }
                }
            }
        }
        for sum in row {
            *sum = sum.max(args.clamp.low).min(args.clamp.high);
        }
    }
}
