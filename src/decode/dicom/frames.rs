//! The bytes of each frame: a stretch of native pixel data, or fragments (PS3.5 A.4).

use super::layout::Layout;
use crate::error::{Error, Result};
use dicom_core::value::Value;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use std::borrow::Cow;
use std::ops::Range;

/// Pixel data, divided into frames.
pub(super) enum Frames<'a> {
    /// All frames, one after the other; little endian.
    Native { bytes: Cow<'a, [u8]>, frame_bytes: usize },
    /// Fragments, and which of them make up each frame.
    Fragments { fragments: &'a [Vec<u8>], frames: Vec<Range<usize>> },
}

impl<'a> Frames<'a> {
    /// # Errors
    /// [`Error::Undecodable`] where frames are missing.
    pub(super) fn of(object: &'a InMemDicomObject, layout: &Layout) -> Result<Self> {
        let value = object.get(tags::PIXEL_DATA).ok_or_else(missing)?.value();
        match value {
            Value::Primitive(native) => {
                let frame_bytes = layout.samples() * layout.bytes;
                let bytes = native.to_bytes();
                let wanted = frame_bytes.checked_mul(layout.frames).ok_or_else(missing)?;
                if bytes.len() < wanted {
                    return Err(missing());
                }
                Ok(Self::Native { bytes, frame_bytes })
            }
            Value::PixelSequence(sequence) => {
                let fragments = sequence.fragments();
                let frames = group(fragments, sequence.offset_table(), layout.frames)?;
                Ok(Self::Fragments { fragments, frames })
            }
            Value::Sequence(_) => Err(missing()),
        }
    }

    /// The bytes of one frame, counted from 0.
    pub(super) fn get(&self, frame: usize) -> Result<Cow<'_, [u8]>> {
        match self {
            Self::Native { bytes, frame_bytes } => {
                let start = frame * frame_bytes;
                bytes.get(start..start + frame_bytes).map(Cow::Borrowed).ok_or_else(missing)
            }
            Self::Fragments { fragments, frames } => {
                let range = frames.get(frame).cloned().ok_or_else(missing)?;
                match fragments.get(range).ok_or_else(missing)? {
                    [] => Err(missing()),
                    [single] => Ok(Cow::Borrowed(single)),
                    several => Ok(Cow::Owned(several.concat())),
                }
            }
        }
    }
}

/// Which fragments belong to each frame: one each, all to a single one, by the Basic Offset
/// Table, or by where a codestream starts.
fn group(fragments: &[Vec<u8>], offsets: &[u32], frames: usize) -> Result<Vec<Range<usize>>> {
    let count = fragments.len();
    if frames == 1 {
        return Ok(std::iter::once(0..count).collect());
    }
    if count == frames {
        return Ok((0..count).map(|i| i..i + 1).collect());
    }
    let starts: Vec<usize> = if offsets.len() == frames {
        let mut offset = 0;
        let positions: Vec<u64> = fragments
            .iter()
            .map(|fragment| {
                let here = offset;
                // An item header takes 8 bytes.
                offset += fragment.len() as u64 + 8;
                here
            })
            .collect();
        offsets.iter().filter_map(|o| positions.binary_search(&u64::from(*o)).ok()).collect()
    } else {
        (0..count).filter(|&i| starts_codestream(&fragments[i])).collect()
    };
    if starts.len() != frames || starts.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(missing());
    }
    let ends = starts.iter().skip(1).copied().chain([count]);
    Ok(starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect())
}

/// JPEG's start of image, or JPEG 2000's start of codestream.
fn starts_codestream(fragment: &[u8]) -> bool {
    fragment.starts_with(&[0xFF, 0xD8]) || fragment.starts_with(&[0xFF, 0x4F, 0xFF, 0x51])
}

fn missing() -> Error {
    Error::Undecodable("its pixel data is shorter than its rows, columns and frames".into())
}
