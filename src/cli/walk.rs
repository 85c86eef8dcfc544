//! Files below a folder, by the same rules for every command.

use crate::decode::{FileKind, Limits, identify, is_clutter, natural_order};
use crate::error::{Error, Result};
use rayon::prelude::*;
use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Largest number of files in one folder.
const MAX_FILES: usize = 10_000;

/// A file that was identified by its first bytes.
pub(super) struct IdentifiedFile {
    pub(super) path: PathBuf,
    /// Its kind, or the error of opening it.
    pub(super) kind: ichor_image::Result<FileKind>,
}

impl IdentifiedFile {
    pub(super) fn new(path: PathBuf) -> Self {
        let kind = identify(&path, &Limits::default());
        Self { path, kind }
    }
}

/// The images below a folder.
pub(super) struct Listing {
    /// Images and files that cannot be opened. Those of each folder are in natural order, 2 before 10.
    pub(super) files: Vec<IdentifiedFile>,
    /// Number of files that are not images, including hidden files and those that operating systems add.
    pub(super) left_out: usize,
    /// Number of results of an earlier `ichor segment`.
    pub(super) results: usize,
}

/// Lists the images below a folder. Each file is opened once, to identify it.
///
/// # Errors
/// As [`walk`].
pub(super) fn list_images(folder: &Path) -> Result<Listing> {
    let FolderFiles { files, clutter, results } = walk(folder)?;
    let all = files.len();
    let is_image = |file: &IdentifiedFile| !matches!(file.kind, Ok(FileKind::Other));
    let files: Vec<IdentifiedFile> =
        files.into_par_iter().map(IdentifiedFile::new).filter(is_image).collect();
    Ok(Listing { left_out: clutter + all - files.len(), files, results })
}

/// The files below a folder.
#[derive(Default)]
struct FolderFiles {
    /// Files. Those of each folder are in natural order, 2 before 10.
    files: Vec<PathBuf>,
    /// Number of hidden files and of those that operating systems and discs add.
    clutter: usize,
    /// Number of results of an earlier `ichor segment`.
    results: usize,
}

/// Lists the files below a folder. Links are followed; a folder is entered once, so that links cannot form
/// a cycle, and a file is listed once.
///
/// # Errors
/// [`ichor_image::Error::Io`]; [`ichor_image::Error::TooLarge`] beyond 10,000 files.
fn walk(folder: &Path) -> Result<FolderFiles> {
    let mut walk = Walk::default();
    walk.enter(folder)?;
    let Walk { mut folder_files, linked, .. } = walk;
    if linked {
        let mut seen = HashSet::new();
        // A link to a missing file stays in the list, and fails when it is read.
        folder_files
            .files
            .retain(|file| file.canonicalize().map_or(true, |file| seen.insert(file)));
    }
    Ok(folder_files)
}

#[derive(Default)]
struct Walk {
    folder_files: FolderFiles,
    /// Folders that were entered, by their own path.
    entered: HashSet<PathBuf>,
    /// Whether any file is a link.
    linked: bool,
}

impl Walk {
    fn enter(&mut self, folder: &Path) -> Result<()> {
        let unreadable = "A folder cannot be read";
        if !self.entered.insert(folder.canonicalize().map_err(Error::io(unreadable))?) {
            return Ok(());
        }
        let mut entries = fs::read_dir(folder)
            .and_then(|entries| entries.collect::<std::io::Result<Vec<_>>>())
            .map_err(Error::io(unreadable))?;
        let name = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        entries.sort_by(|a, b| natural_order(&name(a), &name(b)));
        let names: HashSet<String> = entries.iter().map(name).collect();
        for entry in entries {
            let (path, name) = (entry.path(), name(&entry));
            let kind = entry.file_type().map_err(Error::io(unreadable))?;
            let is_folder = kind.is_dir() || (kind.is_symlink() && path.is_dir());
            if is_clutter(&name) {
                self.folder_files.clutter += 1;
            } else if is_folder {
                self.enter(&path)?;
            } else if is_result(&name, &names) {
                self.folder_files.results += 1;
            } else if kind.is_file() || kind.is_symlink() {
                self.linked |= kind.is_symlink();
                self.folder_files.files.push(path);
            }
            if self.folder_files.files.len() > MAX_FILES || self.entered.len() > MAX_FILES {
                return Err(ichor_image::Error::TooLarge {
                    what: "The number of files in a folder",
                    limit: MAX_FILES as u64,
                    remedy: "Name the folder of one study or series.",
                }
                .into());
            }
        }
        Ok(())
    }
}

/// Whether a name is that of a result of `ichor segment`, which must not become an input: a mask or overlay whose
/// counterpart is in the same folder, a NIfTI mask or a montage.
fn is_result(name: &str, beside: &HashSet<String>) -> bool {
    let has_twin = |suffix: &str, other: &str| {
        let stem = name.strip_suffix(suffix);
        stem.is_some_and(|stem| beside.contains(&format!("{stem}{other}")))
    };
    has_twin("_mask.png", "_overlay.png")
        || has_twin("_overlay.png", "_mask.png")
        || ["_mask.nii.gz", "_montage.png"].iter().any(|suffix| name.ends_with(suffix))
}

/// Reads the standard input as one file.
///
/// # Errors
/// [`ichor_image::Error::TooLarge`] beyond `limit` bytes; [`ichor_image::Error::Io`].
pub(super) fn read_stdin(limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(Error::io("The standard input cannot be read"))?;
    if bytes.len() as u64 > limit {
        let what = "The size of the standard input in bytes";
        let remedy = "Save it as a file and name that.";
        return Err(ichor_image::Error::TooLarge { what, limit, remedy }.into());
    }
    Ok(bytes)
}

/// Whether a path is the standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The error for an address in place of a file; `None` for a path.
pub(super) fn refuse_address(path: &Path) -> Option<Error> {
    let text = path.to_string_lossy().to_ascii_lowercase();
    let (scheme, _) = text.split_once(":/")?;
    let is_address = ["http", "https", "ftp", "s3", "gs", "file"].contains(&scheme);
    (is_address && !path.exists()).then(|| {
        Error::InvalidParameter(
            "An address was given where a file is expected; nothing is downloaded. Download it \
             first, or pipe it in: `curl -L ADDRESS | ichor segment - --output results`."
                .into(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder_files: &FolderFiles) -> Vec<String> {
        let name = |file: &PathBuf| file.file_name().unwrap().to_string_lossy().into_owned();
        folder_files.files.iter().map(name).collect()
    }

    #[test]
    #[cfg(unix)]
    fn links_are_followed_once_and_cycles_end() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let inside = dir.path().join("a");
        fs::create_dir(&inside).unwrap();
        fs::write(inside.join("2.dcm"), "2").unwrap();
        fs::write(dir.path().join("elsewhere"), "10").unwrap();
        symlink("../elsewhere", inside.join("10.dcm")).unwrap();
        symlink("2.dcm", inside.join("copy.dcm")).unwrap();
        symlink("..", inside.join("up")).unwrap();
        symlink("nowhere", inside.join("lost.dcm")).unwrap();
        assert_eq!(names(&walk(&inside).unwrap()), ["2.dcm", "10.dcm", "lost.dcm"]);
        assert_eq!(walk(dir.path()).unwrap().files.len(), 3);
    }

    #[test]
    fn results_and_hidden_files_are_not_inputs() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "a.png",
            "a_mask.png",
            "a_overlay.png",
            "b_mask.png",
            "c_mask.nii.gz",
            "c_montage.png",
            ".DS_Store",
            "DICOMDIR",
        ] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let folder_files = walk(dir.path()).unwrap();
        assert_eq!(names(&folder_files), ["a.png", "b_mask.png"]);
        assert_eq!((folder_files.results, folder_files.clutter), (4, 2));
    }

    #[test]
    fn addresses_are_distinguished_from_paths() {
        for (path, is_address) in [
            ("https://example.org/a.png", true),
            ("S3://bucket/a.dcm", true),
            ("a.png", false),
            ("C:/a.png", false),
        ] {
            assert_eq!(refuse_address(Path::new(path)).is_some(), is_address, "{path}");
        }
    }
}
