//! Dense convolution with bias, residual and activation: its packed weights and its arguments. The loops are in `tile`.

use crate::native::graph::{Clamp, Window};
use crate::native::view::{Buffer, LANES, Source};

/// Maximum number of values whose concatenated channels one convolution reads.
pub(in super::super) const MAX_SOURCES: usize = 10;
/// Maximum number of kernel rows; [`DenseConv::supports`] rejects more.
pub(super) const MAX_TAP_ROWS: usize = 11;

/// A dense convolution, with its weights in the order in which the kernel reads them.
#[derive(Debug)]
pub(in super::super) struct DenseConv {
    pub(super) window: Window,
    pub(super) channels: usize,
    pub(super) groups: Vec<Group>,
    pub(super) weights: Buffer,
    pub(super) bias: Buffer,
}

/// Consecutive blocks of output channels that are computed together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) first: usize,
    pub(super) blocks: usize,
    /// Offset of the group's weights, which are ordered
    /// `[kernel row][input block][kernel column][input channel][output block][16]`.
    pub(super) weights: usize,
}

/// The arguments of a convolution besides its weights.
#[derive(Debug)]
pub(in super::super) struct ConvArgs<'a> {
    /// The inputs, read as if their channels were concatenated. All but the last have a multiple of 16 channels.
    pub(in super::super) sources: &'a [Source<'a>],
    /// Added to the result before `clamp` is applied.
    pub(in super::super) residual: Option<Source<'a>>,
    pub(in super::super) clamp: Clamp,
    pub(in super::super) scatter: Scatter,
}

/// Maps results to rows and columns of the target: result `i` is written to `i * step + offset`.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Scatter {
    pub(in super::super) step: usize,
    /// Row and column.
    pub(in super::super) offset: [usize; 2],
}

impl Scatter {
    /// Results are written to consecutive rows and columns.
    pub(in super::super) const IDENTITY: Self = Self { step: 1, offset: [0, 0] };
}

impl DenseConv {
    /// Whether the kernel supports a window.
    pub(in super::super) fn supports(window: &Window) -> bool {
        window.kernel[0] <= MAX_TAP_ROWS
    }

    /// Packs weights `[out, channels, rows, columns]` for groups of at most `max_blocks` blocks.
    pub(in super::super) fn pack(
        window: Window,
        [out, channels]: [usize; 2],
        bias: &[f32],
        max_blocks: usize,
        weights: &[f32],
    ) -> Self {
        let [rows, columns] = window.kernel;
        let (blocks, each) = (out.div_ceil(LANES), channels * rows * columns);
        let mut groups = Vec::new();
        let mut packed = Buffer::zeros(blocks * LANES * each);
        let (mut first, mut at) = (0, 0);
        while first < blocks {
            let group =
                Group { first, blocks: group_blocks(blocks - first, max_blocks), weights: at };
            let lanes = group.blocks * LANES;
            // Lanes beyond the last channel stay 0.
            let filters = weights.chunks_exact(each.max(1)).skip(first * LANES).take(lanes);
            let filters: Vec<&[f32]> = filters.collect();
            let mut slots = packed.as_mut_slice()[at..].chunks_exact_mut(lanes);
            for row in 0..rows {
                for start in (0..channels).step_by(LANES) {
                    for column in 0..columns {
                        let channels = start..channels.min(start + LANES);
                        for (channel, slot) in channels.zip(&mut slots) {
                            let index = (channel * rows + row) * columns + column;
                            for (to, filter) in slot.iter_mut().zip(&filters) {
                                *to = filter[index];
                            }
                        }
                    }
                }
            }
            first += group.blocks;
            at += lanes * each;
            groups.push(group);
        }
        let mut padded = Buffer::zeros(blocks * LANES);
        padded.as_mut_slice()[..out].copy_from_slice(bias);
        Self { window, channels, groups, weights: packed, bias: padded }
    }

    /// Number of packed weights, with padding.
    pub(in super::super) fn len(&self) -> usize {
        self.weights.as_slice().len()
    }
}

/// Size of the next group if `remaining` blocks are left: as many as possible, but 2 + 2 rather than 3 + 1.
fn group_blocks(remaining: usize, max_blocks: usize) -> usize {
    if max_blocks == 3 && (remaining == 4 || remaining == 2) {
        2
    } else {
        remaining.min(max_blocks)
    }
}
