//! Objects below a folder: one file per object, readable by its owner only.

use super::{Objects, Pending};
use crate::error::{Error, Result};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::fs;
use tokio::io::AsyncWriteExt;

/// Objects below one folder.
#[derive(Debug, Clone)]
pub struct DirObjects {
    root: Arc<Path>,
}

/// An object that is being written. [`Incoming::finish`] puts it in its place; without that it is deleted.
#[derive(Debug)]
pub struct Incoming {
    file: fs::File,
    written: PathBuf,
    place: PathBuf,
    finished: bool,
}

impl DirObjects {
    /// Objects below `root`, which is created if missing, for its owner only.
    ///
    /// # Errors
    /// [`ichor_image::Error::Io`] if the folder cannot be created.
    pub fn open(root: &Path) -> Result<Self> {
        make_folder(root).map_err(Error::io(
            "The folder for uploads and results cannot be made; give --jobs another one",
        ))?;
        Ok(Self { root: root.into() })
    }

    /// Begins to write an object piece by piece.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn receive(&self, key: &str) -> Result<Incoming> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let place = self.path(key);
        let folder = place.parent().unwrap_or(&self.root);
        make_folder(folder).map_err(unavailable)?;
        // Hidden from `list`. The name is unique, so that two writers of one object do not share a file.
        let name = format!(".{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let written = folder.join(name);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        let file = options.open(&written).await.map_err(unavailable)?;
        Ok(Incoming { file, written, place, finished: false })
    }

    /// The folder that holds all objects.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }
}

impl Objects for DirObjects {
    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Option<Vec<u8>>> {
        Box::pin(async move { absent_is_none(fs::read(self.path(key)).await) })
    }

    /// A file has no type; `content_type` is not kept.
    fn put<'a>(&'a self, key: &'a str, _content_type: &'a str, bytes: Vec<u8>) -> Pending<'a, ()> {
        Box::pin(async move {
            let mut incoming = self.receive(key).await?;
            incoming.write(&bytes).await?;
            incoming.finish().await
        })
    }

    fn exists<'a>(&'a self, key: &'a str) -> Pending<'a, bool> {
        Box::pin(async move { fs::try_exists(self.path(key)).await.map_err(unavailable) })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Pending<'a, Vec<String>> {
        Box::pin(async move {
            let Some(mut listing) = absent_is_none(fs::read_dir(self.path(prefix)).await)? else {
                return Ok(Vec::new());
            };
            let mut names = Vec::new();
            while let Some(entry) = listing.next_entry().await.map_err(unavailable)? {
                let name = entry.file_name().to_string_lossy().into_owned();
                if !name.starts_with('.') {
                    names.push(name);
                }
            }
            names.sort_unstable();
            Ok(names)
        })
    }

    fn delete<'a>(&'a self, keys: &'a [String]) -> Pending<'a, ()> {
        Box::pin(async move {
            for key in keys {
                let path = self.path(key);
                absent_is_none(fs::remove_file(&path).await)?;
                // Removes the folder of a job with its last object; this fails while there are others.
                // Folders directly below the root stay.
                if let Some(folder) = path.parent().filter(|f| f.parent() != Some(&*self.root)) {
                    let _ = fs::remove_dir(folder).await;
                }
            }
            Ok(())
        })
    }
}

impl Incoming {
    /// Adds a piece.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).await.map_err(unavailable)
    }

    /// Puts the object in its place.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn finish(mut self) -> Result<()> {
        self.file.flush().await.map_err(unavailable)?;
        fs::rename(&self.written, &self.place).await.map_err(unavailable)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.finished {
            // What cannot be removed now is removed with the folder.
            let _ = std::fs::remove_file(&self.written);
        }
    }
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

fn absent_is_none<T>(result: std::io::Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unavailable(error)),
    }
}

fn unavailable(error: std::io::Error) -> Error {
    // The kind alone: the text of some errors holds the path.
    Error::Unavailable(error.kind().to_string())
}
