//! Convolution of each channel by itself, with bias, residual and activation.

use super::dense::Convolution;
use super::vector::Vector;
use crate::native::graph::Window;
use crate::native::view::{Buffer, LANES, Source, Target};

/// Weights `[block of channels][tap row][tap column]` and then 16.
#[derive(Debug)]
pub(in super::super) struct Depthwise {
    window: Window,
    weights: Buffer,
    bias: Buffer,
}

impl Depthwise {
    /// Packs weights `[channels, 1, rows, columns]`.
    pub(in super::super) fn pack(window: Window, weights: &[f32], bias: &[f32]) -> Self {
        let taps = window.kernel[0] * window.kernel[1];
        let blocks = bias.len().div_ceil(LANES);
        let mut packed = Buffer::zeros(blocks * taps * LANES);
        for (at, &weight) in weights.iter().enumerate() {
            let (channel, tap) = (at / taps, at % taps);
            let place = (channel / LANES * taps + tap) * LANES + channel % LANES;
            packed.numbers_mut()[place] = weight;
        }
        let mut padded = Buffer::zeros(blocks * LANES);
        padded.numbers_mut()[..bias.len()].copy_from_slice(bias);
        Self { window, weights: packed, bias: padded }
    }
}

/// One row of one block, with addresses that were checked.
struct Row {
    /// First tap of the first pixel, for each row of taps from `first_tap` on.
    start: [*const f32; MOST_TAPS],
    taps: usize,
    columns: usize,
    dilation: usize,
    pixel: usize,
    weights: *const f32,
    bias: *const f32,
    residual: *const f32,
    out: *mut f32,
    clamp: [f32; 2],
}

/// Rows of a window, at most; more are refused before a kernel is packed.
const MOST_TAPS: usize = 11;

#[inline(always)]
pub(super) fn run<V: Vector>(depthwise: &Depthwise, call: &Convolution<'_>, out: &mut Target<'_>) {
    assert!(call.sources.len() == 1 && call.scatter.step == 1);
    let width = out.view.shape.width;
    for block in 0..out.view.blocks() {
        for y in out.rows.clone() {
            let row = row(depthwise, call, out, block, y);
            let mut x = 0;
            while x < width {
                // SAFETY: `row` checked every address; the caller's processor has the instructions.
                x += unsafe {
                    match width - x {
                        8.. => tile::<V, 8>(&row, x),
                        4.. => tile::<V, 4>(&row, x),
                        _ => tile::<V, 1>(&row, x),
                    }
                };
            }
        }
    }
}

fn row(
    depthwise: &Depthwise,
    call: &Convolution<'_>,
    out: &mut Target<'_>,
    block: usize,
    y: usize,
) -> Row {
    let Window { kernel, stride, dilation, pad } = depthwise.window;
    let Source { data, view } = call.sources[0];
    assert!(view.lanes() == LANES && out.view.lanes() == LANES && block < view.blocks());
    let (first_tap, last_tap) = depthwise.window.taps(y, view.shape.height);
    let reach = ((out.view.shape.width - 1) * stride[1] + (kernel[1] - 1) * dilation[1]) * LANES;
    let mut start = [std::ptr::null(); MOST_TAPS];
    for tap in first_tap..last_tap {
        let at = view.row(block, depthwise.window.row(y, tap));
        assert!(at >= pad[1] * LANES && at - pad[1] * LANES + reach + LANES <= data.len());
        start[tap - first_tap] = data[at - pad[1] * LANES..].as_ptr();
    }
    let taps = kernel[0] * kernel[1] * LANES;
    let weights = &depthwise.weights.numbers()[block * taps..][..taps];
    let residual = call.residual.map_or(std::ptr::null(), |Source { data, view }| {
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
        bias: depthwise.bias.numbers()[block * LANES..][..LANES].as_ptr(),
        residual,
        out: out.data[out.view.span(block, y)].as_mut_ptr(),
        clamp: [call.clamp.low, call.clamp.high],
    }
}

/// `T` pixels from column `x` on; gives `T`.
#[inline(always)]
unsafe fn tile<V: Vector, const T: usize>(row: &Row, x: usize) -> usize {
    // SAFETY: all addresses lie within what `row` was checked for, as `x + T` is at most its width.
    unsafe {
        let mut sums = [V::load(row.bias); T];
        let mut weights = row.weights;
        for start in &row.start[..row.taps] {
            let start = start.add(x * row.pixel);
            for column in 0..row.columns {
                let numbers = start.add(column * row.dilation);
                let factor = V::load(weights);
                for (t, sum) in sums.iter_mut().enumerate() {
                    *sum = V::load(numbers.add(t * row.pixel)).multiply_add(factor, *sum);
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
