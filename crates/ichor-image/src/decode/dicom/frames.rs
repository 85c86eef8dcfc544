//! Reads the bytes of each frame in turn, from native pixel data or from fragments (PS3.5 A.4).

mod fragments;

use super::file::DicomFile;
use super::layout::Layout;
use super::structure::PixelData;
use super::syntax::Coding;
use crate::decode::Limits;
use crate::error::{Error, Result};
use dicom_core::VR;
use dicom_object::InMemDicomObject;
use fragments::{Division, Fragments};
use std::io::{Cursor, Read};

/// A reader of pixel data, frame by frame.
pub(super) struct Frames<'a> {
    pixels: Pixels<'a>,
}

enum Pixels<'a> {
    /// Uncompressed frames without gaps.
    Native {
        reader: Box<dyn Read + 'a>,
        frame_bytes: usize,
        /// Whether the bytes of each 16-bit word are in big endian order.
        is_swapped: bool,
    },
    Fragments(Fragments<'a>),
}

impl<'a> Frames<'a> {
    /// Continues from the head of a file to its pixel data.
    ///
    /// # Errors
    /// [`Error::Undecodable`] if the declared length is too short for the frames, [`Error::UnsupportedType`] for big
    /// endian frames of an odd size.
    pub(super) fn new(
        file: DicomFile<'a>,
        object: &InMemDicomObject,
        pixel_data: &PixelData,
        layout: &Layout,
        coding: Coding,
        limits: &Limits,
    ) -> Result<Self> {
        let DicomFile { head, rest, syntax, .. } = file;
        let mut head = Cursor::new(head);
        head.set_position(pixel_data.value as u64);
        let reader: Box<dyn Read + 'a> = Box::new(head.chain(rest));
        let Some(length) = pixel_data.length else {
            let max_bytes = limits.max_decoded_bytes;
            let division = Division::read(object, layout)?;
            return Fragments::new(reader, division, coding, layout, max_bytes)
                .map(|fragments| Self { pixels: Pixels::Fragments(fragments) });
        };
        if !matches!(coding, Coding::Native) {
            return Err(Error::Undecodable("its compressed frames are not in fragments".into()));
        }
        let frame_bytes = layout.samples() * layout.bytes;
        let needed = frame_bytes.checked_mul(layout.frames).ok_or_else(missing)?;
        if (length as usize) < needed {
            return Err(missing());
        }
        // Big endian swaps the bytes of each word (PS3.5 section 7.3), also where a word holds two 8-bit samples.
        let has_words = layout.bytes == 2 || pixel_data.vr == VR::OW;
        let is_swapped = syntax.encoding.big_endian && has_words;
        if is_swapped && frame_bytes % 2 == 1 && layout.frames > 1 {
            return Err(Error::UnsupportedType(
                "The DICOM file packs frames of an odd size into big endian words, which is not \
                 supported. Convert it to explicit little endian, for instance with \
                 `dcmconv +te IN OUT`."
                    .into(),
            ));
        }
        Ok(Self { pixels: Pixels::Native { reader, frame_bytes, is_swapped } })
    }

    /// The bytes of the next frame, in little endian order.
    ///
    /// # Errors
    /// [`Error::Undecodable`] if the frame is missing or incomplete, [`Error::TooLarge`] for a compressed frame above
    /// the limit.
    pub(super) fn next(&mut self) -> Result<Vec<u8>> {
        match &mut self.pixels {
            Pixels::Native { reader, frame_bytes, is_swapped } => {
                // No capacity is reserved, because a file may declare more than it holds.
                let stored = *frame_bytes + usize::from(*is_swapped && *frame_bytes % 2 == 1);
                let mut bytes = Vec::new();
                reader
                    .by_ref()
                    .take(stored as u64)
                    .read_to_end(&mut bytes)
                    .map_err(|_| missing())?;
                if bytes.len() < stored {
                    return Err(missing());
                }
                if *is_swapped {
                    bytes.chunks_exact_mut(2).for_each(|word| word.swap(0, 1));
                }
                bytes.truncate(*frame_bytes);
                Ok(bytes)
            }
            Pixels::Fragments(fragments) => fragments.next_frame(),
        }
    }

    /// Checks that no fragments are left: more fragments than frames mean that they were assigned to the wrong frames.
    /// Returns whether the pixel data end with their delimiter.
    ///
    /// # Errors
    /// [`Error::Undecodable`] if fragments are left.
    pub(super) fn finish(self) -> Result<bool> {
        match self.pixels {
            Pixels::Native { .. } => Ok(true),
            Pixels::Fragments(fragments) => fragments.finish(),
        }
    }
}

/// The compression of the first frame, detected from its first bytes; `None` if they are not recognized.
pub(super) fn coding_by_content(pixel_data: &[u8]) -> Option<Coding> {
    let (_, after_table) = fragments::item(pixel_data)?;
    let (first, _) = fragments::item(after_table)?;
    fragments::coding_of_codestream(first)
}

fn missing() -> Error {
    Error::Undecodable(
        "its pixel data is shorter than its rows, columns and frames; the file may be cut off"
            .into(),
    )
}
