//! Warnings of one slice.

use crate::slice::{CtSlice, Intensity, Warning};
use crate::window::WindowLevel;

pub(super) fn window_ignored(slice: &CtSlice, requested: Option<WindowLevel>) -> Option<Warning> {
    (requested.is_some() && slice.intensity == Intensity::Display).then(|| {
        Warning::new(
            "window_ignored",
            "The picture comes windowed; the display window asked for was not applied.",
        )
    })
}

/// The warnings of the decoder, and those of the missing spacing, head or modality.
pub(super) fn slice_warnings(
    slice: &CtSlice,
    head_missing: bool,
    is_suitable: bool,
) -> Vec<Warning> {
    let mut warnings = slice.warnings.clone();
    if slice.spacing_mm.is_none() {
        warnings.push(Warning::new(
            "spacing_unknown",
            "The file says nothing of the pixel size; areas are in pixels only.",
        ));
    }
    if head_missing {
        warnings.push(Warning::new(
            "head_not_found",
            "No head was found on the image; the result means little.",
        ));
    }
    if !is_suitable {
        warnings.push(Warning::unreadable(
            "modality_not_supported",
            "The model was not made for this kind of image; nothing is said of a hemorrhage.",
        ));
    }
    warnings
}
