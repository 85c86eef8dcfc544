//! Compact storage of planes: one or two bytes per sample, without loss for the integers that scanners store.

use super::Plane;

/// A plane in compact storage: samples are 16-bit steps of a [`Scale`]. They are stored as 8-bit differences if
/// neighbouring samples are similar, as in most of a head and in air. 512 slices of 512 x 512 px take 130 to 256 MiB.
#[derive(Debug, Clone)]
pub struct StoredPlane {
    /// Columns, px.
    pub width: usize,
    /// Rows, px.
    pub height: usize,
    samples: Samples,
}

#[derive(Debug, Clone)]
enum Samples {
    /// Steps of 8 bits.
    Bytes(Vec<u8>, Scale),
    /// Steps of 16 bits, compressed by [`pack`].
    Differences(Vec<u8>, Scale),
    /// Steps of 16 bits.
    Steps(Vec<u16>, Scale),
    /// Values.
    Floats(Vec<f32>),
}

/// Maps a step to its value: `(step + first) * slope + intercept`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// The stored number of step 0.
    pub first: i32,
    /// Difference between the values of two consecutive steps.
    pub slope: f64,
    /// Value of the stored number 0.
    pub intercept: f64,
}

impl Scale {
    /// Grey from 0 (black) to 1 (white) in 65,536 steps.
    pub const GREY: Self = Self { first: 0, slope: 1.0 / 65535.0, intercept: 0.0 };

    /// The value of a step.
    #[inline]
    pub fn apply(self, step: u16) -> f32 {
        self.value(i32::from(step) + self.first)
    }

    /// The value of a stored number, computed in `f64` and rounded once.
    #[inline]
    pub fn value(self, number: i32) -> f32 {
        (f64::from(number) * self.slope + self.intercept) as f32
    }
}

impl StoredPlane {
    /// A plane of `width * height` steps, row by row.
    pub fn steps(width: usize, height: usize, steps: Vec<u16>, scale: Scale) -> Self {
        let samples = match pack(&steps) {
            Some(differences) => Samples::Differences(differences, scale),
            None => Samples::Steps(steps, scale),
        };
        Self { width, height, samples }
    }

    /// A plane of `width * height` steps of 8 bits, row by row.
    pub fn bytes(width: usize, height: usize, steps: Vec<u8>, scale: Scale) -> Self {
        Self { width, height, samples: Samples::Bytes(steps, scale) }
    }

    /// A plane of grey values, clamped to 0 to 1 and rounded to steps of 1/65535.
    pub fn grey(plane: &Plane) -> Self {
        let step = |&sample: &f32| (sample.clamp(0.0, 1.0) * 65535.0).round() as u16;
        let steps = plane.samples.iter().map(step).collect();
        Self::steps(plane.width, plane.height, steps, Scale::GREY)
    }

    /// The scale of the steps; `None` if the samples are stored as values.
    pub fn scale(&self) -> Option<Scale> {
        match &self.samples {
            Samples::Bytes(_, scale)
            | Samples::Differences(_, scale)
            | Samples::Steps(_, scale) => Some(*scale),
            Samples::Floats(_) => None,
        }
    }

    /// Replaces the scale of the steps; has no effect if the samples are stored as values.
    pub fn set_scale(&mut self, new: Scale) {
        match &mut self.samples {
            Samples::Bytes(_, scale)
            | Samples::Differences(_, scale)
            | Samples::Steps(_, scale) => *scale = new,
            Samples::Floats(_) => {}
        }
    }

    /// The values of the samples, row by row.
    pub fn samples(&self) -> Vec<f32> {
        self.map(|sample| sample)
    }

    /// `f` applied to the value of each sample, row by row.
    pub fn map<T: Copy>(&self, f: impl Fn(f32) -> T) -> Vec<T> {
        match &self.samples {
            Samples::Bytes(steps, scale) => {
                let values: [T; 256] = std::array::from_fn(|step| f(scale.apply(step as u16)));
                steps.iter().map(|&step| values[usize::from(step)]).collect()
            }
            Samples::Differences(packed, scale) => {
                let steps = unpack(packed, self.sample_count());
                steps.iter().map(|&step| f(scale.apply(step))).collect()
            }
            Samples::Steps(steps, scale) => {
                steps.iter().map(|&step| f(scale.apply(step))).collect()
            }
            Samples::Floats(floats) => floats.iter().map(|&sample| f(sample)).collect(),
        }
    }

    /// As [`StoredPlane::map`] to 8 bits, without computation if `f` returns the stored bytes.
    pub fn levels(&self, f: impl Fn(f32) -> u8) -> Vec<u8> {
        match &self.samples {
            // The usual case of an 8-bit picture that is displayed unchanged.
            Samples::Bytes(steps, scale) if (0..=255).all(|s| f(scale.apply(s.into())) == s) => {
                steps.clone()
            }
            _ => self.map(f),
        }
    }

    /// The plane with its samples as `f32`.
    pub fn expand(&self) -> Plane {
        Plane { width: self.width, height: self.height, samples: self.samples() }
    }

    /// Number of samples, `width * height`.
    pub fn sample_count(&self) -> usize {
        self.width * self.height
    }

    /// Frees the memory of the samples and keeps `width` and `height`.
    pub fn release(&mut self) {
        self.samples = Samples::Floats(Vec::new());
    }
}

/// Planes are equal if their values are, independent of the storage.
impl PartialEq for StoredPlane {
    fn eq(&self, other: &Self) -> bool {
        self.expand() == other.expand()
    }
}

impl From<Plane> for StoredPlane {
    fn from(plane: Plane) -> Self {
        let Plane { width, height, samples } = plane;
        Self { width, height, samples: Samples::Floats(samples) }
    }
}

/// Steps per block of [`pack`].
const BLOCK: usize = 16;
/// Marks that the next two bytes are a step, little endian, instead of a difference.
const ESCAPE: i8 = i8::MIN;

/// Whether a difference does not fit a byte.
fn is_far(difference: u16) -> bool {
    difference.wrapping_add(127) > 254
}

/// Compresses steps to 8-bit differences; `None` if that saves less than a quarter.
fn pack(steps: &[u16]) -> Option<Vec<u8>> {
    let max_len = size_of_val(steps) / 4 * 3;
    let mut packed = Vec::with_capacity(max_len + 3 * BLOCK);
    let mut before = 0;
    let (blocks, rest) = steps.as_chunks::<BLOCK>();
    for block in blocks {
        let mut befores = [before; BLOCK];
        befores[1..].copy_from_slice(&block[..BLOCK - 1]);
        let differences: [u16; BLOCK] =
            std::array::from_fn(|lane| block[lane].wrapping_sub(befores[lane]));
        if differences.iter().fold(false, |any, &difference| any | is_far(difference)) {
            block
                .iter()
                .zip(befores)
                .for_each(|(&step, before)| push_step(step, before, &mut packed));
            if packed.len() > max_len {
                return None;
            }
        } else {
            packed.extend(differences.map(|difference| difference as u8));
        }
        before = block[BLOCK - 1];
    }
    for &step in rest {
        push_step(step, before, &mut packed);
        before = step;
    }
    packed.shrink_to_fit();
    (packed.len() <= max_len).then_some(packed)
}

/// Appends a step as difference to the one before it.
fn push_step(step: u16, before: u16, packed: &mut Vec<u8>) {
    let difference = step.wrapping_sub(before);
    if is_far(difference) {
        packed.push(ESCAPE.cast_unsigned());
        packed.extend(step.to_le_bytes());
    } else {
        packed.push(difference as u8);
    }
}

/// Decompresses the `count` steps of [`pack`].
fn unpack(packed: &[u8], count: usize) -> Vec<u16> {
    let mut steps = Vec::with_capacity(count);
    let mut before = 0_u16;
    let mut rest = packed;
    loop {
        while let Some((block, behind)) = rest.split_first_chunk::<BLOCK>() {
            let escape = |any, byte: &u8| any | (byte.cast_signed() == ESCAPE);
            if block.iter().fold(false, escape) {
                break;
            }
            steps.extend(block.map(|byte| {
                before = before.wrapping_add_signed(byte.cast_signed().into());
                before
            }));
            rest = behind;
        }
        let (Some((&byte, behind)), more) = (rest.split_first(), rest.get(1..3)) else { break };
        rest = behind;
        before = match byte.cast_signed() {
            ESCAPE => {
                rest = rest.get(2..).unwrap_or_default();
                more.map_or(0, |step| u16::from_le_bytes([step[0], step[1]]))
            }
            difference => before.wrapping_add_signed(difference.into()),
        };
        steps.push(before);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_keep_the_stored_values() {
        let scale = Scale { first: -1024, slope: 0.5, intercept: 3.0 };
        let plane = StoredPlane::steps(3, 1, vec![0, 1, u16::MAX], scale);
        assert_eq!(plane.samples(), [-509.0, -508.5, 32_258.5]);
        assert_eq!(plane, Plane { width: 3, height: 1, samples: plane.samples() }.into());
    }

    #[test]
    fn packed_steps_of_all_differences_unpack_to_the_same() {
        let similar = |n: usize| (1000 + n * 37 % 90) as u16;
        let mut steps: Vec<u16> = (0..1000).map(similar).collect();
        // Differences across the limits of 8 and 16 bits, up and down.
        for (at, step) in [0, 127, 255, 0, 128, 0, 65_535, 65_408, 65_280, 0, 40_000, 39_872]
            .into_iter()
            .enumerate()
        {
            steps[100 + at] = step;
        }
        let packed = pack(&steps).unwrap();
        assert!(packed.len() < 1100, "{}", packed.len());
        assert_eq!(unpack(&packed, steps.len()), steps);
        let bytes = StoredPlane::bytes(2, 1, vec![7, 255], Scale::GREY);
        assert_eq!(bytes, StoredPlane::steps(2, 1, vec![7, 255], Scale::GREY));
        let noise: Vec<u16> = (0..1000).map(|n| (n * 7919 % 65_536) as u16).collect();
        assert_eq!(pack(&noise), None, "differences would save nothing");
        assert_eq!(StoredPlane::steps(1000, 1, noise, Scale::GREY).sample_count(), 1000);
    }

    #[test]
    fn eight_bit_grey_is_exact_and_other_grey_within_one_step() {
        let eight_bit = Scale { slope: 1.0 / 255.0, ..Scale::GREY };
        for grey in 0..=255_u16 {
            assert_eq!(eight_bit.apply(grey), f32::from(grey) / 255.0);
        }
        let plane = Plane { width: 3, height: 1, samples: vec![0.0, 0.123_456, 1.0] };
        let stored = StoredPlane::grey(&plane).samples();
        assert!(stored.iter().zip(plane.samples).all(|(a, b)| (a - b).abs() < 1e-5), "{stored:?}");
        assert_eq!((stored[0], stored[2]), (0.0, 1.0));
    }
}
