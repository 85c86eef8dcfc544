//! Sources of the bytes of a file. A decoder reads them from the start, and may do so several times, so that a
//! long series needs memory for its samples alone and not for its files.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

/// Length of the head, which identifies every format: the magic of NIfTI ends at byte 348.
pub(super) const HEAD_BYTES: u64 = 4096;

/// The first bytes of a gzip file (RFC 1952).
pub(super) const GZIP: [u8; 2] = [0x1F, 0x8B];

/// Maximum compression factor of deflate: 258 bytes in two bits.
pub(super) const MAX_DEFLATE_RATIO: u64 = 1032;

/// Bytes that can be read from their start, any number of times.
pub(super) trait Source {
    /// A reader of all bytes.
    fn open(&mut self) -> Result<Box<dyn Read + '_>>;

    /// All bytes, where they lie in memory.
    fn bytes(&self) -> Option<&[u8]> {
        None
    }

    /// Upper bound of the number of bytes, whatever a header declares.
    fn max_bytes(&self) -> u64;

    /// The first [`HEAD_BYTES`] bytes, or all where there are fewer. They are read once.
    fn head(&mut self) -> Result<&[u8]>;
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

    fn max_bytes(&self) -> u64 {
        self.0.len() as u64
    }

    fn head(&mut self) -> Result<&[u8]> {
        Ok(&self.0[..self.0.len().min(HEAD_BYTES as usize)])
    }
}

/// A file on disk, opened once.
pub(super) struct OnDisk {
    file: File,
    length: u64,
    head: Vec<u8>,
}

impl OnDisk {
    /// # Errors
    /// [`Error::Io`] for a file that cannot be opened.
    pub(super) fn new(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(unreadable())?;
        let length = file.metadata().map_err(unreadable())?.len();
        let mut head = Vec::new();
        (&file).take(HEAD_BYTES).read_to_end(&mut head).map_err(unreadable())?;
        Ok(Self { file, length, head })
    }

    /// The file from its start, for a reader that seeks.
    pub(super) fn into_reader(mut self) -> Result<BufReader<File>> {
        self.file.rewind().map_err(unreadable())?;
        Ok(BufReader::new(self.file))
    }
}

impl Source for OnDisk {
    fn open(&mut self) -> Result<Box<dyn Read + '_>> {
        self.file.rewind().map_err(unreadable())?;
        Ok(Box::new(BufReader::new(&mut self.file)))
    }

    fn max_bytes(&self) -> u64 {
        self.length
    }

    fn head(&mut self) -> Result<&[u8]> {
        Ok(&self.head)
    }
}

fn unreadable() -> impl FnOnce(std::io::Error) -> Error {
    Error::io("The file cannot be read")
}

/// A source that an archive can be read from, as its list stands at the end.
pub(super) trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}
