//! Parses one scan of a JPEG image without computing samples, to check that it is complete (ITU-T T.81, annexes F.2.2,
//! G.1 and H.2).

use super::Flaw;
use super::entropy::{Bits, Huffman};

/// The coding process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    /// Baseline and extended sequential.
    Sequential,
    Progressive,
    Lossless,
}

/// One colour component of the frame.
pub(super) struct Component {
    pub(super) identifier: u8,
    /// Blocks (lossless: samples) per interleaved MCU, across and down.
    pub(super) sampling: (usize, usize),
    /// Blocks (lossless: samples) of a scan with this component only, across and down.
    pub(super) alone: (usize, usize),
    /// Blocks per row of interleaved MCUs.
    pub(super) stride: usize,
    /// For each block, a bit set of the coefficients that are not zero; empty unless the image is progressive.
    pub(super) nonzero: Vec<u64>,
    /// For each coefficient, the number of its lowest bits that were not read yet; `None` before its first scan.
    pub(super) missing_bits: [Option<u8>; 64],
}

/// A component of a scan and its Huffman tables.
pub(super) struct ScanComponent<'a> {
    pub(super) component: usize,
    pub(super) dc: Option<&'a Huffman>,
    pub(super) ac: Option<&'a Huffman>,
}

/// The parameters of a scan.
pub(super) struct Scan<'a> {
    pub(super) process: Process,
    pub(super) members: Vec<ScanComponent<'a>>,
    /// First and last coefficient.
    pub(super) band: (u8, u8),
    /// Number of low bits that the previous scans of the band left out (0 in the first scan), and that this one leaves
    /// out.
    pub(super) successive: (u8, u8),
    /// MCUs between restart markers; 0 for none.
    pub(super) restart_interval: usize,
    /// Interleaved MCUs, across and down.
    pub(super) mcus: (usize, usize),
}

impl Scan<'_> {
    /// Parses all MCUs.
    ///
    /// # Errors
    /// [`Flaw`] if the data end early or are not valid.
    pub(super) fn parse(
        &self,
        bits: &mut Bits<'_>,
        components: &mut [Component],
    ) -> Result<(), Flaw> {
        let alone = match self.members[..] {
            [ref member] => Some(member.component),
            _ => None,
        };
        let (across, down) = alone.map_or(self.mcus, |component| components[component].alone);
        let (mut remaining, mut number, mut run) = (self.restart_interval, 0, 0);
        for mcu in 0..across * down {
            if self.restart_interval > 0 {
                if remaining == 0 {
                    bits.restart(number)?;
                    (remaining, number, run) = (self.restart_interval, (number + 1) % 8, 0);
                }
                remaining -= 1;
            }
            let (x, y) = (mcu % across, mcu / across);
            for member in &self.members {
                let component = &mut components[member.component];
                let (wide, high) = if alone.is_some() { (1, 1) } else { component.sampling };
                for block in 0..wide * high {
                    let column = x * wide + block % wide;
                    let row = y * high + block / wide;
                    let index = row * component.stride + column;
                    match (self.process, component.nonzero.get_mut(index)) {
                        (Process::Sequential, _) => sequential(bits, member)?,
                        (Process::Lossless, _) => lossless(bits, member)?,
                        (Process::Progressive, Some(nonzero)) => {
                            self.progressive(bits, member, nonzero, &mut run)?
                        }
                        (Process::Progressive, None) => return Err(Flaw::Damaged),
                    }
                }
            }
        }
        Ok(())
    }

    /// Parses a block of a progressive scan.
    fn progressive(
        &self,
        bits: &mut Bits<'_>,
        member: &ScanComponent<'_>,
        nonzero: &mut u64,
        run: &mut u32,
    ) -> Result<(), Flaw> {
        match (self.band.0, self.successive.0) {
            (0, 0) => {
                let length = bits.symbol(table(member.dc)?)?;
                bits.bits(length).map(|_| ())
            }
            (0, _) => bits.bits(1).map(|_| ()),
            (_, 0) => self.first_of_band(bits, table(member.ac)?, nonzero, run),
            _ => self.refinement(bits, table(member.ac)?, nonzero, run),
        }
    }

    /// Parses a block of the first scan of a band (G.1.2.2).
    fn first_of_band(
        &self,
        bits: &mut Bits<'_>,
        ac: &Huffman,
        nonzero: &mut u64,
        run: &mut u32,
    ) -> Result<(), Flaw> {
        if *run > 0 {
            *run -= 1;
            return Ok(());
        }
        let mut at = self.band.0;
        while at <= self.band.1 {
            let symbol = bits.symbol(ac)?;
            match (symbol >> 4, symbol & 15) {
                (15, 0) => at += 16,
                (length, 0) => {
                    *run = (1 << length) + bits.bits(length)? - 1;
                    break;
                }
                (zeros, length) => {
                    at += zeros;
                    bits.bits(length)?;
                    set(nonzero, at, self.band.1)?;
                    at += 1;
                }
            }
        }
        Ok(())
    }

    /// Parses a block of a later scan of a band (G.1.2.3).
    fn refinement(
        &self,
        bits: &mut Bits<'_>,
        ac: &Huffman,
        nonzero: &mut u64,
        run: &mut u32,
    ) -> Result<(), Flaw> {
        let (first, last) = self.band;
        let mut at = first;
        while *run == 0 && at <= last {
            let symbol = bits.symbol(ac)?;
            let (mut zeros, length) = (symbol >> 4, symbol & 15);
            match (zeros, length) {
                (15, 0) => {}
                (bits_of_run, 0) => {
                    *run = (1 << bits_of_run) + bits.bits(bits_of_run)?;
                    break;
                }
                // The sign of a coefficient that becomes nonzero.
                _ => bits.bits(1).map(|_| ())?,
            }
            while at <= last {
                if *nonzero >> at & 1 == 1 {
                    bits.bits(1)?;
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                at += 1;
            }
            if length > 0 {
                set(nonzero, at, last)?;
            }
            at += 1;
        }
        if *run > 0 {
            *run -= 1;
            for coefficient in at..=last {
                if *nonzero >> coefficient & 1 == 1 {
                    bits.bits(1)?;
                }
            }
        }
        Ok(())
    }
}

/// Marks a coefficient as nonzero.
fn set(nonzero: &mut u64, at: u8, last: u8) -> Result<(), Flaw> {
    if at > last {
        return Err(Flaw::Damaged);
    }
    *nonzero |= 1 << at;
    Ok(())
}

fn table(table: Option<&Huffman>) -> Result<&Huffman, Flaw> {
    table.ok_or(Flaw::Damaged)
}

fn sequential(bits: &mut Bits<'_>, member: &ScanComponent<'_>) -> Result<(), Flaw> {
    let (dc, ac) = (table(member.dc)?, table(member.ac)?);
    let length = bits.symbol(dc)?;
    bits.bits(length)?;
    let mut at = 1;
    while at < 64 {
        let symbol = bits.symbol(ac)?;
        match (symbol >> 4, symbol & 15) {
            (15, 0) => at += 16,
            (_, 0) => break,
            (zeros, length) => {
                bits.bits(length)?;
                at += zeros + 1;
                if at > 64 {
                    return Err(Flaw::Damaged);
                }
            }
        }
    }
    Ok(())
}

fn lossless(bits: &mut Bits<'_>, member: &ScanComponent<'_>) -> Result<(), Flaw> {
    let length = bits.symbol(table(member.dc)?)?;
    // A difference of 32,768 has no bits after its length (H.1.2.2).
    bits.bits(if length >= 16 { 0 } else { length }).map(|_| ())
}
