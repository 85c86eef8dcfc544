//! The inner loops of a dense convolution: a row of output, tile by tile.
//!
//! A tile of pixels by blocks of output channels is held in registers; for each tap of the window and
//! each input channel one number of each pixel is multiplied by the weights of the blocks' channels
//! (Georganas et al., Anatomy of High-Performance Deep Learning Convolutions on SIMD Architectures, 2018).

use super::dense::{Convolution, Dense, Group, MOST_PARTS, MOST_TAPS, Scatter};
use super::vector::Vector;
use crate::native::graph::{Clamp, Window};
use crate::native::view::{LANES, Source, Target, View};

/// One row of output of one group, with addresses that were checked.
pub(super) struct Row {
    /// Address of the first tap of the first pixel, by tap row and source.
    taps: [[*const f32; MOST_PARTS]; MOST_TAPS],
    first_tap: usize,
    last_tap: usize,
    channels: [usize; MOST_PARTS],
    block_pitch: [usize; MOST_PARTS],
    parts: usize,
    columns: usize,
    /// From one tap column to the next.
    dilation: usize,
    /// From one pixel to the next, where that is not 16.
    pixel: usize,
    weights: *const f32,
    weights_of_tap: usize,
    bias: *const f32,
    residual: *const f32,
    residual_pitch: usize,
    out: *mut f32,
    out_pitch: usize,
    out_pixel: usize,
    clamp: Clamp,
    width: usize,
}

/// Columns that a convolution makes in each row of `out`.
fn columns(out: &View, scatter: Scatter) -> usize {
    (out.shape.width - scatter.offset[1]).div_ceil(scatter.step)
}

/// Offset of the first pixel's `block` in row `y`, once all that the row touches is known to be there.
fn checked(
    view: &View,
    len: usize,
    scatter: Scatter,
    [first, blocks]: [usize; 2],
    y: usize,
) -> usize {
    let start = view.row(first, y) + scatter.offset[1] * LANES;
    let pixels = (columns(view, scatter) - 1) * scatter.step * LANES;
    assert!(view.lanes() == LANES && first + blocks <= view.blocks());
    assert!(start + (blocks - 1) * view.block_pitch() + pixels + LANES <= len);
    start
}

#[inline(always)]
pub(super) fn run<V: Vector>(dense: &Dense, call: &Convolution<'_>, out: &mut Target<'_>) {
    let lanes = call.sources[0].view.lanes();
    let step = call.scatter.step;
    let whole = |s: &Source<'_>| s.view.shape.channels.is_multiple_of(LANES);
    let before_last = &call.sources[..call.sources.len() - 1];
    assert!(before_last.iter().all(whole) && call.sources.iter().all(|s| s.view.lanes() == lanes));
    assert!(call.sources.len() <= MOST_PARTS);
    assert_eq!(call.sources.iter().map(|s| s.view.shape.channels).sum::<usize>(), dense.channels);
    let pixel = dense.window.stride[1] * lanes;
    for group in &dense.groups {
        let before = |row: usize| row.saturating_sub(call.scatter.offset[0]).div_ceil(step);
        for y in before(out.rows.start)..before(out.rows.end) {
            let row = row(dense, group, call, out, y);
            // SAFETY: `row` checked every address; the caller's processor has the instructions of `V`.
            unsafe {
                if pixel == LANES {
                    tiles_of::<V, LANES>(group.blocks, &row);
                } else {
                    tiles_of::<V, 0>(group.blocks, &row);
                }
            }
        }
    }
}

/// Checks and addresses for row `y` of the convolution, before it is scattered.
fn row(
    dense: &Dense,
    group: &Group,
    call: &Convolution<'_>,
    out: &mut Target<'_>,
    y: usize,
) -> Row {
    let Window { kernel, stride, dilation, pad } = dense.window;
    let lanes = call.sources[0].view.lanes();
    let width = columns(out.view, call.scatter);
    let height = call.sources[0].view.shape.height;
    let (first_tap, last_tap) = dense.window.taps(y, height);
    let mut taps = [[std::ptr::null(); MOST_PARTS]; MOST_TAPS];
    let mut channels = [0; MOST_PARTS];
    let mut block_pitch = [0; MOST_PARTS];
    for (part, Source { data, view }) in call.sources.iter().enumerate() {
        channels[part] = view.shape.channels;
        block_pitch[part] = view.block_pitch();
        let last_lane = (view.shape.channels - 1) % lanes;
        let reach = ((width - 1) * stride[1] + (kernel[1] - 1) * dilation[1]) * lanes;
        let reach = reach + (view.blocks() - 1) * view.block_pitch() + last_lane;
        for (tap, taps) in taps.iter_mut().enumerate().take(last_tap).skip(first_tap) {
            let start = view.row(0, dense.window.row(y, tap));
            assert!(start >= pad[1] * lanes && start - pad[1] * lanes + reach < data.len());
            taps[part] = data[start - pad[1] * lanes..].as_ptr();
        }
    }
    let weights_of_tap = dense.channels * kernel[1] * group.blocks * LANES;
    let weights = &dense.weights.numbers()[group.weights..][..kernel[0] * weights_of_tap];
    let to = y * call.scatter.step + call.scatter.offset[0];
    let blocks = [group.first, group.blocks];
    let start = checked(out.view, out.data.len(), call.scatter, blocks, to);
    let (residual, residual_pitch) = match call.residual {
        Some(Source { data, view }) => {
            assert!(view.shape == out.view.shape && call.scatter.step == 1);
            let start = checked(view, data.len(), Scatter::NONE, blocks, to);
            (data[start..].as_ptr(), view.block_pitch())
        }
        None => (std::ptr::null(), 0),
    };
    Row {
        taps,
        first_tap,
        last_tap,
        channels,
        block_pitch,
        parts: call.sources.len(),
        columns: kernel[1],
        dilation: dilation[1] * lanes,
        pixel: stride[1] * lanes,
        weights: weights.as_ptr(),
        weights_of_tap,
        bias: dense.bias.numbers()[group.first * LANES..][..group.blocks * LANES].as_ptr(),
        residual,
        residual_pitch,
        out: out.data[start..].as_mut_ptr(),
        out_pitch: out.view.block_pitch(),
        out_pixel: call.scatter.step * LANES,
        clamp: call.clamp,
        width,
    }
}

impl Row {
    /// `width` pixels that lie side by side, block after block, to as many, without residual or limits.
    pub(super) fn points(
        dense: &Dense,
        group: &Group,
        from: &[f32],
        out: &mut [f32],
        width: usize,
    ) -> Self {
        let pitch = width * LANES;
        assert!(dense.window == Window::POINT);
        assert_eq!(from.len(), dense.channels.div_ceil(LANES) * pitch);
        let mut taps = [[std::ptr::null(); MOST_PARTS]; MOST_TAPS];
        taps[0][0] = from.as_ptr();
        let weights_of_tap = dense.channels * group.blocks * LANES;
        let out = &mut out[group.first * pitch..][..group.blocks * pitch];
        Self {
            taps,
            first_tap: 0,
            last_tap: 1,
            channels: [dense.channels; MOST_PARTS],
            block_pitch: [pitch; MOST_PARTS],
            parts: 1,
            columns: 1,
            dilation: 0,
            pixel: LANES,
            weights: dense.weights.numbers()[group.weights..][..weights_of_tap].as_ptr(),
            weights_of_tap,
            bias: dense.bias.numbers()[group.first * LANES..][..group.blocks * LANES].as_ptr(),
            residual: std::ptr::null(),
            residual_pitch: 0,
            out: out.as_mut_ptr(),
            out_pitch: pitch,
            out_pixel: LANES,
            clamp: Clamp::NONE,
            width,
        }
    }
}

/// [`tiles`] for as many blocks as a group has.
#[inline(always)]
pub(super) unsafe fn tiles_of<V: Vector, const P: usize>(blocks: usize, row: &Row) {
    // SAFETY: as in `tiles`.
    unsafe {
        match blocks {
            1 => tiles::<V, 1, P>(row),
            2 => tiles::<V, 2, P>(row),
            _ => tiles::<V, 3, P>(row),
        }
    }
}

/// Cuts a row into tiles. `P` is the step from pixel to pixel, or 0 where only the row knows it.
#[inline(always)]
unsafe fn tiles<V: Vector, const B: usize, const P: usize>(row: &Row) {
    let most = V::PIXELS[B - 1];
    let mut x = 0;
    while x < row.width {
        let left = row.width - x;
        // SAFETY: the tile ends within the row.
        unsafe {
            x += if most >= 16 && left >= 16 {
                tile::<V, B, P, 16>(row, x)
            } else if most >= 8 && left >= 8 {
                tile::<V, B, P, 8>(row, x)
            } else if most == 6 && left >= 6 {
                tile::<V, B, P, 6>(row, x)
            } else if most >= 4 && left >= 4 {
                tile::<V, B, P, 4>(row, x)
            } else if most >= 2 && left >= 2 {
                tile::<V, B, P, 2>(row, x)
            } else if most >= 1 {
                tile::<V, B, P, 1>(row, x)
            } else {
                left
            }
        }
    }
}

/// `T` pixels from column `x` on, of `B` blocks; gives `T`.
#[inline(always)]
unsafe fn tile<V: Vector, const B: usize, const P: usize, const T: usize>(
    row: &Row,
    x: usize,
) -> usize {
    let pixel = if P == 0 { row.pixel } else { P };
    // SAFETY: all addresses lie within what `row` was checked for, as `x + T` is at most its width.
    unsafe {
        let mut sums: [[V; T]; B] = std::array::from_fn(|b| [V::load(row.bias.add(b * LANES)); T]);
        for tap in row.first_tap..row.last_tap {
            let mut weights = row.weights.add(tap * row.weights_of_tap);
            for part in 0..row.parts {
                let mut block = row.taps[tap][part].add(x * pixel);
                let mut left = row.channels[part];
                while left > 0 {
                    let channels = left.min(LANES);
                    for column in 0..row.columns {
                        let numbers = block.add(column * row.dilation);
                        for channel in 0..channels {
                            let factors: [V; B] =
                                std::array::from_fn(|b| V::load(weights.add(b * LANES)));
                            for t in 0..T {
                                let number = V::splat(*numbers.add(t * pixel + channel));
                                for (sums, &factor) in sums.iter_mut().zip(&factors) {
                                    sums[t] = number.multiply_add(factor, sums[t]);
                                }
                            }
                            weights = weights.add(B * LANES);
                        }
                    }
                    left -= channels;
                    // Past the last block this may point outside; it is not read there.
                    block = block.wrapping_add(row.block_pitch[part]);
                }
            }
        }
        let (low, high) = (V::splat(row.clamp.low), V::splat(row.clamp.high));
        for (b, sums) in sums.into_iter().enumerate() {
            for (t, mut sum) in sums.into_iter().enumerate() {
                if !row.residual.is_null() {
                    let place = row.residual.add(b * row.residual_pitch + (x + t) * LANES);
                    sum = sum.add(V::load(place));
                }
                let place = row.out.add(b * row.out_pitch + (x + t) * row.out_pixel);
                sum.clamp(low, high).store(place);
            }
        }
    }
    T
}
