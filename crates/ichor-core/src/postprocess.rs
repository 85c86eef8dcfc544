//! From logits on the network's grid to a mask and its lesions on the pixels of the input.

use crate::components::{BoundingBox, Component, Components, Run, label_components};
use crate::geometry::{CropBox, Patch, Turn};
use crate::lesion::{Density, DensitySums, GridLesions, LesionType, Location, SliceLocation};
use crate::mask::Mask;
use crate::model_spec::{Postprocessing, sigmoid};
use crate::overlay::grey;
use crate::slice::Plane;
use image::GrayImage;
use imageproc::contours::{BorderType, find_contours};
use serde::Serialize;
use std::ops::Range;

/// One lesion: a connected region of the mask of a slice.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Lesion {
    /// 1 for the largest.
    pub id: usize,
    /// Area in pixels of the input image.
    pub area_px: usize,
    /// Area in mm², `null` without spacing.
    pub area_mm2: Option<f32>,
    /// Volume in mL, `null` for one slice.
    pub volume_ml: Option<f32>,
    /// Bounding box, px.
    pub bbox: BoundingBox,
    /// Mean column and row of its pixels, px.
    pub centroid: Point,
    /// Mean probability of its pixels, 0 to 1.
    pub mean_probability: f32,
    /// Its type, where the model distinguishes types of lesions and the skull was found.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub lesion_type: Option<LesionType>,
    /// Where it lies in the head, where the inside of the skull was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Largest thickness perpendicular to the inner table, mm, of a lesion that lies along the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thickness_mm: Option<f32>,
    /// How dense it is, where the samples are Hounsfield units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub density: Option<Density>,
    /// The location in numbers.
    #[serde(skip)]
    pub(crate) on_slice: Option<SliceLocation>,
    /// Outer border as `[x, y]` px, where requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contour: Option<Vec<[u32; 2]>>,
}

/// A position in an image, px.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Point {
    /// Column.
    pub x: f64,
    /// Row.
    pub y: f64,
}

/// The mask logits of the network, with the crop that maps them to the pixels of the image.
#[derive(Debug, Clone)]
pub struct LogitMap {
    logits: Plane,
    crop: CropBox,
    size: [usize; 2],
}

/// Tolerance for rounding: a pixel interpolated from cells may exceed the highest of them by this probability.
const ROUNDING: f32 = 1e-4;

impl LogitMap {
    /// `logits` are row-major on the network's grid of `grid_width` columns, which shows `crop` of an image of `width` x
    /// `height` px.
    pub fn new(
        logits: Vec<f32>,
        grid_width: usize,
        crop: CropBox,
        [width, height]: [usize; 2],
    ) -> Self {
        let (grid_width, samples) = (grid_width.max(1), logits);
        let logits = Plane { width: grid_width, height: samples.len() / grid_width, samples };
        Self { logits, crop, size: [width, height] }
    }

    /// The probability of each pixel of the image, 0 to 1; 0 outside of the crop.
    pub fn probabilities(&self) -> Plane {
        let [width, height] = self.size;
        let mut all = Plane::filled(width, height, 0.0);
        let patch = self.patch([0..self.logits.width, 0..self.logits.height]);
        for (first, row) in patch.rows(width) {
            all.samples[first..][..row.len()].copy_from_slice(row);
        }
        all
    }

    /// The probability of each pixel as 8-bit grey, 255 for 1.
    pub fn to_grey(&self) -> GrayImage {
        let plane = self.probabilities();
        let levels = plane.samples.iter().map(|&value| grey(value)).collect();
        // The buffer has the size that the image needs.
        GrayImage::from_raw(plane.width as u32, plane.height as u32, levels).unwrap_or_default()
    }

    /// The probabilities of a rectangle that holds every pixel at or above `threshold`.
    fn probabilities_around(&self, threshold: f32) -> Patch {
        // A pixel is interpolated, so that one of its cells is at least as high.
        let least = logit((threshold - ROUNDING).max(0.0));
        let mut highest = vec![f32::NEG_INFINITY; self.logits.width];
        let mut rows: Option<Range<usize>> = None;
        for (y, row) in self.logits.samples.chunks_exact(self.logits.width).enumerate() {
            if row.iter().fold(false, |any, &logit| any | (logit >= least)) {
                rows = Some(rows.map_or(y, |rows| rows.start)..y + 1);
                let higher = |(high, &logit): (&mut f32, &f32)| {
                    *high = if logit > *high { logit } else { *high }
                };
                highest.iter_mut().zip(row).for_each(higher);
            }
        }
        let first = highest.iter().position(|&logit| logit >= least);
        let last = highest.iter().rposition(|&logit| logit >= least);
        match (first, last, rows) {
            (Some(first), Some(last), Some(rows)) => self.patch([first..last + 1, rows]),
            _ => self.patch([0..0, 0..0]),
        }
    }

    /// The probabilities of the pixels on which the columns and rows `cells` of the grid have an influence.
    fn patch(&self, cells: [Range<usize>; 2]) -> Patch {
        let Plane { width, height, samples } = &self.logits;
        // These pixels depend on neighbouring cells, too.
        let with_neighbours = |cells: &Range<usize>, count: usize| {
            let far = 2 * count.div_ceil(self.crop.side.max(1)) + 1;
            cells.start.saturating_sub(far)..(cells.end + far).min(count)
        };
        let columns = with_neighbours(&cells[0], *width);
        let rows = with_neighbours(&cells[1], *height);
        let mut grid = Plane::filled(*width, *height, 0.0);
        for row in rows {
            let span = row * width + columns.start..row * width + columns.end;
            let logits = samples[span.clone()].iter();
            grid.samples[span].iter_mut().zip(logits).for_each(|(p, &logit)| *p = sigmoid(logit));
        }
        self.crop.map_back(&grid, cells, self.size)
    }
}

fn logit(probability: f32) -> f32 {
    (probability / (1.0 - probability)).ln()
}

/// Area of the smallest lesion that is kept, in pixels of the image. `steps` gives it in pixels of the network's grid,
/// `grid_width` columns that show `crop`.
pub fn min_lesion_px(steps: &Postprocessing, crop: CropBox, grid_width: usize) -> f64 {
    let scale = crop.side as f64 / grid_width as f64;
    steps.min_lesion_px as f64 * scale * scale
}

/// The mask of an image and its connected regions.
#[derive(Debug)]
pub struct Regions {
    /// The mask.
    pub mask: Mask,
    components: Components,
    /// Covers all components.
    probabilities: Patch,
}

impl Regions {
    /// The regions of pixels at or above `threshold`, without those smaller than `smallest_px` pixels.
    pub fn from_map(map: &LogitMap, threshold: f32, smallest_px: f64) -> Self {
        Self::new(map.probabilities_around(threshold), map.size, threshold, smallest_px)
    }

    /// As [`Regions::from_map`] for an image of `width` x `height` px, from the probabilities of a part that holds every pixel
    /// at or above `threshold`.
    fn new(
        probabilities: Patch,
        [width, height]: [usize; 2],
        threshold: f32,
        smallest_px: f64,
    ) -> Self {
        let mut mask = Mask::empty(width, height);
        for (first, row) in probabilities.rows(width) {
            let pixels = mask.pixels[first..].iter_mut();
            pixels.zip(row).for_each(|(inside, &p)| *inside = p >= threshold);
        }
        let mut components = label_components(&mask);
        let (kept, dropped): (Vec<_>, Vec<_>) =
            components.found.drain(..).partition(|c| c.area_px as f64 >= smallest_px);
        components.found = kept;
        for run in dropped.iter().flat_map(|c| components.runs(c)) {
            mask.pixels[run.row * mask.width..][run.start..run.end].fill(false);
        }
        Self { mask, components, probabilities }
    }

    /// The regions on the grid of `grid` columns and rows, which shows `crop` of the image, turned by `turn`.
    pub(crate) fn on_grid(&self, crop: CropBox, grid: [usize; 2], turn: Turn) -> GridLesions {
        GridLesions::from_components(&self.components, crop, grid, turn)
    }

    /// Areas of the mask at 1.5 times and at half the odds of `threshold`, px. `self` is the mask at `threshold`; what is
    /// apart from it at the lower threshold does not count.
    pub(crate) fn area_interval_px(
        &self,
        map: &LogitMap,
        threshold: f32,
        smallest_px: f64,
    ) -> [usize; 2] {
        let odds = threshold / (1.0 - threshold);
        let at = |factor: f32| factor * odds / (1.0 + factor * odds);
        let area = self.mask.area_px();
        let large = Self::from_map(map, at(0.5), smallest_px);
        let holds_mask = |run: &Run| {
            self.mask.pixels[run.row * self.mask.width..][run.start..run.end].contains(&true)
        };
        let components = &large.components;
        let joined = components.found.iter().filter(|c| components.runs(c).iter().any(holds_mask));
        let most: usize = joined.map(|component| component.area_px).sum();
        // The probabilities of the larger mask cover the smaller one.
        let small = Self::new(large.probabilities, map.size, at(1.5), smallest_px);
        [small.mask.area_px().min(area), most.max(area)]
    }

    /// The density of each region, in the order of [`Regions::lesions`]. `samples` are those of the image, HU.
    pub(crate) fn densities(&self, samples: &Plane) -> impl Iterator<Item = Option<Density>> {
        self.components.found.iter().map(|component| {
            let mut sums = DensitySums::default();
            for run in self.components.runs(component) {
                sums.add(&samples.samples[run.row * samples.width..][run.start..run.end]);
            }
            sums.density()
        })
    }

    /// Measures the regions, largest first. `spacing_mm` is the distance between rows and between columns.
    pub fn lesions(&self, spacing_mm: Option<[f32; 2]>, with_contours: bool) -> Vec<Lesion> {
        let components = &self.components;
        // In `f64`, as `f32` loses digits in a sum over thousands of pixels.
        let sum = |c: &Component| -> f64 {
            let pixels = |run: &Run| self.probabilities.columns(run.row, run.start..run.end);
            components.runs(c).iter().flat_map(pixels).fold(0.0, |sum, &p| sum + f64::from(p))
        };
        let lesion = |(index, c): (usize, &Component)| Lesion {
            id: index + 1,
            area_px: c.area_px,
            area_mm2: spacing_mm.map(|[row, column]| c.area_px as f32 * row * column),
            volume_ml: None,
            bbox: c.bbox,
            centroid: Point { x: c.centroid[0], y: c.centroid[1] },
            mean_probability: (sum(c) / c.area_px as f64) as f32,
            lesion_type: None,
            location: None,
            thickness_mm: None,
            density: None,
            on_slice: None,
            contour: with_contours.then(|| contour(components, c)),
        };
        components.found.iter().enumerate().map(lesion).collect()
    }
}

/// Outer border of one component as `[x, y]` px, traced in its bounding box.
fn contour(components: &Components, component: &Component) -> Vec<[u32; 2]> {
    let bbox = component.bbox;
    // With one pixel of background around the box, without which a region that fills the box has no border.
    let mut region = GrayImage::new(bbox.width as u32 + 2, bbox.height as u32 + 2);
    for run in components.runs(component) {
        let first = (run.row - bbox.y + 1) * (bbox.width + 2) + run.start - bbox.x + 1;
        let pixels: &mut [u8] = &mut region;
        pixels[first..][..run.end - run.start].fill(255);
    }
    find_contours::<u32>(&region)
        .into_iter()
        .find(|c| c.border_type == BorderType::Outer)
        .map(|c| {
            let place = |p: imageproc::point::Point<u32>| {
                [p.x - 1 + bbox.x as u32, p.y - 1 + bbox.y as u32]
            };
            c.points.into_iter().map(place).collect()
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: Postprocessing =
        Postprocessing { threshold: 0.5, slice_threshold: None, min_lesion_px: 4 };

    fn blob_logits() -> Vec<f32> {
        let mut logits = vec![-8.0; 16 * 16];
        for (x, y) in [(4, 4), (5, 4), (4, 5), (5, 5), (6, 5), (12, 12)] {
            logits[y * 16 + x] = 8.0;
        }
        logits
    }

    #[test]
    fn a_lesion_lies_where_the_crop_was_taken() {
        let crop = CropBox { x: 20, y: 4, side: 32 };
        let map = LogitMap::new(blob_logits(), 16, crop, [64, 40]);
        let regions = Regions::from_map(&map, 0.5, min_lesion_px(&STEPS, crop, 16));
        let (mask, lesions) = (&regions.mask, regions.lesions(Some([0.5, 0.5]), true));
        assert_eq!(lesions.len(), 1, "the one-pixel blob is dropped");
        let Point { x, y } = lesions[0].centroid;
        // Grid (5, 4.6) is image (20 + 5.3 * 2, 4 + 5.1 * 2): pixel centres included.
        assert!((x - 30.3).abs() < 1.0 && (y - 13.7).abs() < 1.0, "{x} {y}");
        assert_eq!(mask.area_px(), lesions[0].area_px);
        assert_eq!(lesions[0].area_mm2, Some(lesions[0].area_px as f32 * 0.25));
        let contour = lesions[0].contour.as_ref().unwrap();
        assert!(contour.iter().all(|&[x, y]| mask.pixels[y as usize * 64 + x as usize]));
    }

    #[test]
    fn the_area_at_other_odds_is_that_of_the_same_lesions() {
        // Probabilities of 0.6, 0.4 and 0.25 along a row, and 0.4 apart from it.
        let mut logits = vec![-9.0; 64];
        for (place, p) in [(16, 0.7_f32), (17, 0.55), (18, 0.4), (19, 0.3), (45, 0.4)] {
            logits[place] = (p / (1.0 - p)).ln();
        }
        let crop = CropBox { x: 0, y: 0, side: 8 };
        let map = LogitMap::new(logits, 8, crop, [8, 8]);
        let regions = Regions::from_map(&map, 0.5, 0.0);
        // Odds of 1 are a threshold of 0.5; 1.5 and 0.5 of them are 0.6 and 0.333.
        assert_eq!(regions.mask.area_px(), 2);
        assert_eq!(regions.area_interval_px(&map, 0.5, 0.0), [1, 3]);
        assert_eq!(regions.area_interval_px(&map, 0.5, 2.0), [0, 3]);
    }

    /// Probabilities are computed for a part of the image only; no pixel may be missed outside of it.
    #[test]
    fn the_mask_equals_the_threshold_applied_to_all_probabilities() {
        let mut state = 12_345_u32;
        let mut random = || {
            // A linear congruential generator (*Numerical Recipes*).
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32
        };
        let mut masked = 0;
        for (side, size) in [(40, [64, 40]), (9, [9, 30]), (5, [8, 8]), (16, [16, 16]), (1, [3, 3])]
        {
            for (x, y) in [(0, 0), (-3, 2), (20, -7), (7, 11)] {
                let crop = CropBox { x, y, side };
                for (threshold, sparse) in [(0.5, 0.0), (0.5, 0.9), (0.9, 0.97), (5e-5, 0.5)] {
                    let mut value = || if random() < sparse { -20.0 } else { random() * 9.0 - 5.0 };
                    let logits = (0..16 * 12).map(|_| value()).collect();
                    let map = LogitMap::new(logits, 16, crop, size);
                    let expected = Mask::from_plane(&map.probabilities(), threshold);
                    let regions = Regions::from_map(&map, threshold, 0.0);
                    assert!(regions.mask == expected, "{crop:?} {size:?} {threshold} {sparse}");
                    let areas =
                        regions.lesions(None, false).iter().map(|l| l.area_px).sum::<usize>();
                    assert_eq!(areas, expected.area_px());
                    masked += areas;
                }
            }
        }
        assert!(masked > 1000, "{masked} px in all");
    }

    #[test]
    fn an_isolated_pixel_is_its_own_contour() {
        let mut mask = Mask::empty(5, 5);
        mask.pixels[12] = true;
        let components = label_components(&mask);
        assert_eq!(contour(&components, &components.found[0]), [[2, 2]]);
    }
}
