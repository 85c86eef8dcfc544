//! The inputs of a run: single files and heads, from the files and folders on the command line.

mod grouping;
mod naming;

use crate::cli::walk::{
    IdentifiedFile, Listing, is_stdin, list_images, read_stdin, refuse_address,
};
use crate::decode::{FileKind, Format, Limits, picture_size};
use crate::error::{Error, Result};
use crate::slice::Warning;
pub(super) use grouping::HeadFiles;
use grouping::{DicomFile, Grouping, group_by_head};
use naming::{numbered, stem, stem_below};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// One input to segment, with one line of the output.
pub(super) struct Input {
    /// Start of the names of its results.
    pub(super) stem: String,
    /// Path that its line shows.
    pub(super) shown: PathBuf,
    pub(super) content: Content,
    /// The head and number of a picture, by its name.
    pub(super) place: Option<Place>,
}

/// The number of a picture among those of one head.
pub(super) struct Place {
    /// Key that the pictures of one head share: their path without the number, and their width and height, px.
    pub(super) head: (PathBuf, [u32; 2]),
    pub(super) number: u64,
}

/// CT slices have 512 px per side, few have 1,024. Larger pictures are not CT slices, and many of them would take too
/// much memory.
const MAX_SIDE_PX: u32 = 1024;

pub(super) enum Content {
    /// One file; only a picture is known to hold one slice.
    File { path: PathBuf, picture: bool },
    /// The standard input.
    Bytes(Vec<u8>),
    /// DICOM files of one head.
    Head(HeadFiles),
    /// An input that cannot be read, for this reason.
    Refused(String),
}

impl Input {
    fn file(path: PathBuf, stem: String, format: Option<Format>) -> Self {
        let picture = matches!(format, Some(Format::Raster) | None);
        let place = picture.then(|| Place::of(&path)).flatten();
        Self { stem, shown: path.clone(), content: Content::File { path, picture }, place }
    }

    fn other(shown: PathBuf, stem: String, content: Content) -> Self {
        Self { stem, shown, content, place: None }
    }

    /// The files of a head; `name` returns the stem and the path to show for its first file.
    fn of_head(mut head: HeadFiles, name: impl FnOnce(&Path) -> (String, PathBuf)) -> Self {
        let first = head.files.first().map_or(Path::new(""), |(file, _)| file.as_path());
        let (stem, shown) = name(first);
        // One file may hold many frames, and goes through the network while it is decoded.
        let content = match &mut head.files[..] {
            [(file, _)] if head.warnings.is_empty() && !head.is_decided => {
                Content::File { path: std::mem::take(file), picture: false }
            }
            _ => Content::Head(head),
        };
        Self { stem, shown, content, place: None }
    }

    /// Whether both are slices of one head by their names and sizes.
    pub(super) fn is_of_same_head(&self, other: &Self) -> bool {
        let places = self.place.as_ref().zip(other.place.as_ref());
        places.is_some_and(|(one, other)| one.head == other.head)
    }

    pub(super) fn is_picture(&self) -> bool {
        matches!(self.content, Content::File { picture: true, .. })
    }
}

impl Place {
    fn of(path: &Path) -> Option<Self> {
        let (name, number) = numbered(path)?;
        let size =
            picture_size(path).filter(|size| size.iter().all(|&side| side <= MAX_SIDE_PX))?;
        Some(Self { head: (name, size), number })
    }
}

#[cfg(test)]
impl Input {
    /// A picture, slice `number` of the head of that name where one is given.
    pub(super) fn picture(name: Option<&str>, number: u64) -> Self {
        let path = PathBuf::from("picture.png");
        let place = |name: &str| Place { head: (name.into(), [512; 2]), number };
        Self { place: name.map(place), ..Self::file(path, "picture".into(), Some(Format::Raster)) }
    }
}

/// The inputs of a command line. A folder gives one input per head in it, and one per image that is not DICOM; DICOM
/// files that are named one by one form heads in the same way. `series` is the number of the requested series.
pub(super) fn list_inputs(paths: &[PathBuf], series: Option<u32>) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    let (folders, files): (Vec<&PathBuf>, Vec<&PathBuf>) = paths.iter().partition(|p| p.is_dir());
    let mut dicom: Vec<DicomFile> = Vec::new();
    for file in files {
        if is_stdin(file) {
            let bytes = read_stdin(Limits::default().max_series_bytes)?;
            inputs.push(Input::other(file.clone(), "stdin".into(), Content::Bytes(bytes)));
            continue;
        }
        if let Some(error) = refuse_address(file) {
            let refused = Content::Refused(error.to_string());
            inputs.push(Input::other(file.clone(), stem(file), refused));
            continue;
        }
        let IdentifiedFile { path, kind } = IdentifiedFile::new(file.clone());
        let stem = stem(&path);
        match kind {
            Ok(FileKind::Dicom(identity)) => dicom.push((path, identity)),
            Ok(FileKind::Image(format)) => inputs.push(Input::file(path, stem, Some(format))),
            // These fail later, each with its own line.
            Ok(FileKind::Other) | Err(_) => inputs.push(Input::file(path, stem, None)),
        }
    }
    let Grouping { heads, refused, without_image } = group_by_head(dicom, series)?;
    let by_first = |first: &Path| (stem(first), first.to_path_buf());
    inputs.extend(heads.into_iter().map(|head| Input::of_head(head, by_first)));
    inputs.extend(refused.into_iter().filter_map(|(reason, files)| {
        let (stem, shown) = by_first(files.first()?);
        Some(Input::other(shown, stem, Content::Refused(reason)))
    }));
    // Named one by one, these fail with a line that names their kind.
    inputs.extend(without_image.into_iter().map(|file| {
        let stem = stem(&file);
        Input::file(file, stem, Some(Format::Dicom))
    }));
    for folder in folders {
        inputs.extend(of_folder(folder, series)?);
    }
    reject_equal_stems(&inputs)?;
    Ok(inputs)
}

fn of_folder(folder: &Path, series: Option<u32>) -> Result<Vec<Input>> {
    let Listing { files, mut left_out, results } = list_images(folder)?;
    let mut dicom: Vec<DicomFile> = Vec::new();
    let (mut others, mut lost) = (Vec::new(), Vec::new());
    for IdentifiedFile { path, kind } in files {
        let stem = stem_below(folder, &path);
        match kind {
            Ok(FileKind::Dicom(identity)) => dicom.push((path, identity)),
            Ok(FileKind::Image(format)) => others.push(Input::file(path, stem, Some(format))),
            Ok(FileKind::Other) => left_out += 1,
            Err(error) => {
                lost.push(Input::other(path, stem, Content::Refused(error.to_string())));
            }
        }
    }
    let name = folder.canonicalize().map_err(Error::io("A folder cannot be read"))?;
    let name = stem(&name);
    let Grouping { mut heads, refused, without_image } = group_by_head(dicom, series)?;
    left_out += without_image.len();
    for head in &mut heads {
        head.warnings.extend(warnings_of_others(left_out, results, lost.len()));
    }
    let alone = heads.len() + refused.len() == 1;
    let mut number = 0;
    let mut named = |first: &Path| {
        number += 1;
        match alone {
            true => (name.clone(), folder.to_path_buf()),
            false => (format!("{name}_series{number}"), first.to_path_buf()),
        }
    };
    let mut inputs: Vec<Input> =
        heads.into_iter().map(|head| Input::of_head(head, &mut named)).collect();
    for (reason, files) in refused {
        let (stem, shown) = named(files.first().map_or(folder, PathBuf::as_path));
        inputs.push(Input::other(shown, stem, Content::Refused(reason)));
    }
    inputs.append(&mut others);
    inputs.append(&mut lost);
    if inputs.is_empty() {
        return Err(Error::InvalidParameter(
            "A folder holds no image that is read here. Name a folder of DICOM files or images"
                .into(),
        ));
    }
    Ok(inputs)
}

/// Warnings about the files beside those of a head.
fn warnings_of_others(left_out: usize, results: usize, lost: usize) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if left_out > 0 {
        let message = format!("{left_out} files in the folder are not images and were left out.");
        warnings.push(Warning::new("files_left_out", message));
    }
    if results > 0 {
        let message = format!(
            "{results} files in the folder have names of results of Ichor and were left out."
        );
        warnings.push(Warning::new("results_left_out", message));
    }
    if lost > 0 {
        let message = format!(
            "Files of the folder that could not be opened and may be of this head: {lost}. Copy \
             the folder with what its links lead to, and see that it may be read."
        );
        warnings.push(Warning::incomplete("files_unreadable", message));
    }
    warnings
}

/// Refuses two inputs of one stem, which would overwrite each other's results.
fn reject_equal_stems(inputs: &[Input]) -> Result<()> {
    let mut seen = HashSet::new();
    match inputs.iter().find(|input| !seen.insert(&input.stem)) {
        None => Ok(()),
        Some(input) => Err(Error::InvalidParameter(format!(
            "Two files have the name '{}' and would overwrite each other's results. \
             Segment them into different --output folders.",
            input.stem
        ))),
    }
}
