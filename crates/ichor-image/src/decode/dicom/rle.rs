//! RLE Lossless, PS3.5 annex G. The codec of the DICOM library reserves and unwraps what a
//! hostile header declares, so frames are unpacked here, into exactly the bytes they may take.

/// Samples of `bytes` bytes each, little endian; `None` where the frame is damaged.
pub(super) fn unpack(frame: &[u8], samples: usize, bytes: usize) -> Option<Vec<u8>> {
    let word = |i: usize| {
        let bytes = frame.get(4 * i..4 * i + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    if word(0)? != bytes {
        return None;
    }
    let mut out = vec![0; samples * bytes];
    for segment in 0..bytes {
        let start = word(segment + 1)?;
        let end = if segment + 1 < bytes { word(segment + 2)? } else { frame.len() };
        // The segments go from the highest byte of the samples to the lowest.
        let lane = out.iter_mut().skip(bytes - 1 - segment).step_by(bytes);
        unpack_bits(frame.get(start..end)?, lane)?;
    }
    Some(out)
}

/// PackBits, PS3.5 section G.3.1; fills all of `out`.
fn unpack_bits<'a>(
    mut packed: &[u8],
    mut out: impl ExactSizeIterator<Item = &'a mut u8>,
) -> Option<()> {
    while out.len() > 0 {
        let (&control, rest) = packed.split_first()?;
        packed = rest;
        match control.cast_signed() {
            -128 => {}
            literal @ 0.. => {
                let (values, rest) =
                    packed.split_at_checked(usize::from(literal.unsigned_abs()) + 1)?;
                packed = rest;
                values.iter().zip(out.by_ref()).for_each(|(value, slot)| *slot = *value);
            }
            run => {
                let (&value, rest) = packed.split_first()?;
                packed = rest;
                out.by_ref()
                    .take(usize::from(run.unsigned_abs()) + 1)
                    .for_each(|slot| *slot = value);
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacks_the_bytes_of_samples_from_the_highest() {
        let mut frame = vec![0; 64];
        frame[..12].copy_from_slice(&[2, 0, 0, 0, 64, 0, 0, 0, 66, 0, 0, 0]);
        // High bytes: three times 1. Low bytes: 7, a no-op, then twice 9.
        frame.extend([0xFE, 1, 0, 7, 0x80, 0xFF, 9]);
        assert_eq!(unpack(&frame, 3, 2), Some(vec![7, 1, 9, 1, 9, 1]));
    }

    #[test]
    fn refuses_short_and_lying_frames() {
        let mut frame = vec![0; 64];
        frame[..8].copy_from_slice(&[1, 0, 0, 0, 64, 0, 0, 0]);
        frame.extend([1, 5, 6]);
        assert_eq!(unpack(&frame, 2, 1), Some(vec![5, 6]));
        assert_eq!(unpack(&frame, 3, 1), None, "too few samples");
        assert_eq!(unpack(&frame[..66], 2, 1), None, "a literal run beyond the end");
        assert_eq!(unpack(&frame, 1, 2), None, "another number of segments");
        frame[4] = 200;
        assert_eq!(unpack(&frame, 2, 1), None, "a segment beyond the end");
        assert_eq!(unpack(&[1, 0], 1, 1), None);
    }
}
