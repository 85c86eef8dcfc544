//! Results as files that other programs read, in the geometry of the input.

mod dicom;
pub mod dicom_seg;
pub mod dicom_sr;
pub mod montage;
pub mod nifti;
pub mod table;
