//! Unusual, damaged and hostile input: a clear problem or a correct result.

use crate::fixtures::{BLEED, assert_problem, json, post, sample, send};
use ichor::decode::{Limits, decode_slice};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, GrayImage, ImageEncoder, ImageFormat, Luma, Rgba, RgbaImage};
use serde_json::Value;
use std::io::Cursor;

fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn bleed() -> DynamicImage {
    image::load_from_memory(&sample(BLEED)).unwrap()
}

async fn answer(body: Vec<u8>) -> Value {
    let (status, response) = send(post("?include=mask", "application/octet-stream", body)).await;
    let report = json(response).await;
    assert_eq!(status, 200, "{report}");
    report
}

fn codes(report: &Value) -> Vec<&str> {
    report["warnings"].as_array().unwrap().iter().map(|w| w["code"].as_str().unwrap()).collect()
}

/// A PNG header that declares any size, with a valid checksum and no data.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut chunk = b"IHDR".to_vec();
    chunk.extend(width.to_be_bytes());
    chunk.extend(height.to_be_bytes());
    chunk.extend([8, 0, 0, 0, 0]);
    let mut crc = u32::MAX;
    for byte in &chunk {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (!(crc & 1)).wrapping_add(1));
        }
    }
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    bytes.extend(chunk);
    bytes.extend((!crc).to_be_bytes());
    bytes.extend(b"\0\0\0\0IDAT");
    bytes
}

#[tokio::test]
async fn every_prefix_of_a_file_is_refused_or_read() {
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Tiff,
        ImageFormat::WebP,
        ImageFormat::Bmp,
    ] {
        let whole = encode(&DynamicImage::from(bleed().to_rgb8()), format);
        let small = decode_slice(&whole, &Limits::default());
        assert!(small.is_ok(), "{format:?}");
        for step in 0..60 {
            let prefix = &whole[..whole.len() * step / 60];
            // A prefix may hold a whole picture; it must not panic or hang.
            if let Err(error) = decode_slice(prefix, &Limits::default()) {
                assert!(error.to_string().len() > 20, "{format:?} {step}");
            }
        }
    }
}

#[tokio::test]
async fn bytes_that_are_not_an_image_are_refused() {
    for bytes in [&b"GIF89a...."[..], b"%PDF-1.7", b"\0\0\0\0", b"<svg></svg>", &[0xff; 2000]] {
        assert_problem(post("", "image/png", bytes.to_vec()), 415, "unsupported_media_type").await;
    }
}

#[tokio::test]
async fn truncated_and_damaged_images_are_undecodable() {
    let png = sample(BLEED);
    assert_problem(post("", "image/png", png[..png.len() / 2].to_vec()), 400, "undecodable_image")
        .await;
    let mut damaged = png.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0x55);
    assert_problem(post("", "image/png", damaged), 400, "undecodable_image").await;
}

#[tokio::test]
async fn sizes_are_refused_before_memory_is_taken() {
    for (width, height, status, code) in [
        (20_000, 20_000, 413, "image_too_large"),
        (u32::MAX >> 1, 1, 413, "image_too_large"),
        (5_000, 40, 413, "image_too_large"),
        (1, 1, 422, "unprocessable_image"),
        (512, 8, 422, "unprocessable_image"),
    ] {
        assert_problem(post("", "image/png", png_header(width, height)), status, code).await;
    }
}

#[tokio::test]
async fn all_formats_give_the_same_result() {
    let expected = answer(sample(BLEED)).await;
    for format in [ImageFormat::Tiff, ImageFormat::WebP, ImageFormat::Bmp] {
        let report = answer(encode(&DynamicImage::from(bleed().to_rgb8()), format)).await;
        let areas = |r: &Value| r["lesions"][0]["area_px"].as_i64().unwrap();
        assert!((areas(&report) - areas(&expected)).abs() <= areas(&expected) / 20, "{format:?}");
    }
}

#[tokio::test]
async fn transparency_becomes_black_and_colour_has_a_warning() {
    let grey = bleed().to_luma8();
    let clear = RgbaImage::from_fn(512, 512, |x, y| {
        let v = grey[(x, y)].0[0];
        if v < 5 { Rgba([255, 0, 0, 0]) } else { Rgba([v, v, v, 255]) }
    });
    let report = answer(encode(&clear.into(), ImageFormat::Png)).await;
    assert_eq!(report["hemorrhage"]["detected"], true);
    assert!(codes(&report).contains(&"colour_image"));
}

#[tokio::test]
async fn sixteen_bits_are_scaled_with_a_warning() {
    let grey = bleed().to_luma8();
    let deep = image::ImageBuffer::<Luma<u16>, Vec<u16>>::from_fn(512, 512, |x, y| {
        Luma([u16::from(grey[(x, y)].0[0]) * 16])
    });
    let report = answer(encode(&deep.into(), ImageFormat::Png)).await;
    assert_eq!(report["hemorrhage"]["detected"], true);
    assert!(codes(&report).contains(&"sixteen_bit"));
}

#[tokio::test]
async fn masks_have_the_size_of_non_square_inputs() {
    use base64::Engine as _;
    for (width, height) in [(700, 512), (512, 601), (64, 33)] {
        let mut canvas = GrayImage::new(width, height);
        image::imageops::overlay(&mut canvas, &bleed().to_luma8(), 0, 0);
        let report = answer(encode(&canvas.into(), ImageFormat::Png)).await;
        let png = base64::engine::general_purpose::STANDARD
            .decode(report["mask"]["base64"].as_str().unwrap())
            .unwrap();
        let mask = image::load_from_memory(&png).unwrap();
        assert_eq!((mask.width(), mask.height()), (width, height));
    }
}

#[tokio::test]
async fn an_exif_rotated_jpeg_is_read_upright() {
    let turned = bleed().rotate270().to_luma8();
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 95);
    // TIFF header, one entry: tag 0x0112 (orientation), SHORT, 6 = rotate 90 clockwise to show.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    encoder.set_exif_metadata(exif).unwrap();
    encoder.encode_image(&turned).unwrap();
    let slice = decode_slice(&jpeg, &Limits::default()).unwrap();
    let upright = bleed().to_luma8();
    let error: f32 = slice
        .plane
        .samples()
        .iter()
        .zip(upright.as_raw())
        .map(|(a, &b)| (a - f32::from(b) / 255.0).abs())
        .sum::<f32>()
        / upright.len() as f32;
    assert!(error < 0.03, "{error}");
}

#[tokio::test]
async fn the_frames_of_an_animated_png_are_slices() {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 512, 512);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_animated(2, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(bleed().to_luma8().as_raw()).unwrap();
    writer.write_image_data(&vec![0; 512 * 512]).unwrap();
    writer.finish().unwrap();
    let report = answer(bytes).await;
    assert_eq!(report["slices"].as_array().unwrap().len(), 2, "{report}");
}

#[tokio::test]
async fn pictures_without_a_head_are_answered_and_a_black_one_has_a_warning() {
    let black = GrayImage::new(512, 512);
    let report = answer(encode(&black.into(), ImageFormat::Png)).await;
    assert!(codes(&report).contains(&"head_not_found"));
    let white = GrayImage::from_pixel(512, 512, Luma([255]));
    answer(encode(&white.into(), ImageFormat::Png)).await;
    let mut seed = 7_u32;
    let noise = GrayImage::from_fn(512, 512, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Luma([(seed >> 24) as u8])
    });
    answer(encode(&noise.into(), ImageFormat::Png)).await;
}
