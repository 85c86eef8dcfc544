//! Memory layout of the values between layers.
//!
//! A value with several channels is stored in blocks of 16 channels: block by block, row by row, pixel by pixel, and
//! the 16 channels of a pixel side by side in one cache line. The last block is padded with unused lanes. A value with
//! one channel is stored as a plain image. Each row has a margin of zeros on both sides, as wide as its readers'
//! padding, so that kernels need no special code at the left and right borders.

use super::graph::Shape;

/// Channels per block.
pub(crate) const LANES: usize = 16;

/// The layout of one value. Offsets, pitches and lengths count `f32` elements.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct View {
    pub(crate) shape: Shape,
    /// Width of the zeros on each side of a row, pixels.
    pub(crate) margin: usize,
    /// Number of rows in memory. Row `y` is stored at `y % ring_rows`, in place of row `y - ring_rows`.
    pub(crate) ring_rows: usize,
}

impl View {
    /// Channels per pixel and block: 1 for a value with one channel, else [`LANES`].
    pub(crate) fn lanes(&self) -> usize {
        if self.shape.channels == 1 { 1 } else { LANES }
    }

    pub(crate) fn blocks(&self) -> usize {
        self.shape.channels.div_ceil(self.lanes())
    }

    pub(crate) fn row_pitch(&self) -> usize {
        (self.shape.width + 2 * self.margin) * self.lanes()
    }

    pub(crate) fn block_pitch(&self) -> usize {
        self.ring_rows * self.row_pitch()
    }

    pub(crate) fn len(&self) -> usize {
        self.blocks() * self.block_pitch()
    }

    /// Offset of the first pixel of a row, after the margin.
    pub(crate) fn row(&self, block: usize, y: usize) -> usize {
        block * self.block_pitch()
            + (y % self.ring_rows) * self.row_pitch()
            + self.margin * self.lanes()
    }

    /// The elements of a row without its margins.
    pub(crate) fn span(&self, block: usize, y: usize) -> std::ops::Range<usize> {
        let start = self.row(block, y);
        start..start + self.shape.width * self.lanes()
    }

    /// Writes zeros into the margins of `rows`.
    pub(crate) fn clear_margins(&self, data: &mut [f32], rows: std::ops::Range<usize>) {
        let margin = self.margin * self.lanes();
        if margin == 0 {
            return;
        }
        for block in 0..self.blocks() {
            for y in rows.clone() {
                let inside = self.span(block, y);
                data[inside.start - margin..inside.start].fill(0.0);
                data[inside.end..inside.end + margin].fill(0.0);
            }
        }
    }

    /// Copies `planes`, channels by rows by columns, into this layout.
    pub(crate) fn write_planes(&self, planes: &[f32], data: &mut [f32]) {
        let Shape { channels, height, width } = self.shape;
        let lanes = self.lanes();
        for block in 0..self.blocks() {
            for y in 0..height {
                let row = &mut data[self.span(block, y)];
                for lane in 0..lanes {
                    let channel = block * lanes + lane;
                    let from = (channel * height + y) * width;
                    for x in 0..width {
                        let inside = channel < channels;
                        row[x * lanes + lane] = if inside { planes[from + x] } else { 0.0 };
                    }
                }
            }
        }
        self.clear_margins(data, 0..height);
    }

    /// Copies a value out of this layout into planes, channels by rows by columns.
    pub(crate) fn to_planes(&self, data: &[f32]) -> Vec<f32> {
        let Shape { channels, height, width } = self.shape;
        let lanes = self.lanes();
        let mut planes = Vec::with_capacity(channels * height * width);
        for channel in 0..channels {
            for y in 0..height {
                let row = &data[self.span(channel / lanes, y)];
                planes.extend(row.iter().skip(channel % lanes).step_by(lanes));
            }
        }
        planes
    }
}

/// Elements that start at the beginning of a cache line.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    storage: Vec<f32>,
    start: usize,
    len: usize,
}

impl Buffer {
    /// Bytes of a cache line and of the widest vector register.
    const LINE: usize = 64;

    pub(crate) fn zeros(len: usize) -> Self {
        let storage = vec![0.0; len + Self::LINE / size_of::<f32>()];
        // The address stays valid: `storage` is private and is never grown or cloned.
        let start = storage.as_ptr().align_offset(Self::LINE).min(Self::LINE / size_of::<f32>());
        Self { storage, start, len }
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        &self.storage[self.start..self.start + self.len]
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.storage[self.start..self.start + self.len]
    }
}

/// A value that a kernel reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) view: &'a View,
}

/// A value that a kernel writes, and the rows to write.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) data: &'a mut [f32],
    pub(crate) view: &'a View,
    pub(crate) rows: std::ops::Range<usize>,
}
