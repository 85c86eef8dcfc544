//! DICOM images (PS3.3, PS3.5, PS3.10): CT in Hounsfield units, other modalities for display.
//!
//! ```text
//! bytes -> file (meta group, transfer syntax, inflate) -> structure (checks lengths and depth) -> data set
//!       -> layout (checks sizes) -> frames -> codec -> stored values -> hounsfield
//! ```

mod attributes;
mod codec;
mod file;
mod frames;
mod geometry;
mod hounsfield;
mod jpeg2000;
mod layout;
mod quoted;
mod reference;
mod rle;
mod stack;
mod structure;
mod syntax;

use super::source::Source;
use super::{Identity, Limits, jpeg};
use crate::error::{Error, Result};
use crate::slice::{CtSlice, PatientStudy, Warning};
use attributes::Attributes;
use dicom_dictionary_std::uids;
use dicom_object::InMemDicomObject;
use dicom_transfer_syntax_registry::entries;
use file::DicomFile;
use frames::Frames;
use structure::{Header, PixelData};
use syntax::Coding;

pub(super) use file::sniff;

/// Decodes all frames, one at a time.
///
/// Samples of a CT image are `stored value * slope + intercept` (PS3.3 C.11.1.1.2). Padding is rescaled in the same
/// way: a window clamps it to black.
pub(super) fn decode(source: &mut dyn Source, limits: &Limits) -> Result<Vec<CtSlice>> {
    let mut file = DicomFile::open(source, limits)?;
    let (object, pixel_data, quoted) = read_header(&file)?;
    let layout = layout::Layout::read(&object, limits)?;
    let reference = reference::Reference::read(&object, file.syntax.uid, quoted);
    let coding = coding(&mut file, &pixel_data, &layout);
    let mut warnings = std::mem::take(&mut file.warnings);
    let mut frames = Frames::new(file, &object, &pixel_data, &layout, coding, limits)?;
    let mut have_end_markers = true;
    let mut slices = (0..layout.frames)
        .map(|frame| {
            let attributes = Attributes::of_frame(&object, frame);
            let stored = codec::decode_frame(&frames.next()?, &layout, coding)?;
            have_end_markers &= stored.has_end_marker;
            let mut slice = hounsfield::slice(&attributes, &layout, &stored.values)?;
            geometry::place(&attributes, &mut slice);
            slice.reference = Some(reference.of_frame(&attributes, layout.frames));
            Ok(slice)
        })
        .collect::<Result<Vec<_>>>()?;
    let is_delimited = frames.finish()?;
    if !have_end_markers {
        warnings.push(jpeg::end_missing());
    }
    if !is_delimited {
        warnings.push(Warning::new(
            "pixel_data_end_missing",
            "The DICOM file lacks the delimiter at the end of its pixel data; all frames are there.",
        ));
    }
    stack::place_frames(&object, &mut slices, &mut warnings);
    slices.iter_mut().for_each(|slice| slice.warnings.extend(warnings.iter().cloned()));
    Ok(slices)
}

/// The compression of the frames: as the transfer syntax declares, unless the pixel data show another one.
fn coding(file: &mut DicomFile<'_>, pixel_data: &PixelData, layout: &layout::Layout) -> Coding {
    let declared = file.syntax.coding;
    let bytes = file.head.get(pixel_data.value..).unwrap_or_default();
    let (coding, name) = match pixel_data.length {
        None => match frames::coding_by_content(bytes) {
            Some(Coding::Jpeg) => (Coding::Jpeg, "JPEG"),
            Some(Coding::Jpeg2000) => (Coding::Jpeg2000, "JPEG 2000"),
            _ => return declared,
        },
        // Some archives decompress the frames and keep the declared transfer syntax.
        Some(length) if layout.is_size_of_all_frames(length) => (Coding::Native, "uncompressed"),
        Some(_) => return declared,
    };
    if coding != declared {
        let message = format!(
            "The DICOM file declares another compression than its frames have; they are {name} and \
             were read as such."
        );
        file.warnings.push(Warning::new("compression_contradicted", message));
    }
    coding
}

/// Reads the header of an object without decoding its samples.
pub(super) fn identify(source: &mut dyn Source, limits: &Limits) -> Result<Identity> {
    let file = DicomFile::open(source, limits)?;
    let (object, quoted) = match read_header(&file) {
        Ok((object, _, quoted)) => (object, quoted),
        Err(Error::Unprocessable(_)) => return Ok(Identity::NoImage),
        Err(error) => return Err(error),
    };
    let reference = reference::Reference::read(&object, file.syntax.uid, quoted);
    // A segmentation has pixel data but is not an image; it is often stored beside its images.
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
        let mut frames = (0..layout.frames).map(frame).collect::<Result<Vec<_>>>()?;
        stack::place_frames(&object, &mut frames, &mut Vec::new());
        Ok(frames)
    });
    match frames {
        Ok(frames) => Ok(Identity::Frames(frames)),
        Err(reason) if reference.is_page() => Ok(Identity::Page(reason)),
        Err(error) => Err(error),
    }
}

/// The attributes before the pixel data, the position of the pixel data, and the attributes to repeat.
fn read_header(file: &DicomFile<'_>) -> Result<(InMemDicomObject, PixelData, PatientStudy)> {
    let encoding = file.syntax.encoding;
    let header = Header::read(&file.head, encoding).map_err(|error| {
        // The head has its maximum size and does not reach the pixel data.
        if file.has_more { file::header_too_large() } else { error }
    })?;
    let syntax = match encoding.big_endian {
        true => entries::EXPLICIT_VR_BIG_ENDIAN.erased(),
        false => entries::EXPLICIT_VR_LITTLE_ENDIAN.erased(),
    };
    let object = InMemDicomObject::read_dataset_with_ts(&header.attributes[..], &syntax)
        .map_err(|_| damaged())?;
    Ok((object, header.pixel_data, header.patient_study))
}

fn damaged() -> Error {
    Error::Undecodable("the DICOM data set ends too early or its structure is damaged".into())
}
