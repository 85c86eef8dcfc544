//! Files and folders as a user names them, to single files and series.

mod grouping;
mod naming;

use crate::decode::{Format, natural_order, picture_size, sniff};
use crate::error::{Error, Result};
use grouping::{Grouped, by_series};
use naming::{numbered, stem, stem_below};
use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Files looked at in one folder.
const MOST_FILES: usize = 10_000;

/// What the kind of a file is told from.
const HEAD_BYTES: u64 = 4096;

/// One thing to segment, and one line of the answer.
pub(super) struct Input {
    /// Start of the names of its results.
    pub(super) stem: String,
    /// Path that its line shows.
    pub(super) shown: PathBuf,
    pub(super) content: Content,
    /// The head that a numbered picture seems to be a slice of.
    pub(super) place: Option<Place>,
}

/// The place of a picture among those of one head.
pub(super) struct Place {
    /// What the pictures of one head have in common: their names but for the number, and their size.
    pub(super) head: (PathBuf, [u32; 2]),
    pub(super) number: u64,
}

/// CT slices have 512 px a side, few have 1,024; larger pictures are something else, and too much to hold
/// many of.
const LONGEST_SIDE: u32 = 1024;

pub(super) enum Content {
    /// One file of its own; only a picture is known to hold one slice.
    File { path: PathBuf, picture: bool },
    /// DICOM files of one series.
    Series { files: Vec<PathBuf>, left_out: usize },
}

impl Input {
    fn file(path: PathBuf, stem: String, format: Option<Format>) -> Self {
        let picture = matches!(format, Some(Format::Raster) | None);
        let place = picture.then(|| Place::of(&path)).flatten();
        Self { stem, shown: path.clone(), content: Content::File { path, picture }, place }
    }

    /// Whether both are slices of one head, as far as their names tell.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
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
            picture_size(path).filter(|size| size.iter().all(|&side| side <= LONGEST_SIDE))?;
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

/// Sorts out what was named. A folder gives a series for every DICOM series in it and an input
/// for every other image; DICOM files that are named themselves form a series with those of
/// the same Series Instance UID.
pub(super) fn gather(paths: &[PathBuf]) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    let (folders, files): (Vec<&PathBuf>, Vec<&PathBuf>) = paths.iter().partition(|p| p.is_dir());
    let mut dicom = Vec::new();
    for file in files {
        match head(file).ok().and_then(|head| sniff(&head)) {
            Some(Format::Dicom) => dicom.push(file.clone()),
            // What cannot be read fails with its own line later.
            format => inputs.push(Input::file(file.clone(), stem(file), format)),
        }
    }
    let Grouped { series, without_image } = by_series(dicom);
    // Named one by one, these fail with a line that says what they are.
    for series in series.into_iter().chain(without_image.into_iter().map(|file| vec![file])) {
        inputs.push(named(series, 0, |first| (stem(first), first.to_path_buf())));
    }
    for folder in folders {
        inputs.extend(of_folder(folder)?);
    }
    reject_equal_stems(&inputs)?;
    Ok(inputs)
}

fn of_folder(folder: &Path) -> Result<Vec<Input>> {
    let mut files = Vec::new();
    walk(folder, &mut files)?;
    let (mut dicom, mut others, mut left_out) = (Vec::new(), Vec::new(), 0);
    for file in files {
        match sniff(&head(&file)?) {
            Some(Format::Dicom) => dicom.push(file),
            None => left_out += 1,
            format => others.push(Input::file(file.clone(), stem_below(folder, &file), format)),
        }
    }
    let name = folder.canonicalize().map_err(Error::io("A folder cannot be read"))?;
    let name = stem(&name);
    let Grouped { series, without_image } = by_series(dicom);
    left_out += without_image.len();
    let alone = series.len() == 1;
    let mut inputs: Vec<Input> = series
        .into_iter()
        .zip(1..)
        .map(|(files, number)| {
            named(files, left_out, |first| match (alone, number) {
                (true, _) => (name.clone(), folder.to_path_buf()),
                (false, _) => (format!("{name}_series{number}"), first.to_path_buf()),
            })
        })
        .collect();
    inputs.append(&mut others);
    if inputs.is_empty() {
        return Err(Error::InvalidParameter(
            "A folder holds no image that is read here. Name a folder of DICOM files or images"
                .into(),
        ));
    }
    Ok(inputs)
}

fn named(
    mut files: Vec<PathBuf>,
    left_out: usize,
    name: impl Fn(&Path) -> (String, PathBuf),
) -> Input {
    let (stem, shown) = name(files.first().map_or(Path::new(""), PathBuf::as_path));
    // One file is decoded once, and may hold many frames.
    let content = match (files.len(), left_out) {
        (1, 0) => Content::File { path: files.swap_remove(0), picture: false },
        _ => Content::Series { files, left_out },
    };
    Input { stem, shown, content, place: None }
}

/// Files below a folder, those of each folder by name, 2 before 10.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let unreadable = "A folder cannot be read";
    let mut entries = fs::read_dir(folder)
        .and_then(|entries| entries.collect::<std::io::Result<Vec<_>>>())
        .map_err(Error::io(unreadable))?;
    let name = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries.sort_by(|a, b| natural_order(&name(a), &name(b)));
    for entry in entries {
        // A link is neither, so that none leads out of the folder or round in it.
        let kind = entry.file_type().map_err(Error::io(unreadable))?;
        if kind.is_dir() {
            walk(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
        if files.len() > MOST_FILES {
            return Err(Error::TooLarge {
                what: "The number of files in a folder",
                limit: MOST_FILES as u64,
                remedy: "Name the folder of one study or series.",
            });
        }
    }
    Ok(())
}

fn head(file: &Path) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    fs::File::open(file)
        .and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head))
        .map_err(Error::io("The file cannot be read"))?;
    Ok(head)
}

/// Two inputs of one stem would overwrite each other's results.
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
