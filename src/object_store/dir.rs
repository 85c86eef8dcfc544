//! Objects below a folder: one file an object, readable by its owner alone.

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

/// An object that is still arriving; it takes its place with [`Incoming::finish`] and is gone
/// without it.
#[derive(Debug)]
pub struct Incoming {
    file: fs::File,
    written: PathBuf,
    place: PathBuf,
    finished: bool,
}

impl DirObjects {
    /// Objects below `root`, which is made if missing, for its owner alone.
    ///
    /// # Errors
    /// [`ichor_image::Error::Io`] if the folder cannot be made.
    pub fn open(root: &Path) -> Result<Self> {
        make_folder(root).map_err(Error::io(
            "The folder for uploads and results cannot be made; give --jobs another one",
        ))?;
        Ok(Self { root: root.into() })
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        absent_is_none(fs::read(self.path(key)).await)
    }

    pub(super) async fn put(&self, key: &str, bytes: &[u8]) -> Result<()> {
        let mut incoming = self.receive(key).await?;
        incoming.write(bytes).await?;
        incoming.finish().await
    }

    pub(super) async fn exists(&self, key: &str) -> Result<bool> {
        fs::try_exists(self.path(key)).await.map_err(unavailable)
    }

    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<String>> {
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
    }

    pub(super) async fn delete(&self, keys: &[String]) -> Result<()> {
        for key in keys {
            let path = self.path(key);
            absent_is_none(fs::remove_file(&path).await)?;
            // The last object of a job takes the job's folder along; while there are others this
            // fails, as it should. Folders right below the root stay.
            if let Some(folder) = path.parent().filter(|f| f.parent() != Some(&*self.root)) {
                let _ = fs::remove_dir(folder).await;
            }
        }
        Ok(())
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
        // Hidden from `list`, and of a name of its own: two writers of one object do not mix.
        let name = format!(".{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let written = folder.join(name);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        let file = options.open(&written).await.map_err(unavailable)?;
        Ok(Incoming { file, written, place, finished: false })
    }

    /// The root of a store that is to be removed with everything in it.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
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
            // What cannot be removed now is swept with the folder.
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
