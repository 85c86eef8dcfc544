//! DICOM files to series.

use crate::decode::{Identity, Limits, identify_dicom};
use rayon::prelude::*;
use std::path::PathBuf;

/// DICOM files, sorted out.
#[derive(Default)]
pub(super) struct Grouped {
    /// Files with the same Series Instance UID together, in the order in which series first appear.
    pub(super) series: Vec<Vec<PathBuf>>,
    /// Directories, reports, segmentations: DICOM without an image.
    pub(super) without_image: Vec<PathBuf>,
}

/// What files have in common.
#[derive(PartialEq)]
enum Key {
    /// Their Series Instance UID.
    Series(String),
    /// The reason for which they cannot be read: one line says it for all of them.
    Refused(String),
    /// Nothing.
    Alone,
}

/// Files that belong together.
struct Group {
    key: Key,
    /// It holds nothing else.
    localizers: bool,
    files: Vec<PathBuf>,
}

/// Sorts files out by their headers alone. Localisers join the first real series, whose assembly
/// sets them aside and says so.
pub(super) fn by_series(files: Vec<PathBuf>) -> Grouped {
    let identify = |file: &PathBuf| identify_dicom(file, &Limits::default());
    let identities: Vec<_> = files.par_iter().map(identify).collect();
    let mut grouped = Grouped::default();
    let mut groups: Vec<Group> = Vec::new();
    for (file, identity) in files.into_iter().zip(identities) {
        let (key, localizer) = match identity {
            Ok(Identity::NoImage) => {
                grouped.without_image.push(file);
                continue;
            }
            Ok(Identity::Image { series_uid, localizer }) => {
                (series_uid.map_or(Key::Alone, Key::Series), localizer)
            }
            Err(error) => (Key::Refused(error.to_string()), false),
        };
        match groups.iter_mut().find(|group| key != Key::Alone && group.key == key) {
            Some(group) => {
                group.localizers &= localizer;
                group.files.push(file);
            }
            None => groups.push(Group { key, localizers: localizer, files: vec![file] }),
        }
    }
    let (localizers, mut series): (Vec<Group>, Vec<Group>) =
        groups.into_iter().partition(|group| group.localizers);
    match series.iter_mut().find(|group| matches!(group.key, Key::Series(_))) {
        Some(first) => first.files.extend(localizers.into_iter().flat_map(|group| group.files)),
        None => series.extend(localizers),
    }
    grouped.series = series.into_iter().map(|group| group.files).collect();
    grouped
}
