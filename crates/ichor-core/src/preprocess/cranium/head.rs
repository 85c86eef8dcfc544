//! The head on a slice, and what lies outside of it.

use crate::components::{flood, label_components, rim};
use crate::mask::Mask;
use crate::slice::Plane;

/// Soft tissue is at least this bright, as a grey level in [0, 1].
const SOFT: f32 = 0.15;

/// A part of the head, cut off from the rest by air or dark fluid, is at least one in so many of its largest part;
/// letters, cushions and head holders are smaller.
const SMALLEST_PART: usize = 10;

/// Grey levels that samples are counted in.
const LEVELS: usize = 256;

/// Soft tissue and bone of a head.
pub(super) struct Head {
    pub(super) pixels: Mask,
    /// What can be reached from the rim of the plane without crossing the head.
    pub(super) outside: Mask,
    /// Pixels of soft tissue and bone.
    pub(super) soft_px: usize,
    /// Pixels that are not outside.
    pub(super) area_px: usize,
}

impl Head {
    /// The largest part of what is no air, and those nearly as large.
    pub(super) fn find(plane: &Plane) -> Option<Self> {
        let parts = label_components(&Mask::from_plane(plane, SOFT));
        let largest = parts.found.first()?.area_px;
        let mut pixels = Mask::empty(plane.width, plane.height);
        let mut soft_px = 0;
        for part in parts.found.iter().take_while(|p| p.area_px * SMALLEST_PART >= largest) {
            soft_px += part.area_px;
            for run in parts.runs(part) {
                pixels.pixels[run.row * plane.width..][run.start..run.end].fill(true);
            }
        }
        let other = pixels.pixels.iter().map(|&head| !head).collect();
        let other = Mask { pixels: other, ..pixels };
        let outside = flood(&other, rim(plane.width, plane.height));
        let area_px = plane.samples.len() - outside.area_px();
        Some(Self { pixels, outside, soft_px, area_px })
    }

    /// How many of its pixels have such a grey level.
    pub(super) fn count(&self, plane: &Plane, has: impl Fn(f32) -> bool) -> usize {
        let head = plane.samples.iter().zip(&self.pixels.pixels);
        head.filter(|&(&sample, &head)| head && has(sample)).count()
    }

    /// The grey level that this part of the head's pixels lie below.
    pub(super) fn level_below(&self, plane: &Plane, part: f64) -> f32 {
        let head = plane.samples.iter().zip(&self.pixels.pixels);
        quantile(head.filter_map(|(&sample, &head)| head.then_some(sample)), part)
    }
}

/// The grey level, one of so many in [0, 1], that `part` of the samples lie below.
pub(super) fn quantile(samples: impl Iterator<Item = f32>, part: f64) -> f32 {
    let mut counts = [0_usize; LEVELS];
    for sample in samples {
        counts[(sample.clamp(0.0, 1.0) * (LEVELS - 1) as f32) as usize] += 1;
    }
    let wanted = part * counts.iter().sum::<usize>() as f64;
    let mut below = 0;
    let level = counts.iter().position(|&count| {
        below += count;
        below as f64 >= wanted
    });
    level.unwrap_or(LEVELS - 1) as f32 / (LEVELS - 1) as f32
}
