//! A network as a list of steps over values.

use super::constant::Constant;

/// Index of a value, which one step writes and others read. Value 0 is the input of the network.
pub(super) type ValueId = usize;

/// Shape of a value. The batch size is always 1. A vector has height 1 and width 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

/// Lower and upper bound that an activation applies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Clamp {
    pub(crate) low: f32,
    pub(crate) high: f32,
}

impl Clamp {
    /// No bounds.
    pub(crate) const NONE: Self = Self { low: f32::NEG_INFINITY, high: f32::INFINITY };
}

/// Geometry of a convolution or pooling window: `[rows, columns]` each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Zeros before the first row and the first column.
    pub(crate) pad: [usize; 2],
}

impl Window {
    /// A window of a single pixel.
    pub(crate) const POINT: Self =
        Self { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], pad: [0, 0] };

    /// The kernel rows that lie inside an image of `height` rows for output row `y`: the first, and one past the last.
    pub(crate) fn taps(&self, y: usize, height: usize) -> (usize, usize) {
        let top = y * self.stride[0];
        let before = self.pad[0].saturating_sub(top).div_ceil(self.dilation[0]);
        let after = (height + self.pad[0]).saturating_sub(top).div_ceil(self.dilation[0]);
        (before.min(self.kernel[0]), after.min(self.kernel[0]))
    }

    /// The input row under kernel row `tap` for output row `y`; `tap` must be one of [`Window::taps`].
    pub(crate) fn row(&self, y: usize, tap: usize) -> usize {
        y * self.stride[0] + tap * self.dilation[0] - self.pad[0]
    }
}

/// The operation of a step. An operation with several inputs reads their channels as if they were concatenated.
#[derive(Debug)]
pub(super) enum Op<'a> {
    /// Dense convolution; weights `[out, in, rows, columns]`.
    Conv { weights: Constant<'a>, bias: Constant<'a>, window: Window },
    /// Depthwise convolution, one filter per channel; weights `[channels, 1, rows, columns]`.
    Depthwise { weights: Constant<'a>, bias: Constant<'a>, window: Window },
    /// Transposed convolution with kernel 2x2 and stride 2; weights `[in, out, 2, 2]`.
    ConvTranspose2x2 { weights: Constant<'a>, bias: Constant<'a> },
    /// Maximum of each window.
    MaxPool(Window),
    /// Mean of each window.
    AveragePool(Window),
    /// Linear or nearest interpolation: one tap for each output row and column.
    Resize { rows: Vec<LerpTap>, columns: Vec<LerpTap> },
    /// Concatenation of channels.
    Concat,
    /// Sum of one or two inputs.
    Sum,
    /// Mean over all pixels, for each channel.
    Mean,
    /// Maximum over all pixels, for each channel.
    Max,
}

/// Two neighbouring rows or columns and the weight of the second, for linear interpolation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LerpTap {
    pub(crate) first: usize,
    pub(crate) second: usize,
    /// Weight of `second`, 0 to 1; `first` has the rest.
    pub(crate) weight: f32,
}

/// One operation with its inputs and its output.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) op: Op<'a>,
    pub(super) inputs: Vec<ValueId>,
    /// A value that is added to the result before the activation.
    pub(super) residual: Option<ValueId>,
    pub(super) clamp: Clamp,
    pub(super) output: ValueId,
}

impl Step<'_> {
    /// All values that the step reads.
    pub(super) fn reads(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.inputs.iter().copied().chain(self.residual)
    }
}

/// A network: steps in an order in which each value is written before it is read.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    /// Shape of each value, by [`ValueId`].
    pub(super) shapes: Vec<Shape>,
    pub(super) steps: Vec<Step<'a>>,
    /// Outputs of the network: the mask, then the slice output if there is one.
    pub(super) outputs: Vec<ValueId>,
}

impl Graph<'_> {
    /// Number of uses of each value. An output of the network counts as one use.
    pub(super) fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.shapes.len()];
        for value in self.steps.iter().flat_map(Step::reads).chain(self.outputs.iter().copied()) {
            uses[value] += 1;
        }
        uses
    }
}
