//! One input as a sequence of slices with a trailer.

use super::archive::{self, ArchiveFiles};
use super::source::{InMemory, OnDisk, Source};
use super::tally::{Origin, Tally, Trailer};
use super::{Decoded, Format, Limits, decode, decode_file, dicom, guarded};
use crate::error::{Error, Result};
use crate::parallel;
use crate::slice::CtSlice;
use std::collections::VecDeque;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// DICOM files of a head that are decoded at the same time.
const BATCH: usize = 16;

/// The source of one input.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// One file in memory.
    Bytes(&'a [u8]),
    /// One file on disk. It is never in memory as a whole beside its slices.
    Path(&'a Path),
    /// Files in memory that were sent together as one input.
    Files(&'a [&'a [u8]]),
    /// DICOM files of one head, each with the frames to take of it, from 0.
    Frames(&'a [(PathBuf, Vec<usize>)]),
}

/// Opens an input: one slice after the other, then a [`Trailer`]. The format is identified by the bytes,
/// never by a name or header.
///
/// Of several files, those that cannot be read are left out with a warning in the trailer.
///
/// ```
/// use ichor_image::decode::Limits;
/// use ichor_image::{Input, open};
///
/// let mut png = std::io::Cursor::new(Vec::new());
/// image::GrayImage::new(64, 48).write_to(&mut png, image::ImageFormat::Png).unwrap();
/// let mut slices = open(Input::Bytes(png.get_ref()), &Limits::default())?;
/// let first = slices.next().unwrap()?;
/// assert_eq!((first.plane.width, first.plane.height), (64, 48));
/// assert!(slices.next().is_none());
/// assert_eq!(slices.finish()?.file_lengths, [1]);
/// # Ok::<(), ichor_image::Error>(())
/// ```
///
/// # Errors
/// [`Error::EmptyInput`]; [`Error::Io`] for a file that cannot be read; [`Error::Undecodable`],
/// [`Error::UnsupportedType`] or [`Error::TooLarge`] for an archive whose list cannot be used.
pub fn open<'a>(input: Input<'a>, limits: &Limits) -> Result<SliceReader<'a>> {
    let limits = *limits;
    match input {
        Input::Bytes(bytes) | Input::Files(&[bytes]) => {
            let source = InMemory(bytes);
            let into_reader = |_| Ok(Cursor::new(bytes));
            SliceReader::from_file(source, into_reader, limits)
        }
        Input::Path(path) => {
            SliceReader::from_file(OnDisk::new(path)?, OnDisk::into_reader, limits)
        }
        Input::Files(files) => {
            let files = Box::new(MemoryFiles(files.iter()));
            Ok(SliceReader::new(files, Tally::new(Origin::Files, limits)))
        }
        Input::Frames(files) => {
            let files = Box::new(HeadFiles(files.chunks(BATCH)));
            Ok(SliceReader::new(files, Tally::new(Origin::Files, limits)))
        }
    }
}

/// The files of an input, read one after the other.
pub(super) trait Files {
    /// The slices of the next file or files, which may be none; `None` after the last.
    fn read_next(&mut self, tally: &mut Tally) -> Result<Option<Vec<CtSlice>>>;
}

/// The slices of an input in the order of its files, as returned by [`open`].
///
/// After an error there are no more slices. Warnings that concern every slice are in the trailer, not on
/// the slices.
pub struct SliceReader<'a> {
    files: Box<dyn Files + 'a>,
    tally: Tally,
    decoded: VecDeque<CtSlice>,
    is_at_end: bool,
}

impl<'a> SliceReader<'a> {
    fn new(files: Box<dyn Files + 'a>, tally: Tally) -> Self {
        Self { files, tally, decoded: VecDeque::new(), is_at_end: false }
    }

    fn from_file<S, R>(
        mut source: S,
        into_reader: impl FnOnce(S) -> Result<R>,
        limits: Limits,
    ) -> Result<Self>
    where
        S: Source + 'a,
        R: super::source::ReadSeek + 'a,
    {
        let length = source.max_bytes();
        if length == 0 {
            return Err(Error::EmptyInput);
        }
        if !archive::sniff(source.head()?) {
            let files = Box::new(SingleFile(Some(source)));
            return Ok(Self::new(files, Tally::new(Origin::File, limits)));
        }
        let reader = Box::new(into_reader(source)?);
        let files = Box::new(guarded(|| ArchiveFiles::open(reader, length, &limits))?);
        Ok(Self::new(files, Tally::new(Origin::Archive, limits)))
    }

    /// The trailer of the input, once its slices are read; slices that were not are dropped.
    ///
    /// # Errors
    /// As the slices themselves. Where no file could be read, the error of the first;
    /// [`Error::UnsupportedType`] where none is an image.
    pub fn finish(mut self) -> Result<Trailer> {
        self.by_ref().try_for_each(|slice| slice.map(drop))?;
        self.tally.finish()
    }

    /// Reads all slices. The warnings of the trailer are on each of them.
    ///
    /// # Errors
    /// As the slices themselves and [`SliceReader::finish`].
    pub fn read_all(mut self) -> Result<Decoded> {
        let slices = self.by_ref().collect::<Result<Vec<_>>>()?;
        Ok(Decoded::new(slices, self.tally.finish()?))
    }
}

impl Iterator for SliceReader<'_> {
    type Item = Result<CtSlice>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(slice) = self.decoded.pop_front() {
                return Some(Ok(slice));
            }
            if self.is_at_end {
                return None;
            }
            match guarded(|| self.files.read_next(&mut self.tally)) {
                Ok(Some(slices)) => self.decoded = slices.into(),
                Ok(None) => self.is_at_end = true,
                Err(error) => {
                    self.is_at_end = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl std::fmt::Debug for SliceReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SliceReader").field("tally", &self.tally).finish_non_exhaustive()
    }
}

impl From<Decoded> for SliceReader<'static> {
    /// Slices that are decoded already. They are not held to any limit.
    fn from(decoded: Decoded) -> Self {
        let unlimited =
            Limits { max_slices: usize::MAX, max_series_bytes: u64::MAX, ..Limits::default() };
        Self::new(Box::new(Some(decoded)), Tally::new(Origin::File, unlimited))
    }
}

impl Files for Option<Decoded> {
    fn read_next(&mut self, tally: &mut Tally) -> Result<Option<Vec<CtSlice>>> {
        self.take().map(|decoded| tally.add(decoded)).transpose()
    }
}

/// One file that is no archive.
struct SingleFile<S>(Option<S>);

impl<S: Source> Files for SingleFile<S> {
    fn read_next(&mut self, tally: &mut Tally) -> Result<Option<Vec<CtSlice>>> {
        let Some(mut source) = self.0.take() else { return Ok(None) };
        let decoded = decode_file(&mut source, tally.limits())?;
        tally.add(decoded).map(Some)
    }
}

/// Files in memory; an archive among them counts as one file.
struct MemoryFiles<'a>(std::slice::Iter<'a, &'a [u8]>);

impl Files for MemoryFiles<'_> {
    fn read_next(&mut self, tally: &mut Tally) -> Result<Option<Vec<CtSlice>>> {
        let Some(file) = self.0.next() else { return Ok(None) };
        let remaining = tally.remaining();
        let decoded = decode(file, &remaining);
        let is_picture = Format::from_head(file) == Format::Raster;
        let limits = *tally.limits();
        let identify =
            || (!is_picture).then(|| guarded(|| dicom::identify(&mut InMemory(file), &limits)));
        tally.add_or_skip(decoded, &remaining, identify).map(Some)
    }
}

/// DICOM files of one head; a batch is decoded in parallel.
struct HeadFiles<'a>(std::slice::Chunks<'a, (PathBuf, Vec<usize>)>);

impl Files for HeadFiles<'_> {
    fn read_next(&mut self, tally: &mut Tally) -> Result<Option<Vec<CtSlice>>> {
        let Some(batch) = self.0.next() else { return Ok(None) };
        let limits = *tally.limits();
        let decoded: Vec<Result<Decoded>> =
            parallel::map(batch, |_, (file, frames)| decode_frames(file, frames, &limits));
        let mut slices = Vec::new();
        for decoded in decoded {
            match decoded {
                Ok(decoded) => slices.extend(tally.add(decoded)?),
                Err(error) => tally.fail(error),
            }
        }
        Ok(Some(slices))
    }
}

fn decode_frames(file: &Path, frames: &[usize], limits: &Limits) -> Result<Decoded> {
    let slices = decode_file(&mut OnDisk::new(file)?, limits)?.slices;
    let chosen = slices.into_iter().enumerate().filter(|(frame, _)| frames.contains(frame));
    Ok(chosen.map(|(_, slice)| slice).collect::<Vec<_>>().into())
}
