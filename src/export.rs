//! Results as files that other programs read, in the geometry of the input.

pub mod dicom_seg;
pub mod montage;
pub mod nifti;
pub mod table;
