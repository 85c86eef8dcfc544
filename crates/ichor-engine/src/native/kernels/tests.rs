//! Kernels compared with direct sums on random shapes, at each level that this machine supports. The cases are small
//! enough for Miri, which runs the portable level.

use super::*;
use crate::native::graph::{Shape, Window};
use crate::native::tests::network::Rng;
use crate::native::view::{Buffer, View};

/// Rounding error of `f32` sums of up to a few hundred terms of about one.
const TOLERANCE: f32 = 1e-4;
const CASES: u64 = if cfg!(miri) { 2 } else { 300 };

/// An image as planes, and in the layout of the kernels.
struct Image {
    shape: Shape,
    planes: Vec<f32>,
    view: View,
    memory: Buffer,
}

impl Image {
    fn random(rng: &mut Rng, shape: Shape, margin: usize) -> Self {
        let planes = rng.values(shape.channels * shape.height * shape.width);
        let view = View { shape, margin, ring_rows: shape.height };
        // Previous contents of the memory must have no effect.
        let mut memory = Buffer::zeros(view.len());
        memory.as_mut_slice().fill(f32::NAN);
        view.write_planes(&planes, memory.as_mut_slice());
        Self { shape, planes, view, memory }
    }

    fn source(&self) -> Source<'_> {
        Source { data: self.memory.as_slice(), view: &self.view }
    }

    /// The element at signed coordinates; zero outside of the image.
    fn at(&self, channel: usize, y: isize, x: isize) -> f32 {
        let Shape { height, width, .. } = self.shape;
        let inside = |at: isize, length: usize| usize::try_from(at).ok().filter(|&at| at < length);
        match (inside(y, height), inside(x, width)) {
            (Some(y), Some(x)) => self.planes[(channel * height + y) * width + x],
            _ => 0.0,
        }
    }
}

/// A random convolution.
struct Case {
    window: Window,
    images: Vec<Image>,
    residual: Option<Image>,
    clamp: Clamp,
    out: Shape,
}

impl Case {
    fn random(rng: &mut Rng, channels: &[usize], out: Option<usize>) -> Self {
        let window = Window {
            kernel: [1 + rng.below(4), 1 + rng.below(4)],
            stride: [1 + rng.below(2), 1 + rng.below(2)],
            dilation: [1 + rng.below(3), 1 + rng.below(3)],
            pad: [rng.below(4), rng.below(4)],
        };
        let reach = |axis: usize| (window.kernel[axis] - 1) * window.dilation[axis] + 1;
        let size = [reach(0) + rng.below(9), reach(1) + rng.below(40)];
        Self::with_window(rng, window, size, channels, out)
    }

    fn with_window(
        rng: &mut Rng,
        window: Window,
        [height, width]: [usize; 2],
        channels: &[usize],
        out: Option<usize>,
    ) -> Self {
        let reach = |axis: usize| (window.kernel[axis] - 1) * window.dilation[axis] + 1;
        // Padding is the same on both sides.
        let size = |length: usize, axis: usize| {
            (length + 2 * window.pad[axis] - reach(axis)) / window.stride[axis] + 1
        };
        let margin = window.pad[1] + rng.below(2);
        let images: Vec<Image> = channels
            .iter()
            .map(|&channels| Image::random(rng, Shape { channels, height, width }, margin))
            .collect();
        let channels = out.unwrap_or(channels[0]);
        let out = Shape { channels, height: size(height, 0), width: size(width, 1) };
        let add = channels > 1 && rng.below(2) == 0;
        let margin = rng.below(3);
        let residual = add.then(|| Image::random(rng, out, margin));
        let clamp = rng.one_of(&[Clamp::NONE, Clamp { low: 0.0, high: 1.5 }]);
        Self { window, images, residual, clamp, out }
    }

    /// The expected element at `[channel, y, x]`, given the weights by input channel and kernel position.
    fn expect(
        &self,
        position: [usize; 3],
        bias: f32,
        weight: impl Fn(usize, [usize; 2]) -> f32,
    ) -> f32 {
        let [channel, y, x] = position;
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

    /// Runs a kernel in two ranges of rows and compares all elements.
    fn check(
        &self,
        name: &str,
        kernel: impl Fn(&ConvArgs<'_>, &mut Target<'_>),
        expect: impl Fn([usize; 3]) -> f32,
    ) {
        let sources: Vec<Source<'_>> = self.images.iter().map(Image::source).collect();
        let residual = self.residual.as_ref().map(Image::source);
        let args =
            ConvArgs { sources: &sources, residual, clamp: self.clamp, scatter: Scatter::IDENTITY };
        let view = View { shape: self.out, margin: 1, ring_rows: self.out.height };
        let mut memory = Buffer::zeros(view.len());
        let half = self.out.height / 2;
        for rows in [0..half, half..self.out.height] {
            kernel(&args, &mut Target { data: memory.as_mut_slice(), view: &view, rows });
        }
        let planes = view.to_planes(memory.as_slice());
        let Shape { channels, height, width } = self.out;
        for channel in 0..channels {
            for y in 0..height {
                for x in 0..width {
                    let (actual, expected) =
                        (planes[(channel * height + y) * width + x], expect([channel, y, x]));
                    assert!(
                        (actual - expected).abs() <= TOLERANCE,
                        "{name}: {actual} for {expected}, {:?}",
                        self.window
                    );
                }
            }
        }
    }
}

#[test]
fn dense_convolutions_equal_direct_sums() {
    for seed in 0..CASES {
        let mut rng = Rng(seed);
        let channels: &[usize] =
            rng.one_of(&[&[1][..], &[3], &[16], &[20], &[16, 7], &[32, 16, 2], &[16, 16]]);
        let out = 2 + rng.below(100);
        let case = Case::random(&mut rng, channels, Some(out));
        let total: usize = channels.iter().sum();
        let [rows, columns] = case.window.kernel;
        let (mut weights, bias) = (rng.values(out * total * rows * columns), rng.values(out));
        weights.iter_mut().for_each(|weight| *weight *= 0.1);
        let weight = |out: usize, input: usize, row: usize, column: usize| {
            weights[((out * total + input) * rows + row) * columns + column]
        };
        for level in Level::available() {
            let max_blocks = level.max_group_blocks();
            let dense = DenseConv::pack(case.window, [out, total], &bias, max_blocks, &weights);
            case.check(
                &format!("dense {seed} {channels:?} to {out}, {}", level.name()),
                |args, target| level.dense_conv(&dense, args, target),
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
fn depthwise_convolutions_equal_direct_sums() {
    for seed in 0..CASES {
        let mut rng = Rng(seed);
        let channels = 2 + rng.below(40);
        let case = Case::random(&mut rng, &[channels], None);
        let [rows, columns] = case.window.kernel;
        let (weights, bias) = (rng.values(channels * rows * columns), rng.values(channels));
        for level in Level::available() {
            let depthwise = DepthwiseConv::pack(case.window, &weights, &bias);
            case.check(
                &format!("depthwise {seed} {channels}, {}", level.name()),
                |args, target| level.depthwise_conv(&depthwise, args, target),
                |p| {
                    case.expect(p, bias[p[0]], |input, [row, column]| {
                        let same_channel = input == p[0];
                        if same_channel {
                            weights[(input * rows + row) * columns + column]
                        } else {
                            0.0
                        }
                    })
                },
            );
        }
    }
}

#[test]
fn convolutions_to_one_channel_equal_direct_sums() {
    for seed in 0..CASES {
        let mut rng = Rng(seed);
        let channels: &[usize] = rng.one_of(&[&[2][..], &[16], &[21], &[16, 16], &[16, 5]]);
        let case = Case::random(&mut rng, channels, Some(1));
        let total: usize = channels.iter().sum();
        let [rows, columns] = case.window.kernel;
        let (weights, bias) = (rng.values(total * rows * columns), rng.values(1)[0]);
        for level in Level::available() {
            let single = OneChannelConv::pack(case.window, total, &weights, bias);
            case.check(
                &format!("single {seed} {channels:?}, {}", level.name()),
                |args, target| level.one_channel_conv(&single, args, target),
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
fn winograd_convolutions_equal_direct_sums() {
    let window = Window { kernel: [3, 3], pad: [1, 1], ..Window::POINT };
    for seed in 0..CASES.div_ceil(4) {
        let mut rng = Rng(seed);
        let channels: &[usize] = rng.one_of(&[&[32][..], &[40], &[16, 16], &[16, 32, 2]]);
        let (out, total) = (32 + rng.below(40), channels.iter().sum::<usize>());
        let size = [1 + rng.below(11), 32 + 4 * rng.below(3)];
        assert!(WinogradConv::suits(&window, [out, total], size[1]));
        let case = Case::with_window(&mut rng, window, size, channels, Some(out));
        let (weights, bias) = (rng.values(out * total * 9), rng.values(out));
        let weights: Vec<f32> = weights.into_iter().map(|weight| weight * 0.1).collect();
        for level in Level::available() {
            let packed =
                WinogradConv::pack([out, total], &weights, &bias, level.max_group_blocks());
            case.check(
                &format!("3x3 {seed} {channels:?} to {out}, {}", level.name()),
                |args, target| {
                    // Previous contents of the memory must have no effect.
                    let mut scratch = vec![f32::NAN; packed.scratch_len(size[1])];
                    level.winograd_conv(&packed, args, &mut scratch, target);
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
fn levels_start_with_the_fastest_and_end_with_the_portable_one() {
    let levels: Vec<Level> = Level::available().collect();
    assert_eq!(levels.first(), Some(&Level::best()));
    assert_eq!(levels.last(), Some(&Level::PORTABLE));
}
