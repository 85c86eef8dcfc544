//! Up to 12 slices of a series on one picture.

use crate::segmenter::{Analysis, Segmenter};
use image::imageops::{FilterType, overlay, resize};
use image::{Rgb, RgbImage};

/// Side of one tile, px.
const TILE: u32 = 256;
/// Border round each tile, px; coloured round the key slice.
const BORDER: u32 = 2;
/// Tiles per row.
const COLUMNS: u32 = 4;
/// Largest number of tiles.
const TILES: usize = 12;

/// Draws the overlays of up to 12 slices, in the order of the series, as tiles of 256 x 256 px in rows of 4.
///
/// The slices are taken at even intervals from those with lesions, or from all slices where there is no lesion. The
/// key slice is among them, with a border in the colour of the class.
pub fn draw_montage(model: &Segmenter, analysis: &Analysis) -> RgbImage {
    let indices = choose_slices(analysis);
    let step = TILE + 2 * BORDER;
    let count = indices.len() as u32;
    let (columns, rows) = (count.clamp(1, COLUMNS), count.div_ceil(COLUMNS).max(1));
    let mut picture = RgbImage::new(columns * step, rows * step);
    for (place, &index) in (0..).zip(&indices) {
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

/// Indices of the slices to draw, ascending, the key slice among them.
fn choose_slices(analysis: &Analysis) -> Vec<usize> {
    let all = 0..analysis.slices.len();
    let mut candidates: Vec<usize> =
        all.clone().filter(|&i| !analysis.slices[i].lesions.is_empty()).collect();
    if candidates.is_empty() {
        candidates = all.collect();
    }
    choose_evenly(&candidates, analysis.key_slice)
}

/// At most [`TILES`] of `candidates`, evenly, with `key` in place of its nearest neighbour.
fn choose_evenly(candidates: &[usize], key: usize) -> Vec<usize> {
    let count = candidates.len().min(TILES);
    let mut chosen: Vec<usize> =
        (0..count).map(|i| candidates[i * (candidates.len() - 1) / (count - 1).max(1)]).collect();
    if !chosen.contains(&key)
        && let Some(nearest) = chosen.iter_mut().min_by_key(|index| index.abs_diff(key))
    {
        *nearest = key;
    }
    chosen
}

/// Scales the picture to fit a tile, on black.
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
    fn at_most_twelve_slices_are_chosen_in_order_with_the_key_slice() {
        let all: Vec<usize> = (0..100).collect();
        for key in [0, 1, 5, 50, 98, 99] {
            let chosen = choose_evenly(&all, key);
            assert_eq!(chosen.len(), 12);
            assert!(chosen.contains(&key) && chosen.is_sorted(), "{chosen:?}");
        }
        assert_eq!(choose_evenly(&[7, 9], 9), [7, 9]);
        assert_eq!(choose_evenly(&[3], 3), [3]);
    }

    #[test]
    fn a_tile_keeps_the_proportions_of_its_slice() {
        let drawn = tile(&RgbImage::from_pixel(100, 50, Rgb([255; 3])));
        assert_eq!(drawn.dimensions(), (256, 256));
        assert_eq!((drawn[(128, 10)].0[0], drawn[(128, 128)].0[0]), (0, 255));
    }
}
