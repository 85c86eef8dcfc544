//! The inside of the skull on one slice, and how deep each of its pixels lies.

use super::frame::Frame;
use super::grid::GridLesions;
use crate::components::{border_pixels, flood_fill};
use crate::mask::Mask;

/// Distances are in thirds of a pixel: a step to a side counts 3, a diagonal one 4 (Borgefors 1986, *Distance
/// transformations in digital images*). They differ from the Euclidean distance by 8 % at most.
pub(super) const UNITS_PER_PX: f32 = 3.0;

/// Smallest part of the grid that an inside takes up: at the vertex it is smaller, and everything lies at the table.
const MIN_SHARE: f64 = 0.02;

/// The inside of the skull.
#[derive(Debug, Clone)]
pub struct Inside {
    /// Distance of each pixel to the inner table; 0 on bone and outside.
    pub(super) depth: Vec<u16>,
    /// The largest of them.
    pub(super) max_depth: u16,
    /// Number of its pixels.
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
        let (width, height) = (within.width, within.height);
        let is_same_size = lesions.labels.len() == within.pixels.len()
            && lesions.width == width
            && samples.len() >= width * height;
        if !is_same_size {
            return None;
        }
        let marked = samples.iter().zip(&within.pixels).zip(&lesions.labels);
        let wall = marked
            .map(|((&sample, &within), &lesion)| !within || (sample >= bone && lesion == 0))
            .collect();
        let wall = Mask { width, height, pixels: wall };
        let outer = flood_fill(&wall, border_pixels(width, height));
        let mut depth: Vec<u16> =
            outer.pixels.iter().map(|&outer| if outer { 0 } else { u16::MAX }).collect();
        transform_distances(&mut depth, width);
        let (mut area_px, mut sum, mut max_depth) = (0, [0.0; 2], 0);
        for (row, line) in depth.chunks_exact(width).enumerate() {
            for (column, &depth) in line.iter().enumerate().filter(|(_, depth)| **depth > 0) {
                area_px += 1;
                sum = [sum[0] + column as f64, sum[1] + row as f64];
                max_depth = max_depth.max(depth);
            }
        }
        let is_found = area_px as f64 >= MIN_SHARE * depth.len() as f64 && max_depth < u16::MAX / 2;
        if !is_found {
            return None;
        }
        let centroid = sum.map(|sum| sum / area_px as f64);
        let radius = (area_px as f64 / std::f64::consts::PI).sqrt();
        let frame = Frame::from_symmetry(&depth, width, centroid);
        Some(Self { depth, max_depth, area_px, centroid, radius, frame })
    }

    /// Place of a pixel in units of the radius: to the patient's left, and to the back, from the centroid.
    pub(super) fn place(&self, column: f64, row: f64) -> [f64; 2] {
        let [x, y] = [column - self.centroid[0], row - self.centroid[1]];
        self.frame.turn([x, y]).map(|along| along / self.radius)
    }
}

/// Replaces every value that is not 0 by the distance to the nearest 0, in two passes.
fn transform_distances(values: &mut [u16], width: usize) {
    let least = |values: &mut [u16], place: usize, near: [(bool, usize, u16); 4]| {
        let known = near.into_iter().filter(|(exists, ..)| *exists);
        let through = known.map(|(_, near, step)| values[near].saturating_add(step));
        values[place] = through.fold(values[place], u16::min);
    };
    let count = values.len();
    for place in (0..count).filter(|_| width > 0) {
        if values[place] > 0 {
            let (column, above) = (place % width, place >= width);
            let (left, right) = (column > 0, column + 1 < width);
            let near = [
                (left, place.wrapping_sub(1), 3),
                (above, place.wrapping_sub(width), 3),
                (above && left, place.wrapping_sub(width + 1), 4),
                (above && right, place.wrapping_sub(width).wrapping_add(1), 4),
            ];
            least(values, place, near);
        }
    }
    for place in (0..count).rev().filter(|_| width > 0) {
        if values[place] > 0 {
            let (column, below) = (place % width, place + width < count);
            let (left, right) = (column > 0, column + 1 < width);
            let near = [
                (right, place + 1, 3),
                (below, place + width, 3),
                (below && right, place + width + 1, 4),
                (below && left, place + width - 1, 4),
            ];
            least(values, place, near);
        }
    }
}
