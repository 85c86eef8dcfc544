//! Counts of slices, bytes and unreadable files of one input, held to the limits of one series.

use super::{Decoded, Identity, Limits};
use crate::error::{Error, Result};
use crate::series::VolumeGrid;
use crate::slice::{CtSlice, Warning};

/// Where the files of an input come from; it decides on the wording of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// One file.
    File,
    /// Entries of an archive.
    Archive,
    /// Files of a folder, of a command line or of a request.
    Files,
}

/// Facts about a whole input, known after its last slice.
#[derive(Debug, Clone, Default)]
pub struct Trailer {
    /// How a NIfTI volume was cut into slices; `None` for other formats.
    pub grid: Option<VolumeGrid>,
    /// Number of slices of each file, in the order of the files.
    pub file_lengths: Vec<usize>,
    /// Warnings that hold for every slice, such as files that could not be read.
    pub warnings: Vec<Warning>,
}

/// Counts of the files read so far.
#[derive(Debug)]
pub(super) struct Tally {
    origin: Origin,
    limits: Limits,
    /// Files with slices.
    files: usize,
    grid: Option<VolumeGrid>,
    file_lengths: Vec<usize>,
    slices: usize,
    bytes: u64,
    /// Whether every slice is a picture without position or identifier.
    all_unplaced: bool,
    /// Files that are no images.
    skipped: usize,
    /// Images that could not be read.
    unreadable: usize,
    /// Why the first of them could not be read.
    first_failure: Option<Error>,
    /// Pages and pictures that could not be read; slices of other files do not need them.
    pages: usize,
    /// Why the first of them could not be read.
    first_page: Option<Error>,
}

impl Tally {
    /// An empty tally; `limits` bound all files together.
    pub(super) fn new(origin: Origin, limits: Limits) -> Self {
        Self {
            origin,
            limits,
            files: 0,
            grid: None,
            file_lengths: Vec::new(),
            slices: 0,
            bytes: 0,
            all_unplaced: true,
            skipped: 0,
            unreadable: 0,
            first_failure: None,
            pages: 0,
            first_page: None,
        }
    }

    /// The limits of the whole input.
    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What the files so far leave of the limits.
    pub(super) fn remaining(&self) -> Limits {
        Limits {
            max_slices: self.limits.max_slices.saturating_sub(self.slices),
            max_series_bytes: self.limits.max_series_bytes.saturating_sub(self.bytes),
            ..self.limits
        }
    }

    /// Counts what one file holds, and returns its slices.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where all files together exceed the limits of one series.
    pub(super) fn add(&mut self, decoded: Decoded) -> Result<Vec<CtSlice>> {
        let bytes = |slice: &CtSlice| slice.plane.sample_count() as u64 * 4;
        let is_unplaced = |slice: &CtSlice| slice.reference.is_none() && slice.placement.is_none();
        self.slices += decoded.slices.len();
        self.bytes += decoded.slices.iter().map(bytes).sum::<u64>();
        let remedy = match self.origin {
            Origin::File => "Send fewer at a time, or run `ichor segment` on your own machine.",
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
        self.files += 1;
        // Masks can be written back into one volume only.
        self.grid = decoded.grid.filter(|_| self.files == 1);
        self.file_lengths.extend(decoded.file_lengths);
        self.all_unplaced &= decoded.slices.iter().all(is_unplaced);
        Ok(decoded.slices)
    }

    /// Counts what one file holds, decoded with the limits that were `remaining`, or why it could not be
    /// read. `identify` returns what kind of DICOM a file is that cannot be read, `None` for another format.
    ///
    /// # Errors
    /// As [`Tally::add`].
    pub(super) fn add_or_skip(
        &mut self,
        decoded: Result<Decoded>,
        remaining: &Limits,
        identify: impl FnOnce() -> Option<Result<Identity>>,
    ) -> Result<Vec<CtSlice>> {
        let error = match decoded {
            Ok(decoded) => return self.add(decoded),
            // The error must name the limit in force, not what other files left of it.
            Err(Error::TooLarge { what, limit, remedy }) => {
                let limit = match limit {
                    limit if limit == remaining.max_slices as u64 => self.limits.max_slices as u64,
                    limit if limit == remaining.max_series_bytes => self.limits.max_series_bytes,
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
        Ok(Vec::new())
    }

    /// Counts a file that is no image.
    pub(super) fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Counts a page or picture that cannot be read.
    fn skip_page(&mut self, reason: Error) {
        self.pages += 1;
        self.first_page.get_or_insert(reason);
    }

    /// Counts an image that cannot be read.
    pub(super) fn fail(&mut self, reason: Error) {
        self.unreadable += 1;
        self.first_failure.get_or_insert(reason);
    }

    /// The trailer of the input.
    ///
    /// # Errors
    /// The first file's where none could be read; [`Error::UnsupportedType`] where none is an image.
    pub(super) fn finish(mut self) -> Result<Trailer> {
        if self.files == 0 {
            let first = self.first_failure.or(self.first_page);
            return Err(first.unwrap_or_else(|| no_image(self.origin)));
        }
        // Among pictures alone, one that is missing may be a slice of the head.
        if self.all_unplaced {
            self.unreadable += std::mem::take(&mut self.pages);
            self.first_failure = self.first_failure.or(self.first_page.take());
        }
        let warnings = self.warnings();
        Ok(Trailer { grid: self.grid, file_lengths: self.file_lengths, warnings })
    }

    fn warnings(&self) -> Vec<Warning> {
        let (skipped, unreadable, whole) = match self.origin {
            Origin::Archive => ("archive_files_skipped", "archive_files_unreadable", "archive"),
            Origin::File | Origin::Files => ("files_left_out", "files_unreadable", "input"),
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
        Origin::File | Origin::Files => "None of the files is an image that is read here.".into(),
    })
}
