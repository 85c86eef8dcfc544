//! Window centre and width on Hounsfield units.

use serde::{Deserialize, Serialize};

/// A display window, DICOM PS3.3 C.11.2.1.2.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WindowLevel {
    /// Centre, HU.
    pub center_hu: f32,
    /// Width, HU; at least 1.
    pub width_hu: f32,
}

impl WindowLevel {
    /// Maps a Hounsfield value to [0, 1] by the linear function of PS3.3 C.11.2.1.2.1.
    pub fn apply(self, hu: f32) -> f32 {
        // The standard's centre lies half a sample off so that 2^n widths map onto codes.
        let span = (self.width_hu - 1.0).max(f32::EPSILON);
        ((hu - (self.center_hu - 0.5)) / span + 0.5).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standards_worked_example() {
        // PS3.3 C.11.2.1.2.1: c=2048, w=4096 maps 0..4095 onto the whole output range.
        let w = WindowLevel { center_hu: 2048.0, width_hu: 4096.0 };
        for (hu, grey) in [(-1.0, 0.0), (0.0, 0.0), (2047.5, 0.5), (4095.0, 1.0), (5000.0, 1.0)] {
            assert!((w.apply(hu) - grey).abs() < 1e-6, "{hu}");
        }
    }
}
