//! Several files that were sent together, read as one series, as an archive of them would be.

use super::{Decoded, Heard, Limits, decode, decode_heard};
use crate::error::{Error, Result};
use crate::slice::{CtSlice, Warning};

/// Decodes every slice of several files in their order; `heard` gets each once its file is read.
///
/// A file that cannot be read is left out, with a warning on every slice by which the answer is not "no".
///
/// # Errors
/// The first file's where none can be read; [`Error::TooLarge`] for all of them together.
pub fn decode_several(files: &[&[u8]], limits: &Limits, heard: Heard<'_>) -> Result<Decoded> {
    if let [file] = files {
        return decode_heard(file, limits, heard);
    }
    let mut decoded: Vec<Decoded> = Vec::new();
    let mut left = *limits;
    let (mut unreadable, mut first_failure) = (0, None);
    for file in files {
        match decode(file, &left) {
            Ok(file) => {
                left = remaining(&left, &file, limits)?;
                file.slices.iter().for_each(&mut *heard);
                decoded.push(file);
            }
            // The error must name the limit in force, not what other files left of it.
            Err(Error::TooLarge { what, limit, remedy }) => {
                let limit = match limit {
                    limit if limit == left.max_slices as u64 => limits.max_slices as u64,
                    limit if limit == left.max_series_bytes => limits.max_series_bytes,
                    limit => limit,
                };
                return Err(Error::TooLarge { what, limit, remedy });
            }
            Err(error) => {
                unreadable += 1;
                first_failure.get_or_insert(error);
            }
        }
    }
    let mut all = match (decoded.len(), &first_failure) {
        (0, _) => return Err(first_failure.unwrap_or(Error::EmptyInput)),
        // One volume keeps its grid.
        (1, _) => decoded.remove(0),
        _ => decoded.into_iter().flat_map(|file| file.slices).collect::<Vec<_>>().into(),
    };
    if let Some(failure) = first_failure {
        let warning = unreadable_files(unreadable, &failure);
        all.slices.iter_mut().for_each(|slice| slice.warnings.push(warning.clone()));
    }
    Ok(all)
}

/// What a file leaves of the limits of the series.
fn remaining(left: &Limits, file: &Decoded, limits: &Limits) -> Result<Limits> {
    let bytes: u64 = file.slices.iter().map(decoded_bytes).sum();
    let max_slices = left.max_slices.checked_sub(file.slices.len());
    let max_series_bytes = left.max_series_bytes.checked_sub(bytes);
    let remedy = "Send the files of one series at a time.";
    match (max_slices, max_series_bytes) {
        (Some(max_slices), Some(max_series_bytes)) => {
            Ok(Limits { max_slices, max_series_bytes, ..*left })
        }
        (None, _) => {
            let limit = limits.max_slices as u64;
            Err(Error::TooLarge { what: "The number of slices", limit, remedy })
        }
        (_, None) => {
            let limit = limits.max_series_bytes;
            Err(Error::TooLarge { what: "The decoded size in bytes", limit, remedy })
        }
    }
}

fn decoded_bytes(slice: &CtSlice) -> u64 {
    slice.plane.sample_count() as u64 * 4
}

fn unreadable_files(count: usize, first: &Error) -> Warning {
    let message = format!(
        "Files that could not be read and are missing in the answer: {count}. The first: {first}"
    );
    Warning::incomplete("files_unreadable", message)
}
