//! Regions connected across slices: union-find over the components of each slice.

use super::shape::{SlicePlane, hull};
use crate::components::{Components, label_components};
use crate::mask::PackedMask;

/// The part of a lesion that is one component of one slice.
#[derive(Debug, Clone)]
pub(super) struct LesionPart {
    /// Index into the series' slices.
    pub(super) slice: usize,
    /// Pixels.
    pub(super) area_px: usize,
    /// Convex hull of its pixels' centres, column and row.
    pub(super) hull: Vec<[i64; 2]>,
}

/// Groups the components of all slices into lesions; the parts of each are in slice order.
///
/// The labels of two slices at a time are in memory, whatever the length of the series.
pub(super) fn connect(planes: &[SlicePlane], masks: &[PackedMask]) -> Vec<Vec<LesionPart>> {
    let mut parts: Vec<LesionPart> = Vec::new();
    let mut sets = DisjointSets::default();
    let mut below: Option<Labelled> = None;
    for (slice, mask) in masks.iter().enumerate().take(planes.len()) {
        let labelled = Labelled { slice, first_part: parts.len(), components: label(mask) };
        parts.extend(labelled.parts(mask.width));
        sets.grow_to(parts.len());
        if let Some(below) = below {
            let shift = planes[below.slice].shift_px(&planes[slice]);
            let same_size =
                masks[below.slice].width == mask.width && masks[below.slice].height == mask.height;
            if let (Some(shift), true) = (shift, same_size) {
                labelled.join(&below, shift, mask, &mut sets);
            }
        }
        below = Some(labelled);
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

/// Most slices show nothing; they need no labels.
fn label(mask: &PackedMask) -> Option<Components> {
    (!mask.is_empty()).then(|| label_components(&mask.unpack()))
}

/// The components of one slice, numbered on from those of the slices below.
struct Labelled {
    slice: usize,
    first_part: usize,
    components: Option<Components>,
}

impl Labelled {
    /// One part a label, in the order of the labels.
    fn parts(&self, width: usize) -> Vec<LesionPart> {
        let Some(components) = &self.components else { return Vec::new() };
        // The first and last pixel of each row hold every corner of the hull.
        let mut ends: Vec<Vec<[i64; 3]>> = vec![Vec::new(); components.found.len()];
        for (index, &label) in components.labels.iter().enumerate().filter(|(_, l)| **l > 0) {
            let (x, y) = ((index % width) as i64, (index / width) as i64);
            let rows = &mut ends[label as usize - 1];
            match rows.last_mut() {
                Some([row, _, last]) if *row == y => *last = x,
                _ => rows.push([y, x, x]),
            }
        }
        let mut areas = vec![0; ends.len()];
        components.found.iter().for_each(|c| areas[c.label as usize - 1] = c.area_px);
        let part = |(rows, area_px): (Vec<[i64; 3]>, usize)| LesionPart {
            slice: self.slice,
            area_px,
            hull: hull(rows.iter().flat_map(|&[y, first, last]| [[first, y], [last, y]])),
        };
        ends.into_iter().zip(areas).map(part).collect()
    }

    /// Joins each region with those of the slice below that touch it by face, edge or corner.
    /// Pixel (x, y) of this slice lies above pixel (x, y) + `shift` of the other.
    fn join(&self, below: &Self, [dx, dy]: [i64; 2], mask: &PackedMask, sets: &mut DisjointSets) {
        let (Some(here), Some(there)) = (&self.components, &below.components) else { return };
        let (width, height) = (mask.width as i64, mask.height as i64);
        for (index, &label) in here.labels.iter().enumerate().filter(|(_, l)| **l > 0) {
            let x = (index % mask.width) as i64 + dx;
            let y = (index / mask.width) as i64 + dy;
            for y in (y - 1).max(0)..(y + 2).min(height) {
                for x in (x - 1).max(0)..(x + 2).min(width) {
                    let other = there.labels[(y * width + x) as usize];
                    if other > 0 {
                        let upper = self.first_part + label as usize - 1;
                        sets.join(upper, below.first_part + other as usize - 1);
                    }
                }
            }
        }
    }
}

/// Union-find with path halving (Tarjan and van Leeuwen 1984).
#[derive(Default)]
struct DisjointSets {
    parents: Vec<usize>,
}

impl DisjointSets {
    fn grow_to(&mut self, count: usize) {
        self.parents.extend(self.parents.len()..count);
    }

    fn root(&mut self, mut member: usize) -> usize {
        while self.parents[member] != member {
            self.parents[member] = self.parents[self.parents[member]];
            member = self.parents[member];
        }
        member
    }

    /// The lower root stays, so lesions are numbered as their lowest part is.
    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }
}
