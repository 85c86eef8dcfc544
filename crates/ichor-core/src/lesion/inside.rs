//! The inside of the skull on one slice, and how deep each of its pixels lies.

use super::frame::Frame;
use super::grid::GridLesions;
use crate::components::{border_pixels, replace_connected};
use crate::mask::Mask;

/// Pixels of the grid per side of a cell. Depth is computed for cells, which takes a quarter of the time and the memory.
const CELL_PX: usize = 2;

/// Distances are in thirds of a cell: a step to a side counts 3, a diagonal one 4 (Borgefors 1986, *Distance
/// transformations in digital images*). They differ from the Euclidean distance by 8 % at most.
pub(super) const UNITS_PER_PX: f32 = 3.0 / CELL_PX as f32;

/// Smallest part of the grid that an inside takes up: at the vertex it is smaller, and everything lies at the table.
const MIN_SHARE: f64 = 0.02;

/// Depth of a cell whose distance is not known yet.
const UNKNOWN: u16 = u16::MAX;

/// Mark of a cell of bone, or outside, that is not connected to the border of the grid so far.
const WALL: u16 = 1;

/// The inside of the skull.
#[derive(Debug, Clone)]
pub struct Inside {
    /// Columns of cells.
    width: usize,
    /// Distance of each cell to the inner table; 0 on bone and outside.
    depth: Vec<u16>,
    /// The largest of them.
    pub(super) max_depth: u16,
    /// Number of pixels of the grid in its cells.
    pub(super) area_px: usize,
    /// Mean column and row of its pixels, px.
    pub(super) centroid: [f64; 2],
    /// Radius of the circle of the same area, px.
    pub(super) radius: f64,
    /// Which way is front.
    pub(super) frame: Frame,
}

impl Inside {
    /// The inside of the skull on a grid with these samples, where bone and what it encloses is `within`. A pixel is bone
    /// from the sample `bone` on, unless a lesion was outlined there. Bone within the inside, such as a calcified falx,
    /// belongs to it. `None` where the inside is too small or has no wall.
    pub(super) fn find(
        samples: &[f32],
        within: &Mask,
        bone: f32,
        lesions: &GridLesions,
    ) -> Option<Self> {
        let is_same_size = lesions.labels.len() == within.pixels.len()
            && lesions.width == within.width
            && samples.len() >= within.pixels.len();
        let (width, height) = (within.width / CELL_PX, within.height / CELL_PX);
        if !is_same_size || width == 0 || height == 0 {
            return None;
        }
        let mut depth = Vec::with_capacity(width * height);
        for row in 0..height {
            let lines: [usize; CELL_PX] =
                std::array::from_fn(|line| (row * CELL_PX + line) * within.width);
            for column in 0..width {
                // A cell with any bone belongs to the wall, so that a thin wall stays closed.
                let is_wall = lines.iter().any(|line| {
                    let first = line + column * CELL_PX;
                    (first..first + CELL_PX).any(|at| {
                        !within.pixels[at] | ((samples[at] >= bone) & (lesions.labels[at] == 0))
                    })
                });
                depth.push(if is_wall { WALL } else { UNKNOWN });
            }
        }
        replace_connected(&mut depth, width, border_pixels(width, height), WALL, 0);
        // What is left of the wall is enclosed by the inside.
        depth.iter_mut().for_each(|cell| *cell = if *cell > 0 { UNKNOWN } else { 0 });
        transform_distances(&mut depth, width);
        let (mut cells, mut sum, mut max_depth) = (0_usize, [0_usize; 2], 0);
        for (row, line) in depth.chunks_exact(width).enumerate() {
            let mut in_row = 0;
            for (column, &depth) in line.iter().enumerate() {
                let is_inside = usize::from(depth > 0);
                in_row += is_inside;
                sum[0] += column * is_inside;
                max_depth = max_depth.max(depth);
            }
            cells += in_row;
            sum[1] += row * in_row;
        }
        if (cells as f64) < MIN_SHARE * depth.len() as f64 || max_depth >= UNKNOWN / 2 {
            return None;
        }
        let middle = sum.map(|sum| sum as f64 / cells as f64);
        let area_px = cells * CELL_PX * CELL_PX;
        let frame = Frame::from_symmetry(&depth, width, middle);
        // From the number of a cell to the middle of its pixels.
        let to_px = |cell: f64| cell * CELL_PX as f64 + (CELL_PX - 1) as f64 / 2.0;
        Some(Self {
            width,
            depth,
            max_depth,
            area_px,
            centroid: middle.map(to_px),
            radius: (area_px as f64 / std::f64::consts::PI).sqrt(),
            frame,
        })
    }

    /// Distance of a pixel of the grid to the inner table; 0 on bone and outside.
    pub(super) fn depth(&self, column: usize, row: usize) -> u16 {
        let cell = row / CELL_PX * self.width + column / CELL_PX;
        // A last row or column that makes no full cell lies outside.
        let is_cell = column / CELL_PX < self.width;
        self.depth.get(cell).copied().filter(|_| is_cell).unwrap_or(0)
    }

    /// Place of a pixel in units of the radius: to the patient's left, and to the back, from the centroid.
    pub(super) fn place(&self, column: f64, row: f64) -> [f64; 2] {
        let [x, y] = [column - self.centroid[0], row - self.centroid[1]];
        self.frame.turn([x, y]).map(|along| along / self.radius)
    }
}

/// Replaces every value that is not 0 by the distance to the nearest 0, in two passes. In each, the part that the row
/// before has is computed for the whole row at once.
fn transform_distances(values: &mut [u16], width: usize) {
    let height = values.len() / width;
    for row in 0..height {
        let (before, from) = values.split_at_mut(row * width);
        let line = &mut from[..width];
        if let Some(above) = before.len().checked_sub(width).map(|start| &before[start..]) {
            lower_by(line, above);
        }
        for column in 1..width {
            line[column] = line[column].min(line[column - 1].saturating_add(3));
        }
    }
    for row in (0..height).rev() {
        let (until, after) = values.split_at_mut((row + 1) * width);
        let line = &mut until[row * width..];
        if let Some(below) = after.get(..width) {
            lower_by(line, below);
        }
        for column in (1..width).rev() {
            line[column - 1] = line[column - 1].min(line[column].saturating_add(3));
        }
    }
}

/// Lowers the distances of a row to those by way of a neighbouring row.
fn lower_by(line: &mut [u16], near: &[u16]) {
    let lower =
        |value: &mut u16, near: u16, step: u16| *value = (*value).min(near.saturating_add(step));
    line.iter_mut().zip(near).for_each(|(value, &near)| lower(value, near, 3));
    line.iter_mut().skip(1).zip(near).for_each(|(value, &near)| lower(value, near, 4));
    line.iter_mut().zip(near.iter().skip(1)).for_each(|(value, &near)| lower(value, near, 4));
}
