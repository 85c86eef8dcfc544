//! Converts decoded pictures to grey from 0 to 1.

use crate::slice::{CtSlice, Plane, Scale, StoredPlane, Warning};
use image::DynamicImage;

/// Code of the warning that a 16-bit picture was stretched to its range.
const SIXTEEN_BIT: &str = "sixteen_bit";

/// Converts a picture to grey: colour by its luma, transparency on black.
pub(super) fn to_grey(image: DynamicImage, warnings: &mut Vec<Warning>) -> StoredPlane {
    use DynamicImage as D;
    let (width, height) = (image.width() as usize, image.height() as usize);
    match image {
        D::ImageLuma8(grey) => {
            let scale = Scale { slope: 1.0 / 255.0, ..Scale::GREY };
            StoredPlane::bytes(width, height, grey.into_raw(), scale)
        }
        D::ImageLuma16(_) | D::ImageLumaA16(_) | D::ImageRgb16(_) | D::ImageRgba16(_) => {
            let deep = image.into_luma16().into_raw();
            let scale = stretch(&deep, warnings);
            StoredPlane::steps(width, height, deep, scale)
        }
        _ => {
            let rgba = image.into_rgba32f();
            let luma = |p: &image::Rgba<f32>| {
                let [r, g, b, a] = p.0;
                // ITU-R BT.709 luma, as `image` uses for its grey conversions.
                a * (0.2126 * r + 0.7152 * g + 0.0722 * b)
            };
            warnings.extend(colour_warning(&rgba));
            let samples = rgba.pixels().map(luma).collect();
            StoredPlane::grey(&Plane { width, height, samples })
        }
    }
}

/// Maximum share of coloured pixels, among those that are not black, in a grey picture with annotations. Above it the
/// picture is a colour map or a photograph.
const MAX_COLOUR_SHARE: f32 = 0.25;

/// The warning about colours in a picture, if there are any.
fn colour_warning(rgba: &image::Rgba32FImage) -> Option<Warning> {
    let is_coloured = |[r, g, b]: [f32; 3]| (r - g).abs() > 0.1 || (g - b).abs() > 0.1;
    let (mut coloured, mut shown, mut lit) = (0_u32, 0_u32, 0_u32);
    for &image::Rgba([r, g, b, alpha]) in rgba.pixels() {
        // Transparent colour is not visible on black.
        let on_black = [r, g, b].map(|value| value * alpha);
        coloured += u32::from(is_coloured([r, g, b]));
        shown += u32::from(is_coloured(on_black));
        lit += u32::from(on_black.iter().any(|&value| value > 0.1));
    }
    if shown as f32 > MAX_COLOUR_SHARE * lit as f32 {
        return Some(Warning::unreadable(
            "colour_map",
            "The picture is in colour: a colour map or a photograph, whose colours say nothing certain of Hounsfield \
             units. Export the slice in grey, in a brain window (level 40, width 80 to 120).",
        ));
    }
    (coloured > 0).then(|| {
        Warning::new(
            "colour_image",
            "The picture has colours; annotations drawn on it can be taken for anatomy.",
        )
    })
}

/// The scale that maps the darkest sample of a 16-bit picture to 0 and the brightest to 1. Such pictures rarely use the
/// full range, and the file does not specify black and white.
fn stretch(samples: &[u16], warnings: &mut Vec<Warning>) -> Scale {
    warnings.push(Warning::new(
        SIXTEEN_BIT,
        "A 16-bit picture without a window was stretched to its own range; export it \
         brain-windowed for a result like the published figures.",
    ));
    let low = samples.iter().copied().min().unwrap_or(0);
    let high = samples.iter().copied().max().unwrap_or(0);
    scale_between(low.into(), high.into())
}

/// The scale that maps `low` to 0 and `high` to 1.
fn scale_between(low: i32, high: i32) -> Scale {
    Scale { first: -low, slope: 1.0 / f64::from(high - low).max(1.0), intercept: 0.0 }
}

/// Gives all stretched pictures of a file the same scale, so that equal samples in two slices have equal grey values.
pub(super) fn share_stretch(slices: &mut [CtSlice]) {
    let is_stretched = |slice: &CtSlice| slice.warnings.iter().any(|w| w.code == SIXTEEN_BIT);
    let ends = |slice: &CtSlice| {
        let scale = slice.plane.scale()?;
        Some([-scale.first, (1.0 / scale.slope).round() as i32 - scale.first])
    };
    if slices.len() < 2 || !slices.iter().all(is_stretched) {
        return;
    }
    let all: Vec<[i32; 2]> = slices.iter().filter_map(ends).collect();
    let low = all.iter().map(|ends| ends[0]).min().unwrap_or(0);
    let high = all.iter().map(|ends| ends[1]).max().unwrap_or(0);
    slices.iter_mut().for_each(|slice| slice.plane.set_scale(scale_between(low, high)));
}
