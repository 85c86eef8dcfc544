//! What bone encloses. A hemorrhage outside of it, on scalp or face, is no intracranial one.

use crate::components::label_components;
use crate::mask::Mask;
use crate::slice::Plane;

/// Of the eight directions of the compass, those in which a pixel within the skull meets bone; on the scalp
/// half of them do at most. Eight would lose what lies before a fissure or a burr hole, five would keep the
/// orbits. Before a gap wider than the bone is thick (a flap taken out) a wedge of brain is lost.
const ENCLOSED: u8 = 6;

/// Soft tissue is at least this bright, as a grey level in [0, 1].
const SOFT: f32 = 0.15;

/// A skull that holds less than this part of the soft tissue and bone is none: a head holder, a jaw.
const SMALLEST_SHARE: f64 = 0.2;

/// Bone and what it encloses; `None` where no skull is seen. Bone is the largest component (8-neighbourhood)
/// at or above the grey level `bone`.
pub(super) fn cranium(plane: &Plane, bone: f32) -> Option<Mask> {
    let wall = largest_part(plane, bone)?;
    let met = directions_met(&wall);
    let within = |(&wall, &met): (&bool, &u8)| wall || met >= ENCLOSED;
    let pixels: Vec<bool> = wall.pixels.iter().zip(&met).map(within).collect();
    let (mut kept, mut all) = (0_u64, 0_u64);
    for (&sample, &within) in plane.samples.iter().zip(&pixels) {
        all += u64::from(sample >= SOFT);
        kept += u64::from(sample >= SOFT && within);
    }
    let enough = kept as f64 >= SMALLEST_SHARE * all as f64;
    enough.then_some(Mask { pixels, ..wall })
}

/// The largest component at or above `threshold`.
fn largest_part(plane: &Plane, threshold: f32) -> Option<Mask> {
    let parts = label_components(&Mask::from_plane(plane, threshold));
    let mut wall = Mask::empty(plane.width, plane.height);
    for run in parts.runs(parts.found.first()?) {
        wall.pixels[run.row * plane.width..][run.start..run.end].fill(true);
    }
    Some(wall)
}

/// In how many of the eight directions of the compass each pixel meets the wall, itself included.
fn directions_met(wall: &Mask) -> Vec<u8> {
    let width = wall.width;
    let mut met = vec![0; wall.pixels.len()];
    for (row, met) in wall.pixels.chunks_exact(width).zip(met.chunks_exact_mut(width)) {
        let (Some(first), Some(last)) = (row.iter().position(|&w| w), row.iter().rposition(|&w| w))
        else {
            continue;
        };
        met[first..].iter_mut().for_each(|met| *met += 1);
        met[..=last].iter_mut().for_each(|met| *met += 1);
    }
    let mut down = Sweep::new(width);
    for (row, met) in wall.pixels.chunks_exact(width).zip(met.chunks_exact_mut(width)) {
        down.step(row, met);
    }
    let mut up = Sweep::new(width);
    for (row, met) in wall.pixels.chunks_exact(width).zip(met.chunks_exact_mut(width)).rev() {
        up.step(row, met);
    }
    met
}

/// What was met on the way to a row: straight, and from both sides at half a right angle.
struct Sweep {
    seen: [Vec<u8>; 3],
}

impl Sweep {
    fn new(width: usize) -> Self {
        Self { seen: std::array::from_fn(|_| vec![0; width]) }
    }

    /// Goes on by one row and adds what each of its pixels has met.
    fn step(&mut self, wall: &[bool], met: &mut [u8]) {
        let [_, left, right] = &mut self.seen;
        let last = wall.len() - 1;
        left.copy_within(..last, 1);
        left[0] = 0;
        right.copy_within(1.., 0);
        right[last] = 0;
        for seen in &mut self.seen {
            for ((seen, &wall), met) in seen.iter_mut().zip(wall).zip(&mut *met) {
                *seen |= u8::from(wall);
                *met += *seen;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ring of bone round soft tissue, a scalp round it, and a holder behind.
    fn head(side: usize, gap: bool) -> Plane {
        let mut plane = Plane::filled(side, side, 0.0);
        let (middle, radius) = (side as f32 / 2.0, side as f32 * 0.3);
        for y in 0..side {
            for x in 0..side {
                let (dx, dy) = (x as f32 + 0.5 - middle, y as f32 + 0.5 - middle);
                let r = dx.hypot(dy) / radius;
                let open = gap && dx < 0.0 && dy.abs() < radius * 0.08;
                let rings = [(0.9, 0.4), (1.0, if open { 0.4 } else { 1.0 }), (1.15, 0.5)];
                let grey = rings.iter().find(|ring| r < ring.0).map_or(0.0, |ring| ring.1);
                plane.samples[y * side + x] = grey;
            }
        }
        plane.samples[(side - 4) * side..(side - 2) * side].fill(1.0);
        plane
    }

    /// How many pixels of that grey level are within, and how many there are.
    fn within(plane: &Plane, grey: f32) -> [usize; 2] {
        let mask = cranium(plane, 0.95).expect("a skull");
        let is = |index: &usize| plane.samples[*index] == grey;
        let all: Vec<usize> = (0..plane.samples.len()).filter(is).collect();
        [all.iter().filter(|&&index| mask.pixels[index]).count(), all.len()]
    }

    #[test]
    fn scalp_and_holder_are_outside() {
        let head = head(200, false);
        assert_eq!(within(&head, 0.5)[0], 0, "scalp");
        let [brain, all] = within(&head, 0.4);
        assert_eq!(brain, all);
        // The holder is two rows of 200.
        let [bone, all] = within(&head, 1.0);
        assert_eq!(bone, all - 400);
    }

    #[test]
    fn a_narrow_gap_costs_nothing_within() {
        let head = head(200, true);
        let mask = cranium(&head, 0.95).expect("a skull");
        for (index, &within) in mask.pixels.iter().enumerate() {
            let (dx, dy) = ((index % 200) as f32 + 0.5 - 100.0, (index / 200) as f32 + 0.5 - 100.0);
            assert!(within || dx.hypot(dy) >= 54.0, "{dx} {dy}");
        }
        let [scalp, all] = within(&head, 0.5);
        assert!(scalp * 10 < all);
    }

    #[test]
    fn without_a_skull_there_is_no_inside() {
        let mut plane = head(200, false);
        for sample in &mut plane.samples[..196 * 200] {
            *sample = sample.min(0.6);
        }
        // Of the bright there is the holder alone.
        assert_eq!(cranium(&plane, 0.95), None);
        assert_eq!(cranium(&Plane::filled(7, 5, 0.0), 0.95), None);
        assert_eq!(cranium(&Plane::filled(0, 0, 0.0), 0.95), None);
    }

    #[test]
    fn directions_are_counted_as_one_would_walk_them() {
        let (width, height) = (13, 9);
        let pixels: Vec<bool> = (0..width * height).map(|i| i * 7919 % 11 == 0).collect();
        let met = directions_met(&Mask { width, height, pixels: pixels.clone() });
        for (index, &met) in met.iter().enumerate() {
            let walked = (-1..=1_i64)
                .flat_map(|dy| (-1..=1_i64).map(move |dx| (dx, dy)))
                .filter(|&step| step != (0, 0))
                .filter(|&(dx, dy)| {
                    let (mut x, mut y) = ((index % width) as i64, (index / width) as i64);
                    while (0..width as i64).contains(&x) && (0..height as i64).contains(&y) {
                        if pixels[y as usize * width + x as usize] {
                            return true;
                        }
                        (x, y) = (x + dx, y + dy);
                    }
                    false
                })
                .count();
            assert_eq!(usize::from(met), walked, "pixel {index}");
        }
    }
}
