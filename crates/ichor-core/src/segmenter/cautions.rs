//! What is said beside a result: why to be careful with it.

use crate::slice::{CtSlice, Intensity, Warning};
use crate::window::WindowLevel;

pub(super) fn window_ignored(slice: &CtSlice, wanted: Option<WindowLevel>) -> Option<Warning> {
    (wanted.is_some() && slice.intensity == Intensity::Display).then(|| {
        Warning::new(
            "window_ignored",
            "The picture comes windowed; the display window asked for was not applied.",
        )
    })
}

pub(super) fn cautions(slice: &CtSlice, head_missing: bool, suitable: bool) -> Vec<Warning> {
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
    if !suitable {
        warnings.push(Warning::unreadable(
            "modality_not_supported",
            "The model was not made for this kind of image; nothing is said of a hemorrhage.",
        ));
    }
    warnings
}
