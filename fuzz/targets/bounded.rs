//! What every target holds the reader to. Time and memory are held by the fuzzer's own limits.

use ichor_image::decode::Limits;

/// The fuzzer ends at any panic, also at those of codecs that the reader catches and turns into
/// an error. Only what leaves the reader counts: such a panic still ends the process.
pub fn quiet() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// Small limits keep an execution short; they are checked on the same ways.
pub fn decode(bytes: &[u8]) {
    let limits = Limits {
        max_side_px: 512,
        min_side_px: 8,
        max_decoded_bytes: 4 << 20,
        max_slices: 16,
        max_series_bytes: 16 << 20,
    };
    match ichor_image::decode::decode(bytes, &limits) {
        Ok(decoded) => {
            assert!(!decoded.slices.is_empty());
            assert!(decoded.slices.len() <= limits.max_slices);
            for slice in &decoded.slices {
                let plane = &slice.plane;
                assert_eq!(plane.samples().len(), plane.width * plane.height);
                assert!(plane.samples().iter().all(|sample| sample.is_finite()));
            }
        }
        Err(error) => assert!(error.to_string().len() > 10),
    }
}
