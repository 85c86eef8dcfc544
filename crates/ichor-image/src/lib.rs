//! Reads head CT: DICOM, NIfTI, pictures and zip files become slices, and slices become series.
//!
//! Every reader is bounded in time and memory, checks its limits before memory is taken, and refuses what it cannot read
//! with an error that names a remedy.
//!
//! ```
//! use ichor_image::decode::{Limits, decode};
//! use ichor_image::series::{SeriesRequest, assemble};
//!
//! // A picture; a DICOM file, a NIfTI volume or a zip is read by the same call.
//! let mut png = std::io::Cursor::new(Vec::new());
//! image::GrayImage::new(64, 48).write_to(&mut png, image::ImageFormat::Png).unwrap();
//! let decoded = decode(png.get_ref(), &Limits::default())?;
//! let series = assemble(decoded, SeriesRequest::default())?;
//! assert_eq!((series.slices[0].plane.width, series.slices[0].plane.height), (64, 48));
//!
//! // Other formats are refused with an error that names the format.
//! let error = decode(b"GIF89a", &Limits::default()).unwrap_err();
//! assert!(error.to_string().contains("GIF"));
//! # Ok::<(), ichor_image::Error>(())
//! ```

#![forbid(unsafe_code)]

pub mod decode;
pub mod error;
pub mod inspect;
pub mod parallel;
pub mod series;
pub mod slice;
pub mod vector;
pub mod window;

pub use decode::{Input, SliceReader, Trailer, open};
pub use error::{Error, Result};
