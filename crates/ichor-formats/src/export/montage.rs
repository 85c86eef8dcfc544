//! The key slices of a series on one picture.

use crate::segmenter::{Analysis, Segmenter};
use image::imageops::{FilterType, overlay, resize};
use image::{Rgb, RgbImage};

/// Side of one tile, px.
const TILE: u32 = 256;
/// Border round each tile, px; coloured round the key slice.
const BORDER: u32 = 2;
/// Tiles a row.
const COLUMNS: u32 = 4;
/// Most tiles.
const TILES: usize = 12;

/// Overlays of up to 12 slices, in the order of the series, the key slice framed in the colour
/// of the class: slices with lesions, thinned out evenly; without any, the whole series is.
pub fn montage(model: &Segmenter, analysis: &Analysis) -> RgbImage {
    let shown = choose(analysis);
    let step = TILE + 2 * BORDER;
    let count = shown.len() as u32;
    let (columns, rows) = (count.clamp(1, COLUMNS), count.div_ceil(COLUMNS).max(1));
    let mut picture = RgbImage::new(columns * step, rows * step);
    for (place, &index) in (0..).zip(&shown) {
        let (x, y) = (place % COLUMNS * step, place / COLUMNS * step);
        if index == analysis.key_slice {
            let frame = RgbImage::from_pixel(step, step, model.color());
            overlay(&mut picture, &frame, x.into(), y.into());
        }
        let tile = tile(&model.overlay_of(analysis, index).into_rgb8());
        overlay(&mut picture, &tile, (x + BORDER).into(), (y + BORDER).into());
    }
    picture
}

/// Indices of the slices shown, ascending, the key slice among them.
fn choose(analysis: &Analysis) -> Vec<usize> {
    let all = 0..analysis.slices.len();
    let mut wanted: Vec<usize> =
        all.clone().filter(|&i| !analysis.slices[i].lesions.is_empty()).collect();
    if wanted.is_empty() {
        wanted = all.collect();
    }
    thin(&wanted, analysis.key_slice)
}

/// At most [`TILES`] of `wanted`, evenly, with `key` in place of its nearest neighbour.
fn thin(wanted: &[usize], key: usize) -> Vec<usize> {
    let count = wanted.len().min(TILES);
    let mut chosen: Vec<usize> =
        (0..count).map(|i| wanted[i * (wanted.len() - 1) / (count - 1).max(1)]).collect();
    if !chosen.contains(&key)
        && let Some(nearest) = chosen.iter_mut().min_by_key(|index| index.abs_diff(key))
    {
        *nearest = key;
    }
    chosen
}

/// The picture scaled to fit a tile, on black.
fn tile(picture: &RgbImage) -> RgbImage {
    let longest = picture.width().max(picture.height()).max(1);
    let fit = |side: u32| (side * TILE / longest).max(1);
    let (width, height) = (fit(picture.width()), fit(picture.height()));
    let scaled = resize(picture, width, height, FilterType::Triangle);
    let mut tile = RgbImage::from_pixel(TILE, TILE, Rgb([0; 3]));
    overlay(&mut tile, &scaled, ((TILE - width) / 2).into(), ((TILE - height) / 2).into());
    tile
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_twelve_slices_with_the_key_among_them_in_order() {
        let all: Vec<usize> = (0..100).collect();
        for key in [0, 1, 5, 50, 98, 99] {
            let chosen = thin(&all, key);
            assert_eq!(chosen.len(), 12);
            assert!(chosen.contains(&key) && chosen.is_sorted(), "{chosen:?}");
        }
        assert_eq!(thin(&[7, 9], 9), [7, 9]);
        assert_eq!(thin(&[3], 3), [3]);
    }

    #[test]
    fn a_tile_keeps_proportions() {
        let drawn = tile(&RgbImage::from_pixel(100, 50, Rgb([255; 3])));
        assert_eq!(drawn.dimensions(), (256, 256));
        assert_eq!((drawn[(128, 10)].0[0], drawn[(128, 128)].0[0]), (0, 255));
    }
}
