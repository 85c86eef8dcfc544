//! A network as steps over values: what the reader makes and the plan takes apart.

use super::constant::Constant;

/// Index of a value: what one step makes and others read. Value 0 is the network's input.
pub(super) type ValueId = usize;

/// Size of a value; the batch is always one. A vector is one pixel of many channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

/// Least and greatest value that an activation lets through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Clamp {
    pub(crate) low: f32,
    pub(crate) high: f32,
}

impl Clamp {
    /// Lets everything through.
    pub(crate) const NONE: Self = Self { low: f32::NEG_INFINITY, high: f32::INFINITY };
}

/// How a kernel slides over an image: `[rows, columns]` each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Zeros before the first row and column.
    pub(crate) pad: [usize; 2],
}

impl Window {
    /// One pixel to one pixel.
    pub(crate) const POINT: Self =
        Self { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], pad: [0, 0] };

    /// Rows that output row `y` reads, `height` of them being there: first and one past the last
    /// index into the kernel.
    pub(crate) fn taps(&self, y: usize, height: usize) -> (usize, usize) {
        let top = y * self.stride[0];
        let before = self.pad[0].saturating_sub(top).div_ceil(self.dilation[0]);
        let after = (height + self.pad[0]).saturating_sub(top).div_ceil(self.dilation[0]);
        (before.min(self.kernel[0]), after.min(self.kernel[0]))
    }

    /// Input row of tap `tap` of output row `y`, which must be one of [`Window::taps`].
    pub(crate) fn row(&self, y: usize, tap: usize) -> usize {
        y * self.stride[0] + tap * self.dilation[0] - self.pad[0]
    }
}

/// What a step does. Channels are read in the order of the step's inputs, one after the other.
#[derive(Debug)]
pub(super) enum Op<'a> {
    /// Every output channel from every input channel; weights `[out, in, rows, columns]`.
    Convolution { weights: Constant<'a>, bias: Constant<'a>, window: Window },
    /// Every channel by itself; weights `[channels, 1, rows, columns]`.
    Depthwise { weights: Constant<'a>, bias: Constant<'a>, window: Window },
    /// Every pixel to 2x2 pixels; weights `[in, out, 2, 2]`.
    Enlarge { weights: Constant<'a>, bias: Constant<'a> },
    /// Greatest of a window.
    MaxPool(Window),
    /// Mean of a window.
    AveragePool(Window),
    /// Each output row and column from two of the input.
    Resize { rows: Vec<Between>, columns: Vec<Between> },
    /// Inputs one after the other.
    Concat,
    /// Sum of the inputs: one or two.
    Sum,
    /// Mean over all pixels.
    Mean,
    /// Greatest of all pixels.
    Max,
}

/// A place between two pixels of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Between {
    pub(crate) first: usize,
    pub(crate) second: usize,
    /// Share of the second.
    pub(crate) share: f32,
}

/// One operation of the network.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) op: Op<'a>,
    pub(super) inputs: Vec<ValueId>,
    /// Added before the activation.
    pub(super) residual: Option<ValueId>,
    pub(super) clamp: Clamp,
    pub(super) output: ValueId,
}

impl Step<'_> {
    /// All values that it reads.
    pub(super) fn reads(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.inputs.iter().copied().chain(self.residual)
    }
}

/// A network: steps in an order in which each finds its inputs made.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    pub(super) shapes: Vec<Shape>,
    pub(super) steps: Vec<Step<'a>>,
    /// What the network answers.
    pub(super) outputs: Vec<ValueId>,
}

impl Graph<'_> {
    /// How many steps read each value; being an output counts as well.
    pub(super) fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.shapes.len()];
        for value in self.steps.iter().flat_map(Step::reads).chain(self.outputs.iter().copied()) {
            uses[value] += 1;
        }
        uses
    }
}
