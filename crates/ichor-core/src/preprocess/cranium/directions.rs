//! The number of compass directions in which bone lies from each pixel.

use crate::mask::Mask;

/// For each pixel, the number of the eight compass directions in which the wall lies. A pixel of the wall counts all.
pub(super) fn directions_met(wall: &Mask) -> Vec<u8> {
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

/// A sweep over the rows in one direction: for each column of the current row, whether the wall was met straight
/// along the column and along both diagonals.
struct Sweep {
    is_met: [Vec<u8>; 3],
}

impl Sweep {
    fn new(width: usize) -> Self {
        Self { is_met: std::array::from_fn(|_| vec![0; width]) }
    }

    /// Advances to the next row, `wall`, and adds to `met` the directions in which each of its pixels met the wall.
    fn step(&mut self, wall: &[bool], met: &mut [u8]) {
        let [_, left, right] = &mut self.is_met;
        let last = wall.len() - 1;
        left.copy_within(..last, 1);
        left[0] = 0;
        right.copy_within(1.., 0);
        right[last] = 0;
        for direction in &mut self.is_met {
            for ((is_met, &wall), met) in direction.iter_mut().zip(wall).zip(&mut *met) {
                *is_met |= u8::from(wall);
                *met += *is_met;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sweep_counts_the_directions_that_a_walk_from_each_pixel_counts() {
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
