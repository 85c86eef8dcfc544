//! Convolution of 3x3 pixels at stride 1, a quarter of the multiplications: F(4x4, 3x3) of Lavin and
//! Gray, Fast Algorithms for Convolutional Neural Networks, 2015.
//!
//! Each tile of 4x4 results comes from 6x6 numbers. These are transformed by sums, multiplied with
//! transformed weights place by place, each place a dense convolution of single pixels, and transformed
//! back by sums.

use super::dense::{Convolution, Dense};
use super::tile::{Row, tiles_of};
use super::vector::Vector;
use crate::native::graph::{Clamp, Window};
use crate::native::view::{Buffer, LANES, Source, Target, View};

/// Results of a tile, numbers that they come from, and places of the latter, by side.
const RESULTS: usize = 4;
const NUMBERS: usize = 6;
const PLACES: usize = NUMBERS * NUMBERS;
/// Products of input and output channels beyond which the transformed weights, four times those of the
/// file, no longer fit the cache next to the processor.
const MOST_WEIGHTS: usize = 128 * 64;

/// Channels of input and of output below which the sums cost more than the multiplications saved.
const LEAST_CHANNELS: usize = 32;

/// Transformed weights.
#[derive(Debug)]
pub(in super::super) struct Winograd {
    /// A convolution of single pixels for each place.
    places: Vec<Dense>,
    channels: usize,
    bias: Buffer,
}

impl Winograd {
    /// Whether a convolution can be and is worth being done in this way.
    pub(in super::super) fn suits(
        window: &Window,
        [out, channels]: [usize; 2],
        width: usize,
    ) -> bool {
        let same = Window { kernel: [3, 3], pad: [1, 1], ..Window::POINT };
        let worth = channels.min(out) >= LEAST_CHANNELS && channels * out <= MOST_WEIGHTS;
        *window == same && worth && width.is_multiple_of(RESULTS) && width >= 2 * LANES
    }

    /// Transforms weights `[out, channels, 3, 3]`.
    pub(in super::super) fn pack(
        [out, channels]: [usize; 2],
        weights: &[f32],
        bias: &[f32],
        at_once: usize,
    ) -> Self {
        // A cache line more than a place takes: the places would else share one set of the cache.
        let pitch = out * channels + LANES;
        let mut transformed = vec![0.0; PLACES * pitch];
        for (at, weights) in weights.as_chunks::<9>().0.iter().enumerate() {
            let numbers = transform_weights(weights);
            for (place, number) in numbers.as_flattened().iter().enumerate() {
                transformed[place * pitch + at] = *number;
            }
        }
        let zeros = vec![0.0; out];
        let place = |place: usize| {
            let weights = &transformed[place * pitch..][..out * channels];
            Dense::pack(Window::POINT, [out, channels], &zeros, at_once, weights)
        };
        let mut padded = Buffer::zeros(out.next_multiple_of(LANES));
        padded.numbers_mut()[..out].copy_from_slice(bias);
        Self { places: (0..PLACES).map(place).collect(), channels, bias: padded }
    }

    /// Numbers of the weights.
    pub(in super::super) fn len(&self) -> usize {
        self.places.iter().map(Dense::len).sum()
    }

    /// From one place to the next, in the numbers and in the products of `tiles`. A cache line more than
    /// they take: the places of a tile would else often share one set of the cache.
    fn pitches(&self, tiles: usize) -> [usize; 2] {
        let blocks = [self.channels.div_ceil(LANES), self.bias.numbers().len() / LANES];
        blocks.map(|blocks| (blocks * tiles + 1) * LANES)
    }

    /// Numbers of memory that one call works in.
    pub(in super::super) fn scratch(&self, width: usize) -> usize {
        let [numbers, products] = self.pitches(width / RESULTS);
        PLACES * (numbers + products)
    }
}

/// `G g G^T` of the paper.
fn transform_weights(weights: &[f32; 9]) -> [[f32; NUMBERS]; NUMBERS] {
    let line = |[a, b, c]: [f32; 3]| {
        let (outer, fine) = ((a + c) / 6.0, a / 24.0 + c / 6.0);
        [a / 4.0, -outer - b / 6.0, -outer + b / 6.0, fine + b / 12.0, fine - b / 12.0, c]
    };
    let columns: [[f32; NUMBERS]; 3] =
        std::array::from_fn(|x| line([weights[x], weights[3 + x], weights[6 + x]]));
    std::array::from_fn(|y| line([columns[0][y], columns[1][y], columns[2][y]]))
}

#[inline(always)]
pub(super) fn run<V: Vector>(
    winograd: &Winograd,
    call: &Convolution<'_>,
    scratch: &mut [f32],
    out: &mut Target<'_>,
) {
    let width = out.view.shape.width;
    let tiles = width / RESULTS;
    let blocks_in = winograd.channels.div_ceil(LANES);
    let blocks_out = out.view.blocks();
    let before_last = &call.sources[..call.sources.len() - 1];
    assert!(before_last.iter().all(|s| s.view.shape.channels.is_multiple_of(LANES)));
    assert_eq!(
        call.sources.iter().map(|s| s.view.shape.channels).sum::<usize>(),
        winograd.channels
    );
    assert!(out.view.lanes() == LANES && call.scatter.step == 1 && width.is_multiple_of(RESULTS));
    assert_eq!(winograd.bias.numbers().len(), blocks_out * LANES);
    let [pitch_in, pitch_out] = winograd.pitches(tiles);
    let (numbers, products) = scratch.split_at_mut(PLACES * pitch_in);
    let mut y = out.rows.start;
    while y < out.rows.end {
        let mut block = 0;
        for source in call.sources {
            assert!(source.view.lanes() == LANES && source.view.shape.width == width);
            for part in 0..source.view.blocks() {
                let to = &mut numbers[block * tiles * LANES..];
                // SAFETY: the caller's processor has the instructions of `V`.
                unsafe { gather::<V>(*source, part, y, tiles, to, pitch_in) };
                block += 1;
            }
        }
        let places = numbers.chunks_exact(pitch_in).zip(products.chunks_exact_mut(pitch_out));
        for (dense, (numbers, products)) in winograd.places.iter().zip(places) {
            let numbers = &numbers[..blocks_in * tiles * LANES];
            for group in &dense.groups {
                let row = Row::points(dense, group, numbers, products, tiles);
                // SAFETY: `points` checked every address; the processor has the instructions of `V`.
                unsafe { tiles_of::<V, LANES>(group.blocks, &row) };
            }
        }
        for block in 0..blocks_out {
            let from = &products[block * tiles * LANES..];
            let bias = &winograd.bias.numbers()[block * LANES..][..LANES];
            let rows = y..out.rows.end.min(y + RESULTS);
            // SAFETY: the caller's processor has the instructions of `V`.
            unsafe { scatter::<V>(from, pitch_out, tiles, bias, call, block, rows, out) };
        }
        y += RESULTS;
    }
}

/// `B^T d` of the paper for one line.
#[inline(always)]
unsafe fn transform<V: Vector>(d: [V; NUMBERS]) -> [V; NUMBERS] {
    // SAFETY: the caller's processor has the instructions of `V`.
    unsafe {
        let times = |number: f32, v: V, sum: V| V::splat(number).multiply_add(v, sum);
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

/// `A^T m` of the paper for one line.
#[inline(always)]
unsafe fn back<V: Vector>(m: [V; NUMBERS]) -> [V; RESULTS] {
    // SAFETY: the caller's processor has the instructions of `V`.
    unsafe {
        let times = |number: f32, v: V, sum: V| V::splat(number).multiply_add(v, sum);
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

/// Transforms the numbers that the tiles of rows from `y` on need of one block. Place after place they
/// lie `pitch` apart in `to`.
#[inline(always)]
unsafe fn gather<V: Vector>(
    source: Source<'_>,
    block: usize,
    y: usize,
    tiles: usize,
    to: &mut [f32],
    pitch: usize,
) {
    let Source { data, view } = source;
    assert!((PLACES - 1) * pitch + tiles * LANES <= to.len());
    let rows: [Option<*const f32>; NUMBERS] = std::array::from_fn(|row| {
        let y = (y + row).checked_sub(1).filter(|&y| y < view.shape.height)?;
        let start = view.row(block, y) - LANES;
        assert!(view.margin > 0 && start + (tiles * RESULTS + 2) * LANES <= data.len());
        Some(data[start..].as_ptr())
    });
    for tile in 0..tiles {
        // SAFETY: a tile reads six pixels from its column on, the last one the margin's; it writes into
        // its own place of each pitch. Both were checked above.
        unsafe {
            let mut lines = [[V::splat(0.0); NUMBERS]; NUMBERS];
            for (column, line) in lines.iter_mut().enumerate() {
                let at = (tile * RESULTS + column) * LANES;
                let numbers = rows.map(|row| row.map_or(V::splat(0.0), |row| V::load(row.add(at))));
                *line = transform(numbers);
            }
            for row in 0..NUMBERS {
                let line = transform(lines.map(|line| line[row]));
                for (column, numbers) in line.into_iter().enumerate() {
                    let place = (row * NUMBERS + column) * pitch + tile * LANES;
                    numbers.store(to.as_mut_ptr().add(place));
                }
            }
        }
    }
}

/// Transforms products back to the results of `rows` of one block.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "half of them are one line of a loop nest")]
unsafe fn scatter<V: Vector>(
    from: &[f32],
    pitch: usize,
    tiles: usize,
    bias: &[f32],
    call: &Convolution<'_>,
    block: usize,
    rows: std::ops::Range<usize>,
    out: &mut Target<'_>,
) {
    assert!((PLACES - 1) * pitch + tiles * LANES <= from.len() && bias.len() == LANES);
    assert!(rows.len() <= RESULTS);
    let start = |view: &View, y: usize| {
        let span = view.span(block, y);
        assert!(span.len() == tiles * RESULTS * LANES);
        span
    };
    let mut to = [std::ptr::null_mut(); RESULTS];
    let mut residual = [std::ptr::null(); RESULTS];
    for (at, y) in rows.clone().enumerate() {
        to[at] = out.data[start(out.view, y)].as_mut_ptr();
        if let Some(Source { data, view }) = call.residual {
            residual[at] = data[start(view, y)].as_ptr();
        }
    }
    let Clamp { low, high } = call.clamp;
    for tile in 0..tiles {
        // SAFETY: a tile reads its own place of each pitch and writes four pixels from its column on, of
        // rows whose whole length was checked above.
        unsafe {
            let (low, high, bias) = (V::splat(low), V::splat(high), V::load(bias.as_ptr()));
            let mut lines = [[V::splat(0.0); RESULTS]; NUMBERS];
            for (column, line) in lines.iter_mut().enumerate() {
                *line = back(std::array::from_fn(|row| {
                    let place = (row * NUMBERS + column) * pitch + tile * LANES;
                    V::load(from.as_ptr().add(place))
                }));
            }
            for row in 0..rows.len() {
                let line = back(lines.map(|line| line[row]));
                for (column, mut sum) in line.into_iter().enumerate() {
                    let place = (tile * RESULTS + column) * LANES;
                    sum = sum.add(bias);
                    if !residual[row].is_null() {
                        sum = sum.add(V::load(residual[row].add(place)));
                    }
                    sum.clamp(low, high).store(to[row].add(place));
                }
            }
        }
    }
}
