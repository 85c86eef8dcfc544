//! The region in which a hemorrhage may lie: bone and what it encloses.
//!
//! Scalp, face, air and the surround of the picture are excluded, also where the skull is open, cut by the edge of the
//! picture, or not visible. The method and its figures: `docs/skull.md`.

mod cavity;
mod directions;
mod edge;
mod head;

use crate::components::{BoundingBox, label_components, runs};
use crate::mask::Mask;
use crate::slice::{Plane, Warning};
use cavity::{Cavity, hull};
use directions::directions_met;
use edge::add_cut_edges;
use head::Head;

/// Code of the warning for slices without bone.
pub const SKULL_NOT_FOUND: &str = "skull_not_found";

/// The state of the skull on a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skull {
    /// Bone encloses the inside, apart from narrow gaps.
    Closed,
    /// Bone leaves a wide gap: a removed flap, open sutures, the face, the neck. A hemorrhage is outlined only within
    /// the hull of what bone encloses.
    Open,
    /// No bone is visible; nothing can be outlined.
    Missing,
}

impl Skull {
    /// The warning for this state. A slice by itself without bone is unreadable. On a slice of a series, as above
    /// the vertex, missing bone is a note that leaves nothing in doubt.
    pub fn warning(self, is_alone: bool) -> Option<Warning> {
        match self {
            Self::Closed => None,
            Self::Missing if is_alone => Some(Self::missing_skull_warning()),
            Self::Open => Some(Warning::new(
                "skull_open",
                "No closed skull was found; only what bone encloses was searched for a hemorrhage.",
            )),
            Self::Missing => Some(Warning { doubt: None, ..Self::missing_skull_warning() }),
        }
    }

    /// The warning that no slice shows a skull, so that nothing was searched.
    pub fn missing_skull_warning() -> Warning {
        Warning::unreadable(
            SKULL_NOT_FOUND,
            "No skull was found; nothing was searched for a hemorrhage. Send an axial slice of the head in a \
             brain window, not cropped to the brain.",
        )
    }
}

/// The part of a slice in which a hemorrhage may be outlined.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cranium {
    pub(super) within: Mask,
    pub(super) skull: Skull,
}

/// Number of the eight compass directions in which a pixel within the skull meets bone. On the scalp it is at most
/// four. Eight would exclude pixels beside a fissure or a burr hole; five would include the orbits.
const MIN_DIRECTIONS: u8 = 6;

/// Smallest part of the soft tissue and bone that a closed skull holds. A jaw or a vertebra holds less.
const MIN_SHARE: f64 = 0.2;

/// Largest part of the rim of a closed skull's inside that borders on soft tissue outside: orbits and fissures. By
/// their largest piece of bone 2,610 of 2,790 slices of five sets lie below. Those above are faces, necks and removed
/// flaps.
const MAX_OPENNESS: f64 = 0.2;

/// Smallest part of the head that lies as soft tissue within the hull of the bone of an open skull. For a face or a
/// neck it is at most half on 174 of 178 such slices of ct-ich. For 58 of its vaults with thin plates of bone drawn in
/// place of the skull it was three quarters or more.
const MIN_VAULT: f64 = 0.5;

/// Where bone is darker than `find_skull` expects, these fractions of the [`BRIGHTEST`] quantile of the head's grey
/// levels are tried in turn.
const FALLBACK_LEVELS: [f32; 3] = [0.95, 0.9, 0.85];

/// Largest part of the head that is white where [`FALLBACK_LEVELS`] are tried. Above it the bone is white as expected
/// and encloses nothing, as in the face and the neck.
const MAX_WHITE: f64 = 0.08;

/// Quantile of the head's grey levels that excludes its few brightest pixels, as metal.
const BRIGHTEST: f64 = 0.995;

/// Smallest ratio of a fallback level to the median grey level of what its bone encloses.
const BONE_TO_TISSUE: f32 = 1.35;

/// Smallest part of the head that bone at a fallback level takes up. A few bright pixels are not a skull.
const MIN_BONE: f64 = 0.04;

/// Finds the skull on `plane`, where bone is at or above the grey level `bone`. `picture` is the part of the plane that
/// shows the picture, as a crop may reach beyond it.
pub(super) fn find_cranium(plane: &Plane, bone: f32, picture: BoundingBox) -> Cranium {
    let empty = || Mask::empty(plane.width, plane.height);
    let missing = || Cranium { within: empty(), skull: Skull::Missing };
    let Some(head) = Head::find(plane) else {
        return missing();
    };
    let wall = |level: f32| {
        let bone = |(&sample, &head): (&f32, &bool)| head && sample >= level;
        let pixels = plane.samples.iter().zip(&head.pixels.pixels).map(bone).collect();
        let mut wall = Mask { pixels, ..empty() };
        add_cut_edges(&mut wall, &head.pixels, picture);
        wall
    };
    let all = wall(bone);
    let mut views = Vec::new();
    if let Some(largest) = largest_part(&all) {
        let view = View::new(largest, &head);
        if view.is_closed(&head) {
            return Cranium { within: view.region, skull: Skull::Closed };
        }
        views.push(view);
        views.push(View::new(all, &head));
    }
    let is_white = |sample: f32| sample >= (bone + 1.0) / 2.0;
    let is_bone_white = head.count(plane, is_white) as f64 >= MAX_WHITE * head.soft_px as f64;
    if !is_bone_white && !views.iter().any(|view| view.is_closed(&head)) {
        let top = head.grey_quantile(plane, BRIGHTEST);
        for level in FALLBACK_LEVELS.map(|part| part * top).into_iter().filter(|&l| l < bone) {
            let view = View::new(wall(level), &head);
            if view.is_bone(plane, level, &head) {
                views.push(view);
            }
        }
    }
    let closed = views.iter().filter(|view| view.is_closed(&head));
    if let Some(view) = closed.min_by(|a, b| a.openness.total_cmp(&b.openness)) {
        return Cranium { within: view.region.clone(), skull: Skull::Closed };
    }
    match views.iter().max_by_key(|view| view.head_px) {
        Some(view) => Cranium { within: view.open_region(&head), skull: Skull::Open },
        None => missing(),
    }
}

/// A candidate for the skull: a wall of bone and what it encloses.
struct View {
    wall: Mask,
    /// The wall and the pixels it encloses, without air that is connected to the edge of the plane.
    region: Mask,
    /// The largest connected part of the enclosed pixels.
    cavity: Option<Cavity>,
    /// Part of the cavity's rim that borders on soft tissue outside.
    openness: f64,
    /// Pixels of the head that lie in the region.
    head_px: usize,
}

impl View {
    fn new(wall: Mask, head: &Head) -> Self {
        let met = directions_met(&wall);
        let mut inside = Mask::empty(wall.width, wall.height);
        let mut region = wall.clone();
        let mut head_px = 0;
        for (place, met) in met.into_iter().enumerate() {
            let enclosed = met >= MIN_DIRECTIONS && !head.outside.pixels[place];
            inside.pixels[place] = enclosed && !wall.pixels[place];
            region.pixels[place] |= enclosed;
            head_px += usize::from(region.pixels[place] && head.pixels.pixels[place]);
        }
        let cavity = Cavity::from_largest(&inside);
        let openness =
            cavity.as_ref().map_or(0.0, |cavity| cavity.openness(&inside, &region, &head.outside));
        Self { wall, region, cavity, openness, head_px }
    }

    /// Whether this is a skull that encloses its inside. At the vertex the skull may be bone only.
    fn is_closed(&self, head: &Head) -> bool {
        self.head_px as f64 >= MIN_SHARE * head.soft_px as f64 && self.openness <= MAX_OPENNESS
    }

    /// Whether the wall, whose pixels are at or above the grey level `level`, can be bone.
    fn is_bone(&self, plane: &Plane, level: f32, head: &Head) -> bool {
        let median = self.cavity.as_ref().map_or(0.0, |cavity| cavity.median(plane));
        self.wall.area_px() as f64 >= MIN_BONE * head.soft_px as f64
            && level >= BONE_TO_TISSUE * median
    }

    /// The region to search on an open skull: the hull of bone and of what it encloses. On a face or a neck it is the
    /// hull of the largest enclosed part and the bone around it.
    fn open_region(&self, head: &Head) -> Mask {
        let (width, height) = (self.wall.width, self.wall.height);
        let spanned = hull(runs(&self.wall), width, height);
        let soft = spanned.pixels.iter().zip(head.pixels.pixels.iter().zip(&self.wall.pixels));
        let soft = soft.filter(|&(&hull, (&head, &wall))| hull && head && !wall).count();
        let is_vault = soft as f64 >= MIN_VAULT * head.area_px as f64;
        let mut within = match &self.cavity {
            _ if is_vault => hull(runs(&self.region), width, height),
            Some(cavity) => hull(cavity.runs().iter().copied(), width, height),
            None => Mask::empty(width, height),
        };
        let near = within.dilate(width / 20);
        for (place, within) in within.pixels.iter_mut().enumerate() {
            *within = (*within && !head.outside.pixels[place])
                || (near.pixels[place] && self.wall.pixels[place]);
        }
        within
    }
}

/// The largest component of a mask.
fn largest_part(mask: &Mask) -> Option<Mask> {
    let parts = label_components(mask);
    let mut largest = Mask::empty(mask.width, mask.height);
    for run in parts.runs(parts.found.first()?) {
        largest.pixels[run.row * mask.width..][run.start..run.end].fill(true);
    }
    Some(largest)
}

#[cfg(test)]
mod tests;
