//! Decodes PNG, JPEG, TIFF, WebP and BMP: display images without Hounsfield units. The pages of a TIFF and the frames
//! of an animation become slices of one head.

mod grey;
mod pages;

use super::jpeg::{self, Flaw};
use super::source::Source;
use super::{Limits, foreign};
use crate::error::{Error, Result};
use crate::slice::{CtSlice, Intensity, Warning};
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, DynamicImage, Frames, ImageDecoder, ImageFormat, ImageReader};
use pages::Pages;
use std::io::{Cursor, Read};
use std::path::Path;

/// Decodes all pictures of a file. The source is opened once; the file is read into memory, within the limits.
///
/// # Errors
/// [`Error::UnsupportedType`], [`Error::Undecodable`], [`Error::TooLarge`] or [`Error::Unprocessable`].
pub(super) fn decode(source: &mut dyn Source, limits: &Limits) -> Result<Vec<CtSlice>> {
    if let Some(bytes) = source.bytes() {
        return decode_bytes(bytes, limits);
    }
    // No format stores a picture in much more bytes than it decodes to. A TIFF may have several pictures.
    let is_tiff = sniff(source.head()?).is_ok_and(|format| format == ImageFormat::Tiff);
    let limit = if is_tiff { limits.max_series_bytes } else { limits.max_decoded_bytes };
    let mut bytes = Vec::new();
    source
        .open()?
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(Error::io("The file cannot be read"))?;
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

/// The decoder of the first picture of a file, after its size was checked against the limits.
fn checked_decoder<'a>(
    bytes: &'a [u8],
    format: ImageFormat,
    limits: &Limits,
) -> Result<impl ImageDecoder + use<'a>> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut decoder_limits = image::Limits::default();
    decoder_limits.max_alloc = Some(limits.max_decoded_bytes);
    reader.limits(decoder_limits);
    // Some decoders apply the limits when they read the header.
    let decoder = reader.into_decoder().map_err(|error| decoder_error(error, limits))?;
    check_size(&decoder, limits)?;
    Ok(decoder)
}

/// Decodes the first picture of a file, in its EXIF orientation.
fn decode_one(bytes: &[u8], format: ImageFormat, limits: &Limits) -> Result<DynamicImage> {
    let mut decoder = checked_decoder(bytes, format, limits)?;
    let orientation = decoder.orientation().map_err(undecodable)?;
    let mut image =
        DynamicImage::from_decoder(decoder).map_err(|error| decoder_error(error, limits))?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// Decodes the pages of a TIFF that have the most frequent size.
fn decode_pages(
    bytes: &[u8],
    limits: &Limits,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<DynamicImage>> {
    let mut pages = Pages::read(bytes, limits.max_slices)?;
    let same_size = pages.of_most_frequent_size();
    let mut left_out = pages.pictures() - same_size.len();
    if same_size.is_empty() || (same_size.len() == 1 && left_out == 0 && !pages.is_broken) {
        return Ok(vec![decode_one(bytes, ImageFormat::Tiff, limits)?]);
    }
    let mut images: Vec<DynamicImage> = Vec::new();
    let mut failure = None;
    let mut budget = SeriesBudget::new(limits);
    for page in same_size {
        match decode_one(pages.with_first_page(page), ImageFormat::Tiff, limits) {
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
    if left_out > 0 || pages.is_broken {
        warnings.push(Warning::incomplete(
            "pages_left_out",
            "Pages of the TIFF were not read: of another size than most, or damaged. Save all slices \
             with one size.",
        ));
    }
    Ok(images)
}

/// Decodes the frames of an animation, or the only picture.
fn decode_frames(
    bytes: &[u8],
    format: ImageFormat,
    limits: &Limits,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<DynamicImage>> {
    let first = decode_one(bytes, format, limits)?;
    let Some(frames) = frames(bytes, format) else { return Ok(vec![first]) };
    if format == ImageFormat::WebP && is_truncated_webp(bytes) {
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

/// Whether the file is shorter than it declares; the decoder does not report missing frames. The declared size does not
/// include the first 8 bytes, and a byte of padding may be missing.
fn is_truncated_webp(bytes: &[u8]) -> bool {
    let declared = bytes.get(4..8).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes);
    declared.is_none_or(|size| u64::from(size) + 8 > bytes.len() as u64 + 1)
}

/// The frames of an animation; `None` for a still picture.
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

/// Number and decoded size of the pictures of a file so far, with their limits.
struct SeriesBudget<'a> {
    limits: &'a Limits,
    slices: usize,
    bytes: u64,
}

impl<'a> SeriesBudget<'a> {
    fn new(limits: &'a Limits) -> Self {
        Self { limits, slices: 0, bytes: 0 }
    }

    /// Counts a picture.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above a limit.
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

/// Checks that a JPEG is complete. Returns warnings about a missing end marker and about further pictures in the file.
fn check_jpeg(bytes: &[u8], size: (u32, u32)) -> Result<Vec<Warning>> {
    let max_pixels = size.0 as usize * size.1 as usize;
    let extent = jpeg::measure(bytes, max_pixels).map_err(|flaw| {
        let reason = match flaw {
            Flaw::Truncated => "the JPEG ends before its last row; the file is cut off",
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

/// Whether the bytes start with the signature of a supported format.
pub(super) fn is_image(bytes: &[u8]) -> bool {
    sniff(bytes).is_ok()
}

/// Columns and rows of a picture, from its header; `None` if it cannot be read.
pub fn picture_size(path: &Path) -> Option<[u32; 2]> {
    let size = imagesize::size(path).ok()?;
    Some([size.width.try_into().ok()?, size.height.try_into().ok()?])
}

/// The format of a picture, from its signature.
///
/// # Errors
/// [`Error::UnsupportedType`] that names the format of the bytes, if it is known.
fn sniff(bytes: &[u8]) -> Result<ImageFormat> {
    use ImageFormat::{Bmp, Jpeg, Png, Tiff, WebP};
    // JPEG-LS starts with the same bytes as JPEG.
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF, 0xF7]) {
        return Err(foreign::unsupported(bytes));
    }
    match image::guess_format(bytes) {
        Ok(format @ (Bmp | Jpeg | Png | Tiff | WebP)) => Ok(format),
        // `image` recognizes only the classic magic number 42; BigTIFF has 43.
        _ if bytes.starts_with(b"II\x2b\0") || bytes.starts_with(b"MM\0\x2b") => Ok(Tiff),
        _ => Err(foreign::unsupported(bytes)),
    }
}

const SHRINK: &str = "Resample the slice; CT slices are 512 px per side.";

fn decoder_error(error: image::ImageError, limits: &Limits) -> Error {
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
    // The `f32` plane that the picture is converted to takes 4 bytes per pixel.
    let decoded = decoder.total_bytes().max(u64::from(width) * u64::from(height) * 4);
    too_large("The decoded size in bytes", decoded, limits.max_decoded_bytes, SHRINK)?;
    if width.min(height) < limits.min_side_px {
        return Err(Error::Unprocessable(format!(
            "The image is {width} x {height} px; a slice needs at least {} px per side. \
             Send the whole slice.",
            limits.min_side_px
        )));
    }
    Ok(())
}

/// An error for a picture that cannot be decoded, by the kind of the decoder's error.
fn undecodable(error: image::ImageError) -> Error {
    use image::ImageError as E;
    let reason = match error {
        E::Unsupported(_) => {
            "it uses a feature of its format that is not supported, such as signed or floating-point \
             samples"
        }
        E::IoError(_) => "it ends too early",
        _ => "its contents are damaged",
    };
    Error::Undecodable(reason.into())
}
