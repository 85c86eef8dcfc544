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

use super::source::Source;
use super::{Identity, Limits};
use crate::error::{Error, Result};
use crate::slice::CtSlice;
use attributes::Attributes;
use dicom_dictionary_std::uids;
use dicom_object::InMemDicomObject;
use file::DicomFile;
use frames::Frames;
use guard::{PixelData, find_pixel_data};

pub(super) use file::sniff;

/// Reads every frame, one at a time.
///
/// Samples of a CT image are `stored value * slope + intercept` (PS3.3 C.11.1.1.2), also where
/// they are padding: windows clamp those, and a value that the file holds is not invented anew.
pub(super) fn decode(source: &mut dyn Source, limits: &Limits) -> Result<Vec<CtSlice>> {
    let file = DicomFile::open(source, limits)?;
    let (object, pixel_data) = header(&file)?;
    let layout = layout::Layout::read(&object, limits)?;
    let reference = reference::Reference::read(&object, file.syntax.uid);
    let coding = file.syntax.coding;
    let mut frames = Frames::of(file, &object, &pixel_data, &layout, limits)?;
    let slices = (0..layout.frames)
        .map(|frame| {
            let attributes = Attributes::of_frame(&object, frame);
            let stored = codec::stored_values(&frames.next()?, &layout, coding)?;
            let mut slice = hounsfield::slice(&attributes, &layout, &stored)?;
            geometry::place(&attributes, &mut slice);
            slice.reference = Some(reference.of_frame(&attributes, layout.frames));
            Ok(slice)
        })
        .collect::<Result<_>>()?;
    frames.finish()?;
    Ok(slices)
}

/// What the object is, without a look at its samples.
pub(super) fn identify(source: &mut dyn Source, limits: &Limits) -> Result<Identity> {
    let file = DicomFile::open(source, limits)?;
    let object = match header(&file) {
        Ok((object, _)) => object,
        Err(Error::Unprocessable(_)) => return Ok(Identity::NoImage),
        Err(error) => return Err(error),
    };
    let reference = reference::Reference::read(&object, file.syntax.uid);
    // Segmentations have pixels, but nothing to segment; they lie beside their images.
    if reference.sop_class_uid() == uids::SEGMENTATION_STORAGE {
        return Ok(Identity::NoImage);
    }
    let frames = layout::Layout::read(&object, limits).and_then(|layout| {
        let frame = |frame| {
            let attributes = Attributes::of_frame(&object, frame);
            let mut slice = hounsfield::slice(&attributes, &layout, &[])?;
            geometry::place(&attributes, &mut slice);
            slice.reference = Some(reference.of_frame(&attributes, layout.frames));
            slice.plane.release();
            Ok(slice)
        };
        (0..layout.frames).map(frame).collect::<Result<Vec<_>>>()
    });
    match frames {
        Ok(frames) => Ok(Identity::Frames(frames)),
        Err(reason) if reference.is_page() => Ok(Identity::Page(reason)),
        Err(error) => Err(error),
    }
}

/// The attributes before the pixel data, and where those begin.
fn header(file: &DicomFile<'_>) -> Result<(InMemDicomObject, PixelData)> {
    let pixel_data = find_pixel_data(&file.head, &file.syntax).map_err(|error| {
        // The head is full and the pixel data are not in it.
        if file.goes_on { file::header_too_large() } else { error }
    })?;
    let attributes = &file.head[..pixel_data.element];
    let object = InMemDicomObject::read_dataset_with_ts(attributes, &file.syntax.encoding)
        .map_err(|_| damaged())?;
    Ok((object, pixel_data))
}

fn damaged() -> Error {
    Error::Undecodable("the DICOM data set ends too early or its structure is damaged".into())
}
