//! Checks that a JPEG codestream (ITU-T T.81) is complete. Decoders fill missing blocks with grey or with the row
//! above, without an error. So each scan is parsed here up to its last block, without computing samples.

mod entropy;
mod scan;

use crate::slice::Warning;
use entropy::{Bits, Huffman};
use scan::{Component, Process, Scan, ScanComponent};

/// Maximum number of scans per image. Progressive images have about 10, and each takes a pass over the image.
const MAX_SCANS: usize = 64;
/// Maximum number of bytes after the last scan if the end marker is missing; DICOM pads to an even length.
const MAX_PADDING: usize = 1;

/// A defect of a codestream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It ends before its last block.
    Truncated,
    /// Its contents are not valid.
    Damaged,
}

/// Size of a complete codestream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Length in bytes.
    pub(super) length: usize,
    /// Columns and rows.
    pub(super) size: (u16, u16),
    /// Whether it has an end of image marker.
    pub(super) has_end_marker: bool,
}

/// Parses the codestream at the start of `bytes` to its end.
///
/// An image with more than `max_pixels` pixels counts as damaged. Arithmetic and hierarchical coding are not checked,
/// because the decoder rejects them.
pub(super) fn measure(bytes: &[u8], max_pixels: usize) -> Result<Extent, Flaw> {
    if !bytes.starts_with(&[0xFF, 0xD8]) {
        return Err(Flaw::Damaged);
    }
    let mut stream = Stream { bytes, at: 2, ..Stream::default() };
    loop {
        let Some(marker) = stream.marker() else {
            return stream.extent(false);
        };
        match marker {
            0xD9 => return stream.extent(true),
            0xC0..=0xC3 => stream.read_frame(marker, max_pixels)?,
            0xC4 => stream.read_tables()?,
            0xC5..=0xCF if marker != 0xC8 => {
                return Ok(Extent { length: bytes.len(), size: (0, 0), has_end_marker: true });
            }
            0xDA => stream.read_scan()?,
            0xDD => {
                let segment = stream.segment()?;
                stream.restart_interval = u16_at(segment, 0).ok_or(Flaw::Damaged)?.into();
            }
            // Markers without a segment.
            0x01 | 0xD0..=0xD8 => {}
            _ => {
                stream.segment()?;
            }
        }
    }
}

/// Maximum number of codestreams that are searched after the first one.
const MAX_FURTHER: usize = 8;

/// Whether another complete JPEG of the same size follows, as in Multi-Picture files (CIPA DC-007). Thumbnails and
/// depth maps are smaller.
pub(super) fn is_followed_by_another(bytes: &[u8], first: &Extent) -> bool {
    let mut rest = &bytes[first.length..];
    for _ in 0..MAX_FURTHER {
        let Some(start) = memchr::memmem::find(rest, &[0xFF, 0xD8, 0xFF]) else { break };
        rest = &rest[start..];
        let max_pixels = usize::from(first.size.0) * usize::from(first.size.1);
        match measure(rest, max_pixels) {
            Ok(extent) if extent.size == first.size => return true,
            Ok(extent) => rest = &rest[extent.length..],
            Err(_) => rest = &rest[2..],
        }
    }
    false
}

/// The warning that only the end marker is missing.
pub(super) fn end_missing() -> Warning {
    Warning::new(
        "jpeg_end_missing",
        "The JPEG lacks its end marker; all of its picture data are there and were read.",
    )
}

/// Position in a codestream, and the segments read so far.
#[derive(Default)]
struct Stream<'a> {
    bytes: &'a [u8],
    at: usize,
    frame: Option<Frame>,
    dc: [Option<Huffman>; 4],
    ac: [Option<Huffman>; 4],
    restart_interval: usize,
    scans: usize,
    /// Number of bytes between the last scan and the next marker or the end.
    unread: usize,
}

/// The frame header.
struct Frame {
    process: Process,
    size: (u16, u16),
    components: Vec<Component>,
    mcus: (usize, usize),
}

impl<'a> Stream<'a> {
    /// Reads the next marker. Other bytes between segments are skipped, as decoders do.
    fn marker(&mut self) -> Option<u8> {
        loop {
            self.at += memchr::memchr(0xFF, self.bytes.get(self.at..)?)?;
            match self.bytes.get(self.at + 1)? {
                0 => self.at += 2,
                0xFF => self.at += 1,
                marker => {
                    self.at += 2;
                    return Some(*marker);
                }
            }
        }
    }

    /// Reads the contents of a segment.
    fn segment(&mut self) -> Result<&'a [u8], Flaw> {
        let length = usize::from(u16_at(self.bytes, self.at).ok_or(Flaw::Truncated)?);
        let segment = self.bytes.get(self.at..self.at + length).ok_or(Flaw::Truncated)?;
        self.at += length;
        segment.get(2..).ok_or(Flaw::Damaged)
    }

    /// Reads Huffman tables (DHT).
    fn read_tables(&mut self) -> Result<(), Flaw> {
        let mut segment = self.segment()?;
        while let Some((&[class_and_index, ref counts @ ..], rest)) =
            segment.split_first_chunk::<17>()
        {
            let count = counts.iter().map(|&count| usize::from(count)).sum();
            let (values, rest) = rest.split_at_checked(count).ok_or(Flaw::Damaged)?;
            let tables = if class_and_index >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            let slot = tables.get_mut(usize::from(class_and_index & 15)).ok_or(Flaw::Damaged)?;
            *slot = Some(Huffman::new(counts, values).ok_or(Flaw::Damaged)?);
            segment = rest;
        }
        Ok(())
    }

    /// Reads a frame header (SOF).
    fn read_frame(&mut self, marker: u8, max_pixels: usize) -> Result<(), Flaw> {
        let segment = self.segment()?;
        if self.frame.is_some() {
            return Err(Flaw::Damaged);
        }
        let process = match marker {
            0xC2 => Process::Progressive,
            0xC3 => Process::Lossless,
            _ => Process::Sequential,
        };
        let size = (u16_at(segment, 3), u16_at(segment, 1));
        let (Some(width), Some(height), Some(&count)) = (size.0, size.1, segment.get(5)) else {
            return Err(Flaw::Damaged);
        };
        let listed = segment.get(6..).unwrap_or_default().as_chunks::<3>().0;
        let listed = listed.get(..usize::from(count)).ok_or(Flaw::Damaged)?;
        let sampling =
            |component: &[u8; 3]| (usize::from(component[1] >> 4), usize::from(component[1] & 15));
        let widest = listed.iter().map(|c| sampling(c).0).max().unwrap_or(0);
        let highest = listed.iter().map(|c| sampling(c).1).max().unwrap_or(0);
        let in_range = |c| (1..=4).contains(&sampling(c).0) && (1..=4).contains(&sampling(c).1);
        if width == 0 || height == 0 || listed.is_empty() || !listed.iter().all(in_range) {
            return Err(Flaw::Damaged);
        }
        if usize::from(width) * usize::from(height) > max_pixels {
            return Err(Flaw::Damaged);
        }
        // A block has 8 samples per side; lossless coding goes sample by sample.
        let side = if process == Process::Lossless { 1 } else { 8 };
        let (columns, rows) = (usize::from(width), usize::from(height));
        let mcus = (columns.div_ceil(side * widest), rows.div_ceil(side * highest));
        let component = |listed: &[u8; 3]| {
            let (wide, high) = sampling(listed);
            let stride = mcus.0 * wide;
            let blocks = stride * mcus.1 * high;
            Component {
                identifier: listed[0],
                sampling: (wide, high),
                alone: (
                    (columns * wide).div_ceil(widest).div_ceil(side),
                    (rows * high).div_ceil(highest).div_ceil(side),
                ),
                stride,
                nonzero: if process == Process::Progressive { vec![0; blocks] } else { Vec::new() },
                missing_bits: [None; 64],
            }
        };
        let components = listed.iter().map(component).collect();
        self.frame = Some(Frame { process, size: (width, height), components, mcus });
        Ok(())
    }

    /// Reads a scan (SOS) with its entropy-coded data.
    fn read_scan(&mut self) -> Result<(), Flaw> {
        self.scans += 1;
        let segment = self.segment()?;
        let frame = self.frame.as_mut().ok_or(Flaw::Damaged)?;
        if self.scans > MAX_SCANS {
            return Err(Flaw::Damaged);
        }
        let count = usize::from(*segment.first().ok_or(Flaw::Damaged)?);
        let listed = segment.get(1..1 + 2 * count).ok_or(Flaw::Damaged)?.as_chunks::<2>().0;
        let [first, last, successive] =
            *segment.get(1 + 2 * count..).and_then(|s| s.first_chunk()).ok_or(Flaw::Damaged)?;
        let mut members = Vec::new();
        for &[identifier, tables] in listed {
            let component = frame.components.iter().position(|c| c.identifier == identifier);
            members.push(ScanComponent {
                component: component.ok_or(Flaw::Damaged)?,
                dc: self.dc.get(usize::from(tables >> 4)).and_then(Option::as_ref),
                ac: self.ac.get(usize::from(tables & 15)).and_then(Option::as_ref),
            });
        }
        let progressive = frame.process == Process::Progressive;
        let band = if progressive { (first, last.min(63)) } else { (0, 63) };
        let successive = if progressive { (successive >> 4, successive & 15) } else { (0, 0) };
        // Only the first coefficients of several components may share a scan (G.1.1.1.1).
        let shared = members.len() > 1 && progressive && band.1 > 0;
        if members.is_empty()
            || shared
            || band.0 > band.1
            || (band.0 == 0 && progressive && band.1 > 0)
        {
            return Err(Flaw::Damaged);
        }
        let scan = Scan {
            process: frame.process,
            members,
            band,
            successive,
            restart_interval: self.restart_interval,
            mcus: frame.mcus,
        };
        let mut bits = Bits::new(self.bytes, self.at);
        scan.parse(&mut bits, &mut frame.components)?;
        (self.at, self.unread) = bits.end();
        for member in &scan.members {
            let missing = &mut frame.components[member.component].missing_bits;
            missing[usize::from(band.0)..=usize::from(band.1)].fill(Some(successive.1));
        }
        Ok(())
    }

    /// The extent of the codestream.
    ///
    /// # Errors
    /// [`Flaw::Truncated`] if a scan is missing.
    fn extent(&self, has_end_marker: bool) -> Result<Extent, Flaw> {
        let frame = self.frame.as_ref().ok_or(Flaw::Truncated)?;
        let is_complete = |c: &Component| c.missing_bits.iter().all(|missing| *missing == Some(0));
        let complete = match has_end_marker {
            // Encoders may omit the colour components of a grey picture, but not its luminance.
            true => frame.components.first().is_some_and(is_complete),
            false => frame.components.iter().all(is_complete) && self.unread <= MAX_PADDING,
        };
        if !complete {
            return Err(Flaw::Truncated);
        }
        let length = if has_end_marker { self.at } else { self.bytes.len() };
        Ok(Extent { length, size: frame.size, has_end_marker })
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]))
}
