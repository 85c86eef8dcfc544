//! Connected components of a mask, where pixels that share an edge or a corner are connected (8-neighbourhood).

mod flood_fill;
mod hull;

pub use flood_fill::{border_pixels, flood_fill, replace_connected};
pub use hull::{hull, push_to_chain};

use crate::mask::Mask;
use std::ops::Range;

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct BoundingBox {
    /// First column, px.
    pub x: usize,
    /// First row, px.
    pub y: usize,
    /// Columns, px.
    pub width: usize,
    /// Rows, px.
    pub height: usize,
}

impl BoundingBox {
    /// The box of a whole image of `width` x `height` px.
    pub fn whole(width: usize, height: usize) -> Self {
        Self { x: 0, y: 0, width, height }
    }

    /// Number of its pixels.
    #[inline]
    pub fn area_px(self) -> usize {
        self.width * self.height
    }
}

/// Adjacent pixels of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Row, px.
    pub row: usize,
    /// First column, px.
    pub start: usize,
    /// The column after the last, px.
    pub end: usize,
}

/// One connected component.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Number in reading order of the first pixels, from 1.
    pub label: u32,
    /// Number of its pixels.
    pub area_px: usize,
    /// Bounding box.
    pub bbox: BoundingBox,
    /// Mean column and row of its pixels, px.
    pub centroid: [f64; 2],
    runs: Range<usize>,
}

/// All components of a mask.
#[derive(Debug, Clone)]
pub struct Components {
    /// The components, largest first; those of one size in reading order.
    pub found: Vec<Component>,
    /// The runs of the first label, then those of the second and so on, each in reading order.
    runs: Vec<Run>,
}

impl Components {
    /// The pixels of a component of this mask, in reading order.
    ///
    /// # Panics
    /// For a component of another mask.
    pub fn runs(&self, component: &Component) -> &[Run] {
        &self.runs[component.runs.clone()]
    }

    /// The label of each pixel of the mask, whose size is `width` x `height` px, row-major; 0 is background.
    pub fn labels(&self, width: usize, height: usize) -> Vec<u32> {
        let mut labels = vec![0; width * height];
        for component in &self.found {
            for run in self.runs(component) {
                labels[run.row * width..][run.start..run.end].fill(component.label);
            }
        }
        labels
    }
}

/// The runs of a mask's pixels, in reading order.
pub fn runs(mask: &Mask) -> impl Iterator<Item = Run> + '_ {
    let rows = mask.pixels.chunks_exact(mask.width.max(1)).enumerate();
    rows.flat_map(|(row, pixels)| {
        let mut from = 0;
        std::iter::from_fn(move || {
            let start = find_from(pixels, from, true);
            from = find_from(pixels, start, false);
            (start < pixels.len()).then_some(Run { row, start, end: from })
        })
    })
}

/// Runs per row of a mask for which memory is reserved. Most masks have fewer, so that no vector grows.
const RUNS_PER_ROW: usize = 4;

/// Labels the components of `mask` run by run, so that the time depends on the runs rather than on the pixels.
pub fn label_components(mask: &Mask) -> Components {
    label_runs(runs(mask), RUNS_PER_ROW * mask.height)
}

/// Labels the components of the runs of a mask, which are in reading order. Memory is reserved for `expected` runs.
pub(crate) fn label_runs(runs: impl Iterator<Item = Run>, expected: usize) -> Components {
    let mut found: Vec<Run> = Vec::with_capacity(expected);
    let mut sets = DisjointSets { parents: Vec::with_capacity(expected) };
    // Indices of runs: the first of the row above that may touch a later run, and the first of the current row.
    let (mut nearest, mut row_start) = (0, 0);
    for run in runs {
        if found.last().is_some_and(|last| last.row != run.row) {
            let adjacent = found[found.len() - 1].row + 1 == run.row;
            nearest = if adjacent { row_start } else { found.len() };
            row_start = found.len();
        }
        sets.grow_to(found.len() + 1);
        // Runs that share only a corner touch, too. A run that ends before this one touches no later run.
        while nearest < row_start && found[nearest].end < run.start {
            nearest += 1;
        }
        let touching = (nearest..row_start).take_while(|&other| found[other].start <= run.end);
        touching.for_each(|other| sets.union(other, found.len()));
        found.push(run);
    }
    collect(&found, &mut sets)
}

/// The index of the first pixel at or after `from` that has this value; without one, the length of the row.
fn find_from(row: &[bool], from: usize, value: bool) -> usize {
    let mut at = from;
    // A block without an early exit compiles to one vector comparison.
    while let Some(block) = row[at..].first_chunk::<32>() {
        if block.iter().fold(false, |any, &pixel| any | (pixel == value)) {
            break;
        }
        at += block.len();
    }
    row[at..].iter().position(|&pixel| pixel == value).map_or(row.len(), |ahead| at + ahead)
}

/// Groups the runs by component.
fn collect(runs: &[Run], sets: &mut DisjointSets) -> Components {
    let mut extents: Vec<Extent> = Vec::new();
    let mut index_of = vec![usize::MAX; runs.len()];
    for (number, run) in runs.iter().enumerate() {
        // The root of a component is its first run, so that components are numbered in reading order.
        let root = sets.root(number);
        if root == number {
            index_of[number] = extents.len();
            extents.push(Extent::default());
        }
        index_of[number] = index_of[root];
        extents[index_of[root]].add(run);
    }
    let mut found = Vec::with_capacity(extents.len());
    let mut end = 0;
    for (index, extent) in extents.iter().enumerate() {
        let start = end;
        end += extent.runs;
        found.push(extent.component(index as u32 + 1, start..end));
    }
    let mut places: Vec<usize> = found.iter().map(|c| c.runs.start).collect();
    let mut grouped = runs.to_vec();
    for (run, &index) in runs.iter().zip(&index_of) {
        grouped[places[index]] = *run;
        places[index] += 1;
    }
    // The sort is stable, so that components of equal area keep their reading order.
    found.sort_by_key(|c| std::cmp::Reverse(c.area_px));
    Components { found, runs: grouped }
}

/// Union-find with path halving (Tarjan and van Leeuwen 1984, *Worst-case analysis of set union algorithms*).
#[derive(Default)]
pub(crate) struct DisjointSets {
    parents: Vec<usize>,
}

impl DisjointSets {
    /// Adds sets of one member each until there are `count` members.
    pub(crate) fn grow_to(&mut self, count: usize) {
        self.parents.extend(self.parents.len()..count);
    }

    /// The lowest member of the set that holds `member`.
    pub(crate) fn root(&mut self, mut member: usize) -> usize {
        while self.parents[member] != member {
            self.parents[member] = self.parents[self.parents[member]];
            member = self.parents[member];
        }
        member
    }

    /// Unites the sets that hold `a` and `b`. The lower root remains the root.
    pub(crate) fn union(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }
}

/// Sums over the runs of one component.
struct Extent {
    /// Number of runs.
    runs: usize,
    /// Number of pixels.
    count: usize,
    /// Sums of the columns and of the rows of all pixels.
    sum: [usize; 2],
    /// Lowest column and row.
    min: [usize; 2],
    /// Highest column and row.
    max: [usize; 2],
}

impl Default for Extent {
    fn default() -> Self {
        Self { runs: 0, count: 0, sum: [0; 2], min: [usize::MAX; 2], max: [0; 2] }
    }
}

impl Extent {
    fn add(&mut self, run: &Run) {
        let length = run.end - run.start;
        self.runs += 1;
        self.count += length;
        self.sum[0] += (run.start + run.end - 1) * length / 2;
        self.sum[1] += run.row * length;
        self.min = [self.min[0].min(run.start), self.min[1].min(run.row)];
        self.max = [self.max[0].max(run.end - 1), self.max[1].max(run.row)];
    }

    fn component(&self, label: u32, runs: Range<usize>) -> Component {
        let n = self.count as f64;
        Component {
            label,
            area_px: self.count,
            bbox: BoundingBox {
                x: self.min[0],
                y: self.min[1],
                width: self.max[0] - self.min[0] + 1,
                height: self.max[1] - self.min[1] + 1,
            },
            centroid: [self.sum[0] as f64 / n, self.sum[1] as f64 / n],
            runs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_measured_and_ordered_by_size() {
        let mut mask = Mask::empty(10, 8);
        for (x, y) in [(1, 1), (5, 4), (6, 4), (5, 5), (6, 5), (7, 6)] {
            mask.pixels[y * 10 + x] = true;
        }
        let found = label_components(&mask).found;
        assert_eq!(found.iter().map(|c| c.area_px).collect::<Vec<_>>(), [5, 1]);
        assert_eq!(found[0].bbox, BoundingBox { x: 5, y: 4, width: 3, height: 3 });
        assert_eq!(found[1].centroid, [1.0, 1.0]);
    }

    #[test]
    fn an_empty_mask_has_no_components() {
        assert!(label_components(&Mask::empty(4, 4)).found.is_empty());
        assert!(label_components(&Mask::empty(0, 0)).found.is_empty());
    }

    /// imageproc labels pixel by pixel, with the same neighbourhood.
    #[test]
    fn labels_equal_those_of_imageproc() {
        use image::Luma;
        use imageproc::region_labelling::{Connectivity, connected_components};
        for (width, height, of_ten) in
            [(1, 1, 5), (1, 40, 5), (40, 1, 5), (33, 65, 2), (97, 31, 4), (64, 64, 6), (70, 20, 9)]
        {
            let mut state = 12_345_u32;
            let mut random = || {
                // A linear congruential generator (*Numerical Recipes*).
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) % 10 < of_ten
            };
            let pixels: Vec<bool> = (0..width * height).map(|_| random()).collect();
            let mask = Mask { width, height, pixels };
            let expected =
                connected_components(&mask.clone().into_grey(), Connectivity::Eight, Luma([0]));
            let components = label_components(&mask);
            assert_eq!(components.labels(width, height), expected.into_raw(), "{width}x{height}");
            for component in &components.found {
                let rows = components.runs(component).iter().map(|run| run.row);
                assert_eq!(rows.clone().min(), Some(component.bbox.y));
                assert!(rows.is_sorted());
            }
        }
    }
}
