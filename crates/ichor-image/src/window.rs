//! Display windows: centre (level) and width, in Hounsfield units.

use crate::error::{Error, Result};
use crate::slice::Plane;
use serde::{Deserialize, Serialize};

/// A display window (DICOM PS3.3 C.11.2.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct WindowLevel {
    /// Centre, HU.
    pub center_hu: f32,
    /// Width, HU, at least 1.
    pub width_hu: f32,
}

/// Windows by name. `ct-ich` is the window with which the images of the training set of that name were exported; the
/// others are common in radiology.
pub const PRESETS: [(&str, WindowLevel); 5] = [
    ("brain", WindowLevel { center_hu: 40.0, width_hu: 80.0 }),
    ("ct-ich", WindowLevel { center_hu: 40.0, width_hu: 120.0 }),
    ("subdural", WindowLevel { center_hu: 80.0, width_hu: 200.0 }),
    ("stroke", WindowLevel { center_hu: 40.0, width_hu: 40.0 }),
    ("bone", WindowLevel { center_hu: 600.0, width_hu: 2800.0 }),
];

impl WindowLevel {
    /// Maps a value in HU to grey from 0 (black) to 1 (white), by the linear function of PS3.3 C.11.2.1.2.1.
    #[inline]
    pub fn apply(self, hu: f32) -> f32 {
        // The standard shifts the centre by half a sample, so that widths of 2^n map onto integer values.
        let offset = hu - (self.center_hu - 0.5);
        let span = self.width_hu - 1.0;
        if span <= 0.0 {
            // A width of 1 is a threshold: values up to the centre are black.
            return if offset > 0.0 { 1.0 } else { 0.0 };
        }
        (offset / span + 0.5).clamp(0.0, 1.0)
    }

    /// The value in HU that is displayed as `grey`, from 0 to 1: the inverse of [`WindowLevel::apply`].
    #[inline]
    pub fn to_hu(self, grey: f32) -> f32 {
        self.center_hu - 0.5 + (grey - 0.5) * (self.width_hu - 1.0)
    }

    /// Maps a plane in HU to grey from 0 to 1.
    pub fn show(self, hounsfield: Plane) -> Plane {
        hounsfield.map(|hu| self.apply(hu))
    }
}

impl std::str::FromStr for WindowLevel {
    type Err = Error;

    /// Parses the name of a preset, or `CENTER,WIDTH` in HU.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for other texts and for a width below 1.
    fn from_str(text: &str) -> Result<Self> {
        let preset = PRESETS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
        if let Some((_, window)) = preset {
            return Ok(*window);
        }
        let number = |part: &str| part.trim().parse().ok().filter(|v: &f32| v.is_finite());
        let pair = text.split_once(',').and_then(|(c, w)| Some((number(c)?, number(w)?)));
        // The standard requires a width of at least 1.
        match pair.filter(|&(_, width_hu)| width_hu >= 1.0) {
            Some((center_hu, width_hu)) => Ok(Self { center_hu, width_hu }),
            None => Err(Error::InvalidParameter(format!(
                "The window must be one of {} or CENTER,WIDTH in HU with a width of at least 1, \
                 for instance 40,80.",
                PRESETS.map(|(name, _)| name).join(", ")
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pseudo-code of PS3.3 C.11.2.1.2.1, with output from 0 to 1.
    fn standard(x: f64, c: f64, w: f64) -> f64 {
        if x <= c - 0.5 - (w - 1.0) / 2.0 {
            0.0
        } else if x > c - 0.5 + (w - 1.0) / 2.0 {
            1.0
        } else {
            (x - (c - 0.5)) / (w - 1.0) + 0.5
        }
    }

    #[test]
    fn maps_the_example_of_the_standard() {
        // PS3.3 C.11.2.1.2.1: c=2048, w=4096 maps 0..4095 onto the whole output range.
        let w = WindowLevel { center_hu: 2048.0, width_hu: 4096.0 };
        for (hu, grey) in [(-1.0, 0.0), (0.0, 0.0), (2047.5, 0.5), (4095.0, 1.0), (5000.0, 1.0)] {
            assert!((w.apply(hu) - grey).abs() < 1e-6, "{hu}");
        }
    }

    #[test]
    fn presets_follow_the_formula_of_the_standard() {
        let narrow = WindowLevel { center_hu: 0.0, width_hu: 1.0 };
        for window in PRESETS.map(|(_, window)| window).into_iter().chain([narrow]) {
            for hu in -2100..2100 {
                let hu = f64::from(hu) / 1.5;
                let expected = standard(hu, window.center_hu.into(), window.width_hu.into());
                assert!((f64::from(window.apply(hu as f32)) - expected).abs() < 1e-4, "{hu}");
            }
        }
    }

    #[test]
    fn parses_presets_and_pairs() {
        let cases = [
            ("brain", Some((40.0, 80.0))),
            ("CT-ICH", Some((40.0, 120.0))),
            ("subdural", Some((80.0, 200.0))),
            ("stroke", Some((40.0, 40.0))),
            ("bone", Some((600.0, 2800.0))),
            ("-20.5, 1", Some((-20.5, 1.0))),
            ("40,0.5", None),
            ("40,-80", None),
            ("40", None),
            ("40,NaN", None),
            ("inf,80", None),
            ("lung", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let read = text.parse::<WindowLevel>().ok().map(|w| (w.center_hu, w.width_hu));
            assert_eq!(read, expected, "{text}");
        }
    }
}
