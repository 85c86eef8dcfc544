//! Links the components of slices into lesions of the volume, by union-find.

use super::shape::SlicePlane;
use crate::components::{Component, Components, DisjointSets, Run, hull, label_runs};
use crate::mask::PackedMask;

/// The part of a lesion that is one component of one slice.
#[derive(Debug, Clone)]
pub(super) struct LesionPart {
    /// Index of the slice in the series.
    pub(super) slice: usize,
    /// Its place among the components of the slice, largest first.
    pub(super) region: usize,
    /// Number of its pixels.
    pub(super) area_px: usize,
    /// Convex hull of the centres of its pixels, as `[column, row]`, px.
    pub(super) hull: Vec<[i64; 2]>,
}

/// Groups the components of all slices into lesions. The parts of each are in slice order.
///
/// Only the components of two slices are in memory at a time.
pub(super) fn connect(planes: &[SlicePlane], masks: &[PackedMask]) -> Vec<Vec<LesionPart>> {
    let mut parts: Vec<LesionPart> = Vec::new();
    let mut sets = DisjointSets::default();
    let mut below: Option<SliceComponents> = None;
    for (slice, mask) in masks.iter().enumerate().take(planes.len()) {
        let current = SliceComponents { slice, first_part: parts.len(), components: label(mask) };
        parts.extend(current.parts());
        sets.grow_to(parts.len());
        if let Some(below) = below {
            let shift = planes[below.slice].shift_px(&planes[slice]);
            let same_size =
                masks[below.slice].width == mask.width && masks[below.slice].height == mask.height;
            if let (Some(shift), true) = (shift, same_size) {
                current.link(&below, shift, mask, &mut sets);
            }
        }
        below = Some(current);
    }
    let mut lesions: Vec<Vec<LesionPart>> = Vec::new();
    let mut lesion_of = vec![usize::MAX; parts.len()];
    for (index, part) in parts.into_iter().enumerate() {
        let root = sets.root(index);
        if lesion_of[root] == usize::MAX {
            lesion_of[root] = lesions.len();
            lesions.push(Vec::new());
        }
        lesions[lesion_of[root]].push(part);
    }
    lesions
}

/// The components of a mask; `None` for an empty one, as most masks of a series are.
fn label(mask: &PackedMask) -> Option<Components> {
    (!mask.is_empty()).then(|| label_runs(mask.runs(), mask.runs().count()))
}

/// The components of one slice, which are numbered after those of the slices below.
struct SliceComponents {
    /// Index of the slice in the series.
    slice: usize,
    /// Number of the component with label 1 among those of all slices.
    first_part: usize,
    components: Option<Components>,
}

impl SliceComponents {
    /// One part per label, in the order of the labels.
    fn parts(&self) -> Vec<LesionPart> {
        let Some(components) = &self.components else { return Vec::new() };
        let mut in_order: Vec<(usize, &Component)> = components.found.iter().enumerate().collect();
        in_order.sort_by_key(|(_, c)| c.label);
        // Every corner of the hull is an end of a run.
        let ends = |run: &Run| [run.start, run.end - 1].map(|x| [x as i64, run.row as i64]);
        let part = |(region, component): (usize, &Component)| LesionPart {
            slice: self.slice,
            region,
            area_px: component.area_px,
            hull: hull(components.runs(component).iter().flat_map(ends)),
        };
        in_order.into_iter().map(part).collect()
    }

    /// Unites each component with those of the slice below that touch it by face, edge or corner. Pixel (x, y) of this
    /// slice lies above pixel (x + dx, y + dy) of the other.
    fn link(&self, below: &Self, [dx, dy]: [i64; 2], mask: &PackedMask, sets: &mut DisjointSets) {
        let (Some(here), Some(there)) = (&self.components, &below.components) else { return };
        let (width, height) = (mask.width as i64, mask.height as i64);
        let labels = there.labels(mask.width, mask.height);
        for component in &here.found {
            let upper = self.first_part + component.label as usize - 1;
            for run in here.runs(component) {
                let y = run.row as i64 + dy;
                let (start, end) = (run.start as i64 - 1 + dx, run.end as i64 + 1 + dx);
                for y in (y - 1).max(0)..(y + 2).min(height) {
                    for x in start.max(0)..end.min(width) {
                        let other = labels[(y * width + x) as usize];
                        if other > 0 {
                            sets.union(upper, below.first_part + other as usize - 1);
                        }
                    }
                }
            }
        }
    }
}
