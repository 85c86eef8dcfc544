//! Several files as one input: their slices one after the other, within the limits of one series.

use super::source::InMemory;
use super::{Decoded, Format, Heard, Identity, Limits, decode, decode_heard, dicom, guarded};
use crate::error::{Error, Result};
use crate::slice::{CtSlice, Warning};

/// Decodes several files that were sent together as one input; those that cannot be read are left
/// out with a warning on every slice.
///
/// # Errors
/// As [`decode`]; [`Error::TooLarge`] where all together are more than one series may have.
pub fn decode_several(files: &[&[u8]], limits: &Limits, heard: Heard<'_>) -> Result<Decoded> {
    if let [file] = files {
        return decode_heard(file, limits, heard);
    }
    let mut several = Several::new(Origin::Files, limits);
    for file in files {
        let left = several.left();
        let read = decode(file, &left);
        let is_picture = Format::of(file) == Format::Raster;
        let identify =
            || (!is_picture).then(|| guarded(|| dicom::identify(&mut InMemory(file), limits)));
        several.add_read(read, &left, identify, heard)?;
    }
    several.finish()
}

/// Where the files come from, for what is said of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Entries of one archive.
    Archive,
    /// Files of a folder, of a command line or of a request.
    Files,
}

/// Files decoded so far.
pub struct Several<'a> {
    origin: Origin,
    limits: &'a Limits,
    decoded: Vec<Decoded>,
    slices: usize,
    bytes: u64,
    /// Files that are no images.
    skipped: usize,
    /// Images that could not be read,
    unreadable: usize,
    /// and why the first could not.
    first_failure: Option<Error>,
    /// Pages and pictures that could not be read, which slices beside them can do without,
    pages: usize,
    /// and why the first could not.
    first_page: Option<Error>,
}

impl<'a> Several<'a> {
    /// Nothing yet; `limits` bound all files together.
    pub fn new(origin: Origin, limits: &'a Limits) -> Self {
        Self {
            origin,
            limits,
            decoded: Vec::new(),
            slices: 0,
            bytes: 0,
            skipped: 0,
            unreadable: 0,
            first_failure: None,
            pages: 0,
            first_page: None,
        }
    }

    /// What the files so far leave of the limits.
    pub(super) fn left(&self) -> Limits {
        Limits {
            max_slices: self.limits.max_slices.saturating_sub(self.slices),
            max_series_bytes: self.limits.max_series_bytes.saturating_sub(self.bytes),
            ..*self.limits
        }
    }

    /// Adds what one file holds.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where all together are more than one series may have.
    pub fn add(&mut self, decoded: Decoded, heard: Heard<'_>) -> Result<()> {
        let bytes = |slice: &CtSlice| slice.plane.sample_count() as u64 * 4;
        self.slices += decoded.slices.len();
        self.bytes += decoded.slices.iter().map(bytes).sum::<u64>();
        let remedy = match self.origin {
            Origin::Archive => "Send one series per archive.",
            Origin::Files => "Segment fewer files at a time.",
        };
        if self.slices > self.limits.max_slices {
            let limit = self.limits.max_slices as u64;
            return Err(Error::TooLarge { what: "The number of slices", limit, remedy });
        }
        if self.bytes > self.limits.max_series_bytes {
            let limit = self.limits.max_series_bytes;
            let what = "The decoded size of the series in bytes";
            return Err(Error::TooLarge { what, limit, remedy });
        }
        decoded.slices.iter().for_each(heard);
        self.decoded.push(decoded);
        Ok(())
    }

    /// Adds what one file holds, read with the limits that were `left`, or counts why it could not be
    /// read; `identify` says what kind of DICOM it is then, and `None` that it is none.
    ///
    /// # Errors
    /// As [`Several::add`].
    pub(super) fn add_read(
        &mut self,
        read: Result<Decoded>,
        left: &Limits,
        identify: impl FnOnce() -> Option<Result<Identity>>,
        heard: Heard<'_>,
    ) -> Result<()> {
        let error = match read {
            Ok(decoded) => return self.add(decoded, heard),
            // The error must name the limit in force, not what other files left of it.
            Err(Error::TooLarge { what, limit, remedy }) => {
                let limit = match limit {
                    limit if limit == left.max_slices as u64 => self.limits.max_slices as u64,
                    limit if limit == left.max_series_bytes => self.limits.max_series_bytes,
                    limit => limit,
                };
                return Err(Error::TooLarge { what, limit, remedy });
            }
            Err(error) => error,
        };
        match identify() {
            Some(Ok(Identity::NoImage)) => self.skip(),
            Some(Ok(Identity::Page(reason))) => self.skip_page(reason),
            None => self.skip_page(error),
            Some(Ok(Identity::Frames(_)) | Err(_)) => self.fail(error),
        }
        Ok(())
    }

    /// Counts a file that is no image.
    pub(super) fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Counts a page beside the slices that cannot be read, and need not be.
    fn skip_page(&mut self, reason: Error) {
        self.pages += 1;
        self.first_page.get_or_insert(reason);
    }

    /// Counts an image that cannot be read.
    pub fn fail(&mut self, reason: Error) {
        self.unreadable += 1;
        self.first_failure.get_or_insert(reason);
    }

    /// All slices, with the warnings of what is missing on each of them.
    ///
    /// # Errors
    /// The first file's where none can be read; [`Error::UnsupportedType`] where none is an image.
    pub fn finish(mut self) -> Result<Decoded> {
        if self.decoded.is_empty() {
            return Err(self
                .first_failure
                .or(self.first_page)
                .unwrap_or_else(|| no_image(self.origin)));
        }
        let is_loose = |slice: &CtSlice| slice.reference.is_none() && slice.placement.is_none();
        // Among pictures alone, one that is missing may be a slice of the head.
        if self.decoded.iter().flat_map(|decoded| &decoded.slices).all(is_loose) {
            self.unreadable += std::mem::take(&mut self.pages);
            self.first_failure = self.first_failure.or(self.first_page.take());
        }
        let warnings = self.warnings();
        let mut all = match self.decoded.len() {
            // One volume keeps its grid.
            1 => self.decoded.remove(0),
            _ => Decoded {
                file_lengths: self
                    .decoded
                    .iter()
                    .flat_map(|decoded| &decoded.file_lengths)
                    .copied()
                    .collect(),
                grid: None,
                slices: self.decoded.into_iter().flat_map(|decoded| decoded.slices).collect(),
            },
        };
        all.slices.iter_mut().for_each(|slice| slice.warnings.extend(warnings.iter().cloned()));
        Ok(all)
    }

    fn warnings(&self) -> Vec<Warning> {
        let (skipped, unreadable, whole) = match self.origin {
            Origin::Archive => ("archive_files_skipped", "archive_files_unreadable", "archive"),
            Origin::Files => ("files_left_out", "files_unreadable", "input"),
        };
        let mut warnings = Vec::new();
        let skipped_files = self.skipped + self.pages;
        if skipped_files > 0 {
            let message = format!("Files of the {whole} that are no images: {skipped_files}.");
            warnings.push(Warning::new(skipped, message));
        }
        if let Some(reason) = &self.first_failure {
            let message = format!(
                "Files of the {whole} that could not be read and are missing here: {}. The first: \
                 {reason}",
                self.unreadable
            );
            warnings.push(Warning::incomplete(unreadable, message));
        }
        warnings
    }
}

fn no_image(origin: Origin) -> Error {
    Error::UnsupportedType(match origin {
        Origin::Archive => {
            "The archive holds no image that is read here. Pack the slices of one series.".into()
        }
        Origin::Files => "None of the files is an image that is read here.".into(),
    })
}
