//! Decodes JPEG 2000 frames (ISO 15444-1), lossless and lossy.

use super::codec::{check_size, cut, damaged, extend};
use super::layout::Layout;
use crate::error::Result;

/// Maximum number of tiles per frame; CT frames have one.
const MAX_TILES: u64 = 1024;
/// Maximum number of bytes after the last tile-part; DICOM pads to an even length.
const MAX_PADDING: usize = 1;

const START_OF_TILE_PART: u16 = 0xFF90;
const END_OF_CODESTREAM: u16 = 0xFFD9;

/// The stored values, row by row.
pub(super) fn decode(frame: &[u8], layout: &Layout, has_end_marker: &mut bool) -> Result<Vec<i32>> {
    let fail = || damaged("JPEG 2000");
    let size = Siz::find(frame).ok_or_else(fail)?;
    check_size(size.width, size.height, layout)?;
    if size.components != 1 || size.tiles > MAX_TILES || !(1..=16).contains(&size.precision) {
        return Err(fail());
    }
    let codestream = &frame[size.codestream..];
    *has_end_marker = find_end(codestream, size.tiles).ok_or_else(|| cut("JPEG 2000"))?;
    let image = hayro_jpeg2000::Image::new(codestream, &Default::default()).map_err(|_| fail())?;
    let mut context = hayro_jpeg2000::DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(|_| fail())?;
    let samples = decoded.components().first().ok_or_else(fail)?.samples();
    // The decoder adds half the range to each component, which ISO 15444-1 annex G.1 requires for unsigned components
    // only. It is subtracted again from signed ones.
    let half = 1_i32 << (size.precision - 1);
    let (low, high, offset) =
        if size.signed { (-half, half - 1, half) } else { (0, 2 * half - 1, 0) };
    let value = |&sample: &f32| {
        let value = (sample.round() as i32 - offset).clamp(low, high);
        // Some archives declare signed samples in unsigned codestreams or the reverse. The bits are right in both
        // cases, and Pixel Representation of the DICOM object determines their meaning.
        if size.signed == layout.signed {
            value
        } else {
            extend(value, size.precision, layout.signed)
        }
    };
    Ok(samples.iter().map(value).collect())
}

/// Whether the codestream has an end marker; `None` if tile-parts are incomplete or missing, which the decoder would
/// replace by zero coefficients (A.4.2).
fn find_end(codestream: &[u8], tiles: u64) -> Option<bool> {
    let mut at = 2;
    // Segments of the main header.
    while u16_at(codestream, at)? != START_OF_TILE_PART {
        at += 2 + usize::from(u16_at(codestream, at + 2)?);
    }
    // For each tile, the number of tile-parts found, and the number declared (0 if it is not declared).
    let mut parts = vec![(0_u8, 0_u8); usize::try_from(tiles).ok()?];
    loop {
        match u16_at(codestream, at) {
            Some(START_OF_TILE_PART) => {}
            Some(END_OF_CODESTREAM) => {
                return parts.iter().all(|&(found, _)| found > 0).then_some(true);
            }
            None if codestream.len().saturating_sub(at) <= MAX_PADDING => {
                return parts
                    .iter()
                    .all(|&(found, declared)| found > 0 && found == declared)
                    .then_some(false);
            }
            _ => return None,
        }
        let tile = parts.get_mut(usize::from(u16_at(codestream, at + 4)?))?;
        let length = u32::from_be_bytes(codestream.get(at + 6..at + 10)?.try_into().ok()?);
        tile.0 = tile.0.saturating_add(1);
        tile.1 = tile.1.max(*codestream.get(at + 11)?);
        at = match length as usize {
            // A length of 0 means up to the end marker, which does not occur in coded data.
            0 => at + memchr::memmem::find(&codestream[at..], &END_OF_CODESTREAM.to_be_bytes())?,
            // The header of a tile-part takes 12 bytes.
            length => at.checked_add(length.max(12)).filter(|end| *end <= codestream.len())?,
        };
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?).map(|b| u16::from_be_bytes([b[0], b[1]]))
}

/// The image and tile size marker of a codestream, ISO 15444-1 A.5.1.
struct Siz {
    /// Offset of the codestream; some files wrap it in a JP2 container.
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
