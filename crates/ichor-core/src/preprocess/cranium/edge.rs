//! The edge of the picture as part of the wall, where it cuts the skull.

use crate::components::BoundingBox;
use crate::mask::Mask;

/// Depth of the strip along the edge in which bone and tissue are looked up, px. Resizing blurs the outermost pixels.
const DEPTH: usize = 3;

/// Thickness of the wall that replaces the missing bone, px. A diagonal would pass through a single pixel.
const THICKNESS: usize = 2;

/// Smallest percentage of tissue on a stretch of the edge between bone and bone that shows the inside of the skull. A
/// stretch around a corner outside of the skull shows air.
const MIN_TISSUE_PERCENT: usize = 90;

/// Smallest side of a picture whose edge is examined, px.
const MIN_SIDE: usize = 8;

/// Adds to `wall` the stretches of the picture's edge that run from bone to bone through tissue.
pub(super) fn add_cut_edges(wall: &mut Mask, head: &Mask, picture: BoundingBox) {
    let (width, height) = (wall.width, wall.height);
    let (left, top) = (picture.x.min(width), picture.y.min(height));
    let right = (picture.x + picture.width).min(width);
    let low = (picture.y + picture.height).min(height);
    if right < left + MIN_SIDE || low < top + MIN_SIDE {
        return;
    }
    let (right, low) = (right - 1, low - 1);
    // The places of the edge, clockwise from the upper left corner.
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
        if tissue * 100 >= MIN_TISSUE_PERCENT * stretch.len() {
            for &place in &stretch {
                (0..THICKNESS).for_each(|depth| wall.pixels[inward(place, depth)] = true);
            }
        }
        stretch.clear();
    }
}
