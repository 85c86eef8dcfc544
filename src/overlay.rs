//! The picture for people: the slice with the hemorrhage tinted and outlined.

use crate::mask::Mask;
use crate::slice::Plane;
use image::{Rgb, RgbImage};

/// Share of the class colour inside the outline; low, so that anatomy stays visible.
const FILL: f32 = 0.3;

/// Draws `mask` over `display` (grey in [0, 1], the same size) in `color`.
pub fn draw_overlay(display: &Plane, mask: &Mask, color: Rgb<u8>) -> RgbImage {
    let (width, height) = (display.width, display.height);
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let (x, y) = (x as usize, y as usize);
        let grey = display.samples[y * width + x].clamp(0.0, 1.0) * 255.0;
        let share = match (mask.pixels[y * width + x], on_border(mask, x, y)) {
            (false, _) => 0.0,
            (true, false) => FILL,
            (true, true) => 1.0,
        };
        Rgb(color.0.map(|c| (grey * (1.0 - share) + f32::from(c) * share).round() as u8))
    })
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
    fn colors_are_six_hex_digits() {
        assert_eq!(parse_color("#E69F00"), Some(Rgb([230, 159, 0])));
        for bad in ["E69F00", "#E69F0", "#GG0000", ""] {
            assert_eq!(parse_color(bad), None, "{bad}");
        }
    }
}
