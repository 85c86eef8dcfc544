//! Phantoms of heads, whose outer contour and brain are known.

use super::*;
use crate::geometry::{CropBox, remove_surround};

const SIDE: usize = 320;
const BRAIN: f32 = 0.4;
const SCALP: f32 = 0.5;

/// Radii of brain, bone and scalp, relative to the outer table.
const LAYERS: [f32; 3] = [0.9, 1.0, 1.15];

/// Pseudorandom numbers from a linear congruential generator (*Numerical Recipes*), the same on every run.
struct Random(u32);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 / (1 << 24) as f32
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.next()
    }
}

/// An elliptical, rotated head with gaps in its bone.
#[derive(Debug, Clone)]
struct HeadPhantom {
    centre: [f32; 2],
    radii: [f32; 2],
    angle: f32,
    /// Middle and half width of each gap, radians.
    gaps: Vec<[f32; 2]>,
    bone: f32,
    air: f32,
}

impl HeadPhantom {
    fn upright(side: usize) -> Self {
        let middle = side as f32 / 2.0;
        let radii = [side as f32 * 0.26, side as f32 * 0.32];
        Self { centre: [middle; 2], radii, angle: 0.0, gaps: Vec::new(), bone: 1.0, air: 0.0 }
    }

    /// Distance from the centre, 1 at the outer table, and direction in radians.
    fn polar(&self, x: f32, y: f32) -> (f32, f32) {
        let (dx, dy) = (x - self.centre[0], y - self.centre[1]);
        let (sin, cos) = self.angle.sin_cos();
        let (u, v) = ((dx * cos + dy * sin) / self.radii[0], (dy * cos - dx * sin) / self.radii[1]);
        (u.hypot(v), v.atan2(u))
    }

    fn grey(&self, x: f32, y: f32) -> f32 {
        let (r, direction) = self.polar(x, y);
        let turn = std::f32::consts::TAU;
        let open = self.gaps.iter().any(|&[middle, half]| {
            let apart = (direction - middle).rem_euclid(turn);
            apart.min(turn - apart) < half
        });
        match LAYERS.iter().position(|&layer| r < layer) {
            Some(0) => BRAIN,
            Some(1) if !open => self.bone,
            Some(_) => SCALP,
            None => self.air,
        }
    }

    /// The head on `width` x `height` px, with noise in the tissue.
    fn draw(&self, width: usize, height: usize, random: &mut Random) -> Plane {
        let mut plane = Plane::filled(width, height, 0.0);
        for (place, sample) in plane.samples.iter_mut().enumerate() {
            let grey = self.grey((place % width) as f32 + 0.5, (place / width) as f32 + 0.5);
            let is_tissue = grey == BRAIN || grey == SCALP;
            *sample = if is_tissue { grey + random.between(-0.06, 0.06) } else { grey };
        }
        plane
    }
}

/// The result of the steps that `preprocess` runs before the network, in coordinates of the original plane.
struct SearchRegion {
    crop: CropBox,
    cranium: Cranium,
}

impl SearchRegion {
    fn from_plane(plane: &Plane) -> Self {
        let mut plane = plane.clone();
        let whole = BoundingBox::whole(plane.width, plane.height);
        let picture = remove_surround(&mut plane, 0.15).unwrap_or(whole);
        let head = CropBox::head(&plane, picture, 0.15, 0.04);
        let crop = head.unwrap_or(CropBox::whole(&plane));
        let grid = crop.cut_and_resize(&plane, SIDE, SIDE).unwrap();
        Self { crop, cranium: find_cranium(&grid, 0.95, crop.visible_part(picture, SIDE)) }
    }

    /// Side of a grid cell in pixels of the plane.
    fn cell(&self) -> f32 {
        self.crop.side as f32 / SIDE as f32
    }

    /// Centres of the grid's cells that may be outlined, in pixels of the plane.
    fn allowed(&self) -> impl Iterator<Item = [f32; 2]> + '_ {
        let cells = self.cranium.within.pixels.iter().enumerate().filter(|(_, within)| **within);
        cells.map(|(cell, _)| {
            let place = |first: i64, cell: usize| first as f32 + (cell as f32 + 0.5) * self.cell();
            [place(self.crop.x, cell % SIDE), place(self.crop.y, cell / SIDE)]
        })
    }

    fn allows(&self, x: f32, y: f32) -> bool {
        let cell = |at: f32, first: i64| ((at - first as f32) / self.cell()).floor() as i64;
        let (x, y) = (cell(x, self.crop.x), cell(y, self.crop.y));
        let on = |at: i64| (0..SIDE as i64).contains(&at);
        on(x) && on(y) && self.cranium.within.pixels[y as usize * SIDE + x as usize]
    }
}

/// The part of a picture's brain, 0 to 1, that may be outlined; `shift` is the picture's position on the plane.
fn kept(region: &SearchRegion, head: &HeadPhantom, size: [usize; 2], shift: [usize; 2]) -> f64 {
    let (mut kept, mut all) = (0_u32, 0_u32);
    for y in (0..size[1]).step_by(2) {
        for x in (0..size[0]).step_by(2) {
            let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
            // Without the outermost pixel, which is blurred with the bone.
            if head.polar(x, y).0 < LAYERS[0] - 0.02 {
                all += 1;
                kept += u32::from(region.allows(x + shift[0] as f32, y + shift[1] as f32));
            }
        }
    }
    f64::from(kept) / f64::from(all.max(1))
}

/// No cell that may be outlined lies beyond the scalp or the picture by more than its own width.
fn assert_nothing_outside(
    region: &SearchRegion,
    head: &HeadPhantom,
    size: [usize; 2],
    shift: [usize; 2],
    case: &str,
) {
    let slack = 1.5 * region.cell();
    let scalp = LAYERS[2] + slack / head.radii[0].min(head.radii[1]);
    for [x, y] in region.allowed() {
        let (x, y) = (x - shift[0] as f32, y - shift[1] as f32);
        let on = |at: f32, length: usize| at > -slack && at < length as f32 + slack;
        assert!(on(x, size[0]) && on(y, size[1]), "{case}: {x}, {y} is beyond the picture");
        let (r, _) = head.polar(x, y);
        assert!(r <= scalp, "{case}: {x}, {y} lies at {r} of {scalp}");
    }
}

/// Copies a picture onto a plane at column `x` and row `y`.
fn paste(picture: &Plane, onto: &mut Plane, [x, y]: [usize; 2]) {
    for (row, samples) in picture.samples.chunks_exact(picture.width).enumerate() {
        let start = (y + row) * onto.width + x;
        onto.samples[start..start + samples.len()].copy_from_slice(samples);
    }
}

fn page(kind: usize, width: usize, height: usize) -> Plane {
    let mut page = Plane::filled(width, height, [0.0, 0.2, 0.5, 1.0, 0.0, 0.0][kind]);
    if kind >= 4 {
        for (place, sample) in page.samples.iter_mut().enumerate() {
            let across = (place % width) as f32 / width as f32;
            let down = (place / width) as f32 / height as f32;
            *sample = if kind == 4 { 0.2 + 0.7 * across } else { 0.9 - 0.6 * down };
        }
    }
    page
}

#[test]
fn scalp_and_holder_are_outside() {
    let head = HeadPhantom::upright(200);
    let mut plane = head.draw(200, 200, &mut Random(1));
    plane.samples[196 * 200..198 * 200].fill(1.0);
    let region = SearchRegion::from_plane(&plane);
    assert_eq!(region.cranium.skull, Skull::Closed);
    assert!(kept(&region, &head, [200; 2], [0; 2]) > 0.999);
    // Of the scalp, only pixels that are blurred with the bone may be outlined.
    for [x, y] in region.allowed() {
        assert!(head.polar(x, y).0 < 1.03, "{x}, {y}");
    }
}

#[test]
fn bone_that_is_not_white_is_found() {
    for bone in [0.93, 0.8, 0.7] {
        let head = HeadPhantom { bone, ..HeadPhantom::upright(200) };
        let region = SearchRegion::from_plane(&head.draw(200, 200, &mut Random(2)));
        assert_eq!(region.cranium.skull, Skull::Closed, "{bone}");
        assert!(kept(&region, &head, [200; 2], [0; 2]) > 0.99, "{bone}");
        assert_nothing_outside(&region, &head, [200; 2], [0; 2], "not white");
    }
}

#[test]
fn without_bone_nothing_is_inside() {
    let head = HeadPhantom { bone: BRAIN, ..HeadPhantom::upright(200) };
    let region = SearchRegion::from_plane(&head.draw(200, 200, &mut Random(3)));
    assert_eq!(region.cranium.skull, Skull::Missing);
    assert!(region.cranium.within.is_empty());
    for blank in [Plane::filled(7, 5, 0.0), Plane::filled(0, 0, 0.0)] {
        let whole = BoundingBox::whole(blank.width, blank.height);
        let expected =
            Cranium { within: Mask::empty(blank.width, blank.height), skull: Skull::Missing };
        assert_eq!(find_cranium(&blank, 0.95, whole), expected);
    }
}

/// A flap of 60 degrees, or sutures and fontanelles that leave plates of bone: more than 93 % of the brain is searched.
#[test]
fn gaps_in_bone_exclude_little_brain_and_include_no_air() {
    let cases = [
        vec![[0.3, 0.52]],
        vec![[2.0, 0.3]],
        vec![[0.0, 0.15], [1.6, 0.25], [3.1, 0.15], [4.7, 0.2]],
        vec![[0.5, 0.1], [1.2, 0.1], [2.5, 0.1], [3.6, 0.1], [5.0, 0.1], [5.8, 0.1]],
    ];
    for (number, gaps) in cases.into_iter().enumerate() {
        let head = HeadPhantom { gaps, angle: 0.2, ..HeadPhantom::upright(300) };
        let region = SearchRegion::from_plane(&head.draw(300, 300, &mut Random(4)));
        let kept = kept(&region, &head, [300; 2], [0; 2]);
        assert!(kept > 0.93, "case {number}: {kept} of the brain");
        assert_nothing_outside(&region, &head, [300; 2], [0; 2], "gaps");
    }
}

/// Pictures that are cut anywhere through the skull, on pages of any grey: no pixel beyond the scalp or the picture,
/// and on average more than 97 % of the visible brain.
#[test]
fn cut_and_pasted_heads_are_searched_inside_only() {
    let mut random = Random(5);
    let (mut sum, cases) = (0.0, 120);
    for case in 0..cases {
        let side = random.between(150.0, 420.0) as usize;
        let mut head =
            HeadPhantom { angle: random.between(-1.5, 1.5), ..HeadPhantom::upright(side) };
        for _ in 0..(random.next() * 3.0) as usize {
            head.gaps.push([random.between(0.0, 6.2), random.between(0.02, 0.2)]);
        }
        let whole = head.draw(side, side, &mut random);
        let mut cut = |length: usize| {
            let max_share = if random.next() < 0.5 { 0.0 } else { 0.32 };
            (length as f32 * random.between(0.0, max_share)) as usize
        };
        let (left, top) = (cut(side), cut(side));
        let size = [side - left - cut(side), side - top - cut(side)];
        let picture = CropBox { x: left as i64, y: top as i64, side }.cut(&whole);
        let rows = picture.samples.chunks_exact(side).take(size[1]);
        let samples = rows.flat_map(|row| &row[..size[0]]).copied().collect();
        let picture = Plane { width: size[0], height: size[1], samples };
        head.centre = [head.centre[0] - left as f32, head.centre[1] - top as f32];
        let mut pad = || (side as f32 * random.between(0.0, 0.3)) as usize;
        let (shift, more) = ([pad(), pad()], [pad(), pad()]);
        let mut plane = page(case % 6, shift[0] + size[0] + more[0], shift[1] + size[1] + more[1]);
        paste(&picture, &mut plane, shift);
        let region = SearchRegion::from_plane(&plane);
        let case = format!("case {case}: {head:?}, {size:?} at {shift:?}");
        assert_nothing_outside(&region, &head, size, shift, &case);
        let kept = kept(&region, &head, size, shift);
        assert!(kept > 0.6, "{case}: {kept} of the brain");
        sum += kept;
    }
    let mean = sum / f64::from(cases as u32);
    assert!(mean > 0.97, "{mean} of the brain");
}

/// Grey or white air that touches the scalp without a border.
#[test]
fn air_of_any_grey_is_outside() {
    for air in [0.05, 0.2, 0.3, 0.8, 1.0] {
        let head = HeadPhantom { air, gaps: vec![[1.0, 0.1]], ..HeadPhantom::upright(256) };
        let region = SearchRegion::from_plane(&head.draw(256, 256, &mut Random(6)));
        assert_nothing_outside(&region, &head, [256; 2], [0; 2], &format!("air of {air}"));
        let kept = kept(&region, &head, [256; 2], [0; 2]);
        assert!(kept > 0.99, "air of {air}: {kept} of the brain");
    }
}
