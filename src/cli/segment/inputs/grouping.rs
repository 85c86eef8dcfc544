//! DICOM files to series.

use crate::cli::read_file;
use crate::decode::{Limits, decode_identity};
use rayon::prelude::*;
use std::path::PathBuf;

/// Files with the same Series Instance UID together, in the order in which series first appear.
/// Localisers join the first real series, whose assembly sets them aside and says so.
pub(super) fn by_series(files: Vec<PathBuf>) -> Vec<Vec<PathBuf>> {
    if files.len() < 2 {
        return files.into_iter().map(|file| vec![file]).collect();
    }
    let identify =
        |file: &PathBuf| decode_identity(&read_file(file).ok()?, &Limits::default()).ok()?;
    let identities: Vec<_> = files.par_iter().map(identify).collect();
    let mut groups: Vec<(Option<String>, bool, Vec<PathBuf>)> = Vec::new();
    for (file, identity) in files.into_iter().zip(identities) {
        let (uid, localizer) =
            identity.map_or((None, false), |(uid, localizer)| (Some(uid), localizer));
        // A file that cannot be read is an input of its own, to fail with its own line.
        let known = groups.iter_mut().find(|(known, _, _)| uid.is_some() && *known == uid);
        match known {
            Some((_, localizers, group)) => {
                *localizers &= localizer;
                group.push(file);
            }
            None => groups.push((uid, localizer, vec![file])),
        }
    }
    let (localizers, mut series): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|(_, localizer, _)| *localizer);
    match series.iter_mut().find(|(uid, _, _)| uid.is_some()) {
        Some((_, _, first)) => first.extend(localizers.into_iter().flat_map(|(_, _, files)| files)),
        None => series.extend(localizers),
    }
    series.into_iter().map(|(_, _, files)| files).collect()
}
