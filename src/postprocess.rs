//! Logits on the network's grid to a mask in the geometry of the input.

use crate::components::{BoundingBox, Component, Components, Run, label_components};
use crate::error::Result;
use crate::geometry::{CropBox, resize};
use crate::mask::Mask;
use crate::model_spec::{Postprocessing, sigmoid};
use crate::slice::Plane;
use image::GrayImage;
use imageproc::contours::{BorderType, find_contours};
use serde::Serialize;

/// One connected region of hemorrhage.
#[derive(Debug, Clone, Serialize)]
pub struct Lesion {
    /// 1 for the largest.
    pub id: usize,
    /// Pixels of the input image.
    pub area_px: usize,
    /// Area in mm², `null` without spacing.
    pub area_mm2: Option<f32>,
    /// Volume in mL, `null` for one slice.
    pub volume_ml: Option<f32>,
    /// Bounding box, px.
    pub bbox: BoundingBox,
    /// Mean column and row, px.
    pub centroid: Point,
    /// Mean probability of its pixels.
    pub mean_probability: f32,
    /// Outer border, `[x, y]` px, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contour: Option<Vec<[u32; 2]>>,
}

/// A position in px.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Point {
    /// Column.
    pub x: f64,
    /// Row.
    pub y: f64,
}

/// Probabilities in the geometry of the input, whose columns and rows are given last; 0 outside
/// the crop.
///
/// `logits` is row-major on the network's grid of `width` columns.
///
/// # Errors
/// As [`resize`].
pub fn probabilities(
    logits: &[f32],
    width: usize,
    crop: CropBox,
    [target_width, target_height]: [usize; 2],
) -> Result<Plane> {
    let grid = Plane {
        width,
        height: logits.len() / width,
        samples: logits.iter().map(|&l| sigmoid(l)).collect(),
    };
    let part = resize(&grid, crop.side, crop.side)?;
    Ok(crop.paste(&part, target_width, target_height))
}

/// Smallest region that counts, in pixels of the image: the spec counts those of the network's grid.
pub fn smallest_lesion_px(steps: &Postprocessing, crop: CropBox, grid_width: usize) -> f64 {
    let scale = crop.side as f64 / grid_width as f64;
    steps.min_lesion_px as f64 * scale * scale
}

/// Threshold, then drop components smaller than `min_lesion_px`, which counts pixels of the
/// network's grid of `grid_width` columns, so that the limit is the same for every resolution.
pub fn mask_and_components(
    probabilities: &Plane,
    threshold: f32,
    steps: &Postprocessing,
    crop: CropBox,
    grid_width: usize,
) -> (Mask, Components) {
    let mut mask = Mask::from_plane(probabilities, threshold);
    let mut components = label_components(&mask);
    let smallest = smallest_lesion_px(steps, crop, grid_width);
    let (kept, dropped): (Vec<_>, Vec<_>) =
        components.found.drain(..).partition(|c| c.area_px as f64 >= smallest);
    components.found = kept;
    for run in dropped.iter().flat_map(|c| components.runs(c)) {
        mask.pixels[run.row * mask.width..][run.start..run.end].fill(false);
    }
    (mask, components)
}

/// Measures the components, largest first.
pub fn measure_lesions(
    probabilities: &Plane,
    components: &Components,
    spacing_mm: Option<[f32; 2]>,
    with_contours: bool,
) -> Vec<Lesion> {
    let width = probabilities.width;
    // Thousands of pixels: summed in f64, or the last digits are lost.
    let sum = |c: &Component| -> f64 {
        let pixels = |run: &Run| &probabilities.samples[run.row * width..][run.start..run.end];
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
        contour: with_contours.then(|| contour(components, c)),
    };
    components.found.iter().enumerate().map(lesion).collect()
}

/// Outer border of one component, traced in its bounding box.
fn contour(components: &Components, component: &Component) -> Vec<[u32; 2]> {
    let bbox = component.bbox;
    // One pixel of background round the box, or a region that fills it has no border.
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
    fn a_lesion_lands_where_the_crop_came_from() {
        let crop = CropBox { x: 20, y: 4, side: 32 };
        let p = probabilities(&blob_logits(), 16, crop, [64, 40]).unwrap();
        let (mask, components) = mask_and_components(&p, 0.5, &STEPS, crop, 16);
        let lesions = measure_lesions(&p, &components, Some([0.5, 0.5]), true);
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
    fn an_isolated_pixel_is_its_own_contour() {
        let mut mask = Mask::empty(5, 5);
        mask.pixels[12] = true;
        let components = label_components(&mask);
        assert_eq!(contour(&components, &components.found[0]), [[2, 2]]);
    }
}
