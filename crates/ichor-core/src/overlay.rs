//! The overlay: the slice as a picture, with the hemorrhage tinted and outlined.

use crate::components::runs;
use crate::mask::Mask;
use image::{DynamicImage, GrayImage, Rgb, RgbImage};

/// Share of the class colour inside the outline, low enough to leave anatomy visible.
const FILL: f32 = 0.3;

/// Draws `mask` in `color` over `picture`: one grey byte per pixel, row-major, of the mask's size. For an empty mask
/// the result is a grey image, which takes a third of the bytes.
pub fn draw_overlay(picture: Vec<u8>, mask: &Mask, color: Rgb<u8>) -> DynamicImage {
    let (width, height) = (mask.width as u32, mask.height as u32);
    // The buffers have the size of the images, so that `from_raw` cannot fail.
    if mask.is_empty() {
        return GrayImage::from_raw(width, height, picture).unwrap_or_default().into();
    }
    let mut pixels = vec![0_u8; picture.len() * 3];
    for (pixel, &grey) in pixels.as_chunks_mut::<3>().0.iter_mut().zip(&picture) {
        *pixel = [grey; 3];
    }
    for run in runs(mask) {
        for x in run.start..run.end {
            let index = run.row * mask.width + x;
            let share = if on_border(mask, x, run.row) { 1.0 } else { FILL };
            let under = f32::from(picture[index]) * (1.0 - share);
            let tinted = color.0.map(|c| round_to_byte(under + f32::from(c) * share));
            pixels[index * 3..][..3].copy_from_slice(&tinted);
        }
    }
    RgbImage::from_raw(width, height, pixels).unwrap_or_default().into()
}

/// The byte, 0 (black) to 255 (white), nearest to a sample from 0 to 1. Samples beyond are clamped.
#[inline]
pub fn grey(sample: f32) -> u8 {
    round_to_byte(sample.clamp(0.0, 1.0) * 255.0)
}

/// `f32::round` for values from 0 to 255. `f32::round` is a function call per pixel on x86-64 without SSE 4.1.
#[inline]
fn round_to_byte(value: f32) -> u8 {
    let whole = value as i32;
    (whole + i32::from(value - whole as f32 >= 0.5)) as u8
}

/// Whether one of the four neighbours of a mask pixel lies outside of the mask.
fn on_border(mask: &Mask, x: usize, y: usize) -> bool {
    let inside =
        |x: usize, y: usize| x < mask.width && y < mask.height && mask.pixels[y * mask.width + x];
    // -1 wraps to `usize::MAX`, which lies outside.
    !(inside(x.wrapping_sub(1), y)
        && inside(x + 1, y)
        && inside(x, y.wrapping_sub(1))
        && inside(x, y + 1))
}

/// Parses `#RRGGBB`; `None` for anything else.
pub fn parse_color(text: &str) -> Option<Rgb<u8>> {
    let digits = text.strip_prefix('#').filter(|d| d.len() == 6)?;
    let value = u32::from_str_radix(digits, 16).ok()?;
    let [_, r, g, b] = value.to_be_bytes();
    Some(Rgb([r, g, b]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_is_solid_the_inside_tinted_and_the_rest_grey() {
        let mut mask = Mask::empty(5, 5);
        for y in 1..4 {
            for x in 1..4 {
                mask.pixels[y * 5 + x] = true;
            }
        }
        let drawn = draw_overlay(vec![0; 25], &mask, Rgb([200, 100, 0])).into_rgb8();
        assert_eq!(drawn[(0, 0)], Rgb([0, 0, 0]));
        assert_eq!(drawn[(1, 2)], Rgb([200, 100, 0]));
        assert_eq!(drawn[(2, 2)], Rgb([60, 30, 0]));
    }

    #[test]
    fn the_overlay_of_an_empty_mask_is_the_grey_picture() {
        let drawn = draw_overlay((0..20).collect(), &Mask::empty(5, 4), Rgb([200, 100, 0]));
        assert_eq!(drawn, GrayImage::from_fn(5, 4, |x, y| image::Luma([(y * 5 + x) as u8])).into());
    }

    #[test]
    fn round_to_byte_equals_round() {
        let values = (0..=255 * 64).map(|n| n as f32 / 64.0);
        let beside = values.clone().flat_map(|v| [v.next_down().max(0.0), v.next_up().min(255.0)]);
        for value in values.chain(beside) {
            assert_eq!(round_to_byte(value), value.round() as u8, "{value}");
        }
    }

    #[test]
    fn colors_are_six_hex_digits() {
        assert_eq!(parse_color("#E69F00"), Some(Rgb([230, 159, 0])));
        for bad in ["E69F00", "#E69F0", "#GG0000", ""] {
            assert_eq!(parse_color(bad), None, "{bad}");
        }
    }
}
