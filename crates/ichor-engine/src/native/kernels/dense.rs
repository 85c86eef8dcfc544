//! Convolution of every output channel from every input channel, with bias, residual and activation: how
//! its weights are packed and what it is called with.

use crate::native::graph::{Clamp, Window};
use crate::native::view::{Buffer, LANES, Source};

/// Values whose channels one convolution reads one after the other, at most.
pub(in super::super) const MOST_PARTS: usize = 10;
/// Rows of a window, at most; more are refused before a kernel is packed.
pub(super) const MOST_TAPS: usize = 11;

/// Weights in the order in which the kernel reads them.
#[derive(Debug)]
pub(in super::super) struct Dense {
    pub(super) window: Window,
    pub(super) channels: usize,
    pub(super) groups: Vec<Group>,
    pub(super) weights: Buffer,
    pub(super) bias: Buffer,
}

/// Blocks of output channels that are made together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) first: usize,
    pub(super) blocks: usize,
    /// Where their weights begin: `[tap row][input channel's block][tap column][input channel]`
    /// and then 16 for each block.
    pub(super) weights: usize,
}

/// What a convolution reads beside its weights.
#[derive(Debug)]
pub(in super::super) struct Convolution<'a> {
    /// Channels one after the other; all but the last have whole blocks of channels.
    pub(in super::super) sources: &'a [Source<'a>],
    pub(in super::super) residual: Option<Source<'a>>,
    pub(in super::super) clamp: Clamp,
    pub(in super::super) scatter: Scatter,
}

/// Which rows and columns of the target the results become.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Scatter {
    pub(in super::super) step: usize,
    pub(in super::super) offset: [usize; 2],
}

impl Scatter {
    /// All of them.
    pub(in super::super) const NONE: Self = Self { step: 1, offset: [0, 0] };
}

impl Dense {
    /// Whether the kernel can do a window.
    pub(in super::super) fn knows(window: &Window) -> bool {
        window.kernel[0] <= MOST_TAPS
    }

    /// Packs weights `[out, channels, tap row, tap column]` for groups of at most `at_once` blocks.
    pub(in super::super) fn pack(
        window: Window,
        [out, channels]: [usize; 2],
        bias: &[f32],
        at_once: usize,
        weights: &[f32],
    ) -> Self {
        let [rows, columns] = window.kernel;
        let (blocks, each) = (out.div_ceil(LANES), channels * rows * columns);
        let mut groups = Vec::new();
        let mut packed = Buffer::zeros(blocks * LANES * each);
        let (mut first, mut at) = (0, 0);
        while first < blocks {
            let group = Group { first, blocks: together(blocks - first, at_once), weights: at };
            let lanes = group.blocks * LANES;
            // Lanes beyond the last channel stay 0.
            let of_lanes = weights.chunks_exact(each.max(1)).skip(first * LANES).take(lanes);
            let of_lanes: Vec<&[f32]> = of_lanes.collect();
            let mut places = packed.numbers_mut()[at..].chunks_exact_mut(lanes);
            for row in 0..rows {
                for start in (0..channels).step_by(LANES) {
                    for column in 0..columns {
                        let channels = start..channels.min(start + LANES);
                        for (channel, place) in channels.zip(&mut places) {
                            let weight = (channel * rows + row) * columns + column;
                            for (place, of_lane) in place.iter_mut().zip(&of_lanes) {
                                *place = of_lane[weight];
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
        padded.numbers_mut()[..out].copy_from_slice(bias);
        Self { window, channels, groups, weights: packed, bias: padded }
    }

    /// Numbers of the weights.
    pub(in super::super) fn len(&self) -> usize {
        self.weights.numbers().len()
    }
}

/// How many of `left` blocks go together: the most, but no single one where two and two are possible.
fn together(left: usize, at_once: usize) -> usize {
    if at_once == 3 && (left == 4 || left == 2) { 2 } else { left.min(at_once) }
}
