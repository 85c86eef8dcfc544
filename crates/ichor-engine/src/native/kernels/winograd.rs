//! Dense 3x3 convolution with stride 1 by Winograd's method, with a quarter of the multiplications: F(4x4, 3x3) of
//! Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015.
//!
//! Each tile of 4x4 outputs depends on 6x6 inputs. The inputs are transformed; at each of the 36 positions of a
//! transformed tile, a pointwise convolution with transformed weights is computed; the products are transformed back.

use super::dense::{ConvArgs, DenseConv};
use super::tile::{Row, tiles_of};
use super::vector::Vector;
use crate::native::graph::{Clamp, Window};
use crate::native::view::{Buffer, LANES, Source, Target, View};

/// Side of a tile of outputs and of the inputs that it depends on, pixels; positions of a transformed tile.
const TILE_OUT: usize = 4;
const TILE_IN: usize = 6;
const POSITIONS: usize = TILE_IN * TILE_IN;
/// Maximum product of input and output channels. Beyond it the transformed weights, four times as many as in the file,
/// do not fit the L2 cache.
const MAX_WEIGHTS: usize = 128 * 64;

/// Minimum number of input and of output channels. Below it the transforms take longer than the saved multiplications.
const MIN_CHANNELS: usize = 32;

/// A 3x3 convolution with transformed weights.
#[derive(Debug)]
pub(in super::super) struct WinogradConv {
    /// One pointwise convolution for each position of a transformed tile.
    positions: Vec<DenseConv>,
    channels: usize,
    bias: Buffer,
}

impl WinogradConv {
    /// Whether a convolution is supported by this method and faster with it.
    pub(in super::super) fn suits(
        window: &Window,
        [out, channels]: [usize; 2],
        width: usize,
    ) -> bool {
        let same = Window { kernel: [3, 3], pad: [1, 1], ..Window::POINT };
        let is_faster = channels.min(out) >= MIN_CHANNELS && channels * out <= MAX_WEIGHTS;
        *window == same && is_faster && width.is_multiple_of(TILE_OUT) && width >= 2 * LANES
    }

    /// Transforms weights `[out, channels, 3, 3]`.
    pub(in super::super) fn pack(
        [out, channels]: [usize; 2],
        weights: &[f32],
        bias: &[f32],
        max_blocks: usize,
    ) -> Self {
        // One extra cache line per position; without it all positions would map to the same cache set.
        let pitch = out * channels + LANES;
        let mut transformed = vec![0.0; POSITIONS * pitch];
        for (at, weights) in weights.as_chunks::<9>().0.iter().enumerate() {
            let tile = transform_weights(weights);
            for (position, weight) in tile.as_flattened().iter().enumerate() {
                transformed[position * pitch + at] = *weight;
            }
        }
        let zeros = vec![0.0; out];
        let position = |position: usize| {
            let weights = &transformed[position * pitch..][..out * channels];
            DenseConv::pack(Window::POINT, [out, channels], &zeros, max_blocks, weights)
        };
        let mut padded = Buffer::zeros(out.next_multiple_of(LANES));
        padded.as_mut_slice()[..out].copy_from_slice(bias);
        Self { positions: (0..POSITIONS).map(position).collect(), channels, bias: padded }
    }

    /// Number of transformed weights, with padding.
    pub(in super::super) fn len(&self) -> usize {
        self.positions.iter().map(DenseConv::len).sum()
    }

    /// Distance between positions in the transformed inputs and in the products of a row of `tiles`. It includes one
    /// extra cache line; without it the positions of a tile would often map to the same cache set.
    fn pitches(&self, tiles: usize) -> [usize; 2] {
        let blocks = [self.channels.div_ceil(LANES), self.bias.as_slice().len() / LANES];
        blocks.map(|blocks| (blocks * tiles + 1) * LANES)
    }

    /// Length of the scratch memory of one call, for an output of `width` columns.
    pub(in super::super) fn scratch_len(&self, width: usize) -> usize {
        let [inputs, products] = self.pitches(width / TILE_OUT);
        POSITIONS * (inputs + products)
    }
}

/// `G g G^T` of the paper.
fn transform_weights(weights: &[f32; 9]) -> [[f32; TILE_IN]; TILE_IN] {
    let line = |[a, b, c]: [f32; 3]| {
        let (outer, fine) = ((a + c) / 6.0, a / 24.0 + c / 6.0);
        [a / 4.0, -outer - b / 6.0, -outer + b / 6.0, fine + b / 12.0, fine - b / 12.0, c]
    };
    let columns: [[f32; TILE_IN]; 3] =
        std::array::from_fn(|x| line([weights[x], weights[3 + x], weights[6 + x]]));
    std::array::from_fn(|y| line([columns[0][y], columns[1][y], columns[2][y]]))
}

#[inline(always)]
pub(super) fn run<V: Vector>(
    winograd: &WinogradConv,
    args: &ConvArgs<'_>,
    scratch: &mut [f32],
    out: &mut Target<'_>,
) {
    let width = out.view.shape.width;
    let tiles = width / TILE_OUT;
    let blocks_in = winograd.channels.div_ceil(LANES);
    let blocks_out = out.view.blocks();
    let before_last = &args.sources[..args.sources.len() - 1];
    assert!(before_last.iter().all(|s| s.view.shape.channels.is_multiple_of(LANES)));
    assert_eq!(
        args.sources.iter().map(|s| s.view.shape.channels).sum::<usize>(),
        winograd.channels
    );
    assert!(out.view.lanes() == LANES && args.scatter.step == 1 && width.is_multiple_of(TILE_OUT));
    assert_eq!(winograd.bias.as_slice().len(), blocks_out * LANES);
    let [pitch_in, pitch_out] = winograd.pitches(tiles);
    let (inputs, products) = scratch.split_at_mut(POSITIONS * pitch_in);
    let mut y = out.rows.start;
    while y < out.rows.end {
        let mut block = 0;
        for source in args.sources {
            assert!(source.view.lanes() == LANES && source.view.shape.width == width);
            for source_block in 0..source.view.blocks() {
                let to = &mut inputs[block * tiles * LANES..];
                // SAFETY: the CPU has the instructions of `V` (invariant 1).
                unsafe { transform_input::<V>(*source, source_block, y, tiles, to, pitch_in) };
                block += 1;
            }
        }
        let positions = inputs.chunks_exact(pitch_in).zip(products.chunks_exact_mut(pitch_out));
        for (dense, (inputs, products)) in winograd.positions.iter().zip(positions) {
            let inputs = &inputs[..blocks_in * tiles * LANES];
            for group in &dense.groups {
                let row = Row::pointwise(dense, group, inputs, products, tiles);
                // SAFETY: `pointwise` checked all addresses; the CPU has the instructions of `V` (invariant 1).
                unsafe { tiles_of::<V, LANES>(group.blocks, &row) };
            }
        }
        for block in 0..blocks_out {
            let from = &products[block * tiles * LANES..];
            let bias = &winograd.bias.as_slice()[block * LANES..][..LANES];
            let rows = y..out.rows.end.min(y + TILE_OUT);
            // SAFETY: the CPU has the instructions of `V` (invariant 1).
            unsafe { transform_output::<V>(from, pitch_out, tiles, bias, args, block, rows, out) };
        }
        y += TILE_OUT;
    }
}

/// `B^T d` of the paper, for one row or column of inputs.
#[inline(always)]
unsafe fn transform_input_line<V: Vector>(d: [V; TILE_IN]) -> [V; TILE_IN] {
    // SAFETY: the CPU has the instructions of `V` (invariant 1).
    unsafe {
        let times = |factor: f32, v: V, sum: V| V::splat(factor).multiply_add(v, sum);
        let (even, odd) = (times(-4.0, d[2], d[4]), times(-4.0, d[1], d[3]));
        let (fine, half) = (times(-1.0, d[2], d[4]), times(-1.0, d[1], d[3]));
        [
            times(4.0, d[0], times(-5.0, d[2], d[4])),
            even.add(odd),
            times(-1.0, odd, even),
            times(2.0, half, fine),
            times(-2.0, half, fine),
            times(4.0, d[1], times(-5.0, d[3], d[5])),
        ]
    }
}

/// `A^T m` of the paper, for one row or column of products.
#[inline(always)]
unsafe fn transform_output_line<V: Vector>(m: [V; TILE_IN]) -> [V; TILE_OUT] {
    // SAFETY: the CPU has the instructions of `V` (invariant 1).
    unsafe {
        let times = |factor: f32, v: V, sum: V| V::splat(factor).multiply_add(v, sum);
        let (sum, difference) = (m[1].add(m[2]), times(-1.0, m[2], m[1]));
        let (sum_far, difference_far) = (m[3].add(m[4]), times(-1.0, m[4], m[3]));
        [
            m[0].add(sum).add(sum_far),
            times(2.0, difference_far, difference),
            times(4.0, sum_far, sum),
            times(8.0, difference_far, difference).add(m[5]),
        ]
    }
}

/// Transforms the inputs of a row of tiles, whose first output row is `y`, for one block of channels. Position `p` is
/// written to `to[p * pitch..]`.
#[inline(always)]
unsafe fn transform_input<V: Vector>(
    source: Source<'_>,
    block: usize,
    y: usize,
    tiles: usize,
    to: &mut [f32],
    pitch: usize,
) {
    let Source { data, view } = source;
    assert!((POSITIONS - 1) * pitch + tiles * LANES <= to.len());
    let rows: [Option<*const f32>; TILE_IN] = std::array::from_fn(|row| {
        let y = (y + row).checked_sub(1).filter(|&y| y < view.shape.height)?;
        let start = view.row(block, y) - LANES;
        assert!(view.margin > 0 && start + (tiles * TILE_OUT + 2) * LANES <= data.len());
        Some(data[start..].as_ptr())
    });
    for tile in 0..tiles {
        for part in (0..LANES).step_by(V::Part::WIDTH) {
            // SAFETY: a tile reads six pixels from its column on, of which the last may be in the margin, and writes 16
            // elements at each position, part by part. Both ranges were checked above.
            unsafe {
                let zero = V::Part::splat(0.0);
                let mut lines = [[zero; TILE_IN]; TILE_IN];
                for (column, line) in lines.iter_mut().enumerate() {
                    let at = (tile * TILE_OUT + column) * LANES + part;
                    let inputs = rows.map(|row| row.map_or(zero, |row| V::Part::load(row.add(at))));
                    *line = transform_input_line(inputs);
                }
                for row in 0..TILE_IN {
                    let line = transform_input_line(lines.map(|line| line[row]));
                    for (column, values) in line.into_iter().enumerate() {
                        let at = (row * TILE_IN + column) * pitch + tile * LANES + part;
                        values.store(to.as_mut_ptr().add(at));
                    }
                }
            }
        }
    }
}

/// Transforms the products of a row of tiles to the output `rows` of one block, with bias, residual and activation.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the state of the loops in `run`")]
unsafe fn transform_output<V: Vector>(
    from: &[f32],
    pitch: usize,
    tiles: usize,
    bias: &[f32],
    args: &ConvArgs<'_>,
    block: usize,
    rows: std::ops::Range<usize>,
    out: &mut Target<'_>,
) {
    assert!((POSITIONS - 1) * pitch + tiles * LANES <= from.len() && bias.len() == LANES);
    assert!(rows.len() <= TILE_OUT);
    let start = |view: &View, y: usize| {
        let span = view.span(block, y);
        assert!(span.len() == tiles * TILE_OUT * LANES);
        span
    };
    let mut to = [std::ptr::null_mut(); TILE_OUT];
    let mut residual = [std::ptr::null(); TILE_OUT];
    for (at, y) in rows.clone().enumerate() {
        to[at] = out.data[start(out.view, y)].as_mut_ptr();
        if let Some(Source { data, view }) = args.residual {
            residual[at] = data[start(view, y)].as_ptr();
        }
    }
    let Clamp { low, high } = args.clamp;
    for tile in 0..tiles {
        for part in (0..LANES).step_by(V::Part::WIDTH) {
            // SAFETY: a tile reads 16 elements at each position and writes four pixels from its column on, part by part,
            // in rows whose complete length was checked above.
            unsafe {
                let (low, high) = (V::Part::splat(low), V::Part::splat(high));
                let bias = V::Part::load(bias.as_ptr().add(part));
                let mut lines = [[V::Part::splat(0.0); TILE_OUT]; TILE_IN];
                for (column, line) in lines.iter_mut().enumerate() {
                    *line = transform_output_line(std::array::from_fn(|row| {
                        let at = (row * TILE_IN + column) * pitch + tile * LANES + part;
                        V::Part::load(from.as_ptr().add(at))
                    }));
                }
                for row in 0..rows.len() {
                    let line = transform_output_line(lines.map(|line| line[row]));
                    for (column, mut sum) in line.into_iter().enumerate() {
                        let at = (tile * TILE_OUT + column) * LANES + part;
                        sum = sum.add(bias);
                        if !residual[row].is_null() {
                            sum = sum.add(V::Part::load(residual[row].add(at)));
                        }
                        sum.clamp(low, high).store(to[row].add(at));
                    }
                }
            }
        }
    }
}
