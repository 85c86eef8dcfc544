//! A step with its kernel chosen and its weights packed for that kernel.

use super::LoadError;
use super::graph::{Clamp, LerpTap, Op, Shape, Step, ValueId, Window};
use super::kernels::{
    ConvArgs, DenseConv, DepthwiseConv, Level, MAX_SOURCES, OneChannelConv, Pool, Pooling, Scatter,
    WinogradConv,
};
use super::view::{LANES, Source, Target};
use std::ops::Range;

/// An executable step.
#[derive(Debug)]
pub(super) struct Layer {
    kernel: Kernel,
    pub(super) inputs: Vec<ValueId>,
    pub(super) residual: Option<ValueId>,
    clamp: Clamp,
    pub(super) output: ValueId,
}

#[derive(Debug)]
enum Kernel {
    Dense(DenseConv, Window),
    Winograd(WinogradConv),
    OneChannel(OneChannelConv, Window),
    Depthwise(DepthwiseConv, Window),
    /// One convolution for each output pixel: upper left, upper right, lower left, lower right.
    ConvTranspose2x2(Box<[DenseConv; 4]>),
    Pool(Pool),
    Resize {
        rows: Vec<LerpTap>,
        columns: Vec<LerpTap>,
    },
    Concat,
    Sum,
    Reduce(Pooling),
}

impl Layer {
    /// Chooses the kernel of a step and packs its weights for `level`.
    ///
    /// # Errors
    /// [`LoadError`] if no kernel supports the sizes of the step, or its weights are invalid.
    pub(super) fn pack(step: Step<'_>, shapes: &[Shape], level: Level) -> Result<Self, LoadError> {
        let channels = step.inputs.iter().map(|&input| shapes[input].channels).sum();
        let kernel = match step.op {
            Op::Conv { weights, bias, window } => {
                let (weights, bias) = (weights.floats()?, bias.floats()?);
                convolution(window, [channels, shapes[step.output].width], &weights, &bias, level)?
            }
            Op::Depthwise { weights, bias, window } if DenseConv::supports(&window) => {
                Kernel::Depthwise(
                    DepthwiseConv::pack(window, &weights.floats()?, &bias.floats()?),
                    window,
                )
            }
            Op::ConvTranspose2x2 { weights, bias } if bias.len() > 1 => {
                let (weights, bias) = (weights.floats()?, bias.floats()?);
                Kernel::ConvTranspose2x2(Box::new([0, 1, 2, 3].map(|corner| {
                    let (size, max_blocks) = ([bias.len(), channels], level.max_group_blocks());
                    let weight = |out, input| weights[(input * bias.len() + out) * 4 + corner];
                    let of = |out| (0..channels).map(move |input| weight(out, input));
                    let weights: Vec<f32> = (0..bias.len()).flat_map(of).collect();
                    DenseConv::pack(Window::POINT, size, &bias, max_blocks, &weights)
                })))
            }
            Op::MaxPool(window) => Kernel::Pool(Pool { window, pooling: Pooling::Max }),
            Op::AveragePool(window) => Kernel::Pool(Pool { window, pooling: Pooling::Mean }),
            Op::Resize { rows, columns } => Kernel::Resize { rows, columns },
            Op::Concat if step.inputs.len() <= MAX_SOURCES => Kernel::Concat,
            Op::Sum => Kernel::Sum,
            Op::Mean => Kernel::Reduce(Pooling::Mean),
            Op::Max => Kernel::Reduce(Pooling::Max),
            Op::Depthwise { .. } | Op::ConvTranspose2x2 { .. } | Op::Concat => {
                return Err(LoadError::new("an operator of this size is not supported"));
            }
        };
        let Step { inputs, residual, clamp, output, .. } = step;
        Ok(Self { kernel, inputs, residual, clamp, output })
    }

    /// Whether the layer reads its complete input before it writes its first row.
    pub(super) fn is_reduction(&self) -> bool {
        matches!(self.kernel, Kernel::Reduce(_))
    }

    /// Number of packed weights; 0 for kernels with few or none.
    pub(super) fn weights_len(&self) -> usize {
        match &self.kernel {
            Kernel::Dense(dense, _) => dense.len(),
            Kernel::Winograd(winograd) => winograd.len(),
            Kernel::ConvTranspose2x2(corners) => corners.iter().map(DenseConv::len).sum(),
            _ => 0,
        }
    }

    /// All values that the layer reads.
    pub(super) fn values_read(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.inputs.iter().copied().chain(self.residual)
    }

    pub(super) fn reads_value(&self, value: ValueId) -> bool {
        self.values_read().any(|read| read == value)
    }

    /// The rows of `value`, which has `height` rows, that the layer reads to write `rows` of its output.
    pub(super) fn rows_read(
        &self,
        value: ValueId,
        rows: Range<usize>,
        height: usize,
    ) -> Range<usize> {
        let input = self.inputs.contains(&value);
        let read = if input { self.input_rows(rows.clone(), height) } else { rows.clone() };
        if self.residual == Some(value) && !rows.is_empty() {
            read.start.min(rows.start)..read.end.max(rows.end)
        } else {
            read
        }
    }

    /// The input rows that the kernel reads to write `rows` of its output.
    fn input_rows(&self, rows: Range<usize>, height: usize) -> Range<usize> {
        let Some(last) = rows.clone().next_back() else { return 0..0 };
        match &self.kernel {
            Kernel::Dense(_, window)
            | Kernel::OneChannel(_, window)
            | Kernel::Depthwise(_, window) => window_rows(window, rows.start, last, height),
            Kernel::Winograd(_) => rows.start.saturating_sub(1)..(last + 2).min(height),
            Kernel::Pool(pool) => window_rows(&pool.window, rows.start, last, height),
            Kernel::ConvTranspose2x2(_) => rows.start / 2..last / 2 + 1,
            Kernel::Resize { rows: taps, .. } => taps[rows.start].first..taps[last].second + 1,
            Kernel::Concat | Kernel::Sum => rows,
            Kernel::Reduce(_) => 0..height,
        }
    }

    /// Width of the zeros that the kernel reads on each side of an input row, pixels.
    pub(super) fn margin(&self, width: usize, width_out: usize) -> usize {
        match &self.kernel {
            Kernel::Dense(_, window)
            | Kernel::OneChannel(_, window)
            | Kernel::Depthwise(_, window) => {
                let reach = (width_out - 1) * window.stride[1]
                    + (window.kernel[1] - 1) * window.dilation[1];
                window.pad[1].max((reach + 1).saturating_sub(window.pad[1] + width))
            }
            Kernel::Winograd(_) => 1,
            _ => 0,
        }
    }

    /// Length of the scratch memory of [`Layer::run`], for an output of `width` columns.
    pub(super) fn scratch_len(&self, width: usize) -> usize {
        match &self.kernel {
            Kernel::Winograd(winograd) => winograd.scratch_len(width),
            _ => 0,
        }
    }

    /// Writes the rows of `out`. `scratch` has at least [`Layer::scratch_len`] elements.
    pub(super) fn run(
        &self,
        level: Level,
        sources: &[Source<'_>],
        residual: Option<Source<'_>>,
        scratch: &mut [f32],
        out: &mut Target<'_>,
    ) {
        let mut args =
            ConvArgs { sources, residual, clamp: self.clamp, scatter: Scatter::IDENTITY };
        match &self.kernel {
            Kernel::Dense(dense, _) => level.dense_conv(dense, &args, out),
            Kernel::Winograd(winograd) => level.winograd_conv(winograd, &args, scratch, out),
            Kernel::OneChannel(single, _) => level.one_channel_conv(single, &args, out),
            Kernel::Depthwise(depthwise, _) => level.depthwise_conv(depthwise, &args, out),
            Kernel::ConvTranspose2x2(corners) => {
                for (corner, dense) in corners.iter().enumerate() {
                    args.scatter = Scatter { step: 2, offset: [corner / 2, corner % 2] };
                    level.dense_conv(dense, &args, out);
                }
            }
            Kernel::Pool(pool) => level.pool(pool, sources[0], out),
            Kernel::Resize { rows, columns } => level.resize([rows, columns], sources[0], out),
            Kernel::Concat => concat(sources, out),
            Kernel::Sum => level.sum(self.clamp, sources, out),
            Kernel::Reduce(pooling) => level.reduce(*pooling, sources[0], out),
        }
        out.view.clear_margins(out.data, out.rows.clone());
    }
}

/// Chooses the kernel of a convolution with one filter group.
fn convolution(
    window: Window,
    [channels, width]: [usize; 2],
    weights: &[f32],
    bias: &[f32],
    level: Level,
) -> Result<Kernel, LoadError> {
    match bias.len() {
        _ if !DenseConv::supports(&window) => {
            Err(LoadError::new("a convolution with so many kernel rows is not supported"))
        }
        1 if channels == 1 => {
            Err(LoadError::new("a convolution from one channel to one is not supported"))
        }
        1 => {
            Ok(Kernel::OneChannel(OneChannelConv::pack(window, channels, weights, bias[0]), window))
        }
        out if WinogradConv::suits(&window, [out, channels], width) => {
            let max_blocks = level.max_group_blocks();
            Ok(Kernel::Winograd(WinogradConv::pack([out, channels], weights, bias, max_blocks)))
        }
        out => {
            let max_blocks = level.max_group_blocks();
            Ok(Kernel::Dense(
                DenseConv::pack(window, [out, channels], bias, max_blocks, weights),
                window,
            ))
        }
    }
}

/// The input rows from the first to the last that a window covers for output rows `first` to `last`. With dilation,
/// some rows between them are not read.
fn window_rows(window: &Window, first: usize, last: usize, height: usize) -> Range<usize> {
    let [stride, pad] = [window.stride[0], window.pad[0]];
    let reach = (window.kernel[0] - 1) * window.dilation[0];
    let start = (first * stride).saturating_sub(pad).min(height);
    let end = (last * stride + reach + 1).saturating_sub(pad).min(height);
    start..end.max(start)
}

/// Copies the channels of `sources` one after another into `out`.
fn concat(sources: &[Source<'_>], out: &mut Target<'_>) {
    let lanes = out.view.lanes();
    for y in out.rows.clone() {
        // Zeros in the unused lanes of the last block.
        out.data[out.view.span(out.view.blocks() - 1, y)].fill(0.0);
    }
    let mut channel = 0;
    for Source { data, view } in sources {
        for from in 0..view.shape.channels {
            let (block, lane) = (channel / LANES, channel % LANES);
            for y in out.rows.clone() {
                let row = data[view.span(from / LANES, y)].iter();
                let row = row.skip(from % view.lanes()).step_by(view.lanes());
                let to = out.data[out.view.span(block, y)].iter_mut();
                to.skip(lane).step_by(lanes).zip(row).for_each(|(to, from)| *to = *from);
            }
            channel += 1;
        }
    }
}
