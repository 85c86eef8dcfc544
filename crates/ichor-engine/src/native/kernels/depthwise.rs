//! Depthwise convolution with bias, residual and activation.

use super::dense::{ConvArgs, MAX_TAP_ROWS};
use super::vector::Vector;
use crate::native::graph::Window;
use crate::native::view::{Buffer, LANES, Source, Target};

/// A depthwise convolution, with its weights ordered `[block of channels][kernel row][kernel column][16]`.
#[derive(Debug)]
pub(in super::super) struct DepthwiseConv {
    window: Window,
    weights: Buffer,
    bias: Buffer,
}

impl DepthwiseConv {
    /// Packs weights `[channels, 1, rows, columns]`.
    pub(in super::super) fn pack(window: Window, weights: &[f32], bias: &[f32]) -> Self {
        let taps = window.kernel[0] * window.kernel[1];
        let blocks = bias.len().div_ceil(LANES);
        let mut packed = Buffer::zeros(blocks * taps * LANES);
        for (at, &weight) in weights.iter().enumerate() {
            let (channel, tap) = (at / taps, at % taps);
            let to = (channel / LANES * taps + tap) * LANES + channel % LANES;
            packed.as_mut_slice()[to] = weight;
        }
        let mut padded = Buffer::zeros(blocks * LANES);
        padded.as_mut_slice()[..bias.len()].copy_from_slice(bias);
        Self { window, weights: packed, bias: padded }
    }
}

/// One output row of one block, with pointers that were checked by [`checked_row`]. Distances count elements.
struct Row {
    /// Address under the first kernel column for the first pixel, for each kernel row inside the image.
    start: [*const f32; MAX_TAP_ROWS],
    /// Number of kernel rows inside the image.
    taps: usize,
    columns: usize,
    /// Distance between kernel columns.
    dilation: usize,
    /// Distance between input pixels.
    pixel: usize,
    weights: *const f32,
    bias: *const f32,
    residual: *const f32,
    out: *mut f32,
    clamp: [f32; 2],
}

#[inline(always)]
pub(super) fn run<V: Vector>(depthwise: &DepthwiseConv, args: &ConvArgs<'_>, out: &mut Target<'_>) {
    assert!(args.sources.len() == 1 && args.scatter.step == 1);
    let width = out.view.shape.width;
    for block in 0..out.view.blocks() {
        for y in out.rows.clone() {
            let row = checked_row(depthwise, args, out, block, y);
            let mut x = 0;
            while x < width {
                // SAFETY: `checked_row` checked all addresses; the CPU has the instructions of `V` (invariant 1).
                x += unsafe {
                    match width - x {
                        8.. if V::DEPTHWISE_PIXELS == 8 => tile::<V, 8>(&row, x),
                        4.. if V::DEPTHWISE_PIXELS == 8 => tile::<V, 4>(&row, x),
                        2.. if V::DEPTHWISE_PIXELS == 2 => tile::<V, 2>(&row, x),
                        _ => tile::<V, 1>(&row, x),
                    }
                };
            }
        }
    }
}

/// Pointers for output row `y` of a block.
///
/// # Panics
/// If the row accesses an element outside the slices (invariant 2).
fn checked_row(
    depthwise: &DepthwiseConv,
    args: &ConvArgs<'_>,
    out: &mut Target<'_>,
    block: usize,
    y: usize,
) -> Row {
    let Window { kernel, stride, dilation, pad } = depthwise.window;
    let Source { data, view } = args.sources[0];
    assert!(view.lanes() == LANES && out.view.lanes() == LANES && block < view.blocks());
    let (first_tap, last_tap) = depthwise.window.taps(y, view.shape.height);
    let reach = ((out.view.shape.width - 1) * stride[1] + (kernel[1] - 1) * dilation[1]) * LANES;
    let mut start = [std::ptr::null(); MAX_TAP_ROWS];
    for tap in first_tap..last_tap {
        let at = view.row(block, depthwise.window.row(y, tap));
        assert!(at >= pad[1] * LANES && at - pad[1] * LANES + reach + LANES <= data.len());
        start[tap - first_tap] = data[at - pad[1] * LANES..].as_ptr();
    }
    let taps = kernel[0] * kernel[1] * LANES;
    let weights = &depthwise.weights.as_slice()[block * taps..][..taps];
    let residual = args.residual.map_or(std::ptr::null(), |Source { data, view }| {
        assert!(view.shape == out.view.shape);
        data[view.span(block, y)].as_ptr()
    });
    Row {
        start,
        taps: last_tap.saturating_sub(first_tap),
        columns: kernel[1],
        dilation: dilation[1] * LANES,
        pixel: stride[1] * LANES,
        weights: weights[first_tap * kernel[1] * LANES..].as_ptr(),
        bias: depthwise.bias.as_slice()[block * LANES..][..LANES].as_ptr(),
        residual,
        out: out.data[out.view.span(block, y)].as_mut_ptr(),
        clamp: [args.clamp.low, args.clamp.high],
    }
}

/// Computes the `T` pixels from column `x` on. Returns `T`.
#[inline(always)]
unsafe fn tile<V: Vector, const T: usize>(row: &Row, x: usize) -> usize {
    // SAFETY: `x + T` is at most the width of the row, whose addresses were checked by `checked_row`.
    unsafe {
        let mut sums = [V::load(row.bias); T];
        let mut weights = row.weights;
        for start in &row.start[..row.taps] {
            let start = start.add(x * row.pixel);
            for column in 0..row.columns {
                let input = start.add(column * row.dilation);
                let factor = V::load(weights);
                for (t, sum) in sums.iter_mut().enumerate() {
                    *sum = V::load(input.add(t * row.pixel)).multiply_add(factor, *sum);
                }
                weights = weights.add(LANES);
            }
        }
        let [low, high] = row.clamp.map(|limit| V::splat(limit));
        for (t, sum) in sums.iter_mut().enumerate() {
            if !row.residual.is_null() {
                *sum = sum.add(V::load(row.residual.add((x + t) * LANES)));
            }
            sum.clamp(low, high).store(row.out.add((x + t) * LANES));
        }
    }
    T
}
