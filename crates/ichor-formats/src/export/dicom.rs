//! The common parts of DICOM objects that are derived from a series (PS3.3).

pub(super) mod elements;
pub(super) mod identity;

use crate::error::{Error, Result};
use dicom_dictionary_std::uids;
use dicom_object::InMemDicomObject;
use dicom_object::meta::FileMetaTableBuilder;

/// Encodes the object as a DICOM file, explicit VR little endian.
///
/// # Errors
/// [`Error::Internal`] if it cannot be encoded, which no value of it causes.
pub(super) fn file(object: InMemDicomObject) -> Result<Vec<u8>> {
    let meta = FileMetaTableBuilder::new().transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN);
    let failed = || Error::Internal("the DICOM object could not be written".into());
    let mut bytes = Vec::new();
    object.with_meta(meta).map_err(|_| failed())?.write_all(&mut bytes).map_err(|_| failed())?;
    Ok(bytes)
}
