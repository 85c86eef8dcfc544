//! Outlines the hemorrhage on one slice with the library, without a server.
//!
//! ```sh
//! cargo run --release --example segment_slice slice.png [models] [mask.png]
//! ```

use ichor::decode::{Limits, decode_slice};
use ichor::error::{Error, Result};
use ichor::segmenter::{Models, NoObserver, SegmentRequest};
use ichor::storage::read_model_dir;
use std::path::PathBuf;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let file = arguments.next().ok_or_else(|| {
        Error::InvalidParameter("usage: segment_slice FILE [MODELS] [MASK]".into())
    })?;
    let folder = arguments.next().unwrap_or_else(|| "models".into());

    let models = Models::load(read_model_dir(&folder)?, None)?;
    let bytes = std::fs::read(&file).map_err(Error::io("The slice cannot be read"))?;
    // PNG, JPEG, TIFF, WebP, BMP or a DICOM slice. The limits hold before memory is taken.
    let slice = decode_slice(&bytes, &Limits::default())?;
    let model = models.default_model();
    let segmented = model.segment_slice(&slice, &SegmentRequest::default(), &NoObserver)?;

    let result = &segmented.result;
    let answer = match result.detected {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    println!("hemorrhage: {answer}, probability {:?}", result.probability);
    for lesion in &result.lesions {
        println!("lesion {}: {} px", lesion.id, lesion.area_px);
    }
    if let Some(mask) = arguments.next() {
        segmented
            .mask
            .into_grey()
            .save(mask)
            .map_err(|error| Error::InvalidParameter(error.to_string()))?;
    }
    Ok(())
}
