//! Deflate (RFC 1951) in the zlib format (RFC 1950) for filtered pictures.
//!
//! Air and all that is flat filters to zeros, and what is left is noise, in which a search for repetitions
//! finds next to nothing: so runs of zeros are the only ones that are packed as such, and the Huffman code is
//! made for the picture.

/// Numbers of the code for literals and lengths: bytes, end, lengths of runs.
const SYMBOLS: usize = 286;
const END: usize = 256;
/// A run is packed as its first zero and repetitions of it, of at most this many each.
const LONGEST: usize = 258;
const SHORTEST: usize = 3;
/// Bits of the longest code: four of them and what is left of a byte fit a register.
const MOST_BITS: u8 = 12;

/// Appends `bytes`, packed, to `out`.
pub(super) fn pack(bytes: &[u8], out: &mut Vec<u8>) {
    let mut counts = Counts { bytes: [[0; 256]; 2], others: [0; SYMBOLS], extra_bits: 0 };
    tokens(bytes, &mut counts);
    let mut frequencies = counts.others;
    frequencies[END] = 1;
    for (byte, count) in frequencies[..256].iter_mut().enumerate() {
        *count += counts.bytes[0][byte] + counts.bytes[1][byte];
    }
    let lengths = code_lengths(&frequencies);
    let packed: usize =
        frequencies.iter().zip(&lengths).map(|(&n, &bits)| n as usize * usize::from(bits)).sum();
    let bits = packed + counts.extra_bits + 17 + 19 * 3 + (SYMBOLS + 1) * 4;
    out.extend([0x78, 0x01]);
    let at = out.len();
    out.resize(at + bits.div_ceil(8) + 8, 0);
    let mut writer = Writer { codes: codes(&lengths), out, at, bits: 0, filled: 0 };
    writer.header(&lengths);
    tokens(bytes, &mut writer);
    writer.put(writer.codes[END]);
    let end = writer.finish();
    out.truncate(end);
    out.extend(simd_adler32::adler32(&bytes).to_be_bytes());
}

/// What becomes of the bytes of a picture.
trait Tokens {
    fn literals<const N: usize>(&mut self, bytes: [u8; N]);
    /// The byte before, which is 0, so many times again.
    fn repeat(&mut self, times: usize);
}

fn tokens(bytes: &[u8], to: &mut impl Tokens) {
    let (blocks, rest) = bytes.as_chunks::<8>();
    let mut zeros = 0;
    for block in blocks {
        if u64::from_ne_bytes(*block) == 0 {
            zeros += block.len();
            continue;
        }
        if zeros > 0 {
            run(zeros, to);
            zeros = 0;
        }
        to.literals(*block);
    }
    if zeros > 0 {
        run(zeros, to);
    }
    rest.iter().for_each(|&byte| to.literals([byte]));
}

fn run(zeros: usize, to: &mut impl Tokens) {
    to.literals([0]);
    let mut left = zeros - 1;
    while left >= SHORTEST {
        let times = left.min(LONGEST);
        to.repeat(times);
        left -= times;
    }
    (0..left).for_each(|_| to.literals([0]));
}

/// Symbol, further bits and their number of a repetition (RFC 1951, 3.2.5).
fn length_symbol(times: usize) -> (usize, u64, u32) {
    if times == LONGEST {
        return (285, 0, 0);
    }
    let over = times - SHORTEST;
    if over < 4 {
        return (257 + over, 0, 0);
    }
    // Four symbols for each power of two.
    let further = over.ilog2() - 2;
    let symbol = 257 + 4 * (further as usize) + (over >> further);
    (symbol, (over & ((1 << further) - 1)) as u64, further)
}

struct Counts {
    /// Two, so that equal neighbours do not wait for each other.
    bytes: [[u32; 256]; 2],
    others: [u32; SYMBOLS],
    extra_bits: usize,
}

impl Tokens for Counts {
    fn literals<const N: usize>(&mut self, bytes: [u8; N]) {
        for (place, byte) in bytes.into_iter().enumerate() {
            self.bytes[place % 2][usize::from(byte)] += 1;
        }
    }

    fn repeat(&mut self, times: usize) {
        let (symbol, _, further) = length_symbol(times);
        self.others[symbol] += 1;
        // One bit says that the distance is 1.
        self.extra_bits += further as usize + 1;
    }
}

#[derive(Clone, Copy, Default)]
struct Code {
    bits: u16,
    len: u8,
}

struct Writer<'a> {
    codes: [Code; SYMBOLS],
    out: &'a mut [u8],
    at: usize,
    bits: u64,
    filled: u32,
}

impl Writer<'_> {
    fn put(&mut self, code: Code) {
        self.bits |= u64::from(code.bits) << self.filled;
        self.filled += u32::from(code.len);
    }

    fn put_bits(&mut self, bits: u64, count: u32) {
        self.bits |= bits << self.filled;
        self.filled += count;
        self.flush();
    }

    fn flush(&mut self) {
        self.out[self.at..self.at + 8].copy_from_slice(&self.bits.to_le_bytes());
        self.at += (self.filled / 8) as usize;
        self.bits >>= self.filled & !7;
        self.filled &= 7;
    }

    fn header(&mut self, lengths: &[u8; SYMBOLS]) {
        // The last block, with a code of its own: 286 symbols, one distance, 19 lengths of the code of lengths.
        self.put_bits(0b101, 3);
        self.put_bits((SYMBOLS - 257) as u64, 5);
        self.put_bits(0, 5);
        self.put_bits(15, 4);
        // Lengths as they are, in four bits each: no repetitions (16, 17, 18, which come first).
        for order in 0..19 {
            self.put_bits(if order < 3 { 0 } else { 4 }, 3);
        }
        for &length in lengths.iter().chain(&[1]) {
            self.put_bits(u64::from(reversed(length.into(), 4)), 4);
        }
    }

    fn finish(mut self) -> usize {
        self.flush();
        self.at + usize::from(self.filled > 0)
    }
}

impl Tokens for Writer<'_> {
    fn literals<const N: usize>(&mut self, bytes: [u8; N]) {
        for (place, byte) in bytes.into_iter().enumerate() {
            self.put(self.codes[usize::from(byte)]);
            if place % 4 == 3 || place + 1 == N {
                self.flush();
            }
        }
    }

    fn repeat(&mut self, times: usize) {
        let (symbol, bits, further) = length_symbol(times);
        self.put(self.codes[symbol]);
        // The only code of distances is a bit of 0.
        self.put_bits(bits, further + 1);
    }
}

fn reversed(bits: u16, len: u8) -> u16 {
    bits.reverse_bits() >> (16 - len)
}

/// Canonical codes (RFC 1951, 3.2.2), their first bit lowest.
fn codes(lengths: &[u8; SYMBOLS]) -> [Code; SYMBOLS] {
    let mut codes = [Code::default(); SYMBOLS];
    let mut next = 0;
    for len in 1..=MOST_BITS {
        next <<= 1;
        for symbol in (0..SYMBOLS).filter(|&symbol| lengths[symbol] == len) {
            codes[symbol] = Code { bits: reversed(next, len), len };
            next += 1;
        }
    }
    codes
}

/// Lengths of Huffman's code, none above the limit; at least two symbols occur.
fn code_lengths(frequencies: &[u32; SYMBOLS]) -> [u8; SYMBOLS] {
    let mut frequencies = *frequencies;
    loop {
        let lengths = huffman(&frequencies);
        if lengths.iter().all(|&length| length <= MOST_BITS) {
            return lengths;
        }
        // Rare symbols weigh more until the tree is flat enough.
        for frequency in frequencies.iter_mut().filter(|f| **f > 0) {
            *frequency = *frequency / 2 + 1;
        }
    }
}

/// Huffman's code by two queues (van Leeuwen 1976): leaves by frequency, and the nodes made of them, which
/// come in order by themselves.
fn huffman(frequencies: &[u32; SYMBOLS]) -> [u8; SYMBOLS] {
    let mut leaves: Vec<usize> = (0..SYMBOLS).filter(|&symbol| frequencies[symbol] > 0).collect();
    leaves.sort_unstable_by_key(|&symbol| frequencies[symbol]);
    let mut weights: Vec<u32> = leaves.iter().map(|&symbol| frequencies[symbol]).collect();
    let mut parents = vec![0; 2 * leaves.len() - 1];
    let (mut leaf, mut node) = (0, leaves.len());
    for parent in leaves.len()..parents.len() {
        let mut lightest = || {
            let from_leaves =
                leaf < leaves.len() && (node == weights.len() || weights[leaf] <= weights[node]);
            let next = if from_leaves { &mut leaf } else { &mut node };
            *next += 1;
            parents[*next - 1] = parent;
            weights[*next - 1]
        };
        let weight = lightest() + lightest();
        weights.push(weight);
    }
    let mut depths = vec![0_u8; parents.len()];
    for child in (0..parents.len() - 1).rev() {
        depths[child] = depths[parents[child]] + 1;
    }
    let mut lengths = [0; SYMBOLS];
    leaves.iter().zip(depths).for_each(|(&symbol, depth)| lengths[symbol] = depth);
    lengths
}
