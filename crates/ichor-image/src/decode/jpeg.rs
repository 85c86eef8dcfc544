//! Whether a JPEG codestream (ITU-T T.81) is whole. Decoders fill what is missing with grey or with
//! the row above, and report nothing: so every scan is read here to its last block, without values.

mod entropy;
mod scan;

use crate::slice::Warning;
use entropy::{Bits, Huffman};
use scan::{Component, Member, Process, Scan};

/// Scans of one image: progressive images have about 10, each costs a pass over the image.
const MAX_SCANS: usize = 64;
/// Bytes that may follow the last scan where the end marker is missing: DICOM pads to even lengths.
const MAX_PADDING: usize = 1;

/// What is wrong with a codestream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It ends before its last block.
    Cut,
    Damaged,
}

/// Where a whole codestream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Bytes up to its end.
    pub(super) length: usize,
    /// Columns and rows.
    pub(super) size: (u16, u16),
    /// The end of image marker is there.
    pub(super) has_end_marker: bool,
}

/// Reads the codestream that `bytes` begin with to its end.
///
/// Images of more pixels than `max_pixels` count as damaged; arithmetic and hierarchical coding are
/// left to the decoder, which refuses them.
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

/// Pictures that are looked for behind the first one.
const MAX_FURTHER: usize = 8;

/// Whether another whole JPEG of the same size follows, as in Multi-Picture files (CIPA DC-007);
/// thumbnails and depth maps are smaller.
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

/// Says that nothing but the end marker is missing.
pub(super) fn end_missing() -> Warning {
    Warning::new(
        "jpeg_end_missing",
        "The JPEG lacks its end marker; all of its picture data are there and were read.",
    )
}

/// Place in a codestream, and what it said so far.
#[derive(Default)]
struct Stream<'a> {
    bytes: &'a [u8],
    at: usize,
    frame: Option<Frame>,
    dc: [Option<Huffman>; 4],
    ac: [Option<Huffman>; 4],
    restart_interval: usize,
    scans: usize,
    /// Bytes that follow the last scan up to the next marker or the end.
    unread: usize,
}

struct Frame {
    process: Process,
    size: (u16, u16),
    components: Vec<Component>,
    mcus: (usize, usize),
}

impl<'a> Stream<'a> {
    /// Steps over the next marker; other bytes between segments are ignored, as by decoders.
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

    /// The contents of the segment that begins here, and steps over it.
    fn segment(&mut self) -> Result<&'a [u8], Flaw> {
        let length = usize::from(u16_at(self.bytes, self.at).ok_or(Flaw::Cut)?);
        let segment = self.bytes.get(self.at..self.at + length).ok_or(Flaw::Cut)?;
        self.at += length;
        segment.get(2..).ok_or(Flaw::Damaged)
    }

    fn read_tables(&mut self) -> Result<(), Flaw> {
        let mut segment = self.segment()?;
        while let Some((&[class_and_place, ref counts @ ..], rest)) =
            segment.split_first_chunk::<17>()
        {
            let count = counts.iter().map(|&count| usize::from(count)).sum();
            let (values, rest) = rest.split_at_checked(count).ok_or(Flaw::Damaged)?;
            let tables = if class_and_place >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            let place = tables.get_mut(usize::from(class_and_place & 15)).ok_or(Flaw::Damaged)?;
            *place = Some(Huffman::new(counts, values).ok_or(Flaw::Damaged)?);
            segment = rest;
        }
        Ok(())
    }

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
            members.push(Member {
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
        scan.walk(&mut bits, &mut frame.components)?;
        (self.at, self.unread) = bits.end();
        for member in &scan.members {
            let missing = &mut frame.components[member.component].missing_bits;
            missing[usize::from(band.0)..=usize::from(band.1)].fill(Some(successive.1));
        }
        Ok(())
    }

    /// The extent, if all scans have come.
    fn extent(&self, has_end_marker: bool) -> Result<Extent, Flaw> {
        let frame = self.frame.as_ref().ok_or(Flaw::Cut)?;
        let whole = |c: &Component| c.missing_bits.iter().all(|missing| *missing == Some(0));
        let complete = match has_end_marker {
            // Encoders may leave out colours of a grey picture, not its brightness.
            true => frame.components.first().is_some_and(whole),
            false => frame.components.iter().all(whole) && self.unread <= MAX_PADDING,
        };
        if !complete {
            return Err(Flaw::Cut);
        }
        let length = if has_end_marker { self.at } else { self.bytes.len() };
        Ok(Extent { length, size: frame.size, has_end_marker })
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]))
}
