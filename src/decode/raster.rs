//! PNG, JPEG, TIFF, WebP and BMP: display images without Hounsfield units.

use super::source::{self, Source};
use super::{Limits, MEDIA_TYPES};
use crate::error::{Error, Result};
use crate::slice::{CtSlice, Intensity, Plane, Scale, StoredPlane, Warning};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use std::io::Cursor;
use std::path::Path;

pub(super) fn decode(source: &mut dyn Source, limits: &Limits) -> Result<CtSlice> {
    if let Some(bytes) = source.bytes() {
        return decode_bytes(bytes, limits);
    }
    // No format stores a picture in much more than it decodes to.
    let most = limits.max_decoded_bytes;
    let bytes = source::head(source, most + 1)?;
    if bytes.len() as u64 > most {
        return Err(Error::TooLarge {
            what: "The size of a picture in bytes",
            limit: most,
            remedy: SHRINK,
        });
    }
    decode_bytes(&bytes, limits)
}

fn decode_bytes(bytes: &[u8], limits: &Limits) -> Result<CtSlice> {
    let format = sniff(bytes)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut allowed = image::Limits::default();
    allowed.max_alloc = Some(limits.max_decoded_bytes);
    reader.limits(allowed);
    // Some decoders already refuse while they read the header.
    let refused = |error| match error {
        image::ImageError::Limits(_) => too_large_to_decode(limits),
        other => undecodable(other),
    };
    let mut decoder = reader.into_decoder().map_err(refused)?;
    check_size(&decoder, limits)?;

    let mut warnings = vec![Warning::new(
        "display_image",
        "The file carries no Hounsfield units; it is read as a brain-windowed picture.",
    )];
    if is_animated(bytes, format) {
        warnings.push(Warning::new(
            "first_frame_only",
            "The file is animated; only its first frame was read.",
        ));
    }
    let orientation = decoder.orientation().map_err(undecodable)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(refused)?;
    image.apply_orientation(orientation);
    let plane = to_grey(image, &mut warnings);
    Ok(CtSlice { warnings, ..CtSlice::bare(plane, Intensity::Display) })
}

/// Whether the bytes begin like an image of a format that is read here.
pub(super) fn is_image(bytes: &[u8]) -> bool {
    sniff(bytes).is_ok()
}

/// Columns and rows of a picture by its header; `None` where it has none that can be read.
pub fn picture_size(path: &Path) -> Option<[u32; 2]> {
    let reader = ImageReader::open(path).ok()?.with_guessed_format().ok()?;
    reader.into_dimensions().ok().map(|(width, height)| [width, height])
}

fn sniff(bytes: &[u8]) -> Result<ImageFormat> {
    use ImageFormat::{Bmp, Jpeg, Png, Tiff, WebP};
    match image::guess_format(bytes) {
        Ok(format @ (Bmp | Jpeg | Png | Tiff | WebP)) => Ok(format),
        _ => Err(Error::UnsupportedType(format!(
            "The bytes are not an image that is read here. Send one of: {}.",
            MEDIA_TYPES.join(", ")
        ))),
    }
}

const SHRINK: &str = "Resample the slice; CT slices are 512 px a side.";

fn too_large_to_decode(limits: &Limits) -> Error {
    Error::TooLarge {
        what: "The decoded size in bytes",
        limit: limits.max_decoded_bytes,
        remedy: SHRINK,
    }
}

fn check_size(decoder: &impl ImageDecoder, limits: &Limits) -> Result<()> {
    let (width, height) = decoder.dimensions();
    let too_large = |what, actual: u64, limit: u64, remedy| {
        if actual > limit { Err(Error::TooLarge { what, limit, remedy }) } else { Ok(()) }
    };
    too_large(
        "The longest side in px",
        width.max(height).into(),
        limits.max_side_px.into(),
        SHRINK,
    )?;
    // The grey f32 plane that follows takes 4 bytes a pixel as well.
    let decoded = decoder.total_bytes().max(u64::from(width) * u64::from(height) * 4);
    too_large("The decoded size in bytes", decoded, limits.max_decoded_bytes, SHRINK)?;
    if width.min(height) < limits.min_side_px {
        return Err(Error::Unprocessable(format!(
            "The image is {width} x {height} px; a slice needs at least {} px a side. \
             Send the whole slice.",
            limits.min_side_px
        )));
    }
    Ok(())
}

fn is_animated(bytes: &[u8], format: ImageFormat) -> bool {
    match format {
        ImageFormat::Png => image::codecs::png::PngDecoder::new(Cursor::new(bytes))
            .and_then(|d| d.is_apng())
            .unwrap_or(false),
        ImageFormat::WebP => image::codecs::webp::WebPDecoder::new(Cursor::new(bytes))
            .is_ok_and(|d| d.has_animation()),
        _ => false,
    }
}

/// Grey in [0, 1]; colour by luma, transparency on black as viewers show it.
fn to_grey(image: DynamicImage, warnings: &mut Vec<Warning>) -> StoredPlane {
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
            let grey = |p: &image::Rgba<f32>| {
                let [r, g, b, a] = p.0;
                // ITU-R BT.709 luma, as `image` uses for its grey conversions.
                a * (0.2126 * r + 0.7152 * g + 0.0722 * b)
            };
            warnings.extend(colour_warning(&rgba));
            let samples = rgba.pixels().map(grey).collect();
            StoredPlane::grey(&Plane { width, height, samples })
        }
    }
}

/// Of the pixels that are not black, the share in colour from which on a picture is a colour map or a
/// photograph and not grey with annotations.
const MAX_COLOUR_SHARE: f32 = 0.25;

fn colour_warning(rgba: &image::Rgba32FImage) -> Option<Warning> {
    let (mut coloured, mut lit) = (0_u32, 0_u32);
    for image::Rgba([r, g, b, _]) in rgba.pixels() {
        coloured += u32::from((r - g).abs() > 0.1 || (g - b).abs() > 0.1);
        lit += u32::from(r.max(*g).max(*b) > 0.1);
    }
    if coloured as f32 > MAX_COLOUR_SHARE * lit as f32 {
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

/// 16-bit pictures rarely use their whole range, and where black and white lie is not said:
/// the darkest sample becomes 0 and the brightest 1.
fn stretch(samples: &[u16], warnings: &mut Vec<Warning>) -> Scale {
    warnings.push(Warning::new(
        "sixteen_bit",
        "A 16-bit picture without a window was stretched to its own range; export it \
         brain-windowed for a result like the published figures.",
    ));
    let low = samples.iter().copied().min().unwrap_or(0);
    let high = samples.iter().copied().max().unwrap_or(0);
    let span = f64::from(high - low).max(1.0);
    Scale { first: -i32::from(low), slope: 1.0 / span, intercept: 0.0 }
}

/// The decoder's sentence names offsets and chunk kinds, not contents; its kind is enough.
fn undecodable(error: image::ImageError) -> Error {
    use image::ImageError as E;
    let reason = match error {
        E::Unsupported(_) => "it uses a feature of its format that is not read here",
        E::IoError(_) => "it ends too early",
        _ => "its contents are damaged",
    };
    Error::Undecodable(reason.into())
}
