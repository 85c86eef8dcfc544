//! Connected components of a mask (8-neighbourhood).

use crate::mask::Mask;
use image::Luma;
use imageproc::region_labelling::{Connectivity, connected_components};

/// Bounding box, px; `x`, `y` are the first column and row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct BoundingBox {
    /// First column.
    pub x: usize,
    /// First row.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// One connected component.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Label in [`Components::labels`], from 1.
    pub label: u32,
    /// Pixels.
    pub area_px: usize,
    /// Bounding box.
    pub bbox: BoundingBox,
    /// Mean column and row of its pixels.
    pub centroid: [f64; 2],
}

/// All components of a mask.
#[derive(Debug, Clone)]
pub struct Components {
    /// Label of each pixel, row-major; 0 is background.
    pub labels: Vec<u32>,
    /// The components, largest first.
    pub found: Vec<Component>,
}

/// Labels the components of `mask`.
pub fn label_components(mask: &Mask) -> Components {
    let labelled = connected_components(&mask.to_grey(), Connectivity::Eight, Luma([0]));
    let count = labelled.as_raw().iter().copied().max().unwrap_or(0) as usize;
    let mut sums = vec![Extent::default(); count];
    for (x, y, Luma([label])) in labelled.enumerate_pixels() {
        if *label > 0 {
            sums[*label as usize - 1].add(x as usize, y as usize);
        }
    }
    let mut found: Vec<Component> =
        sums.iter().enumerate().map(|(i, extent)| extent.component(i as u32 + 1)).collect();
    // The sort is stable, so equal areas keep reading order and answers do not flicker.
    found.sort_by_key(|c| std::cmp::Reverse(c.area_px));
    Components { labels: labelled.into_raw(), found }
}

#[derive(Clone)]
struct Extent {
    count: usize,
    sum: [f64; 2],
    min: [usize; 2],
    max: [usize; 2],
}

impl Default for Extent {
    fn default() -> Self {
        Self { count: 0, sum: [0.0; 2], min: [usize::MAX; 2], max: [0; 2] }
    }
}

impl Extent {
    fn add(&mut self, x: usize, y: usize) {
        self.count += 1;
        for (axis, v) in [x, y].into_iter().enumerate() {
            self.sum[axis] += v as f64;
            self.min[axis] = self.min[axis].min(v);
            self.max[axis] = self.max[axis].max(v);
        }
    }

    fn component(&self, label: u32) -> Component {
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
            centroid: [self.sum[0] / n, self.sum[1] / n],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_size_box_and_centre_largest_first() {
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
    fn an_empty_mask_has_none() {
        assert!(label_components(&Mask::empty(4, 4)).found.is_empty());
    }
}
