//! Truncated pictures, pictures of several pages, and files of other formats.

use crate::fixtures::{BLEED, root, sample};
use ichor::decode::{Limits, decode};
use ichor::slice::{CtSlice, Doubt};
use ichor_image::Result;
use image::{ColorType, DynamicImage, GrayImage, ImageFormat, Luma};
use std::io::Cursor;

fn slices(bytes: &[u8]) -> Result<Vec<CtSlice>> {
    let limits = Limits { min_side_px: 8, ..Limits::default() };
    decode(bytes, &limits).map(|decoded| decoded.slices)
}

fn seed(name: &str) -> Vec<u8> {
    std::fs::read(root().join("fuzz/seeds/raster").join(name)).unwrap()
}

fn codes(slice: &CtSlice) -> Vec<&str> {
    slice.warnings.iter().map(|warning| warning.code).collect()
}

fn doubts(slice: &CtSlice) -> Vec<Doubt> {
    slice.warnings.iter().filter_map(|warning| warning.doubt).collect()
}

/// A disk of texture within a ring; no two of them are alike.
fn phantom(number: u32) -> GrayImage {
    GrayImage::from_fn(56, 40, |x, y| {
        let squared = (x as f32 - 28.0).powi(2) + ((y as f32 - 20.0) * 1.4).powi(2);
        match squared.sqrt() {
            r if r > 27.0 => Luma([0]),
            r if r > 23.0 => Luma([250]),
            _ => Luma([90 + ((x * 7 + y * 13 + number * 5) % 40) as u8]),
        }
    })
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn jpeg(image: &GrayImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 90);
    let (width, height) = image.dimensions();
    encoder.encode(image.as_raw(), width, height, ColorType::L8.into()).unwrap();
    bytes
}

/// Where the segment of `marker` begins.
fn segment(jpeg: &[u8], marker: u8) -> usize {
    jpeg.windows(2).position(|pair| pair == [0xFF, marker]).unwrap()
}

/// Three components, each in a scan of its own.
fn jpeg_of_three_scans() -> Vec<u8> {
    let parts: Vec<Vec<u8>> = (0..3).map(|number| jpeg(&phantom(number))).collect();
    let first = &parts[0];
    let (frame, scan) = (segment(first, 0xC0), segment(first, 0xDA));
    let frame_end =
        frame + 2 + usize::from(u16::from_be_bytes([first[frame + 2], first[frame + 3]]));
    let mut bytes = first[..frame].to_vec();
    let mut header = first[frame..frame_end].to_vec();
    header[3] = 17;
    header[9] = 3;
    let component = header[10..13].to_vec();
    for identifier in [2, 3] {
        header.extend([identifier, component[1], component[2]]);
    }
    header[10] = 1;
    bytes.extend(header);
    bytes.extend(&first[frame_end..scan]);
    for (part, identifier) in parts.iter().zip(1..) {
        let scan = segment(part, 0xDA);
        let mut data = part[scan..part.len() - 2].to_vec();
        data[5] = identifier;
        bytes.extend(data);
    }
    bytes.extend([0xFF, 0xD9]);
    bytes
}

/// Every prefix must be refused or hold the whole picture.
fn assert_no_prefix_is_read_as_the_whole(name: &str, whole: &[u8]) -> usize {
    let truth: Vec<_> = slices(whole).unwrap().into_iter().map(|slice| slice.plane).collect();
    let mut read = 0;
    for length in 1..whole.len() {
        let Ok(slices) = slices(&whole[..length]) else { continue };
        read += 1;
        let incomplete = slices.iter().any(|slice| doubts(slice).contains(&Doubt::Incomplete));
        let planes: Vec<_> = slices.into_iter().map(|slice| slice.plane).collect();
        assert!(incomplete || planes == truth, "{name} cut to {length} of {} bytes", whole.len());
    }
    read
}

#[test]
fn a_part_of_a_jpeg_is_refused() {
    let colour = encoded(&image::load_from_memory(&sample(BLEED)).unwrap(), ImageFormat::Jpeg);
    let mut files = vec![
        ("grey", jpeg(&phantom(0))),
        ("three scans", jpeg_of_three_scans()),
        ("progressive", seed("jpeg_progressive")),
        ("progressive in colour", seed("jpeg_progressive_colour")),
        ("restart markers", seed("jpeg_restart")),
    ];
    for (name, whole) in &files {
        // The last byte and the last two: nothing but the end marker is missing.
        assert_eq!(assert_no_prefix_is_read_as_the_whole(name, whole), 2, "{name}");
        let unended = slices(&whole[..whole.len() - 2]).unwrap();
        assert!(codes(&unended[0]).contains(&"jpeg_end_missing"), "{name}");
        assert_eq!(doubts(&unended[0]), doubts(&slices(whole).unwrap()[0]), "{name}");
    }
    files.push(("large", colour));
    for (name, whole) in &files {
        for part in 1..40 {
            let cut = whole.len() * part / 40;
            let message = slices(&whole[..cut]).unwrap_err().to_string();
            // The rest after an interrupted copy: zeros, or an appended end marker.
            let mut zeros = whole.clone();
            zeros[cut..].fill(0);
            let closed = [&whole[..cut], &[0xFF, 0xD9]].concat();
            let scan = segment(whole, 0xDA);
            if cut > scan + 64 {
                assert!(message.contains("cut off"), "{name}: {message}");
                assert!(slices(&zeros).is_err(), "{name} with zeros from {cut}");
                assert!(slices(&closed).is_err(), "{name} closed at {cut}");
            }
        }
    }
}

#[test]
fn a_part_of_another_picture_is_refused() {
    let image: DynamicImage = phantom(0).into();
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Tiff] {
        let whole = encoded(&image, format);
        assert_no_prefix_is_read_as_the_whole(&format!("{format:?}"), &whole);
    }
    for name in ["tiff_pages", "webp_animation", "png_animation"] {
        assert_no_prefix_is_read_as_the_whole(name, &seed(name));
    }
}

#[test]
fn bytes_after_a_jpeg_are_ignored_unless_they_are_another_picture() {
    let (first, second) = (jpeg(&phantom(0)), jpeg(&phantom(1)));
    let trailing = [&first[..], b"SEFT", &[0; 500]].concat();
    assert_eq!(doubts(&slices(&trailing).unwrap()[0]), []);
    let preview = jpeg(&GrayImage::from_pixel(16, 16, Luma([9])));
    assert_eq!(doubts(&slices(&[&first[..], &preview].concat()).unwrap()[0]), []);
    let burst = slices(&[&first[..], b"padding", &second].concat()).unwrap();
    assert_eq!(doubts(&burst[0]), [Doubt::Incomplete]);
    assert!(codes(&burst[0]).contains(&"first_picture_only"));
}

#[test]
fn pages_and_frames_are_slices() {
    for name in ["tiff_pages", "webp_animation", "png_animation"] {
        let slices = slices(&seed(name)).unwrap();
        assert_eq!(slices.len(), 3, "{name}");
        assert!(slices[0].plane != slices[1].plane && slices[1].plane != slices[2].plane, "{name}");
        assert!(slices.iter().all(|slice| doubts(slice).is_empty()), "{name}");
    }
}

/// A TIFF of uncompressed grey pages.
struct Tiff {
    big_endian: bool,
    /// Offsets of 64 bits.
    big: bool,
    pages: Vec<Page>,
}

struct Page {
    side: (u32, u32),
    bits: u32,
    samples: Vec<u16>,
    subfile: u32,
}

impl Page {
    fn grey(number: u32, (width, height): (u32, u32)) -> Self {
        let samples = (0..width * height).map(|at| ((at * 3 + number * 50) % 251) as u16).collect();
        Self { side: (width, height), bits: 8, samples, subfile: 0 }
    }
}

impl Tiff {
    fn number(&self, value: u64, length: usize) -> Vec<u8> {
        match self.big_endian {
            true => value.to_be_bytes()[8 - length..].to_vec(),
            false => value.to_le_bytes()[..length].to_vec(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let offset_bytes = if self.big { 8 } else { 4 };
        let mut bytes = if self.big_endian { b"MM".to_vec() } else { b"II".to_vec() };
        bytes.extend(self.number(if self.big { 43 } else { 42 }, 2));
        if self.big {
            bytes.extend([self.number(8, 2), self.number(0, 2)].concat());
        }
        let mut link = bytes.len();
        bytes.extend(vec![0; offset_bytes]);
        for page in &self.pages {
            let data = bytes.len();
            let sample_bytes = page.bits as usize / 8;
            for sample in &page.samples {
                bytes.extend(self.number((*sample).into(), sample_bytes));
            }
            let directory = bytes.len();
            bytes[link..link + offset_bytes]
                .copy_from_slice(&self.number(directory as u64, offset_bytes));
            let (width, height) = page.side;
            let entries: [(u64, u64, u64); 10] = [
                (254, 4, page.subfile.into()),
                (256, 4, width.into()),
                (257, 4, height.into()),
                (258, 3, page.bits.into()),
                (259, 3, 1),
                (262, 3, 1),
                (273, 4, data as u64),
                (277, 3, 1),
                (278, 4, height.into()),
                (279, 4, (page.samples.len() * sample_bytes) as u64),
            ];
            bytes.extend(self.number(entries.len() as u64, if self.big { 8 } else { 2 }));
            for (tag, kind, value) in entries {
                bytes.extend([self.number(tag, 2), self.number(kind, 2)].concat());
                bytes.extend(self.number(1, offset_bytes));
                let mut value = self.number(value, if kind == 3 { 2 } else { 4 });
                value.resize(offset_bytes, 0);
                bytes.extend(value);
            }
            link = bytes.len();
            bytes.extend(vec![0; offset_bytes]);
        }
        bytes
    }
}

#[test]
fn all_pages_of_every_kind_of_tiff_are_read() {
    for (big_endian, big) in [(false, false), (true, false), (false, true), (true, true)] {
        let pages = (0..5).map(|number| Page::grey(number, (24, 16))).collect();
        let bytes = Tiff { big_endian, big, pages }.bytes();
        let slices = slices(&bytes).unwrap();
        let firsts: Vec<f32> = slices.iter().map(|s| s.plane.samples()[0] * 255.0).collect();
        assert_eq!(firsts, [0.0, 50.0, 100.0, 150.0, 200.0], "{big_endian} {big}");
        assert!(slices.iter().all(|slice| doubts(slice).is_empty()));
    }
}

#[test]
fn unread_pages_leave_the_result_undecided_and_previews_do_not() {
    let tiff = |pages| Tiff { big_endian: false, big: false, pages }.bytes();
    let page = |number| Page::grey(number, (24, 16));
    let preview = Page { subfile: 1, ..Page::grey(0, (12, 8)) };
    let with_preview = slices(&tiff(vec![page(0), preview, page(1)])).unwrap();
    assert_eq!((with_preview.len(), doubts(&with_preview[0])), (2, vec![]));
    let cover = Page::grey(9, (40, 40));
    let with_cover = slices(&tiff(vec![cover, page(0), page(1)])).unwrap();
    assert_eq!((with_cover.len(), doubts(&with_cover[1])), (2, vec![Doubt::Incomplete]));
    // The last directory points out of the file, or back to the first.
    for target in [u32::MAX, 8 + 24 * 16] {
        let mut bytes = tiff(vec![page(0), page(1)]);
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&target.to_le_bytes());
        let slices = slices(&bytes).unwrap();
        assert_eq!((slices.len(), doubts(&slices[0])), (2, vec![Doubt::Incomplete]), "{target}");
    }
    let many = tiff((0..20).map(page).collect());
    let limits = Limits { min_side_px: 8, max_slices: 10, ..Limits::default() };
    assert!(decode(&many, &limits).unwrap_err().to_string().contains("number of pages"));
}

#[test]
fn sixteen_bit_pages_share_one_scale() {
    let page = |low: u16, high: u16| {
        let samples = (0..24 * 16).map(|at| if at % 2 == 0 { low } else { high }).collect();
        Page { side: (24, 16), bits: 16, samples, subfile: 0 }
    };
    let pages = vec![page(1000, 2000), page(1000, 3000), page(1500, 2000)];
    let slices = slices(&Tiff { big_endian: false, big: false, pages }.bytes()).unwrap();
    let ends: Vec<[f32; 2]> = slices
        .iter()
        .map(|slice| slice.plane.samples())
        .map(|samples| [samples[0], samples[1]])
        .collect();
    assert_eq!(ends, [[0.0, 0.5], [0.0, 1.0], [0.25, 0.5]]);
}
