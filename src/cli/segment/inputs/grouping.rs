//! Groups DICOM files by head, by their headers alone and the rules of [`crate::series`].

use crate::decode::{Identity, Limits};
use crate::error::Result;
use crate::series::{Member, choose_heads};
use crate::slice::{CtSlice, Warning};
use std::path::PathBuf;

/// DICOM files by head.
#[derive(Default)]
pub(super) struct Grouping {
    /// The files to segment, by head, in the order in which heads first appear.
    pub(super) heads: Vec<HeadFiles>,
    /// Files that cannot be read, by the reason; each reason is one line of the output.
    pub(super) refused: Vec<(String, Vec<PathBuf>)>,
    /// DICOM without an image of a head: directories, reports, segmentations, pages.
    pub(super) without_image: Vec<PathBuf>,
}

/// Files of one head.
pub(in crate::cli::segment) struct HeadFiles {
    /// Each file with the frames to segment, from 0.
    pub(in crate::cli::segment) files: Vec<(PathBuf, Vec<usize>)>,
    /// Whether the series was chosen by the headers already.
    pub(in crate::cli::segment) is_decided: bool,
    /// Warnings about files that were left out.
    pub(in crate::cli::segment) warnings: Vec<Warning>,
}

/// A DICOM file with its header, or with the error of reading it.
pub(super) type DicomFile = (PathBuf, ichor_image::Result<Identity>);

/// Groups files by head; `series` is the number of the requested series.
///
/// # Errors
/// [`crate::error::Error::InvalidParameter`] where a head has no series of that number.
pub(super) fn group_by_head(files: Vec<DicomFile>, series: Option<u32>) -> Result<Grouping> {
    let limits = Limits::default();
    let (files, identities): (Vec<PathBuf>, Vec<_>) = files.into_iter().unzip();
    let mut grouping = Grouping::default();
    // Each frame with its file and its place there.
    let mut frames: Vec<(usize, usize, CtSlice)> = Vec::new();
    for (file, identity) in identities.into_iter().enumerate() {
        match identity {
            Ok(Identity::Frames(slices)) => {
                frames.extend(slices.into_iter().enumerate().map(|(at, slice)| (file, at, slice)));
            }
            Ok(Identity::NoImage | Identity::Page(_)) => {
                grouping.without_image.push(files[file].clone());
            }
            Err(error) => refuse(&mut grouping.refused, error.to_string(), files[file].clone()),
        }
    }
    let member = |(index, (file, _, slice))| Member { index, file, slice };
    let with_index = frames.iter().map(|(file, at, slice)| (*file, *at, slice)).enumerate();
    let members: Vec<Member<'_>> = with_index.map(member).collect();
    let (choices, without_head) = choose_heads(&members, series, limits.max_slices)?;
    let file_of = |index: usize| frames.get(index).and_then(|(file, ..)| files.get(*file)).cloned();
    grouping.without_image.extend(without_head.into_iter().filter_map(file_of));
    grouping.without_image.dedup();
    for choice in choices {
        let mut kept: Vec<(PathBuf, Vec<usize>)> = Vec::new();
        let mut last = None;
        for (file, at, _) in choice.kept.iter().filter_map(|&index| frames.get(index)) {
            match kept.last_mut().filter(|_| last == Some(*file)) {
                Some((_, frames)) => frames.push(*at),
                None => kept.push((files[*file].clone(), vec![*at])),
            }
            last = Some(*file);
        }
        let (is_decided, warnings) = (choice.is_decided, choice.warnings);
        grouping.heads.push(HeadFiles { files: kept, is_decided, warnings });
    }
    // An unreadable file may be of any of the heads.
    for (reason, files) in &grouping.refused {
        for head in &mut grouping.heads {
            head.warnings.push(unreadable(files.len(), reason));
        }
    }
    Ok(grouping)
}

fn refuse(refused: &mut Vec<(String, Vec<PathBuf>)>, reason: String, file: PathBuf) {
    match refused.iter_mut().find(|(known, _)| *known == reason) {
        Some((_, files)) => files.push(file),
        None => refused.push((reason, vec![file])),
    }
}

fn unreadable(count: usize, reason: &str) -> Warning {
    Warning::incomplete(
        "files_unreadable",
        format!(
            "DICOM files beside these could not be read and may be of this head: {count}. {reason}"
        ),
    )
}
