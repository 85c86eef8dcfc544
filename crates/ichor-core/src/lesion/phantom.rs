//! Generated heads on the network's grid, with lesions whose shape and place are known.

use super::{Features, GridLesions, MeasuredLesion, measure_lesions};
use crate::assess::{Assessment, GrayScale};
use crate::geometry::{CropBox, Turn};
use crate::mask::Mask;
use crate::model_spec::ModelSpec;
use crate::preprocess::{NetworkInput, Skull};
use crate::slice::Plane;

pub(super) const SIDE: usize = 320;

/// Half axes of the inside of the skull, px: to the sides, and to front and back.
pub(super) const AXES: [f64; 2] = [110.0, 140.0];

/// Grey levels in the model's window from -20 to 100 HU: fluid at 7 HU, brain at 33 HU, blood at 65 HU.
const FLUID: f32 = 27.0 / 120.0;
const BRAIN: f32 = 53.0 / 120.0;
const BLOOD: f32 = 85.0 / 120.0;

/// A head that is rotated by `angle`, radians.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct HeadPhantom {
    pub(super) angle: f64,
}

impl HeadPhantom {
    /// Place of a pixel: to the patient's left and to the back, in units of the axes. At a length of 1 lies the table.
    pub(super) fn place(self, pixel: usize) -> [f64; 2] {
        let (x, y) = ((pixel % SIDE) as f64 - 159.5, (pixel / SIDE) as f64 - 159.5);
        let (sin, cos) = self.angle.sin_cos();
        [(x * cos + y * sin) / AXES[0], (y * cos - x * sin) / AXES[1]]
    }

    fn mask(self, holds: impl Fn([f64; 2]) -> bool) -> Mask {
        let pixels = (0..SIDE * SIDE).map(|pixel| holds(self.place(pixel))).collect();
        Mask { width: SIDE, height: SIDE, pixels }
    }

    /// Features of the lesions that `is_blood` holds, each in units of the axes, in a head with lateral ventricles.
    pub(super) fn features(self, is_blood: impl Fn([f64; 2]) -> bool) -> Option<Vec<Features>> {
        Some(self.measure(is_blood)?.into_iter().map(|lesion| lesion.features).collect())
    }

    /// As [`HeadPhantom::features`], with the locations. A pixel of the grid is one of the image.
    pub(super) fn measure(
        self,
        is_blood: impl Fn([f64; 2]) -> bool,
    ) -> Option<Vec<MeasuredLesion>> {
        let spec = spec();
        let blood = self.mask(|[x, y]| x.hypot(y) < 1.0 && is_blood([x, y]));
        let within = self.mask(|[x, y]| x.hypot(y) < 1.08);
        let grey = |pixel: usize| {
            let [x, y] = self.place(pixel);
            match x.hypot(y) {
                r if r >= 1.08 => 0.0,
                r if r >= 1.0 => 1.0,
                _ if blood.pixels[pixel] => BLOOD,
                _ if (x.abs() - 0.13).hypot(y / 2.5) < 0.1 => FLUID,
                _ => BRAIN,
            }
        };
        let tensor = (0..SIDE * SIDE).map(|pixel| (grey(pixel) - 0.2) / 0.25).collect();
        let plane = Plane::filled(SIDE, SIDE, 0.0);
        let input = NetworkInput {
            tensor,
            shape: [1, 1, SIDE, SIDE],
            turn: Turn::NONE,
            crop: CropBox::whole(&plane),
            head_missing: false,
            within: Some(within),
            skull: Some(Skull::Closed),
            assessment: Assessment::new(GrayScale::WindowKnown),
        };
        measure_lesions(&input, &spec, &GridLesions::from_mask(&blood))
    }
}

/// The spec of the shipped model, whose input the phantoms imitate.
pub(super) fn spec() -> ModelSpec {
    let json = include_bytes!("../../../../models/deeplabv3/model.json");
    ModelSpec::from_json("shipped", json).unwrap()
}
