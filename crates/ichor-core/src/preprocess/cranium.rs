//! Where a hemorrhage may lie: bone and what it encloses. Scalp, face, air and whatever surrounds the picture are
//! outside, also where the skull is open, cut by the edge of the picture, or not seen.

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

/// Code of the warning of slices without bone.
pub const SKULL_NOT_FOUND: &str = "skull_not_found";

/// What was seen of the skull on a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skull {
    /// Bone encloses the inside but for narrow gaps.
    Closed,
    /// Bone leaves a wide gap: a flap taken out, open sutures, the face, the neck. A hemorrhage is outlined within
    /// the hull of what bone encloses alone.
    Open,
    /// No bone is seen; nothing can be outlined.
    Missing,
}

impl Skull {
    /// What a reader of the result must know of it. On a slice of a series without bone, as above the vertex,
    /// there is nothing to search; a slice alone, on which nothing was searched, says nothing.
    pub fn warning(self, is_alone: bool) -> Option<Warning> {
        match self {
            Self::Closed => None,
            Self::Missing if is_alone => Some(Self::nothing_searched()),
            Self::Open => Some(Warning::new(
                "skull_open",
                "No closed skull was found; only what bone encloses was searched for a hemorrhage.",
            )),
            Self::Missing => Some(Warning { doubt: None, ..Self::nothing_searched() }),
        }
    }

    /// No slice shows a skull, so nothing was searched.
    pub fn nothing_searched() -> Warning {
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

/// Of the eight directions of the compass, those in which a pixel within the skull meets bone; on the scalp
/// half of them do at most. Eight would lose what lies before a fissure or a burr hole, five would keep the
/// orbits.
const ENCLOSED: u8 = 6;

/// A closed skull holds at least this part of the soft tissue and bone; a jaw or a vertebra holds less.
const MIN_SHARE: f64 = 0.2;

/// Part of the rim of a closed skull's inside that may border on soft tissue outside: orbits and fissures. By their
/// largest piece of bone 2,610 of 2,790 slices of five sets lie below; those above are faces, necks and flaps taken out.
const MAX_OPENNESS: f64 = 0.2;

/// Of an open skull, the hull of the bone holds at least this part of the head as soft tissue; of a face or a neck it
/// holds less: at most half on 174 of 178 such slices of ct-ich. Of 58 of its vaults with thin plates of bone drawn in
/// place of the skull it held three quarters or more.
const MIN_VAULT: f64 = 0.5;

/// Where bone is not as bright as it should be, it is sought at these parts of the grey level that all but the
/// brightest pixels of the head lie below.
const FALLBACK_LEVELS: [f32; 3] = [0.95, 0.9, 0.85];

/// Where more of the head is white, its bone is: the face and the neck, in which it closes nothing.
const MAX_WHITE: f64 = 0.08;

/// Part of the head's pixels that are not its brightest.
const BRIGHTEST: f64 = 0.995;

/// Bone found so is at least so many times as bright as the median of what it encloses.
const BONE_TO_TISSUE: f32 = 1.35;

/// Bone found so is at least this part of the head: a few bright pixels are no skull.
const MIN_BONE: f64 = 0.04;

/// Finds the skull on `plane`, where bone is at or above the grey level `bone`; `picture` is the part of the plane that
/// shows the picture, as a crop reaches beyond.
pub(super) fn cranium(plane: &Plane, bone: f32, picture: BoundingBox) -> Cranium {
    let nothing = || Mask::empty(plane.width, plane.height);
    let missing = || Cranium { within: nothing(), skull: Skull::Missing };
    let Some(head) = Head::find(plane) else {
        return missing();
    };
    let wall = |level: f32| {
        let bone = |(&sample, &head): (&f32, &bool)| head && sample >= level;
        let pixels = plane.samples.iter().zip(&head.pixels.pixels).map(bone).collect();
        let mut wall = Mask { pixels, ..nothing() };
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
    let shown_white = head.count(plane, is_white) as f64 >= MAX_WHITE * head.soft_px as f64;
    if !shown_white && !views.iter().any(|view| view.is_closed(&head)) {
        let top = head.level_below(plane, BRIGHTEST);
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
    match views.iter().max_by_key(|view| view.kept) {
        Some(view) => Cranium { within: view.enclosed(&head), skull: Skull::Open },
        None => missing(),
    }
}

/// A wall and what it encloses.
struct View {
    wall: Mask,
    /// The wall and what it encloses, without air from outside.
    region: Mask,
    /// The largest part of what is enclosed.
    cavity: Option<Cavity>,
    /// Part of the cavity's rim that borders on soft tissue outside.
    openness: f64,
    /// Pixels of the head in the region.
    kept: usize,
}

impl View {
    fn new(wall: Mask, head: &Head) -> Self {
        let met = directions_met(&wall);
        let mut inside = Mask::empty(wall.width, wall.height);
        let mut region = wall.clone();
        let mut kept = 0;
        for (place, met) in met.into_iter().enumerate() {
            let enclosed = met >= ENCLOSED && !head.outside.pixels[place];
            inside.pixels[place] = enclosed && !wall.pixels[place];
            region.pixels[place] |= enclosed;
            kept += usize::from(region.pixels[place] && head.pixels.pixels[place]);
        }
        let cavity = Cavity::largest(&inside);
        let openness =
            cavity.as_ref().map_or(0.0, |cavity| cavity.openness(&inside, &region, &head.outside));
        Self { wall, region, cavity, openness, kept }
    }

    /// Whether this is a skull that encloses its inside; at the vertex it may be bone alone.
    fn is_closed(&self, head: &Head) -> bool {
        self.kept as f64 >= MIN_SHARE * head.soft_px as f64 && self.openness <= MAX_OPENNESS
    }

    /// Whether the wall, which is at least as bright as `level`, can be bone.
    fn is_bone(&self, plane: &Plane, level: f32, head: &Head) -> bool {
        let median = self.cavity.as_ref().map_or(0.0, |cavity| cavity.median(plane));
        self.wall.area_px() as f64 >= MIN_BONE * head.soft_px as f64
            && level >= BONE_TO_TISSUE * median
    }

    /// Of an open skull: what lies within the hull of bone and of what it encloses. Of a face or a neck, within the
    /// hull of the largest part alone that is enclosed, and the bone round it.
    fn enclosed(&self, head: &Head) -> Mask {
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
        let near = within.grown(width / 20);
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
