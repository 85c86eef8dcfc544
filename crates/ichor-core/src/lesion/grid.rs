//! The lesions of a slice on the network's grid.

use crate::components::{Components, Run, label_components};
use crate::geometry::{CropBox, Turn};
use crate::mask::Mask;
use std::ops::Range;

/// Number of lesions per slice that are described. A slice with more is noise.
pub(crate) const MAX_LESIONS: usize = 64;

/// Which lesion each pixel of the grid belongs to.
#[derive(Debug, Clone)]
pub struct GridLesions {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Row by row: 0 without a lesion, else the place of the lesion in the order of the slice, from 1.
    pub(super) labels: Vec<u8>,
    /// Number of lesions, those without a pixel on the grid included.
    pub(super) count: usize,
}

impl GridLesions {
    /// The connected regions of a mask on the grid, largest first.
    pub fn from_mask(mask: &Mask) -> Self {
        let components = label_components(mask);
        let mut lesions = Self::empty(mask.width, mask.height, components.found.len());
        for (place, component) in components.found.iter().take(MAX_LESIONS).enumerate() {
            for run in components.runs(component) {
                lesions.fill(run.row..run.row + 1, run.start..run.end, place);
            }
        }
        lesions
    }

    /// The components of an image on a grid of `grid` columns and rows that shows `crop` of the image. The grid is then
    /// turned by `turn` to the network's orientation.
    pub(crate) fn from_components(
        components: &Components,
        crop: CropBox,
        grid: [usize; 2],
        turn: Turn,
    ) -> Self {
        let mut lesions = Self::empty(grid[0], grid[1], components.found.len());
        // The cells whose centres lie in the pixels `from..to`.
        let cells = |first: i64, from: usize, to: usize, count: usize| {
            let scale = count as f64 / crop.side.max(1) as f64;
            let cell = |pixel: usize| {
                let cell = ((pixel as i64 - first) as f64 * scale - 0.5).ceil();
                (cell.max(0.0) as usize).min(count)
            };
            cell(from)..cell(to)
        };
        for (place, component) in components.found.iter().take(MAX_LESIONS).enumerate() {
            for &Run { row, start, end } in components.runs(component) {
                let rows = cells(crop.y, row, row + 1, grid[1]);
                lesions.fill(rows, cells(crop.x, start, end, grid[0]), place);
            }
        }
        let [width, height] = turn.size(grid);
        Self { width, height, labels: turn.apply(lesions.labels, grid), count: lesions.count }
    }

    /// The pixels of each lesion, in the order of their labels.
    pub fn masks(&self) -> impl Iterator<Item = Mask> + '_ {
        (1..=self.count).map(|label| Mask {
            width: self.width,
            height: self.height,
            pixels: self.labels.iter().map(|&at| usize::from(at) == label).collect(),
        })
    }

    fn empty(width: usize, height: usize, count: usize) -> Self {
        Self { width, height, labels: vec![0; width * height], count: count.min(MAX_LESIONS) }
    }

    fn fill(&mut self, rows: Range<usize>, columns: Range<usize>, place: usize) {
        for row in rows {
            self.labels[row * self.width..][columns.clone()].fill(place as u8 + 1);
        }
    }
}
