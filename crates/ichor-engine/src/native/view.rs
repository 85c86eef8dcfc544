//! Where the numbers of a value lie in memory.
//!
//! A value of many channels lies in blocks of 16 channels: block by block, row by row, pixel by pixel,
//! the 16 channels of a pixel side by side in one cache line. The last block is filled up with lanes
//! that nobody reads as channels. A value of one channel lies as a plain image. Each row has a margin of
//! zeros at both ends, as wide as its readers' padding.

use super::graph::Shape;

/// Channels of a block.
pub(crate) const LANES: usize = 16;

/// The layout of one value; offsets and pitches count numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct View {
    pub(crate) shape: Shape,
    /// Zeros before and after each row, pixels.
    pub(crate) margin: usize,
    /// Rows that are kept; a later row takes the place of the one this many rows before.
    pub(crate) kept: usize,
}

impl View {
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
        self.kept * self.row_pitch()
    }

    pub(crate) fn len(&self) -> usize {
        self.blocks() * self.block_pitch()
    }

    /// Offset of the first pixel of a row, after the margin.
    pub(crate) fn row(&self, block: usize, y: usize) -> usize {
        block * self.block_pitch() + (y % self.kept) * self.row_pitch() + self.margin * self.lanes()
    }

    /// A row's numbers without its margins.
    pub(crate) fn span(&self, block: usize, y: usize) -> std::ops::Range<usize> {
        let start = self.row(block, y);
        start..start + self.shape.width * self.lanes()
    }

    /// Writes the zeros beside rows.
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

    /// Lays out an image of planes one after the other, as a network is given it.
    pub(crate) fn put_planes(&self, planes: &[f32], data: &mut [f32]) {
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

    /// The planes of a value, as a network answers them.
    pub(crate) fn planes(&self, data: &[f32]) -> Vec<f32> {
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

/// Numbers that begin on a cache line.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    numbers: Vec<f32>,
    start: usize,
    len: usize,
}

impl Buffer {
    /// Bytes of a cache line, and of the widest vector.
    const LINE: usize = 64;

    pub(crate) fn zeros(len: usize) -> Self {
        let numbers = vec![0.0; len + Self::LINE / size_of::<f32>()];
        // The address is kept while the vector is neither grown nor copied, and it is private.
        let start = numbers.as_ptr().align_offset(Self::LINE).min(Self::LINE / size_of::<f32>());
        Self { numbers, start, len }
    }

    pub(crate) fn numbers(&self) -> &[f32] {
        &self.numbers[self.start..self.start + self.len]
    }

    pub(crate) fn numbers_mut(&mut self) -> &mut [f32] {
        &mut self.numbers[self.start..self.start + self.len]
    }
}

/// A value to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) view: &'a View,
}

/// Rows of a value to write.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) data: &'a mut [f32],
    pub(crate) view: &'a View,
    pub(crate) rows: std::ops::Range<usize>,
}
