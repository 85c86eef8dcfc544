//! The inner loops of a dense convolution: a row of output, tile by tile.
//!
//! The sums of a tile (pixels by blocks of output channels) stay in registers. For each kernel position and input
//! channel, one element of each pixel is multiplied by the weights of the output channels (Georganas et al., Anatomy of
//! High-Performance Deep Learning Convolutions on SIMD Architectures, 2018).

use super::dense::{ConvArgs, DenseConv, Group, MAX_SOURCES, MAX_TAP_ROWS, Scatter};
use super::vector::Vector;
use crate::native::graph::{Clamp, Window};
use crate::native::view::{LANES, Source, Target, View};

/// One output row of one group, with pointers that were checked by [`checked_row`] or [`Row::pointwise`]. Distances and
/// pitches count elements.
pub(super) struct Row {
    /// Address under the first kernel column for the first pixel, by kernel row and source.
    taps: [[*const f32; MAX_SOURCES]; MAX_TAP_ROWS],
    first_tap: usize,
    last_tap: usize,
    channels: [usize; MAX_SOURCES],
    block_pitch: [usize; MAX_SOURCES],
    sources: usize,
    columns: usize,
    /// Distance between kernel columns.
    dilation: usize,
    /// Distance between input pixels.
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

/// Number of results per row of `out`.
fn result_columns(out: &View, scatter: Scatter) -> usize {
    (out.shape.width - scatter.offset[1]).div_ceil(scatter.step)
}

/// Offset of the first result in row `y` of `blocks` blocks from `first` on.
///
/// # Panics
/// If the row accesses an element outside of a slice of `len` elements (invariant 2).
fn checked_start(
    view: &View,
    len: usize,
    scatter: Scatter,
    [first, blocks]: [usize; 2],
    y: usize,
) -> usize {
    let start = view.row(first, y) + scatter.offset[1] * LANES;
    let pixels = (result_columns(view, scatter) - 1) * scatter.step * LANES;
    assert!(view.lanes() == LANES && first + blocks <= view.blocks());
    assert!(start + (blocks - 1) * view.block_pitch() + pixels + LANES <= len);
    start
}

#[inline(always)]
pub(super) fn run<V: Vector>(dense: &DenseConv, args: &ConvArgs<'_>, out: &mut Target<'_>) {
    let lanes = args.sources[0].view.lanes();
    let step = args.scatter.step;
    let fills_blocks = |s: &Source<'_>| s.view.shape.channels.is_multiple_of(LANES);
    let before_last = &args.sources[..args.sources.len() - 1];
    assert!(
        before_last.iter().all(fills_blocks)
            && args.sources.iter().all(|s| s.view.lanes() == lanes)
    );
    assert!(args.sources.len() <= MAX_SOURCES);
    assert_eq!(args.sources.iter().map(|s| s.view.shape.channels).sum::<usize>(), dense.channels);
    let pixel = dense.window.stride[1] * lanes;
    for group in &dense.groups {
        let before = |row: usize| row.saturating_sub(args.scatter.offset[0]).div_ceil(step);
        for y in before(out.rows.start)..before(out.rows.end) {
            let row = checked_row(dense, group, args, out, y);
            // SAFETY: `checked_row` checked all addresses; the CPU has the instructions of `V` (invariant 1).
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

/// Pointers for row `y` of the results, before `scatter` is applied.
///
/// # Panics
/// If the row accesses an element outside the slices (invariant 2).
fn checked_row(
    dense: &DenseConv,
    group: &Group,
    args: &ConvArgs<'_>,
    out: &mut Target<'_>,
    y: usize,
) -> Row {
    let Window { kernel, stride, dilation, pad } = dense.window;
    let lanes = args.sources[0].view.lanes();
    let width = result_columns(out.view, args.scatter);
    let height = args.sources[0].view.shape.height;
    let (first_tap, last_tap) = dense.window.taps(y, height);
    let mut taps = [[std::ptr::null(); MAX_SOURCES]; MAX_TAP_ROWS];
    let mut channels = [0; MAX_SOURCES];
    let mut block_pitch = [0; MAX_SOURCES];
    for (source, Source { data, view }) in args.sources.iter().enumerate() {
        channels[source] = view.shape.channels;
        block_pitch[source] = view.block_pitch();
        let last_lane = (view.shape.channels - 1) % lanes;
        let reach = ((width - 1) * stride[1] + (kernel[1] - 1) * dilation[1]) * lanes;
        let reach = reach + (view.blocks() - 1) * view.block_pitch() + last_lane;
        for (tap, taps) in taps.iter_mut().enumerate().take(last_tap).skip(first_tap) {
            let start = view.row(0, dense.window.row(y, tap));
            assert!(start >= pad[1] * lanes && start - pad[1] * lanes + reach < data.len());
            taps[source] = data[start - pad[1] * lanes..].as_ptr();
        }
    }
    let weights_of_tap = dense.channels * kernel[1] * group.blocks * LANES;
    let weights = &dense.weights.as_slice()[group.weights..][..kernel[0] * weights_of_tap];
    let to = y * args.scatter.step + args.scatter.offset[0];
    let blocks = [group.first, group.blocks];
    let start = checked_start(out.view, out.data.len(), args.scatter, blocks, to);
    let (residual, residual_pitch) = match args.residual {
        Some(Source { data, view }) => {
            assert!(view.shape == out.view.shape && args.scatter.step == 1);
            let start = checked_start(view, data.len(), Scatter::IDENTITY, blocks, to);
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
        sources: args.sources.len(),
        columns: kernel[1],
        dilation: dilation[1] * lanes,
        pixel: stride[1] * lanes,
        weights: weights.as_ptr(),
        weights_of_tap,
        bias: dense.bias.as_slice()[group.first * LANES..][..group.blocks * LANES].as_ptr(),
        residual,
        residual_pitch,
        out: out.data[start..].as_mut_ptr(),
        out_pitch: out.view.block_pitch(),
        out_pixel: args.scatter.step * LANES,
        clamp: args.clamp,
        width,
    }
}

impl Row {
    /// A pointwise convolution of `width` pixels, stored without margins block by block, without residual and clamp.
    ///
    /// # Panics
    /// If `from` or `out` is too short, or `dense` is not pointwise (invariant 2).
    pub(super) fn pointwise(
        dense: &DenseConv,
        group: &Group,
        from: &[f32],
        out: &mut [f32],
        width: usize,
    ) -> Self {
        let pitch = width * LANES;
        assert!(dense.window == Window::POINT);
        assert_eq!(from.len(), dense.channels.div_ceil(LANES) * pitch);
        let mut taps = [[std::ptr::null(); MAX_SOURCES]; MAX_TAP_ROWS];
        taps[0][0] = from.as_ptr();
        let weights_of_tap = dense.channels * group.blocks * LANES;
        let out = &mut out[group.first * pitch..][..group.blocks * pitch];
        Self {
            taps,
            first_tap: 0,
            last_tap: 1,
            channels: [dense.channels; MAX_SOURCES],
            block_pitch: [pitch; MAX_SOURCES],
            sources: 1,
            columns: 1,
            dilation: 0,
            pixel: LANES,
            weights: dense.weights.as_slice()[group.weights..][..weights_of_tap].as_ptr(),
            weights_of_tap,
            bias: dense.bias.as_slice()[group.first * LANES..][..group.blocks * LANES].as_ptr(),
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

/// Calls [`tiles`] for the number of blocks of a group.
#[inline(always)]
pub(super) unsafe fn tiles_of<V: Vector, const P: usize>(blocks: usize, row: &Row) {
    // SAFETY: the caller has checked `row` as `tiles` requires.
    unsafe {
        match blocks {
            1 => tiles::<V, 1, P>(row),
            2 => tiles::<V, 2, P>(row),
            _ => tiles::<V, 3, P>(row),
        }
    }
}

/// Computes a row tile by tile. `P` is the distance between pixels, or 0 to use `row.pixel`.
#[inline(always)]
unsafe fn tiles<V: Vector, const B: usize, const P: usize>(row: &Row) {
    let max_pixels = V::PIXELS[B - 1];
    let mut x = 0;
    while x < row.width {
        let left = row.width - x;
        // SAFETY: each tile ends within the row, whose addresses were checked.
        unsafe {
            x += if max_pixels >= 16 && left >= 16 {
                tile::<V, B, P, 16>(row, x)
            } else if max_pixels >= 8 && left >= 8 {
                tile::<V, B, P, 8>(row, x)
            } else if max_pixels == 6 && left >= 6 {
                tile::<V, B, P, 6>(row, x)
            } else if max_pixels >= 4 && left >= 4 {
                tile::<V, B, P, 4>(row, x)
            } else if max_pixels >= 2 && left >= 2 {
                tile::<V, B, P, 2>(row, x)
            } else if max_pixels >= 1 {
                tile::<V, B, P, 1>(row, x)
            } else {
                left
            }
        }
    }
}

/// Computes the `T` pixels from column `x` on of `B` blocks. Returns `T`.
#[inline(always)]
unsafe fn tile<V: Vector, const B: usize, const P: usize, const T: usize>(
    row: &Row,
    x: usize,
) -> usize {
    let pixel = if P == 0 { row.pixel } else { P };
    // SAFETY: `x + T` is at most the width of the row, whose addresses were checked.
    unsafe {
        let mut sums: [[V; T]; B] = std::array::from_fn(|b| [V::load(row.bias.add(b * LANES)); T]);
        for tap in row.first_tap..row.last_tap {
            let mut weights = row.weights.add(tap * row.weights_of_tap);
            for source in 0..row.sources {
                let mut block = row.taps[tap][source].add(x * pixel);
                let mut left = row.channels[source];
                while left > 0 {
                    let channels = left.min(LANES);
                    for column in 0..row.columns {
                        let input = block.add(column * row.dilation);
                        for channel in 0..channels {
                            let factors: [V; B] =
                                std::array::from_fn(|b| V::load(weights.add(b * LANES)));
                            for t in 0..T {
                                let value = V::splat(*input.add(t * pixel + channel));
                                for (sums, &factor) in sums.iter_mut().zip(&factors) {
                                    sums[t] = value.multiply_add(factor, sums[t]);
                                }
                            }
                            weights = weights.add(B * LANES);
                        }
                    }
                    left -= channels;
                    // After the last block the pointer may be out of bounds; it is not read then.
                    block = block.wrapping_add(row.block_pitch[source]);
                }
            }
        }
        let (low, high) = (V::splat(row.clamp.low), V::splat(row.clamp.high));
        for (b, sums) in sums.into_iter().enumerate() {
            for (t, mut sum) in sums.into_iter().enumerate() {
                if !row.residual.is_null() {
                    let residual = row.residual.add(b * row.residual_pitch + (x + t) * LANES);
                    sum = sum.add(V::load(residual));
                }
                let to = row.out.add(b * row.out_pitch + (x + t) * row.out_pixel);
                sum.clamp(low, high).store(to);
            }
        }
    }
    T
}
