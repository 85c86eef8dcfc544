//! The picture for people: the slice with the hemorrhage tinted and outlined.

use crate::mask::Mask;
use crate::slice::Plane;
use image::{Rgb, RgbImage};

/// Share of the class colour inside the outline; low, so that anatomy stays visible.
const FILL: f32 = 0.3;

/// Draws `mask` over `display` (grey in [0, 1], the same size) in `color`.
pub fn draw_overlay(display: &Plane, mask: &Mask, color: Rgb<u8>) -> RgbImage {
    let (width, height) = (display.width, display.height);
    // Two loops, as the compiler turns the first into vectors.
    let greys: Vec<u8> = display.samples.iter().map(|&sample| nearest(grey(sample))).collect();
    let mut pixels = vec![0_u8; width * height * 3];
    for (pixel, grey) in pixels.as_chunks_mut::<3>().0.iter_mut().zip(greys) {
        *pixel = [grey; 3];
    }
    let inside = mask.pixels.iter().enumerate().filter(|(_, inside)| **inside);
    for (index, _) in inside {
        let share = if on_border(mask, index % width, index / width) { 1.0 } else { FILL };
        let under = grey(display.samples[index]) * (1.0 - share);
        let tinted = color.0.map(|c| nearest(under + f32::from(c) * share));
        pixels[index * 3..][..3].copy_from_slice(&tinted);
    }
    // The buffer has the size that the image asks for.
    RgbImage::from_raw(width as u32, height as u32, pixels).unwrap_or_default()
}

fn grey(sample: f32) -> f32 {
    sample.clamp(0.0, 1.0) * 255.0
}

/// `f32::round` of what a byte holds; that one is a call a pixel on processors without SSE 4.1.
fn nearest(value: f32) -> u8 {
    let whole = value as i32;
    (whole + i32::from(value - whole as f32 >= 0.5)) as u8
}

/// Whether a mask pixel touches the outside by one of its four sides.
fn on_border(mask: &Mask, x: usize, y: usize) -> bool {
    let inside =
        |x: usize, y: usize| x < mask.width && y < mask.height && mask.pixels[y * mask.width + x];
    // Below zero wraps to usize::MAX, which counts as outside.
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
    fn outline_is_solid_fill_is_tinted_rest_is_grey() {
        let mut mask = Mask::empty(5, 5);
        for y in 1..4 {
            for x in 1..4 {
                mask.pixels[y * 5 + x] = true;
            }
        }
        let drawn = draw_overlay(&Plane::filled(5, 5, 0.0), &mask, Rgb([200, 100, 0]));
        assert_eq!(drawn[(0, 0)], Rgb([0, 0, 0]));
        assert_eq!(drawn[(1, 2)], Rgb([200, 100, 0]));
        assert_eq!(drawn[(2, 2)], Rgb([60, 30, 0]));
    }

    #[test]
    fn nearest_is_what_round_gives() {
        let values = (0..=255 * 64).map(|n| n as f32 / 64.0);
        let beside = values.clone().flat_map(|v| [v.next_down().max(0.0), v.next_up().min(255.0)]);
        for value in values.chain(beside) {
            assert_eq!(nearest(value), value.round() as u8, "{value}");
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
