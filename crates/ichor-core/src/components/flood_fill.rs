//! Flood fill within a mask, where pixels that share an edge are connected (4-neighbourhood).

use crate::mask::Mask;

/// The pixels of `open` that are connected to a seed. Seeds are row-major indices; those outside of `open` are ignored.
///
/// # Panics
/// For a seed beyond the last pixel.
pub fn flood_fill(open: &Mask, seeds: impl Iterator<Item = usize>) -> Mask {
    const OPEN: u8 = 1;
    const REACHED: u8 = 2;
    let mut cells: Vec<u8> = open.pixels.iter().map(|&open| u8::from(open) * OPEN).collect();
    replace_connected(&mut cells, open.width, seeds, OPEN, REACHED);
    // Collected in place: a byte becomes a truth value.
    let pixels = cells.into_iter().map(|cell| cell == REACHED).collect();
    Mask { width: open.width, height: open.height, pixels }
}

/// Replaces `open` by `reached` in the cells of a grid of `width` columns that are connected to a seed through cells of the
/// value `open`. Seeds are row-major indices; those of other cells are ignored.
///
/// # Panics
/// For a seed beyond the last cell.
pub fn replace_connected<T: Copy + PartialEq>(
    cells: &mut [T],
    width: usize,
    seeds: impl Iterator<Item = usize>,
    open: T,
    reached: T,
) {
    let mut waiting = Vec::with_capacity(width);
    for seed in seeds {
        waiting.push(seed);
        while let Some(place) = waiting.pop() {
            if cells[place] != open {
                continue;
            }
            let row = place - place % width;
            let line = &mut cells[row..row + width];
            let column = place - row;
            let is_closed = |cell: &T| *cell != open;
            let start = line[..column].iter().rposition(is_closed).map_or(0, |closed| closed + 1);
            let end = line[column..].iter().position(is_closed).map_or(width, |n| column + n);
            line[start..end].fill(reached);
            let above = row.checked_sub(width);
            let below = Some(row + width).filter(|&row| row < cells.len());
            for next in [above, below].into_iter().flatten() {
                // One cell per adjacent run continues the fill.
                let mut joined = false;
                for (column, cell) in cells[next + start..next + end].iter().enumerate() {
                    let wanted = *cell == open;
                    if wanted && !joined {
                        waiting.push(next + start + column);
                    }
                    joined = wanted;
                }
            }
        }
    }
}

/// Row-major indices of the border pixels of an image of `width` x `height` px; corners occur twice.
pub fn border_pixels(width: usize, height: usize) -> impl Iterator<Item = usize> {
    let last = width * height.saturating_sub(1);
    let rows = (0..width).flat_map(move |x| [x, last + x]);
    let columns = (0..height).flat_map(move |y| [y * width, (y + 1) * width - 1]);
    rows.chain(columns).filter(move |_| width > 0 && height > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_that_share_only_a_corner_are_not_connected() {
        let picture = ["..#....", ".#.#.#.", "..#..#.", ".....#.", ".######", "......."];
        let pixels: Vec<bool> = picture.concat().chars().map(|c| c == '.').collect();
        let open = Mask { width: 7, height: 6, pixels };
        let reached = flood_fill(&open, [0].into_iter());
        let expected = ["..#....", ".#.#.#.", "..#..#.", ".....#.", ".######", "......."];
        for (place, c) in expected.concat().chars().enumerate() {
            // The middle of the diamond is enclosed.
            let inside = place == 9;
            assert_eq!(reached.pixels[place], c == '.' && !inside, "{place}");
        }
        assert!(flood_fill(&open, [2].into_iter()).is_empty(), "a seed outside of the mask");
        assert!(flood_fill(&Mask::empty(0, 0), border_pixels(0, 0)).is_empty());
    }

    #[test]
    fn border_pixels_are_all_on_the_border() {
        for (width, height) in [(1, 1), (5, 1), (1, 4), (4, 3)] {
            let mut places: Vec<usize> = border_pixels(width, height).collect();
            places.sort_unstable();
            places.dedup();
            let on_border = |p: &usize| {
                let (x, y) = (p % width, p / width);
                x == 0 || y == 0 || x + 1 == width || y + 1 == height
            };
            assert_eq!(places, (0..width * height).filter(on_border).collect::<Vec<_>>());
        }
    }
}
