//! PNG, JPEG, TIFF, WebP and BMP: display images without Hounsfield units. The pages of a TIFF and
//! the frames of an animation are slices of one head.

mod grey;
mod pages;

use super::jpeg::{self, Flaw};
use super::source::{self, Source};
use super::{Limits, foreign};
use crate::error::{Error, Result};
use crate::slice::{CtSlice, Intensity, Warning};
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, DynamicImage, Frames, ImageDecoder, ImageFormat, ImageReader};
use pages::Pages;
use std::io::Cursor;
use std::path::Path;

pub(super) fn decode(source: &mut dyn Source, limits: &Limits) -> Result<Vec<CtSlice>> {
    if let Some(bytes) = source.bytes() {
        return decode_bytes(bytes, limits);
    }
    // No format stores a picture in much more than it decodes to; a TIFF holds a series of them.
    let is_tiff = sniff(&source::head(source, 16)?).is_ok_and(|f| f == ImageFormat::Tiff);
    let limit = if is_tiff { limits.max_series_bytes } else { limits.max_decoded_bytes };
    let bytes = source::head(source, limit + 1)?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge {
            what: "The size of a picture in bytes",
            limit,
            remedy: SHRINK,
        });
    }
    decode_bytes(&bytes, limits)
}

fn decode_bytes(bytes: &[u8], limits: &Limits) -> Result<Vec<CtSlice>> {
    let format = sniff(bytes)?;
    let mut warnings = Vec::new();
    let images = match format {
        ImageFormat::Tiff => decode_pages(bytes, limits, &mut warnings)?,
        ImageFormat::Jpeg => {
            let size = checked_decoder(bytes, format, limits)?.dimensions();
            warnings.extend(check_jpeg(bytes, size)?);
            vec![decode_one(bytes, format, limits)?]
        }
        ImageFormat::Png | ImageFormat::WebP => {
            decode_frames(bytes, format, limits, &mut warnings)?
        }
        _ => vec![decode_one(bytes, format, limits)?],
    };
    let mut slices: Vec<CtSlice> = images.into_iter().map(slice).collect();
    grey::share_stretch(&mut slices);
    slices.iter_mut().for_each(|slice| slice.warnings.extend(warnings.iter().cloned()));
    Ok(slices)
}

fn slice(image: DynamicImage) -> CtSlice {
    let mut warnings = vec![Warning::new(
        "display_image",
        "The file carries no Hounsfield units; it is read as a brain-windowed picture.",
    )];
    let plane = grey::to_grey(image, &mut warnings);
    CtSlice { warnings, ..CtSlice::bare(plane, Intensity::Display) }
}

/// The decoder of the first picture of a file, if its size is within the limits.
fn checked_decoder<'a>(
    bytes: &'a [u8],
    format: ImageFormat,
    limits: &Limits,
) -> Result<impl ImageDecoder + use<'a>> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut allowed = image::Limits::default();
    allowed.max_alloc = Some(limits.max_decoded_bytes);
    reader.limits(allowed);
    // Some decoders already refuse while they read the header.
    let decoder = reader.into_decoder().map_err(|error| refused(error, limits))?;
    check_size(&decoder, limits)?;
    Ok(decoder)
}

fn decode_one(bytes: &[u8], format: ImageFormat, limits: &Limits) -> Result<DynamicImage> {
    let mut decoder = checked_decoder(bytes, format, limits)?;
    let orientation = decoder.orientation().map_err(undecodable)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(|error| refused(error, limits))?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// The pages of a TIFF that have the size of most of them.
fn decode_pages(
    bytes: &[u8],
    limits: &Limits,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<DynamicImage>> {
    let mut pages = Pages::read(bytes, limits.max_slices)?;
    let listed = pages.of_one_size();
    let mut left_out = pages.pictures() - listed.len();
    if listed.is_empty() || (listed.len() == 1 && left_out == 0 && !pages.broken) {
        return Ok(vec![decode_one(bytes, ImageFormat::Tiff, limits)?]);
    }
    let mut images: Vec<DynamicImage> = Vec::new();
    let mut failure = None;
    let mut budget = SeriesBudget::new(limits);
    for page in listed {
        match decode_one(pages.beginning_with(page), ImageFormat::Tiff, limits) {
            Ok(image) => {
                budget.spend(&image)?;
                images.push(image);
            }
            Err(error @ Error::TooLarge { .. }) => return Err(error),
            Err(error) => {
                left_out += 1;
                failure.get_or_insert(error);
            }
        }
    }
    if let (true, Some(failure)) = (images.is_empty(), failure) {
        return Err(failure);
    }
    if left_out > 0 || pages.broken {
        warnings.push(Warning::incomplete(
            "pages_left_out",
            "Pages of the TIFF were not read: of another size than most, or damaged. Save all slices \
             with one size.",
        ));
    }
    Ok(images)
}

/// The frames of an animation, or the only picture.
fn decode_frames(
    bytes: &[u8],
    format: ImageFormat,
    limits: &Limits,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<DynamicImage>> {
    let first = decode_one(bytes, format, limits)?;
    let Some(frames) = frames(bytes, format) else { return Ok(vec![first]) };
    if format == ImageFormat::WebP && is_cut_webp(bytes) {
        return Err(Error::Undecodable("it ends too early".into()));
    }
    let mut images = Vec::new();
    let mut budget = SeriesBudget::new(limits);
    for frame in frames {
        let Ok(frame) = frame else {
            warnings.push(Warning::incomplete(
                "first_frame_only",
                "The file is animated and only its first frames could be read. Save every frame as \
                 a PNG.",
            ));
            break;
        };
        let image = DynamicImage::ImageRgba8(frame.into_buffer());
        budget.spend(&image)?;
        images.push(image);
    }
    Ok(if images.len() > 1 { images } else { vec![first] })
}

/// Whether the file is shorter than it declares: the decoder counts whole frames alone. The size is that
/// of everything behind it; a byte of padding may be missing.
fn is_cut_webp(bytes: &[u8]) -> bool {
    let declared = bytes.get(4..8).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes);
    declared.is_none_or(|size| u64::from(size) + 8 > bytes.len() as u64 + 1)
}

fn frames(bytes: &[u8], format: ImageFormat) -> Option<Frames<'_>> {
    let bytes = Cursor::new(bytes);
    match format {
        ImageFormat::Png => {
            let decoder = PngDecoder::new(bytes).ok().filter(|d| d.is_apng().unwrap_or(false))?;
            decoder.apng().ok().map(AnimationDecoder::into_frames)
        }
        _ => {
            let decoder = WebPDecoder::new(bytes).ok().filter(WebPDecoder::has_animation)?;
            Some(decoder.into_frames())
        }
    }
}

/// Slices and bytes that a file of several pictures may still take.
struct SeriesBudget<'a> {
    limits: &'a Limits,
    slices: usize,
    bytes: u64,
}

impl<'a> SeriesBudget<'a> {
    fn new(limits: &'a Limits) -> Self {
        Self { limits, slices: 0, bytes: 0 }
    }

    fn spend(&mut self, image: &DynamicImage) -> Result<()> {
        self.slices += 1;
        self.bytes += u64::from(image.width()) * u64::from(image.height()) * 4;
        let too_large = |what, limit| {
            let remedy = "Send the slices of the head alone.";
            Err(Error::TooLarge { what, limit, remedy })
        };
        if self.slices > self.limits.max_slices {
            return too_large("The number of pictures in the file", self.limits.max_slices as u64);
        }
        if self.bytes > self.limits.max_series_bytes {
            return too_large("The decoded size in bytes", self.limits.max_series_bytes);
        }
        Ok(())
    }
}

/// Refuses a JPEG that is cut off, and says what else lies in the file.
fn check_jpeg(bytes: &[u8], size: (u32, u32)) -> Result<Vec<Warning>> {
    let max_pixels = size.0 as usize * size.1 as usize;
    let extent = jpeg::measure(bytes, max_pixels).map_err(|flaw| {
        let reason = match flaw {
            Flaw::Cut => "the JPEG ends before its last row; the file is cut off",
            Flaw::Damaged => "its contents are damaged",
        };
        Error::Undecodable(reason.into())
    })?;
    let mut warnings = Vec::new();
    if !extent.has_end_marker {
        warnings.push(jpeg::end_missing());
    }
    if jpeg::is_followed_by_another(bytes, &extent) {
        warnings.push(Warning::incomplete(
            "first_picture_only",
            "The JPEG file holds several pictures (as MPO); only the first was read. Save each as a \
             file.",
        ));
    }
    Ok(warnings)
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
    // JPEG-LS begins as JPEG does.
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF, 0xF7]) {
        return Err(foreign::refusal(bytes));
    }
    match image::guess_format(bytes) {
        Ok(format @ (Bmp | Jpeg | Png | Tiff | WebP)) => Ok(format),
        // `image` knows TIFF by its classic magic number alone; 43 says that offsets have 64 bits.
        _ if bytes.starts_with(b"II\x2b\0") || bytes.starts_with(b"MM\0\x2b") => Ok(Tiff),
        _ => Err(foreign::refusal(bytes)),
    }
}

const SHRINK: &str = "Resample the slice; CT slices are 512 px a side.";

fn refused(error: image::ImageError, limits: &Limits) -> Error {
    match error {
        image::ImageError::Limits(_) => Error::TooLarge {
            what: "The decoded size in bytes",
            limit: limits.max_decoded_bytes,
            remedy: SHRINK,
        },
        other => undecodable(other),
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

/// The decoder's sentence names offsets and chunk kinds, not contents; its kind is enough.
fn undecodable(error: image::ImageError) -> Error {
    use image::ImageError as E;
    let reason = match error {
        E::Unsupported(_) => {
            "it uses a feature of its format that is not read here, such as signed or floating-point \
             samples"
        }
        E::IoError(_) => "it ends too early",
        _ => "its contents are damaged",
    };
    Error::Undecodable(reason.into())
}
