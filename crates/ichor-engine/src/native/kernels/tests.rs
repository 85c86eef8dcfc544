//! Kernels against sums written out, on random shapes, at every level that this machine has. Small
//! enough for Miri, which sees the portable level.

use super::*;
use crate::native::graph::{Shape, Window};
use crate::native::tests::network::Dice;
use crate::native::view::{Buffer, View};

/// Rounding of 32-bit sums of up to a few hundred terms of about one.
const TOLERANCE: f32 = 1e-4;
const CASES: u64 = if cfg!(miri) { 2 } else { 300 };

/// An image of planes and the same laid out for the kernels.
struct Image {
    shape: Shape,
    planes: Vec<f32>,
    view: View,
    memory: Buffer,
}

impl Image {
    fn random(dice: &mut Dice, shape: Shape, margin: usize) -> Self {
        let planes = dice.numbers(shape.channels * shape.height * shape.width);
        let view = View { shape, margin, kept: shape.height };
        // What was there before must not matter.
        let mut memory = Buffer::zeros(view.len());
        memory.numbers_mut().fill(f32::NAN);
        view.put_planes(&planes, memory.numbers_mut());
        Self { shape, planes, view, memory }
    }

    fn source(&self) -> Source<'_> {
        Source { data: self.memory.numbers(), view: &self.view }
    }

    /// A number, zero outside the image; `y` and `x` are signed.
    fn at(&self, channel: usize, y: isize, x: isize) -> f32 {
        let Shape { height, width, .. } = self.shape;
        let inside = |at: isize, length: usize| usize::try_from(at).ok().filter(|&at| at < length);
        match (inside(y, height), inside(x, width)) {
            (Some(y), Some(x)) => self.planes[(channel * height + y) * width + x],
            _ => 0.0,
        }
    }
}

/// A convolution chosen at random.
struct Case {
    window: Window,
    images: Vec<Image>,
    residual: Option<Image>,
    clamp: Clamp,
    out: Shape,
}

impl Case {
    fn random(dice: &mut Dice, channels: &[usize], out: Option<usize>) -> Self {
        let window = Window {
            kernel: [1 + dice.below(4), 1 + dice.below(4)],
            stride: [1 + dice.below(2), 1 + dice.below(2)],
            dilation: [1 + dice.below(3), 1 + dice.below(3)],
            pad: [dice.below(4), dice.below(4)],
        };
        let reach = |axis: usize| (window.kernel[axis] - 1) * window.dilation[axis] + 1;
        let size = [reach(0) + dice.below(9), reach(1) + dice.below(40)];
        Self::of(dice, window, size, channels, out)
    }

    fn of(
        dice: &mut Dice,
        window: Window,
        [height, width]: [usize; 2],
        channels: &[usize],
        out: Option<usize>,
    ) -> Self {
        let reach = |axis: usize| (window.kernel[axis] - 1) * window.dilation[axis] + 1;
        // The same padding on both sides.
        let size = |length: usize, axis: usize| {
            (length + 2 * window.pad[axis] - reach(axis)) / window.stride[axis] + 1
        };
        let margin = window.pad[1] + dice.below(2);
        let images: Vec<Image> = channels
            .iter()
            .map(|&channels| Image::random(dice, Shape { channels, height, width }, margin))
            .collect();
        let channels = out.unwrap_or(channels[0]);
        let out = Shape { channels, height: size(height, 0), width: size(width, 1) };
        let add = channels > 1 && dice.below(2) == 0;
        let margin = dice.below(3);
        let residual = add.then(|| Image::random(dice, out, margin));
        let clamp = dice.one_of(&[Clamp::NONE, Clamp { low: 0.0, high: 1.5 }]);
        Self { window, images, residual, clamp, out }
    }

    /// What one output number must be, given its weights by input channel and tap.
    fn expect(
        &self,
        place: [usize; 3],
        bias: f32,
        weight: impl Fn(usize, [usize; 2]) -> f32,
    ) -> f32 {
        let [channel, y, x] = place;
        let Window { kernel, stride, dilation, pad } = self.window;
        let mut sum = bias;
        let mut first = 0;
        for image in &self.images {
            for input in 0..image.shape.channels {
                for (row, column) in
                    (0..kernel[0]).flat_map(|r| (0..kernel[1]).map(move |c| (r, c)))
                {
                    let y = (y * stride[0] + row * dilation[0]) as isize - pad[0] as isize;
                    let x = (x * stride[1] + column * dilation[1]) as isize - pad[1] as isize;
                    sum += image.at(input, y, x) * weight(first + input, [row, column]);
                }
            }
            first += image.shape.channels;
        }
        let residual =
            self.residual.as_ref().map_or(0.0, |r| r.at(channel, y as isize, x as isize));
        (sum + residual).max(self.clamp.low).min(self.clamp.high)
    }

    /// Runs a kernel in two parts and compares all that it made.
    fn check(
        &self,
        what: &str,
        kernel: impl Fn(&Convolution<'_>, &mut Target<'_>),
        expect: impl Fn([usize; 3]) -> f32,
    ) {
        let sources: Vec<Source<'_>> = self.images.iter().map(Image::source).collect();
        let residual = self.residual.as_ref().map(Image::source);
        let call =
            Convolution { sources: &sources, residual, clamp: self.clamp, scatter: Scatter::NONE };
        let view = View { shape: self.out, margin: 1, kept: self.out.height };
        let mut memory = Buffer::zeros(view.len());
        let half = self.out.height / 2;
        for rows in [0..half, half..self.out.height] {
            kernel(&call, &mut Target { data: memory.numbers_mut(), view: &view, rows });
        }
        let made = view.planes(memory.numbers());
        let Shape { channels, height, width } = self.out;
        for channel in 0..channels {
            for y in 0..height {
                for x in 0..width {
                    let (is, must) =
                        (made[(channel * height + y) * width + x], expect([channel, y, x]));
                    assert!(
                        (is - must).abs() <= TOLERANCE,
                        "{what}: {is} for {must}, {:?}",
                        self.window
                    );
                }
            }
        }
    }
}

#[test]
fn dense_convolutions_are_the_sums_that_they_stand_for() {
    for seed in 0..CASES {
        let mut dice = Dice(seed);
        let channels: &[usize] =
            dice.one_of(&[&[1][..], &[3], &[16], &[20], &[16, 7], &[32, 16, 2], &[16, 16]]);
        let out = 2 + dice.below(100);
        let case = Case::random(&mut dice, channels, Some(out));
        let total: usize = channels.iter().sum();
        let [rows, columns] = case.window.kernel;
        let (mut weights, bias) = (dice.numbers(out * total * rows * columns), dice.numbers(out));
        weights.iter_mut().for_each(|weight| *weight *= 0.1);
        let weight = |out: usize, input: usize, row: usize, column: usize| {
            weights[((out * total + input) * rows + row) * columns + column]
        };
        for level in Level::available() {
            let at_once = level.blocks_at_once();
            let dense = Dense::pack(case.window, [out, total], &bias, at_once, &weights);
            case.check(
                &format!("dense {seed} {channels:?} to {out}, {}", level.name()),
                |call, target| level.convolve(&dense, call, target),
                |p| {
                    case.expect(p, bias[p[0]], |input, [row, column]| {
                        weight(p[0], input, row, column)
                    })
                },
            );
        }
    }
}

#[test]
fn depthwise_convolutions_are_the_sums_that_they_stand_for() {
    for seed in 0..CASES {
        let mut dice = Dice(seed);
        let channels = 2 + dice.below(40);
        let case = Case::random(&mut dice, &[channels], None);
        let [rows, columns] = case.window.kernel;
        let (weights, bias) = (dice.numbers(channels * rows * columns), dice.numbers(channels));
        for level in Level::available() {
            let depthwise = Depthwise::pack(case.window, &weights, &bias);
            case.check(
                &format!("depthwise {seed} {channels}, {}", level.name()),
                |call, target| level.convolve_each(&depthwise, call, target),
                |p| {
                    case.expect(p, bias[p[0]], |input, [row, column]| {
                        let own = input == p[0];
                        if own { weights[(input * rows + row) * columns + column] } else { 0.0 }
                    })
                },
            );
        }
    }
}

#[test]
fn convolutions_to_one_channel_are_the_sums_that_they_stand_for() {
    for seed in 0..CASES {
        let mut dice = Dice(seed);
        let channels: &[usize] = dice.one_of(&[&[2][..], &[16], &[21], &[16, 16], &[16, 5]]);
        let case = Case::random(&mut dice, channels, Some(1));
        let total: usize = channels.iter().sum();
        let [rows, columns] = case.window.kernel;
        let (weights, bias) = (dice.numbers(total * rows * columns), dice.numbers(1)[0]);
        for level in Level::available() {
            let single = Single::pack(case.window, total, &weights, bias);
            case.check(
                &format!("single {seed} {channels:?}, {}", level.name()),
                |call, target| level.convolve_single(&single, call, target),
                |p| {
                    case.expect(p, bias, |input, [row, column]| {
                        weights[(input * rows + row) * columns + column]
                    })
                },
            );
        }
    }
}

#[test]
fn fewer_multiplications_give_the_sums_that_they_stand_for() {
    let window = Window { kernel: [3, 3], pad: [1, 1], ..Window::POINT };
    for seed in 0..CASES.div_ceil(4) {
        let mut dice = Dice(seed);
        let channels: &[usize] = dice.one_of(&[&[32][..], &[40], &[16, 16], &[16, 32, 2]]);
        let (out, total) = (32 + dice.below(40), channels.iter().sum::<usize>());
        let size = [1 + dice.below(11), 32 + 4 * dice.below(3)];
        assert!(Winograd::suits(&window, [out, total], size[1]));
        let case = Case::of(&mut dice, window, size, channels, Some(out));
        let (weights, bias) = (dice.numbers(out * total * 9), dice.numbers(out));
        let weights: Vec<f32> = weights.into_iter().map(|weight| weight * 0.1).collect();
        for level in Level::available() {
            let packed = Winograd::pack([out, total], &weights, &bias, level.blocks_at_once());
            case.check(
                &format!("3x3 {seed} {channels:?} to {out}, {}", level.name()),
                |call, target| {
                    // What was there before must not matter.
                    let mut scratch = vec![f32::NAN; packed.scratch(size[1])];
                    level.convolve_tiles(&packed, call, &mut scratch, target);
                },
                |p| {
                    case.expect(p, bias[p[0]], |input, [row, column]| {
                        weights[((p[0] * total + input) * 3 + row) * 3 + column]
                    })
                },
            );
        }
    }
}

#[test]
fn the_fastest_level_comes_first_and_any_machine_has_one() {
    let levels: Vec<Level> = Level::available().collect();
    assert_eq!(levels.first(), Some(&Level::best()));
    assert_eq!(levels.last(), Some(&Level::PORTABLE));
}
