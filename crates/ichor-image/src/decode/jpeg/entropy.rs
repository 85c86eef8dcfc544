//! Reads bits and Huffman codes of entropy-coded segments (ITU-T T.81, annexes C and F).

use super::Flaw;

/// Number of bits of the lookup table; nearly all codes are this short.
const LOOKUP_BITS: u32 = 9;
/// Maximum length of a code, bits.
const MAX_CODE_BITS: u32 = 16;

/// A Huffman table.
pub(super) struct Huffman {
    /// Code length and value by the next [`LOOKUP_BITS`] bits; length 0 if the code is longer.
    lookup: Vec<(u8, u8)>,
    /// For each code length: one past the last code of this length, left-aligned in 16 bits; and the offset from a code
    /// to the index of its value.
    ranges: [(u32, i32); 17],
    values: Vec<u8>,
}

impl Huffman {
    /// A table of `counts` codes of each length from 1 to 16 bits, with their values in order; `None` if it is not
    /// valid.
    pub(super) fn new(counts: &[u8; 16], values: &[u8]) -> Option<Self> {
        let mut lookup = vec![(0, 0); 1 << LOOKUP_BITS];
        let mut ranges = [(0, 0); 17];
        let (mut code, mut index) = (0_u32, 0_usize);
        for length in 1..=MAX_CODE_BITS {
            let count = usize::from(counts[length as usize - 1]);
            let offset = index as i32 - code as i32;
            for _ in 0..count {
                if code >= 1 << length {
                    return None;
                }
                let value = *values.get(index)?;
                if length <= LOOKUP_BITS {
                    let spare = LOOKUP_BITS - length;
                    let first = (code << spare) as usize;
                    lookup[first..first + (1 << spare)].fill((length as u8, value));
                }
                code += 1;
                index += 1;
            }
            ranges[length as usize] = (code << (MAX_CODE_BITS - length), offset);
            code <<= 1;
        }
        Some(Self { lookup, ranges, values: values.to_vec() })
    }

    /// Length and value of the code at the start of `bits`, which has 16 bits.
    fn find(&self, bits: u32) -> Option<(u32, u8)> {
        let (length, value) = self.lookup[(bits >> (MAX_CODE_BITS - LOOKUP_BITS)) as usize];
        if length > 0 {
            return Some((length.into(), value));
        }
        (LOOKUP_BITS + 1..=MAX_CODE_BITS).find_map(|length| {
            let (end, offset) = self.ranges[length as usize];
            let code = (bits >> (MAX_CODE_BITS - length)) as i32;
            let index = usize::try_from(code + offset).ok()?;
            (bits < end).then_some((length, *self.values.get(index)?))
        })
    }
}

/// Reads the bits of an entropy-coded segment, which ends before the next marker.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next bits, left-aligned.
    buffer: u64,
    /// Number of bits in `buffer`.
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, buffer: 0, count: 0 }
    }

    fn fill(&mut self) {
        while self.count <= 56 {
            let (byte, length) = match self.bytes.get(self.at..) {
                // A stuffed zero marks FF as data.
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
                return Err(Flaw::Truncated);
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
        let is_at_end = self.count < MAX_CODE_BITS;
        let code = table.find((self.buffer >> (64 - MAX_CODE_BITS)) as u32);
        let (length, value) =
            code.ok_or(if is_at_end { Flaw::Truncated } else { Flaw::Damaged })?;
        self.take(length)?;
        Ok(value)
    }

    /// Skips to after the restart marker `number`.
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
            _ => Err(Flaw::Truncated),
        }
    }

    /// Offset of the next marker or of the end, and the number of bytes before it that were not read.
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
    fn finds_codes_of_each_length() {
        // One code of each length: 0, 10, 110, ... (all ones is not a code).
        let values: Vec<u8> = (1..=16).collect();
        let table = Huffman::new(&[1; 16], &values).unwrap();
        for length in 1..=16_u32 {
            let code = ((1 << (length - 1)) - 1) << 1;
            let bits = code << (16 - length);
            assert_eq!(table.find(bits), Some((length, length as u8)));
        }
        assert_eq!(table.find(0xFFFF), None);
        assert!(Huffman::new(&[3; 16], &values).is_none(), "more codes than the lengths allow");
        assert!(Huffman::new(&[1; 16], &values[..4]).is_none());
    }

    #[test]
    fn bits_end_at_markers_and_stuffing_is_data() {
        let mut bits = Bits::new(&[0xAB, 0xFF, 0x00, 0xFF, 0xD9], 0);
        assert_eq!((bits.bits(4), bits.bits(12)), (Ok(0xA), Ok(0xBFF)));
        assert_eq!(bits.bits(1), Err(Flaw::Truncated));
        assert_eq!(bits.end(), (3, 0));
        let mut bits = Bits::new(&[1, 2, 0xFF, 0xFF, 0xD3, 0x80], 0);
        assert_eq!((bits.restart(3), bits.bits(1)), (Ok(()), Ok(1)));
        assert_eq!(Bits::new(&[1, 0xFF, 0xD4], 0).restart(3), Err(Flaw::Damaged));
        assert_eq!(Bits::new(&[1, 2, 0xFF, 0x00, 3], 1).end(), (5, 3));
    }
}
