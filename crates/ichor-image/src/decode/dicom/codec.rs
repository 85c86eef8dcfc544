//! Decodes the bytes of one frame to stored values (PS3.5 section 8).

use super::layout::Layout;
use super::syntax::Coding;
use super::{jpeg2000, rle};
use crate::decode::jpeg::{self, Flaw};
use crate::error::{Error, Result};
use jpeg_decoder::PixelFormat;

/// The stored values of one frame, row by row, and whether its codestream has an end marker.
pub(super) struct StoredFrame {
    pub(super) values: Vec<i32>,
    pub(super) has_end_marker: bool,
}

/// Decodes one frame.
///
/// # Errors
/// [`Error::Undecodable`] for a frame that is damaged, cut off or has another size than declared;
/// [`Error::UnsupportedType`] for JPEG with 12-bit samples.
pub(super) fn decode_frame(frame: &[u8], layout: &Layout, coding: Coding) -> Result<StoredFrame> {
    let mut has_end_marker = true;
    let values = match coding {
        Coding::Native => from_little_endian(frame, layout),
        Coding::Rle => {
            let bytes =
                rle::unpack(frame, layout.samples(), layout.bytes).ok_or_else(|| damaged("RLE"))?;
            from_little_endian(&bytes, layout)
        }
        Coding::Jpeg => jpeg(frame, layout, &mut has_end_marker)?,
        Coding::Jpeg2000 => jpeg2000::decode(frame, layout, &mut has_end_marker)?,
    };
    if values.len() < layout.samples() {
        return Err(Error::Undecodable("a frame is shorter than its rows and columns".into()));
    }
    Ok(StoredFrame { values, has_end_marker })
}

/// Converts uncompressed samples.
fn from_little_endian(bytes: &[u8], layout: &Layout) -> Vec<i32> {
    let value = |raw: u16| extend(raw.into(), layout.bits_stored, layout.signed);
    if layout.bytes == 1 {
        bytes.iter().map(|&b| value(b.into())).collect()
    } else {
        bytes.chunks_exact(2).map(|b| value(u16::from_le_bytes([b[0], b[1]]))).collect()
    }
}

/// The lowest `bits` bits as a number; the bits above them have no meaning (PS3.5 section 8.1.1).
pub(super) fn extend(raw: i32, bits: u32, signed: bool) -> i32 {
    let unused = 32 - bits;
    let high = raw << unused;
    if signed { high >> unused } else { (high.cast_unsigned() >> unused).cast_signed() }
}

/// JPEG baseline, extended with 8 bits, and lossless (ISO 10918-1).
fn jpeg(frame: &[u8], layout: &Layout, has_end_marker: &mut bool) -> Result<Vec<i32>> {
    let mut decoder = jpeg_decoder::Decoder::new(frame);
    decoder.set_max_decoding_buffer_size(layout.samples() * 2);
    let decoder_error = |error| match error {
        jpeg_decoder::Error::Unsupported(jpeg_decoder::UnsupportedFeature::SamplePrecision(_)) => {
            twelve_bit()
        }
        _ => damaged("JPEG"),
    };
    decoder.read_info().map_err(decoder_error)?;
    let info = decoder.info().ok_or_else(|| damaged("JPEG"))?;
    check_size(info.width.into(), info.height.into(), layout)?;
    let extent = jpeg::measure(frame, layout.samples()).map_err(|flaw| match flaw {
        Flaw::Truncated => cut("JPEG"),
        Flaw::Damaged => damaged("JPEG"),
    })?;
    *has_end_marker = extent.has_end_marker;
    let bytes = decoder.decode().map_err(decoder_error)?;
    let value = |raw: u16| extend(raw.into(), layout.bits_stored, layout.signed);
    match info.pixel_format {
        PixelFormat::L8 => Ok(bytes.iter().map(|&b| value(b.into())).collect()),
        PixelFormat::L16 => {
            Ok(bytes.chunks_exact(2).map(|b| value(u16::from_ne_bytes([b[0], b[1]]))).collect())
        }
        PixelFormat::RGB24 | PixelFormat::CMYK32 => Err(damaged("JPEG")),
    }
}

/// Checks, before a frame is decoded, that the size in its codestream is that of the object, which is within the
/// limits.
pub(super) fn check_size(width: u64, height: u64, layout: &Layout) -> Result<()> {
    if (width, height) == (layout.columns as u64, layout.rows as u64) {
        return Ok(());
    }
    Err(Error::Undecodable("a compressed frame has another size than its rows and columns".into()))
}

pub(super) fn damaged(what: &str) -> Error {
    Error::Undecodable(format!("a {what} frame of it is damaged or uses a rare feature"))
}

pub(super) fn cut(what: &str) -> Error {
    Error::Undecodable(format!(
        "a {what} frame of it ends before its last row; the file is cut off"
    ))
}

fn twelve_bit() -> Error {
    Error::UnsupportedType(
        "The DICOM file uses JPEG Extended with 12-bit samples (1.2.840.10008.1.2.4.51), which is \
         not supported. Convert it to uncompressed explicit little endian, for instance with \
         `dcmdjpeg IN OUT`."
            .into(),
    )
}
