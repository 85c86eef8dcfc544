//! The head on a slice, and what lies outside of it.

use crate::components::{border_pixels, flood_fill, label_components};
use crate::mask::Mask;
use crate::slice::Plane;

/// Smallest grey level of soft tissue, in [0, 1].
const MIN_TISSUE_GREY: f32 = 0.15;

/// Largest ratio of the head's largest part to a part that air or dark fluid separates from it. Letters, cushions and
/// head holders are smaller.
const MAX_PART_RATIO: usize = 10;

/// Bins of grey levels for quantiles.
const LEVELS: usize = 256;

/// Soft tissue and bone of a head.
pub(super) struct Head {
    pub(super) pixels: Mask,
    /// Pixels that are connected to the border of the plane without crossing the head.
    pub(super) outside: Mask,
    /// Number of pixels of soft tissue and bone.
    pub(super) soft_px: usize,
    /// Number of pixels that are not outside.
    pub(super) area_px: usize,
}

impl Head {
    /// The largest connected part that is not air, and those of comparable size; `None` where all is air.
    pub(super) fn find(plane: &Plane) -> Option<Self> {
        let parts = label_components(&Mask::from_plane(plane, MIN_TISSUE_GREY));
        let largest = parts.found.first()?.area_px;
        let mut pixels = Mask::empty(plane.width, plane.height);
        let mut soft_px = 0;
        for part in parts.found.iter().take_while(|p| p.area_px * MAX_PART_RATIO >= largest) {
            soft_px += part.area_px;
            for run in parts.runs(part) {
                pixels.pixels[run.row * plane.width..][run.start..run.end].fill(true);
            }
        }
        let background = pixels.pixels.iter().map(|&head| !head).collect();
        let background = Mask { pixels: background, ..pixels };
        let outside = flood_fill(&background, border_pixels(plane.width, plane.height));
        let area_px = plane.samples.len() - outside.area_px();
        Some(Self { pixels, outside, soft_px, area_px })
    }

    /// Number of the head's pixels whose grey level satisfies `predicate`.
    pub(super) fn count(&self, plane: &Plane, predicate: impl Fn(f32) -> bool) -> usize {
        let head = plane.samples.iter().zip(&self.pixels.pixels);
        head.filter(|&(&sample, &head)| head && predicate(sample)).count()
    }

    /// The quantile `fraction`, 0 to 1, of the grey levels of the head's pixels.
    pub(super) fn grey_quantile(&self, plane: &Plane, fraction: f64) -> f32 {
        let head = plane.samples.iter().zip(&self.pixels.pixels);
        quantile(head.filter_map(|(&sample, &head)| head.then_some(sample)), fraction)
    }
}

/// The quantile `fraction`, 0 to 1, of samples in [0, 1], to the nearest of [`LEVELS`] grey levels.
pub(super) fn quantile(samples: impl Iterator<Item = f32>, fraction: f64) -> f32 {
    let mut counts = [0_usize; LEVELS];
    for sample in samples {
        counts[(sample.clamp(0.0, 1.0) * (LEVELS - 1) as f32) as usize] += 1;
    }
    let wanted = fraction * counts.iter().sum::<usize>() as f64;
    let mut below = 0;
    let level = counts.iter().position(|&count| {
        below += count;
        below as f64 >= wanted
    });
    level.unwrap_or(LEVELS - 1) as f32 / (LEVELS - 1) as f32
}
