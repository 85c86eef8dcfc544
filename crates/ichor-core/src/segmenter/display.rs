//! How a slice and its mask are drawn.

use super::{Analysis, Segmenter};
use crate::mask::Mask;
use crate::model_spec::Step;
use crate::overlay::{draw_overlay, grey};
use crate::slice::{CtSlice, Intensity};
use crate::window::WindowLevel;
use image::DynamicImage;

impl Segmenter {
    /// The window that a slice is shown with: `requested`, else the model's input window. `None` for pictures,
    /// which come windowed.
    pub fn display_window(
        &self,
        slice: &CtSlice,
        requested: Option<WindowLevel>,
    ) -> Option<WindowLevel> {
        self.hounsfield_window(requested).filter(|_| slice.intensity == Intensity::Hounsfield)
    }

    pub(super) fn hounsfield_window(&self, requested: Option<WindowLevel>) -> Option<WindowLevel> {
        requested.or_else(|| {
            self.spec.preprocessing.iter().find_map(|step| match *step {
                Step::Window { center_hu, width_hu } => Some(WindowLevel { center_hu, width_hu }),
                _ => None,
            })
        })
    }

    /// A slice with its mask tinted and outlined in the model's class colour. `window` is that of
    /// [`Segmenter::display_window`].
    pub fn overlay(
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

    /// Slice `index` of an analysis with its mask.
    pub fn overlay_of(&self, analysis: &Analysis, index: usize) -> DynamicImage {
        let slice = &analysis.series.slices[index];
        self.overlay(slice, &analysis.masks[index].unpack(), analysis.window_of(slice))
    }
}
