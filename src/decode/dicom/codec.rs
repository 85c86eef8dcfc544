//! Bytes of one frame to stored values (PS3.5 section 8).

use super::layout::Layout;
use super::rle;
use super::syntax::Coding;
use crate::error::{Error, Result};
use jpeg_decoder::PixelFormat;

/// Scans of one JPEG frame: progressive images have about 10, each costs a pass over the frame.
const MAX_SCANS: usize = 64;
/// Tiles of one JPEG 2000 frame; CT is written as one.
const MAX_TILES: u64 = 1024;

/// The stored values of one frame, row by row.
///
/// # Errors
/// [`Error::Undecodable`] for a damaged frame or one of another size than declared.
pub(super) fn stored_values(frame: &[u8], layout: &Layout, coding: Coding) -> Result<Vec<i32>> {
    let values = match coding {
        Coding::Native => from_little_endian(frame, layout),
        Coding::Rle => {
            let bytes =
                rle::unpack(frame, layout.samples(), layout.bytes).ok_or_else(|| damaged("RLE"))?;
            from_little_endian(&bytes, layout)
        }
        Coding::Jpeg => jpeg(frame, layout)?,
        Coding::Jpeg2000 => jpeg2000(frame, layout)?,
    };
    if values.len() < layout.samples() {
        return Err(Error::Undecodable("a frame is shorter than its rows and columns".into()));
    }
    Ok(values)
}

fn from_little_endian(bytes: &[u8], layout: &Layout) -> Vec<i32> {
    let value = |raw: u16| extend(raw.into(), layout.bits_stored, layout.signed);
    if layout.bytes == 1 {
        bytes.iter().map(|&b| value(b.into())).collect()
    } else {
        bytes.chunks_exact(2).map(|b| value(u16::from_le_bytes([b[0], b[1]]))).collect()
    }
}

/// The lowest `bits` bits as a number; the others may hold anything (PS3.5 section 8.1.1).
fn extend(raw: i32, bits: u32, signed: bool) -> i32 {
    let unused = 32 - bits;
    let high = raw << unused;
    if signed { high >> unused } else { (high.cast_unsigned() >> unused).cast_signed() }
}

/// JPEG baseline, extended with 8 bits, and lossless (ISO 10918-1).
fn jpeg(frame: &[u8], layout: &Layout) -> Result<Vec<i32>> {
    // Within coded data the byte FF is followed by 00, so that markers stand out.
    if frame.windows(2).filter(|pair| pair == &[0xFF, 0xDA]).count() > MAX_SCANS {
        return Err(damaged("JPEG"));
    }
    let mut decoder = jpeg_decoder::Decoder::new(frame);
    decoder.set_max_decoding_buffer_size(layout.samples() * 2);
    let refused = |error| match error {
        jpeg_decoder::Error::Unsupported(jpeg_decoder::UnsupportedFeature::SamplePrecision(_)) => {
            twelve_bit()
        }
        _ => damaged("JPEG"),
    };
    decoder.read_info().map_err(refused)?;
    let info = decoder.info().ok_or_else(|| damaged("JPEG"))?;
    check_size(info.width.into(), info.height.into(), layout)?;
    let bytes = decoder.decode().map_err(refused)?;
    let value = |raw: u16| extend(raw.into(), layout.bits_stored, layout.signed);
    match info.pixel_format {
        PixelFormat::L8 => Ok(bytes.iter().map(|&b| value(b.into())).collect()),
        PixelFormat::L16 => {
            Ok(bytes.chunks_exact(2).map(|b| value(u16::from_ne_bytes([b[0], b[1]]))).collect())
        }
        PixelFormat::RGB24 | PixelFormat::CMYK32 => Err(damaged("JPEG")),
    }
}

/// JPEG 2000 (ISO 15444-1), lossless or not.
fn jpeg2000(frame: &[u8], layout: &Layout) -> Result<Vec<i32>> {
    let fail = || damaged("JPEG 2000");
    let size = Siz::find(frame).ok_or_else(fail)?;
    check_size(size.width, size.height, layout)?;
    if size.components != 1 || size.tiles > MAX_TILES || !(1..=16).contains(&size.precision) {
        return Err(fail());
    }
    let image = hayro_jpeg2000::Image::new(&frame[size.codestream..], &Default::default())
        .map_err(|_| fail())?;
    let mut context = hayro_jpeg2000::DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(|_| fail())?;
    let samples = decoded.components().first().ok_or_else(fail)?.samples();
    // The decoder lifts every component by half its range, as ISO 15444-1 annex G.1 says of
    // unsigned ones; signed ones come down again.
    let half = 1_i32 << (size.precision - 1);
    let (low, high, offset) =
        if size.signed { (-half, half - 1, half) } else { (0, 2 * half - 1, 0) };
    let value = |&sample: &f32| {
        let value = (sample.round() as i32 - offset).clamp(low, high);
        // Archives mark signed samples as unsigned codestreams and the reverse; the bits of the
        // codestream's precision are right and DICOM's Pixel Representation says what they mean.
        if size.signed == layout.signed {
            value
        } else {
            extend(value, size.precision, layout.signed)
        }
    };
    Ok(samples.iter().map(value).collect())
}

/// The image and tile size marker of a codestream, ISO 15444-1 A.5.1.
struct Siz {
    /// Where the codestream starts; some files wrap it in a JP2 container.
    codestream: usize,
    width: u64,
    height: u64,
    tiles: u64,
    components: u16,
    precision: u32,
    signed: bool,
}

impl Siz {
    fn find(frame: &[u8]) -> Option<Self> {
        let codestream = frame.windows(4).position(|w| w == [0xFF, 0x4F, 0xFF, 0x51])?;
        let siz = frame.get(codestream + 4..)?;
        let word = |at: usize| {
            let bytes = siz.get(at..at + 4)?.try_into().ok()?;
            Some(u64::from(u32::from_be_bytes(bytes)))
        };
        let (x1, y1, x0, y0) = (word(4)?, word(8)?, word(12)?, word(16)?);
        let (tile_width, tile_height) = (word(20)?, word(24)?);
        if tile_width == 0 || tile_height == 0 {
            return None;
        }
        let depth = *siz.get(38)?;
        Some(Self {
            codestream,
            width: x1.checked_sub(x0)?,
            height: y1.checked_sub(y0)?,
            tiles: x1.div_ceil(tile_width).checked_mul(y1.div_ceil(tile_height))?,
            components: u16::from_be_bytes([*siz.get(36)?, *siz.get(37)?]),
            precision: u32::from(depth & 0x7F) + 1,
            signed: depth & 0x80 != 0,
        })
    }
}

/// Before a frame is decoded: its own header must agree with the object's, of which the limits
/// were checked.
fn check_size(width: u64, height: u64, layout: &Layout) -> Result<()> {
    if (width, height) == (layout.columns as u64, layout.rows as u64) {
        return Ok(());
    }
    Err(Error::Undecodable("a compressed frame has another size than its rows and columns".into()))
}

fn damaged(what: &str) -> Error {
    Error::Undecodable(format!("a {what} frame of it is damaged or uses a rare feature"))
}

fn twelve_bit() -> Error {
    Error::UnsupportedType(
        "The DICOM file uses JPEG Extended with 12-bit samples (1.2.840.10008.1.2.4.51), which is \
         not read here. Convert it to uncompressed explicit little endian, for instance with \
         `dcmdjpeg IN OUT`."
            .into(),
    )
}
