//! Where a lesion lies in the head, in the words of a report.

use super::region::{HeadHeight, Region};
use serde::Serialize;

/// Where a lesion lies. What the image does not show is `null`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Location {
    /// The patient's side. A picture without an orientation counts as displayed in the usual way, with the patient's right
    /// on the left of the image. `null` where the midline was not found.
    pub side: Option<Side>,
    /// How far the lesion lies from the inner table of the skull.
    pub depth: Depth,
    /// The part of the brain, in a series that shows the top of the head. `null` where several are possible.
    pub region: Option<Region>,
}

/// A side of the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// More than three quarters of the lesion lie on the patient's left.
    Left,
    /// More than three quarters lie on the patient's right.
    Right,
    /// The lesion lies on both sides of the midline.
    Midline,
}

/// Distance of a lesion from the inner table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// At the inner table or in the cortex and the white matter near it.
    Superficial,
    /// Half of its pixels lie deeper than 35 % of the largest depth.
    Deep,
}

/// Smallest median depth of a deep lesion, as a part of the largest depth of the inside: about 2 cm in an adult. Of the
/// basal ganglia bleeds that deeplabv3 0.7.0 outlines on PHE-SICH, 0.998 are deep; of the epidural ones on ct-ich 0.02, of the
/// subdural ones none (`training/RESULTS.md`).
const DEEP: f64 = 0.35;

/// Smallest part of a lesion on one side that names this side.
const MOSTLY: f64 = 0.75;

/// The location of the lesion on one slice, in numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SliceLocation {
    /// The part of its pixels on the patient's left; `None` where the midline was not found.
    pub(super) left_part: Option<f64>,
    /// Median depth of its pixels, as a part of the largest depth of the slice.
    pub(super) depth: f64,
    /// Place of the centroid from the middle of the inside, to the patient's left and to the back, px of the image.
    pub(super) at_px: [f64; 2],
    /// Thickness perpendicular to the inner table, px of the image; `None` for a lesion that does not lie along it.
    pub(super) thickness_px: Option<f64>,
}

impl SliceLocation {
    /// The location by this slice alone.
    pub fn location(&self) -> Location {
        Location { side: self.left_part.map(side), depth: depth(self.depth), region: None }
    }

    /// Largest thickness perpendicular to the inner table, mm. `None` without spacing, with pixels that are not square, and
    /// for a lesion that does not lie along the table.
    pub(crate) fn thickness_mm(&self, spacing_mm: Option<[f32; 2]>) -> Option<f32> {
        Some((self.thickness_px? * square_pixel_mm(spacing_mm)?) as f32)
    }
}

/// The side of a pixel, mm; `None` where rows and columns differ by more than 1 %.
pub(super) fn square_pixel_mm(spacing_mm: Option<[f32; 2]>) -> Option<f64> {
    let [row, column] = spacing_mm?.map(f64::from);
    ((row / column - 1.0).abs() <= 0.01).then_some((row + column) / 2.0)
}

fn side(left_part: f64) -> Side {
    match left_part {
        part if part >= MOSTLY => Side::Left,
        part if part <= 1.0 - MOSTLY => Side::Right,
        _ => Side::Midline,
    }
}

fn depth(median: f64) -> Depth {
    if median >= DEEP { Depth::Deep } else { Depth::Superficial }
}

/// The part of a lesion of a series that lies on one slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocatedPart<'a> {
    /// Where it lies on the slice.
    pub(crate) on_slice: &'a SliceLocation,
    /// Its weight: a volume or an area.
    pub(crate) weight: f64,
    /// The slice, by its place in the series.
    pub(crate) slice: usize,
}

impl Location {
    /// The location of a lesion by its parts on the slices; `None` without parts. With the height of the slices in the head
    /// the region is given, and depth is measured against the largest slice: at the vertex everything is near the skull.
    pub(crate) fn of_parts<'a>(
        parts: impl Iterator<Item = LocatedPart<'a>> + Clone,
        height: Option<&HeadHeight>,
    ) -> Option<Self> {
        let weight: f64 = parts.clone().map(|part| part.weight).sum();
        if weight <= 0.0 {
            return None;
        }
        let mean = |value: &dyn Fn(&LocatedPart<'_>) -> Option<f64>| {
            let sum =
                parts.clone().map(|part| Some(value(&part)? * part.weight)).sum::<Option<f64>>();
            sum.map(|sum| sum / weight)
        };
        let size = |slice: usize| height.map_or(1.0, |height| height.relative_size(slice));
        let median = mean(&|part| Some(part.on_slice.depth * size(part.slice)))?;
        let side = mean(&|part| part.on_slice.left_part).map(side);
        let region = height.and_then(|height| {
            let along = |axis: usize| {
                mean(&|part| Some(height.place(part.slice, part.on_slice.at_px)?[axis]))
            };
            Region::at([along(0)?, along(1)?, along(2)?])
        });
        Some(Self { side, depth: depth(median), region })
    }
}
