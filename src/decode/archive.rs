//! Zip archives of slices (PKWARE APPNOTE 6.3, stored or deflated).
//!
//! Nothing is ever written to disk and no name is followed, so a path in an archive can lead
//! nowhere. Sizes that the archive declares are not believed: bytes are counted as they unpack.

mod directory;

use super::{Decoded, Format, Limits, decode_file, raster};
use crate::error::{Error, Result};
use crate::slice::{CtSlice, Warning};
pub use directory::natural_order;
use directory::{Archive, Entry, open};
use std::io::Read;

/// Enough for every sniffer: the magic of NIfTI ends at byte 348.
const SNIFFED_BYTES: u64 = 352;

pub(super) fn sniff(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// Decodes every image of an archive, by name in natural order.
///
/// Files that are no images are skipped, as are images that cannot be read; both are counted in
/// the warnings of every slice. Archives within the archive are not opened.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded> {
    let (mut archive, entries) = open(bytes, limits)?;
    let mut found = Found::default();
    for entry in &entries {
        if entry.is_clutter() {
            found.skipped += 1;
            continue;
        }
        match unpack(&mut archive, entry, limits, &mut found.unpacked) {
            Ok(Some(file)) => found.add(&file, limits)?,
            Ok(None) => found.skipped += 1,
            Err(error @ Error::TooLarge { .. }) => return Err(error),
            Err(error) => found.fail(error),
        }
    }
    found.finish()
}

/// The bytes of one entry; `None` where they do not begin like an image.
fn unpack(
    archive: &mut Archive<'_>,
    entry: &Entry,
    limits: &Limits,
    unpacked: &mut u64,
) -> Result<Option<Vec<u8>>> {
    let damaged = || Error::Undecodable("a file of the archive is damaged".into());
    let mut file = archive.by_index(entry.index).map_err(|_| damaged())?;
    let mut bytes = Vec::new();
    file.by_ref().take(SNIFFED_BYTES).read_to_end(&mut bytes).map_err(|_| damaged())?;
    let left = limits.max_series_bytes.saturating_sub(*unpacked);
    let most = match Format::of(&bytes) {
        Format::Raster if !raster::is_image(&bytes) => return Ok(None),
        // No format stores a picture in much more than it decodes to.
        Format::Raster => left.min(limits.max_decoded_bytes),
        // 16 bits stored become 32 decoded.
        Format::Dicom => left.min(limits.max_series_bytes / 2),
        Format::Nifti => left,
        // Not opened: it is enough to know it for one.
        Format::Zip => return Ok(Some(bytes)),
    };
    // Not reserved: the declared size is the packer's word.
    file.take((most + 1).saturating_sub(bytes.len() as u64))
        .read_to_end(&mut bytes)
        .map_err(|_| damaged())?;
    *unpacked += bytes.len() as u64;
    if bytes.len() as u64 > most {
        return Err(Error::TooLarge {
            what: "The unpacked size of the archive in bytes",
            limit: limits.max_series_bytes,
            remedy: "Send one series an archive, and leave out what is no slice.",
        });
    }
    Ok(Some(bytes))
}

/// What the archive held so far.
#[derive(Default)]
struct Found {
    decoded: Vec<Decoded>,
    slices: usize,
    decoded_bytes: u64,
    /// Bytes of the entries, unpacked.
    unpacked: u64,
    /// Entries that are no images.
    skipped: usize,
    /// Images that could not be read,
    failed: usize,
    /// and why the first could not.
    first_failure: Option<Error>,
}

impl Found {
    fn add(&mut self, file: &[u8], limits: &Limits) -> Result<()> {
        let left = Limits {
            max_slices: limits.max_slices.saturating_sub(self.slices),
            max_series_bytes: limits.max_series_bytes.saturating_sub(self.decoded_bytes),
            ..*limits
        };
        match decode_file(file, &left) {
            Ok(decoded) => self.keep(decoded, limits),
            // The error must name the limit in force, not what other files left of it.
            Err(Error::TooLarge { what, limit, remedy }) => {
                let limit = match limit {
                    l if l == left.max_slices as u64 => limits.max_slices as u64,
                    l if l == left.max_series_bytes => limits.max_series_bytes,
                    l => l,
                };
                Err(Error::TooLarge { what, limit, remedy })
            }
            Err(error) => {
                self.fail(error);
                Ok(())
            }
        }
    }

    fn keep(&mut self, decoded: Decoded, limits: &Limits) -> Result<()> {
        let bytes = |slice: &CtSlice| slice.plane.samples.len() as u64 * 4;
        self.slices += decoded.slices.len();
        self.decoded_bytes += decoded.slices.iter().map(bytes).sum::<u64>();
        self.decoded.push(decoded);
        let remedy = "Send one series an archive.";
        if self.slices > limits.max_slices {
            let limit = limits.max_slices as u64;
            return Err(Error::TooLarge { what: "The number of slices", limit, remedy });
        }
        if self.decoded_bytes > limits.max_series_bytes {
            let limit = limits.max_series_bytes;
            return Err(Error::TooLarge { what: "The decoded size in bytes", limit, remedy });
        }
        Ok(())
    }

    fn fail(&mut self, error: Error) {
        self.failed += 1;
        self.first_failure.get_or_insert(error);
    }

    fn finish(mut self) -> Result<Decoded> {
        let warnings = self.warnings();
        let mut all = match (self.decoded.len(), self.first_failure) {
            (0, Some(failure)) => return Err(failure),
            (0, None) => {
                return Err(Error::UnsupportedType(
                    "The archive holds no image that is read here. Pack the slices of one series."
                        .into(),
                ));
            }
            // One volume keeps its grid.
            (1, _) => self.decoded.remove(0),
            _ => self.decoded.into_iter().flat_map(|d| d.slices).collect::<Vec<_>>().into(),
        };
        all.slices.iter_mut().for_each(|slice| slice.warnings.extend(warnings.iter().cloned()));
        Ok(all)
    }

    fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if self.skipped > 0 {
            let message = format!("Files of the archive that are no images: {}.", self.skipped);
            warnings.push(Warning::new("archive_files_skipped", message));
        }
        if let Some(reason) = &self.first_failure {
            let message = format!(
                "Files of the archive that could not be read and are missing here: {}. The first: \
                 {reason}",
                self.failed
            );
            warnings.push(Warning::new("archive_files_unreadable", message));
        }
        warnings
    }
}
