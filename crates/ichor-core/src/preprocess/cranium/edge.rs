//! Where the edge of the picture cuts the skull, the picture ends where bone would go on.

use crate::components::BoundingBox;
use crate::mask::Mask;

/// So far from the edge bone and tissue are looked for, px: the outermost pixels are blurred by resizing.
const DEPTH: usize = 3;

/// So wide is the wall that stands in for bone, px; one would let a diagonal through.
const THICKNESS: usize = 2;

/// Of a stretch of the edge between bone and bone, so many in a hundred are tissue where it shows the inside of the
/// skull; a corner outside of it shows air.
const MIN_TISSUE: usize = 90;

/// Smaller pictures have no edge to speak of, px.
const MIN_SIDE: usize = 8;

/// Adds to `wall` the stretches of the picture's edge that lie between bone and bone and show no air.
pub(super) fn add_cut_edges(wall: &mut Mask, head: &Mask, picture: BoundingBox) {
    let (width, height) = (wall.width, wall.height);
    let (left, top) = (picture.x.min(width), picture.y.min(height));
    let right = (picture.x + picture.width).min(width);
    let low = (picture.y + picture.height).min(height);
    if right < left + MIN_SIDE || low < top + MIN_SIDE {
        return;
    }
    let (right, low) = (right - 1, low - 1);
    // Once round, and at each place a step inward.
    let places: Vec<(usize, usize)> = (left..right)
        .map(|x| (x, top))
        .chain((top..low).map(|y| (right, y)))
        .chain((left + 1..=right).rev().map(|x| (x, low)))
        .chain((top + 1..=low).rev().map(|y| (left, y)))
        .collect();
    let inward = |(x, y): (usize, usize), depth: usize| {
        let x = x.clamp(left + depth, right - depth);
        let y = y.clamp(top + depth, low - depth);
        y * width + x
    };
    let any = |mask: &Mask, place| (0..DEPTH).any(|depth| mask.pixels[inward(place, depth)]);
    let bone: Vec<bool> = places.iter().map(|&place| any(wall, place)).collect();
    let Some(first) = bone.iter().position(|&bone| bone) else {
        return;
    };
    let mut stretch: Vec<(usize, usize)> = Vec::with_capacity(places.len());
    for step in 1..=places.len() {
        let at = (first + step) % places.len();
        if !bone[at] {
            stretch.push(places[at]);
            continue;
        }
        let tissue = stretch.iter().filter(|&&place| any(head, place)).count();
        if tissue * 100 >= MIN_TISSUE * stretch.len() {
            for &place in &stretch {
                (0..THICKNESS).for_each(|depth| wall.pixels[inward(place, depth)] = true);
            }
        }
        stretch.clear();
    }
}
