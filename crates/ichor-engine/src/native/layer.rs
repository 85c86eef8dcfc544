//! One step made ready to run: weights packed for the kernel that does it.

use super::Refusal;
use super::graph::{Between, Clamp, Op, Shape, Step, ValueId, Window};
use super::kernels::{
    Convolution, Dense, Depthwise, Level, MOST_PARTS, Pool, Pooling, Scatter, Single, Winograd,
};
use super::view::{LANES, Source, Target};
use std::ops::Range;

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
    Dense(Dense, Window),
    Winograd(Winograd),
    Single(Single, Window),
    Depthwise(Depthwise, Window),
    /// For the upper left, upper right, lower left and lower right of each four pixels.
    Enlarge(Box<[Dense; 4]>),
    Pool(Pool),
    Resize {
        rows: Vec<Between>,
        columns: Vec<Between>,
    },
    Concat,
    Sum,
    Reduce(Pooling),
}

impl Layer {
    /// Packs a step's weights for `level`.
    pub(super) fn pack(step: Step<'_>, shapes: &[Shape], level: Level) -> Result<Self, Refusal> {
        let channels = step.inputs.iter().map(|&input| shapes[input].channels).sum();
        let kernel = match step.op {
            Op::Convolution { weights, bias, window } => {
                let (weights, bias) = (weights.floats()?, bias.floats()?);
                convolution(window, [channels, shapes[step.output].width], &weights, &bias, level)?
            }
            Op::Depthwise { weights, bias, window } if Dense::knows(&window) => Kernel::Depthwise(
                Depthwise::pack(window, &weights.floats()?, &bias.floats()?),
                window,
            ),
            Op::Enlarge { weights, bias } if bias.len() > 1 => {
                let (weights, bias) = (weights.floats()?, bias.floats()?);
                Kernel::Enlarge(Box::new([0, 1, 2, 3].map(|corner| {
                    let (size, at_once) = ([bias.len(), channels], level.blocks_at_once());
                    let weight = |out, input| weights[(input * bias.len() + out) * 4 + corner];
                    let of = |out| (0..channels).map(move |input| weight(out, input));
                    let weights: Vec<f32> = (0..bias.len()).flat_map(of).collect();
                    Dense::pack(Window::POINT, size, &bias, at_once, &weights)
                })))
            }
            Op::MaxPool(window) => Kernel::Pool(Pool { window, pooling: Pooling::Max }),
            Op::AveragePool(window) => Kernel::Pool(Pool { window, pooling: Pooling::Mean }),
            Op::Resize { rows, columns } => Kernel::Resize { rows, columns },
            Op::Concat if step.inputs.len() <= MOST_PARTS => Kernel::Concat,
            Op::Sum => Kernel::Sum,
            Op::Mean => Kernel::Reduce(Pooling::Mean),
            Op::Max => Kernel::Reduce(Pooling::Max),
            Op::Depthwise { .. } | Op::Enlarge { .. } | Op::Concat => {
                return Err(Refusal::new("an operator of this size is not known"));
            }
        };
        let Step { inputs, residual, clamp, output, .. } = step;
        Ok(Self { kernel, inputs, residual, clamp, output })
    }

    /// Whether it reads all of its input before it makes anything.
    pub(super) fn needs_all(&self) -> bool {
        matches!(self.kernel, Kernel::Reduce(_))
    }

    /// Numbers of its weights.
    pub(super) fn weights(&self) -> usize {
        match &self.kernel {
            Kernel::Dense(dense, _) => dense.len(),
            Kernel::Winograd(winograd) => winograd.len(),
            Kernel::Enlarge(corners) => corners.iter().map(Dense::len).sum(),
            _ => 0,
        }
    }

    /// Values that it reads.
    pub(super) fn values_read(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.inputs.iter().copied().chain(self.residual)
    }

    pub(super) fn reads_value(&self, value: ValueId) -> bool {
        self.values_read().any(|read| read == value)
    }

    /// Rows of `value`, of `height` in all, that it reads for rows of its output.
    pub(super) fn rows_of(
        &self,
        value: ValueId,
        rows: Range<usize>,
        height: usize,
    ) -> Range<usize> {
        let input = self.inputs.contains(&value);
        let read = if input { self.reads(rows.clone(), height) } else { rows.clone() };
        if self.residual == Some(value) && !rows.is_empty() {
            read.start.min(rows.start)..read.end.max(rows.end)
        } else {
            read
        }
    }

    /// Input rows that it reads for rows of its output.
    fn reads(&self, rows: Range<usize>, height: usize) -> Range<usize> {
        let Some(last) = rows.clone().next_back() else { return 0..0 };
        match &self.kernel {
            Kernel::Dense(_, window) | Kernel::Single(_, window) | Kernel::Depthwise(_, window) => {
                window_rows(window, rows.start, last, height)
            }
            Kernel::Winograd(_) => rows.start.saturating_sub(1)..(last + 2).min(height),
            Kernel::Pool(pool) => window_rows(&pool.window, rows.start, last, height),
            Kernel::Enlarge(_) => rows.start / 2..last / 2 + 1,
            Kernel::Resize { rows: lines, .. } => lines[rows.start].first..lines[last].second + 1,
            Kernel::Concat | Kernel::Sum => rows,
            Kernel::Reduce(_) => 0..height,
        }
    }

    /// Zeros that it reads beside each row of its input, pixels.
    pub(super) fn margin(&self, width: usize, width_out: usize) -> usize {
        match &self.kernel {
            Kernel::Dense(_, window) | Kernel::Single(_, window) | Kernel::Depthwise(_, window) => {
                let reach = (width_out - 1) * window.stride[1]
                    + (window.kernel[1] - 1) * window.dilation[1];
                window.pad[1].max((reach + 1).saturating_sub(window.pad[1] + width))
            }
            Kernel::Winograd(_) => 1,
            _ => 0,
        }
    }

    /// Numbers of memory that it works in.
    pub(super) fn scratch(&self, width: usize) -> usize {
        match &self.kernel {
            Kernel::Winograd(winograd) => winograd.scratch(width),
            _ => 0,
        }
    }

    /// Makes rows of the output, in `scratch` of at least [`Layer::scratch`].
    pub(super) fn run(
        &self,
        level: Level,
        sources: &[Source<'_>],
        residual: Option<Source<'_>>,
        scratch: &mut [f32],
        out: &mut Target<'_>,
    ) {
        let mut call = Convolution { sources, residual, clamp: self.clamp, scatter: Scatter::NONE };
        match &self.kernel {
            Kernel::Dense(dense, _) => level.convolve(dense, &call, out),
            Kernel::Winograd(winograd) => level.convolve_tiles(winograd, &call, scratch, out),
            Kernel::Single(single, _) => level.convolve_single(single, &call, out),
            Kernel::Depthwise(depthwise, _) => level.convolve_each(depthwise, &call, out),
            Kernel::Enlarge(corners) => {
                for (corner, dense) in corners.iter().enumerate() {
                    call.scatter = Scatter { step: 2, offset: [corner / 2, corner % 2] };
                    level.convolve(dense, &call, out);
                }
            }
            Kernel::Pool(pool) => level.pool(pool, sources[0], out),
            Kernel::Resize { rows, columns } => level.resize([rows, columns], sources[0], out),
            Kernel::Concat => join(sources, out),
            Kernel::Sum => level.sum(self.clamp, sources, out),
            Kernel::Reduce(pooling) => level.reduce(*pooling, sources[0], out),
        }
        out.view.clear_margins(out.data, out.rows.clone());
    }
}

fn convolution(
    window: Window,
    [channels, width]: [usize; 2],
    weights: &[f32],
    bias: &[f32],
    level: Level,
) -> Result<Kernel, Refusal> {
    match bias.len() {
        _ if !Dense::knows(&window) => Err(Refusal::new("a convolution of this size is not known")),
        1 if channels == 1 => Err(Refusal::new("a convolution of one channel to one is not known")),
        1 => Ok(Kernel::Single(Single::pack(window, channels, weights, bias[0]), window)),
        out if Winograd::suits(&window, [out, channels], width) => {
            let at_once = level.blocks_at_once();
            Ok(Kernel::Winograd(Winograd::pack([out, channels], weights, bias, at_once)))
        }
        out => {
            let at_once = level.blocks_at_once();
            Ok(Kernel::Dense(Dense::pack(window, [out, channels], bias, at_once, weights), window))
        }
    }
}

/// All rows from the first to the last that a window reaches; with dilation not every one is read, and
/// which is the outermost differs from row to row.
fn window_rows(window: &Window, first: usize, last: usize, height: usize) -> Range<usize> {
    let [stride, pad] = [window.stride[0], window.pad[0]];
    let reach = (window.kernel[0] - 1) * window.dilation[0];
    let start = (first * stride).saturating_sub(pad).min(height);
    let end = (last * stride + reach + 1).saturating_sub(pad).min(height);
    start..end.max(start)
}

/// Copies values together, channel by channel.
fn join(sources: &[Source<'_>], out: &mut Target<'_>) {
    let lanes = out.view.lanes();
    for y in out.rows.clone() {
        // Lanes beyond the last channel.
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
