//! DICOM images (PS3.3, PS3.5, PS3.10): CT in Hounsfield units, other modalities for display.
//!
//! ```text
//! bytes -> file (meta group, transfer syntax, inflate) -> guard (lengths, depth) -> data set
//!       -> layout (sizes against the limits) -> frames -> codec -> stored values -> HU
//! ```

mod attributes;
mod codec;
mod file;
mod frames;
mod geometry;
mod guard;
mod hounsfield;
mod layout;
mod reference;
mod rle;
mod syntax;

use super::Limits;
use crate::error::{Error, Result};
use crate::slice::CtSlice;
use attributes::Attributes;
use dicom_object::InMemDicomObject;

pub(super) use file::sniff;

/// Reads every frame.
///
/// Samples of a CT image are `stored value * slope + intercept` (PS3.3 C.11.1.1.2), also where
/// they are padding: windows clamp those, and a value that the file holds is not invented anew.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Vec<CtSlice>> {
    let file = file::open(bytes, limits)?;
    let end = guard::end_of_pixel_data(&file.data_set, &file.syntax)?;
    let object =
        InMemDicomObject::read_dataset_with_ts(&file.data_set[..end], &file.syntax.encoding)
            .map_err(|_| damaged())?;
    let layout = layout::Layout::read(&object, limits)?;
    let frames = frames::Frames::of(&object, &layout)?;
    let reference = reference::Reference::read(&object, file.syntax.uid);
    (0..layout.frames)
        .map(|frame| {
            let attributes = Attributes::of_frame(&object, frame);
            let stored = codec::stored_values(frames.get(frame)?, &layout, file.syntax.coding)?;
            let mut slice = hounsfield::slice(&attributes, &layout, &stored)?;
            geometry::place(&attributes, &mut slice);
            slice.reference = Some(reference.of_frame(&attributes, layout.frames));
            Ok(slice)
        })
        .collect()
}

fn damaged() -> Error {
    Error::Undecodable("the DICOM data set ends too early or its structure is damaged".into())
}
