//! Where the bytes of a file come from. Decoders read them from the start, and may do so again:
//! a long series then takes the memory of its samples alone, not of its files beside them.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

/// Bytes that can be read from their start, any number of times.
pub(super) trait Source {
    /// A reader of all bytes.
    fn open(&mut self) -> Result<Box<dyn Read + '_>>;

    /// All bytes, where they lie in memory.
    fn bytes(&self) -> Option<&[u8]> {
        None
    }

    /// More bytes than this cannot come, whatever a header declares.
    fn at_most(&self) -> u64;
}

/// A file in memory.
pub(super) struct InMemory<'a>(pub(super) &'a [u8]);

impl Source for InMemory<'_> {
    fn open(&mut self) -> Result<Box<dyn Read + '_>> {
        Ok(Box::new(self.0))
    }

    fn bytes(&self) -> Option<&[u8]> {
        Some(self.0)
    }

    fn at_most(&self) -> u64 {
        self.0.len() as u64
    }
}

/// A file on disk.
pub(super) struct OnDisk<'a> {
    path: &'a Path,
    length: u64,
}

impl<'a> OnDisk<'a> {
    /// # Errors
    /// [`Error::Io`] for a file that cannot be looked at.
    pub(super) fn new(path: &'a Path) -> Result<Self> {
        let length = std::fs::metadata(path).map_err(unreadable())?.len();
        Ok(Self { path, length })
    }

    fn reader(&self) -> Result<BufReader<File>> {
        File::open(self.path).map(BufReader::new).map_err(unreadable())
    }
}

impl Source for OnDisk<'_> {
    fn open(&mut self) -> Result<Box<dyn Read + '_>> {
        Ok(Box::new(self.reader()?))
    }

    fn at_most(&self) -> u64 {
        self.length
    }
}

fn unreadable() -> impl FnOnce(std::io::Error) -> Error {
    Error::io("The file cannot be read")
}

/// A source that an archive can be read from, as its list stands at the end.
pub(super) trait Seekable: Source {
    /// A reader that can go back.
    fn open_seekable(&self) -> Result<Box<dyn ReadSeek + '_>>;
}

/// Reads and goes back.
pub(super) trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

impl Seekable for InMemory<'_> {
    fn open_seekable(&self) -> Result<Box<dyn ReadSeek + '_>> {
        Ok(Box::new(Cursor::new(self.0)))
    }
}

impl Seekable for OnDisk<'_> {
    fn open_seekable(&self) -> Result<Box<dyn ReadSeek + '_>> {
        Ok(Box::new(self.reader()?))
    }
}

/// The first `most` bytes, or all where there are fewer.
pub(super) fn head(source: &mut dyn Source, most: u64) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    source.open()?.take(most).read_to_end(&mut head).map_err(unreadable())?;
    Ok(head)
}
