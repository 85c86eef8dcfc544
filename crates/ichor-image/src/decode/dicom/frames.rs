//! The bytes of each frame, one after the other: a stretch of native pixel data, or fragments
//! (PS3.5 A.4).

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

/// Pixel data, divided into frames and read in their order.
pub(super) struct Frames<'a> {
    from: Pixels<'a>,
}

enum Pixels<'a> {
    /// All frames, one after the other.
    Native {
        reader: Box<dyn Read + 'a>,
        frame_bytes: usize,
        swapped: bool,
    },
    Fragments(Fragments<'a>),
}

impl<'a> Frames<'a> {
    /// # Errors
    /// [`Error::Undecodable`] where the pixel data are declared too short.
    pub(super) fn of(
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
            let most = limits.max_decoded_bytes;
            let division = Division::read(object, layout)?;
            return Fragments::new(reader, division, coding, layout, most)
                .map(|fragments| Self { from: Pixels::Fragments(fragments) });
        };
        if !matches!(coding, Coding::Native) {
            return Err(Error::Undecodable("its compressed frames are not in fragments".into()));
        }
        let frame_bytes = layout.samples() * layout.bytes;
        let wanted = frame_bytes.checked_mul(layout.frames).ok_or_else(missing)?;
        if (length as usize) < wanted {
            return Err(missing());
        }
        // PS3.5 section 7.3: words are turned round, of which one holds two samples of a byte.
        let words = layout.bytes == 2 || pixel_data.vr == VR::OW;
        let swapped = syntax.encoding.big_endian && words;
        if swapped && frame_bytes % 2 == 1 && layout.frames > 1 {
            return Err(Error::UnsupportedType(
                "The DICOM file packs frames of an odd size into big endian words, which is not \
                 read here. Convert it to explicit little endian, for instance with \
                 `dcmconv +te IN OUT`."
                    .into(),
            ));
        }
        Ok(Self { from: Pixels::Native { reader, frame_bytes, swapped } })
    }

    /// The bytes of the next frame, little endian.
    ///
    /// # Errors
    /// [`Error::Undecodable`] where it is missing or incomplete.
    pub(super) fn next(&mut self) -> Result<Vec<u8>> {
        match &mut self.from {
            Pixels::Native { reader, frame_bytes, swapped } => {
                // Not reserved: a file may declare more than it holds.
                let stored = *frame_bytes + usize::from(*swapped && *frame_bytes % 2 == 1);
                let mut bytes = Vec::new();
                reader
                    .by_ref()
                    .take(stored as u64)
                    .read_to_end(&mut bytes)
                    .map_err(|_| missing())?;
                if bytes.len() < stored {
                    return Err(missing());
                }
                if *swapped {
                    bytes.chunks_exact_mut(2).for_each(|word| word.swap(0, 1));
                }
                bytes.truncate(*frame_bytes);
                Ok(bytes)
            }
            Pixels::Fragments(fragments) => fragments.next_frame(),
        }
    }

    /// Checks that the frames were all: more fragments than frames mean that they were divided
    /// wrongly. Returns whether the pixel data has its end.
    ///
    /// # Errors
    /// [`Error::Undecodable`] where frames are left.
    pub(super) fn finish(self) -> Result<bool> {
        match self.from {
            Pixels::Native { .. } => Ok(true),
            Pixels::Fragments(fragments) => fragments.finish(),
        }
    }
}

/// The compression that the first frame has by its own first bytes; `None` where those say nothing.
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
