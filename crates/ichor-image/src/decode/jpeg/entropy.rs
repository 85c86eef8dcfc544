//! Bits and Huffman codes of the entropy-coded segments (ITU-T T.81, annexes C and F).

use super::Flaw;

/// Bits of a code that one look-up covers; nearly all codes are this short.
const LOOKUP_BITS: u32 = 9;
/// Longest code, bits.
const MAX_CODE_BITS: u32 = 16;

/// A Huffman table: code lengths and values without the values' meaning.
pub(super) struct Huffman {
    /// Code length and value by the next [`LOOKUP_BITS`]; length 0 where the code is longer.
    lookup: Vec<(u8, u8)>,
    /// For each code length, the first code beyond those of this length, left-aligned in 16 bits,
    /// and what turns a code into the place of its value.
    longer: [(u32, i32); 17],
    values: Vec<u8>,
}

impl Huffman {
    /// `counts` codes of each length from 1 to 16 bits, and their values in order.
    pub(super) fn new(counts: &[u8; 16], values: &[u8]) -> Option<Self> {
        let mut lookup = vec![(0, 0); 1 << LOOKUP_BITS];
        let mut longer = [(0, 0); 17];
        let (mut code, mut place) = (0_u32, 0_usize);
        for length in 1..=MAX_CODE_BITS {
            let count = usize::from(counts[length as usize - 1]);
            let offset = place as i32 - code as i32;
            for _ in 0..count {
                if code >= 1 << length {
                    return None;
                }
                let value = *values.get(place)?;
                if length <= LOOKUP_BITS {
                    let spare = LOOKUP_BITS - length;
                    let first = (code << spare) as usize;
                    lookup[first..first + (1 << spare)].fill((length as u8, value));
                }
                code += 1;
                place += 1;
            }
            longer[length as usize] = (code << (MAX_CODE_BITS - length), offset);
            code <<= 1;
        }
        Some(Self { lookup, longer, values: values.to_vec() })
    }

    /// Length and value of the code that `bits`, 16 of them, begin with.
    fn find(&self, bits: u32) -> Option<(u32, u8)> {
        let (length, value) = self.lookup[(bits >> (MAX_CODE_BITS - LOOKUP_BITS)) as usize];
        if length > 0 {
            return Some((length.into(), value));
        }
        (LOOKUP_BITS + 1..=MAX_CODE_BITS).find_map(|length| {
            let (end, offset) = self.longer[length as usize];
            let code = (bits >> (MAX_CODE_BITS - length)) as i32;
            let place = usize::try_from(code + offset).ok()?;
            (bits < end).then_some((length, *self.values.get(place)?))
        })
    }
}

/// Reads the bits of one entropy-coded segment, which ends before the next marker.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next bits, left-aligned,
    buffer: u64,
    /// and how many of them are there.
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, buffer: 0, count: 0 }
    }

    fn fill(&mut self) {
        while self.count <= 56 {
            let (byte, length) = match self.bytes.get(self.at..) {
                // A stuffed zero says that FF is data.
                Some([0xFF, 0, ..]) => (0xFF, 2),
                Some([0xFF, ..] | []) | None => return,
                Some([byte, ..]) => (*byte, 1),
            };
            self.buffer |= u64::from(byte) << (56 - self.count);
            self.count += 8;
            self.at += length;
        }
    }

    fn take(&mut self, count: u32) -> Result<u32, Flaw> {
        if self.count < count {
            self.fill();
            if self.count < count {
                return Err(Flaw::Cut);
            }
        }
        let bits = if count == 0 { 0 } else { (self.buffer >> (64 - count)) as u32 };
        self.buffer <<= count;
        self.count -= count;
        Ok(bits)
    }

    /// The next `count` bits, 16 at most.
    pub(super) fn bits(&mut self, count: u8) -> Result<u32, Flaw> {
        self.take(u32::from(count).min(MAX_CODE_BITS))
    }

    /// The value of the next code.
    pub(super) fn symbol(&mut self, table: &Huffman) -> Result<u8, Flaw> {
        if self.count < MAX_CODE_BITS {
            self.fill();
        }
        let starved = self.count < MAX_CODE_BITS;
        let found = table.find((self.buffer >> (64 - MAX_CODE_BITS)) as u32);
        let (length, value) = found.ok_or(if starved { Flaw::Cut } else { Flaw::Damaged })?;
        self.take(length)?;
        Ok(value)
    }

    /// Drops the bits up to the restart marker `number` and steps over it.
    pub(super) fn restart(&mut self, number: u8) -> Result<(), Flaw> {
        self.next_marker();
        (self.buffer, self.count) = (0, 0);
        while self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(&[0xFF, 0xFF])) {
            self.at += 1;
        }
        match self.bytes.get(self.at..) {
            Some([0xFF, marker, ..]) if *marker == 0xD0 + number => {
                self.at += 2;
                Ok(())
            }
            Some([0xFF, 0xD0..=0xD7, ..]) => Err(Flaw::Damaged),
            _ => Err(Flaw::Cut),
        }
    }

    /// Where the next marker stands, or the end; and how many bytes before it were not read.
    pub(super) fn end(mut self) -> (usize, usize) {
        let unread = self.next_marker();
        (self.at, unread)
    }

    fn next_marker(&mut self) -> usize {
        let mut unread = (self.count / 8) as usize;
        loop {
            match self.bytes.get(self.at..) {
                Some([0xFF, 0, ..]) => self.at += 2,
                Some([0xFF, _, ..] | []) | None => return unread,
                Some(_) => self.at += 1,
            }
            unread += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_every_length_are_found() {
        // One code of each length: 0, 10, 110, ... (all ones is no code).
        let values: Vec<u8> = (1..=16).collect();
        let table = Huffman::new(&[1; 16], &values).unwrap();
        for length in 1..=16_u32 {
            let code = ((1 << (length - 1)) - 1) << 1;
            let bits = code << (16 - length);
            assert_eq!(table.find(bits), Some((length, length as u8)));
        }
        assert_eq!(table.find(0xFFFF), None);
        assert!(Huffman::new(&[3; 16], &values).is_none(), "more codes than bits hold");
        assert!(Huffman::new(&[1; 16], &values[..4]).is_none());
    }

    #[test]
    fn bits_end_at_markers_and_stuffing_is_data() {
        let mut bits = Bits::new(&[0xAB, 0xFF, 0x00, 0xFF, 0xD9], 0);
        assert_eq!((bits.bits(4), bits.bits(12)), (Ok(0xA), Ok(0xBFF)));
        assert_eq!(bits.bits(1), Err(Flaw::Cut));
        assert_eq!(bits.end(), (3, 0));
        let mut bits = Bits::new(&[1, 2, 0xFF, 0xFF, 0xD3, 0x80], 0);
        assert_eq!((bits.restart(3), bits.bits(1)), (Ok(()), Ok(1)));
        assert_eq!(Bits::new(&[1, 0xFF, 0xD4], 0).restart(3), Err(Flaw::Damaged));
        assert_eq!(Bits::new(&[1, 2, 0xFF, 0x00, 3], 1).end(), (5, 3));
    }
}
