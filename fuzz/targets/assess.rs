//! Grey values before the network: planes of any size and content, as pictures and as Hounsfield units.
#![no_main]

use ichor_core::assess::{assess, assess_series};
use ichor_image::slice::{CtSlice, Intensity, Plane};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [width, kind, scale, rest @ ..] = data else { return };
    let width = usize::from(*width).max(1);
    // Each byte is a run of pixels, so that few bytes make large shapes.
    let run = usize::from(*scale >> 4) + 1;
    let value = |byte: u8| match kind % 4 {
        0 => f32::from(byte) / 255.0,
        1 => f32::from(byte) * 16.0 - 1024.0,
        2 => f32::from(byte) * f32::from(*scale) - 3000.0,
        _ => f32::from_bits(u32::from_be_bytes([byte, *scale, byte, *kind])),
    };
    let mut samples: Vec<f32> =
        rest.iter().flat_map(|&byte| std::iter::repeat_n(value(byte), run)).collect();
    let height = samples.len() / width;
    samples.truncate(width * height);
    let plane = Plane { width, height, samples };
    for intensity in [Intensity::Display, Intensity::Hounsfield] {
        let slice = CtSlice {
            spacing_mm: Some([f32::from(*scale) / 100.0; 2]),
            ..CtSlice::bare(Plane::filled(1, 1, 0.0), intensity)
        };
        let found = assess(&slice, &plane);
        assert_eq!(found, assess(&slice, &plane));
        if let Some(head) = found.head {
            assert!(head.x + head.width <= width && head.y + head.height <= height);
        }
        if let Some(window) = found.gray_scale.estimated_window() {
            assert!(window.width_hu.is_finite() && window.width_hu >= 1.0);
            assert!(window.center_hu.is_finite());
        }
        assert!(found.warnings.iter().all(|warning| warning.message.len() > 20));
        let series = assess_series(&[&found, &found]);
        assert!(series.is_unreadable() || !found.is_unreadable());
    }
});
