//! The archive's list of files, checked before it is used.

use super::super::Limits;
use super::super::source::ReadSeek;
use crate::error::{Error, Result};
use memchr::memmem;
use std::cmp::Ordering;
use std::io::Read;
use zip::{CompressionMethod, ZipArchive};

pub(super) type Archive<'a> = ZipArchive<Box<dyn ReadSeek + 'a>>;

/// Files beside the slices that an export may carry: viewers, notes, folders.
const MAX_OTHER_ENTRIES: usize = 256;
/// An archive has one end record; stored archives and chance add few. The parser may read the list of each, so
/// that many would take hours.
const MAX_END_RECORDS: usize = 16;
const END_RECORD: &[u8] = b"PK\x05\x06";
const ZIP64_LOCATOR: &[u8] = b"PK\x06\x07";
const ZIP64_LOCATOR_BYTES: usize = 20;

/// One file of the archive.
pub(super) struct Entry {
    /// Place in the archive's list.
    pub(super) index: usize,
    name: String,
}

/// Opens an archive and lists its files by name in natural order.
pub(super) fn list<'a>(
    mut reader: Box<dyn ReadSeek + 'a>,
    limits: &Limits,
) -> Result<(Archive<'a>, Vec<Entry>)> {
    check_end_records(&mut reader, limits.max_slices + MAX_OTHER_ENTRIES)?;
    let damaged = || Error::Undecodable("its archive is damaged or incomplete".into());
    reader.rewind().map_err(|_| damaged())?;
    let mut archive = ZipArchive::new(reader).map_err(|_| damaged())?;
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        // Raw: only the list is read, no file is unpacked.
        let file = archive
            .by_index_raw(index)
            .map_err(|_| Error::Undecodable("its archive is damaged".into()))?;
        if file.is_dir() {
            continue;
        }
        if file.encrypted() {
            return Err(Error::UnsupportedType(
                "The archive is encrypted. Unpack it, and pack the slices without a password."
                    .into(),
            ));
        }
        if !matches!(file.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            return Err(Error::UnsupportedType(
                "The archive is packed by another method than deflate. Pack it as a plain zip."
                    .into(),
            ));
        }
        entries.push(Entry { index, name: file.name().to_owned() });
    }
    entries.sort_by(|a, b| natural_order(&a.name, &b.name));
    Ok((archive, entries))
}

/// Checks the archive's end records before its list is read: the parser reserves what they declare,
/// 25 GB for a file of 64 MB in the Zip64 form.
fn check_end_records(archive: impl Read, max_entries: usize) -> Result<()> {
    let ends = EndRecords::find(archive)
        .map_err(|_| Error::Undecodable("its archive cannot be read to its end".into()))?;
    if ends.count > MAX_END_RECORDS {
        return Err(Error::Undecodable("it holds the ends of many archives".into()));
    }
    if ends.zip64 {
        return Err(Error::UnsupportedType(
            "The archive is in the Zip64 form, for more than 4 GB. Pack one series as a plain zip."
                .into(),
        ));
    }
    if ends.last_entries > max_entries {
        return Err(Error::TooLarge {
            what: "The number of files in the archive",
            limit: max_entries as u64,
            remedy: "Send one series per archive.",
        });
    }
    Ok(())
}

/// The records that end an archive's list, or bytes that look like one.
#[derive(Default)]
struct EndRecords {
    count: usize,
    /// Any of them follows a locator of the Zip64 form.
    zip64: bool,
    /// Entries by the last of them, which is the archive's own.
    last_entries: usize,
}

impl EndRecords {
    /// Reads the archive once, a piece at a time.
    fn find(mut archive: impl Read) -> std::io::Result<Self> {
        // Bytes that are read around a signature: the locator before it, the number of entries after it.
        const BEFORE: usize = ZIP64_LOCATOR_BYTES;
        const AFTER: usize = 12;
        const PIECE: u64 = 1 << 20;
        let mut records = Self::default();
        // The bytes searched in this pass; the first `BEFORE` of them were searched in the pass before.
        let mut window: Vec<u8> = Vec::new();
        let mut searched = 0;
        loop {
            let read = archive.by_ref().take(PIECE).read_to_end(&mut window)?;
            // A signature too close to the end is found with the next piece.
            let end = if read == 0 { window.len() } else { window.len().saturating_sub(AFTER) };
            for at in memmem::find_iter(&window[searched..], END_RECORD).map(|at| at + searched) {
                if at < end {
                    records.add(&window, at);
                }
            }
            if read == 0 || records.count > MAX_END_RECORDS {
                return Ok(records);
            }
            let kept = end.saturating_sub(BEFORE);
            searched = end - kept;
            window.drain(..kept);
        }
    }

    fn add(&mut self, window: &[u8], at: usize) {
        let locator = at.checked_sub(ZIP64_LOCATOR_BYTES).and_then(|at| window.get(at..));
        self.count += 1;
        self.zip64 |= locator.is_some_and(|bytes| bytes.starts_with(ZIP64_LOCATOR));
        // It counts the entries in bytes 10 and 11.
        self.last_entries = window
            .get(at + 10..at + 12)
            .and_then(|bytes| bytes.first_chunk::<2>())
            .map_or(0, |count| usize::from(u16::from_le_bytes(*count)));
    }
}

impl Entry {
    pub(super) fn is_clutter(&self) -> bool {
        is_clutter(&self.name)
    }
}

/// Whether a path is of hidden files, of what macOS adds, or of DICOM's table of contents, which is
/// DICOM without an image (PS3.10 8.6).
pub fn is_clutter(path: &str) -> bool {
    let parts = || path.split(['/', '\\']);
    parts().any(|part| part == "__MACOSX")
        || parts()
            .next_back()
            .is_some_and(|name| name.starts_with('.') || name.eq_ignore_ascii_case("DICOMDIR"))
}

/// Orders names by the numbers in them: `slice2` before `slice10`.
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut a_rest, mut b_rest) = (a.as_bytes(), b.as_bytes());
    loop {
        let (a_digits, b_digits) = (leading_digits(a_rest), leading_digits(b_rest));
        let order = if a_digits > 0 && b_digits > 0 {
            let (a_number, b_number) = (&a_rest[..a_digits], &b_rest[..b_digits]);
            (a_rest, b_rest) = (&a_rest[a_digits..], &b_rest[b_digits..]);
            let significant = |digits: &[u8]| {
                let zeros = digits.iter().take_while(|d| **d == b'0').count();
                digits[zeros..].to_vec()
            };
            let (x, y) = (significant(a_number), significant(b_number));
            x.len().cmp(&y.len()).then(x.cmp(&y))
        } else {
            match (a_rest.split_first(), b_rest.split_first()) {
                (Some((x, more)), Some((y, more_b))) => {
                    (a_rest, b_rest) = (more, more_b);
                    x.cmp(y)
                }
                // Equal but for leading zeros: an order all the same.
                (None, None) => return a.cmp(b),
                (x, y) => return x.is_some().cmp(&y.is_some()),
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn leading_digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_by_their_numbers() {
        let mut names = ["b1", "a10.dcm", "a2.dcm", "a02.dcm", "a", "a2/b", "a1x2", "a1x10"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, ["a", "a1x2", "a1x10", "a02.dcm", "a2.dcm", "a2/b", "a10.dcm", "b1"]);
    }
}
