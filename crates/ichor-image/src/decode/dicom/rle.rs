//! Decodes RLE Lossless frames (PS3.5 annex G). The codec of the DICOM library allocates by the sizes in the header and
//! panics on a damaged one, so this decoder writes to a buffer of the expected size instead.

/// Decodes `samples` samples of `bytes` bytes each, in little endian order; `None` if the frame is damaged.
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
        // Segments are ordered from the most significant byte of the samples to the least significant.
        let lane = out.iter_mut().skip(bytes - 1 - segment).step_by(bytes);
        unpack_bits(frame.get(start..end)?, lane)?;
    }
    Some(out)
}

/// Decodes PackBits (PS3.5 section G.3.1) until `out` is full.
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
    fn segments_start_with_the_most_significant_bytes() {
        let mut frame = vec![0; 64];
        frame[..12].copy_from_slice(&[2, 0, 0, 0, 64, 0, 0, 0, 66, 0, 0, 0]);
        // High bytes: 1 three times. Low bytes: 7, a no-op, then 9 twice.
        frame.extend([0xFE, 1, 0, 7, 0x80, 0xFF, 9]);
        assert_eq!(unpack(&frame, 3, 2), Some(vec![7, 1, 9, 1, 9, 1]));
    }

    #[test]
    fn rejects_short_frames_and_wrong_headers() {
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
