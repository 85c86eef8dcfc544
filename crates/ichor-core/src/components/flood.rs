//! What can be reached from seeds without leaving a mask (4-neighbourhood).

use crate::mask::Mask;

/// The pixels of `open` that are connected to a seed; seeds outside of it count for nothing.
pub fn flood(open: &Mask, seeds: impl Iterator<Item = usize>) -> Mask {
    let width = open.width;
    let mut reached = Mask::empty(width, open.height);
    let mut waiting = Vec::with_capacity(4 * (width + open.height));
    for seed in seeds {
        waiting.push(seed);
        while let Some(place) = waiting.pop() {
            if !open.pixels[place] || reached.pixels[place] {
                continue;
            }
            let row = place - place % width;
            let line = &open.pixels[row..row + width];
            let column = place - row;
            let start =
                line[..column].iter().rposition(|&open| !open).map_or(0, |closed| closed + 1);
            let end = line[column..].iter().position(|&open| !open).map_or(width, |n| column + n);
            reached.pixels[row + start..row + end].fill(true);
            let above = row.checked_sub(width);
            let below = Some(row + width).filter(|&row| row < open.pixels.len());
            for next in [above, below].into_iter().flatten() {
                // One place of each run that touches this one.
                let mut joined = false;
                for place in next + start..next + end {
                    let wanted = open.pixels[place] && !reached.pixels[place];
                    if wanted && !joined {
                        waiting.push(place);
                    }
                    joined = wanted;
                }
            }
        }
    }
    reached
}

/// Places on the rim of a mask of `width` x `height`.
pub fn rim(width: usize, height: usize) -> impl Iterator<Item = usize> {
    let last = width * height.saturating_sub(1);
    let rows = (0..width).flat_map(move |x| [x, last + x]);
    let columns = (0..height).flat_map(move |y| [y * width, (y + 1) * width - 1]);
    rows.chain(columns).filter(move |_| width > 0 && height > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corner_is_no_passage() {
        let picture = ["..#....", ".#.#.#.", "..#..#.", ".....#.", ".######", "......."];
        let pixels: Vec<bool> = picture.concat().chars().map(|c| c == '.').collect();
        let open = Mask { width: 7, height: 6, pixels };
        let reached = flood(&open, [0].into_iter());
        let expected = ["..#....", ".#.#.#.", "..#..#.", ".....#.", ".######", "......."];
        for (place, c) in expected.concat().chars().enumerate() {
            // The middle of the diamond is enclosed.
            let inside = place == 9;
            assert_eq!(reached.pixels[place], c == '.' && !inside, "{place}");
        }
        assert!(flood(&open, [2].into_iter()).is_empty(), "a seed outside of the mask");
        assert!(flood(&Mask::empty(0, 0), rim(0, 0)).is_empty());
    }

    #[test]
    fn the_rim_is_every_place_on_it() {
        for (width, height) in [(1, 1), (5, 1), (1, 4), (4, 3)] {
            let mut places: Vec<usize> = rim(width, height).collect();
            places.sort_unstable();
            places.dedup();
            let on_rim = |p: &usize| {
                let (x, y) = (p % width, p / width);
                x == 0 || y == 0 || x + 1 == width || y + 1 == height
            };
            assert_eq!(places, (0..width * height).filter(on_rim).collect::<Vec<_>>());
        }
    }
}
