//! How dense a lesion is.

use serde::Serialize;

/// Values above this count as dense, HU: clotted blood has 60 to 80 HU, blood that is not clotted 30 to 60 HU (Broderick et
/// al., *Stroke* 2007;38:2001-2023).
const DENSE_HU: f32 = 60.0;

/// Hounsfield units of the pixels of a lesion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Density {
    /// Mean, HU.
    pub mean_hu: f32,
    /// Standard deviation, HU.
    pub sd_hu: f32,
    /// The part of the pixels above 60 HU, 0 to 1.
    pub above_60_hu: f32,
}

/// Sums over pixels.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DensitySums {
    weight: f64,
    values: f64,
    squares: f64,
    dense: f64,
}

impl DensitySums {
    /// Adds pixels with these values, HU.
    pub(crate) fn add(&mut self, pixels: &[f32]) {
        for &hu in pixels {
            let value = f64::from(hu);
            self.weight += 1.0;
            self.values += value;
            self.squares += value * value;
            self.dense += f64::from(u8::from(hu > DENSE_HU));
        }
    }

    /// Adds a part whose density is known, with its weight: a volume or an area.
    pub(crate) fn add_part(&mut self, density: Density, weight: f64) {
        let [mean, sd, dense] =
            [density.mean_hu, density.sd_hu, density.above_60_hu].map(f64::from);
        self.weight += weight;
        self.values += weight * mean;
        self.squares += weight * (sd * sd + mean * mean);
        self.dense += weight * dense;
    }

    /// `None` without a pixel, or where a value is not finite.
    pub(crate) fn density(self) -> Option<Density> {
        let mean = self.values / self.weight;
        let variance = (self.squares / self.weight - mean * mean).max(0.0);
        let is_known = self.weight > 0.0 && mean.is_finite() && variance.is_finite();
        is_known.then(|| Density {
            mean_hu: mean as f32,
            sd_hu: variance.sqrt() as f32,
            above_60_hu: (self.dense / self.weight) as f32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn density(pixels: &[f32]) -> Option<Density> {
        let mut sums = DensitySums::default();
        sums.add(pixels);
        sums.density()
    }

    #[test]
    fn a_whole_has_the_density_of_its_pixels_and_of_its_parts() {
        let (a, b) = ([50.0, 70.0, 90.0], [40.0, 60.0]);
        let whole = density(&[50.0, 70.0, 90.0, 40.0, 60.0]).unwrap();
        assert_eq!((whole.mean_hu, whole.above_60_hu), (62.0, 0.4));
        // Squared differences of 144, 64, 784, 484 and 4.
        assert!((whole.sd_hu - 296.0_f32.sqrt()).abs() < 1e-4);
        let mut sums = DensitySums::default();
        sums.add_part(density(&a).unwrap(), 3.0);
        sums.add_part(density(&b).unwrap(), 2.0);
        let of_parts = sums.density().unwrap();
        assert!(
            (of_parts.mean_hu - 62.0).abs() < 1e-4 && (of_parts.sd_hu - whole.sd_hu).abs() < 1e-3
        );
        assert!((of_parts.above_60_hu - 0.4).abs() < 1e-6);
    }

    #[test]
    fn nothing_and_values_that_are_not_finite_have_no_density() {
        assert_eq!(density(&[]), None);
        assert_eq!(density(&[50.0, f32::NAN]), None);
        assert_eq!(density(&[f32::INFINITY]), None);
    }
}
