//! One scan of a JPEG image, read without its values: what counts is that all of it is there
//! (ITU-T T.81, annexes F.2.2, G.1 and H.2).

use super::Flaw;
use super::entropy::{Bits, Huffman};

/// How the samples are coded.
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
    /// Blocks (samples, where lossless) of an interleaved MCU, across and down.
    pub(super) sampling: (usize, usize),
    /// Blocks (samples) of a scan of this component alone.
    pub(super) alone: (usize, usize),
    /// Blocks of all interleaved MCUs, across.
    pub(super) stride: usize,
    /// Which coefficients of each block are not zero; of progressive images alone.
    pub(super) nonzero: Vec<u64>,
    /// For each coefficient, how many of its lowest bits have not come yet; `None` before the first
    /// scan of it.
    pub(super) missing_bits: [Option<u8>; 64],
}

/// A component in a scan and its Huffman tables.
pub(super) struct Member<'a> {
    pub(super) component: usize,
    pub(super) dc: Option<&'a Huffman>,
    pub(super) ac: Option<&'a Huffman>,
}

/// The parameters of a scan.
pub(super) struct Scan<'a> {
    pub(super) process: Process,
    pub(super) members: Vec<Member<'a>>,
    /// First and last coefficient.
    pub(super) band: (u8, u8),
    /// Bits that earlier scans left, 0 in the first of a band; and that this one leaves.
    pub(super) successive: (u8, u8),
    /// MCUs between restart markers; 0 without.
    pub(super) restart_interval: usize,
    /// Interleaved MCUs, across and down.
    pub(super) mcus: (usize, usize),
}

impl Scan<'_> {
    /// Reads every MCU.
    pub(super) fn walk(
        &self,
        bits: &mut Bits<'_>,
        components: &mut [Component],
    ) -> Result<(), Flaw> {
        let alone = match self.members[..] {
            [ref member] => Some(member.component),
            _ => None,
        };
        let (across, down) = alone.map_or(self.mcus, |component| components[component].alone);
        let (mut left, mut number, mut run) = (self.restart_interval, 0, 0);
        for mcu in 0..across * down {
            if self.restart_interval > 0 {
                if left == 0 {
                    bits.restart(number)?;
                    (left, number, run) = (self.restart_interval, (number + 1) % 8, 0);
                }
                left -= 1;
            }
            let (x, y) = (mcu % across, mcu / across);
            for member in &self.members {
                let component = &mut components[member.component];
                let (wide, high) = if alone.is_some() { (1, 1) } else { component.sampling };
                for block in 0..wide * high {
                    let column = x * wide + block % wide;
                    let row = y * high + block / wide;
                    let place = row * component.stride + column;
                    match (self.process, component.nonzero.get_mut(place)) {
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

    fn progressive(
        &self,
        bits: &mut Bits<'_>,
        member: &Member<'_>,
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
                // The sign of a coefficient that becomes one step large.
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

fn sequential(bits: &mut Bits<'_>, member: &Member<'_>) -> Result<(), Flaw> {
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

fn lossless(bits: &mut Bits<'_>, member: &Member<'_>) -> Result<(), Flaw> {
    let length = bits.symbol(table(member.dc)?)?;
    // A difference of 32,768 is said by its length alone (H.1.2.2).
    bits.bits(if length >= 16 { 0 } else { length }).map(|_| ())
}
