//! PNG encoding (ISO/IEC 15948), set for speed.

use crate::error::{Error, Result};
use image::DynamicImage;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};

/// Encodes an image as PNG.
///
/// # Errors
/// [`Error::Internal`] if the encoder fails, which happens only for an image without pixels.
pub fn encode_png(image: &DynamicImage) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // On smooth images one filter compresses as well as the best of five, tried on each row. Masks compress best
    // without a filter.
    let filter = match image {
        DynamicImage::ImageLuma8(grey) if grey.iter().all(|v| matches!(v, 0 | 255)) => {
            FilterType::NoFilter
        }
        _ => FilterType::Paeth,
    };
    image
        .write_with_encoder(PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, filter))
        .map_err(|_| Error::Internal("a picture could not be encoded as PNG".into()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, Luma, Rgb, RgbImage};

    #[test]
    fn masks_and_pictures_are_decoded_as_they_were_encoded() {
        let checks = GrayImage::from_fn(9, 5, |x, y| Luma([255 * ((x + y) % 2) as u8]));
        let ramp = RgbImage::from_fn(9, 5, |x, y| Rgb([x as u8, y as u8, (x * y) as u8]));
        for image in [DynamicImage::from(checks), ramp.into()] {
            let bytes = encode_png(&image).unwrap();
            assert_eq!(image::load_from_memory(&bytes).unwrap(), image);
        }
    }

    #[test]
    fn refuses_a_picture_without_pixels() {
        assert!(encode_png(&GrayImage::new(0, 4).into()).is_err());
    }
}
