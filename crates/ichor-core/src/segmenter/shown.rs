//! How a slice and what was found on it are drawn.

use super::{Segmentation, Segmenter};
use crate::mask::Mask;
use crate::model_spec::Step;
use crate::overlay::{draw_overlay, grey};
use crate::slice::{CtSlice, Intensity};
use crate::window::WindowLevel;
use image::DynamicImage;

impl Segmenter {
    /// The window that a slice is shown with: the one asked for, else the model's input window.
    /// `None` for pictures, which come windowed.
    pub fn display_window(
        &self,
        slice: &CtSlice,
        wanted: Option<WindowLevel>,
    ) -> Option<WindowLevel> {
        let own = || {
            self.spec.preprocessing.iter().find_map(|step| match *step {
                Step::Window { center_hu, width_hu } => Some(WindowLevel { center_hu, width_hu }),
                _ => None,
            })
        };
        (slice.intensity == Intensity::Hounsfield).then(|| wanted.or_else(own)).flatten()
    }

    /// The slice that `found` was read from, with the hemorrhage tinted and outlined in the model's
    /// class colour.
    pub fn overlay(&self, slice: &CtSlice, found: &Segmentation) -> DynamicImage {
        self.draw(slice, &found.mask, found.window)
    }

    pub(super) fn draw(
        &self,
        slice: &CtSlice,
        mask: &Mask,
        window: Option<WindowLevel>,
    ) -> DynamicImage {
        let shown = match window {
            Some(window) => slice.plane.levels(|hu| grey(window.apply(hu))),
            None => slice.plane.levels(grey),
        };
        draw_overlay(shown, mask, self.color)
    }
}
