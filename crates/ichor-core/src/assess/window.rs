//! Estimates the window of a picture from the grey values of brain, fat and bone.

use super::picture::Scene;
use super::structure::{Enclosure, Tissue, enclosures};
use crate::slice::Warning;
use crate::window::WindowLevel;

/// Typical HU of brain: between white matter (about 28) and grey matter (about 37).
const BRAIN_HU: f32 = 32.0;

/// Interquartile range of the cells of a brain, HU. It measured 5 to 11 on several scanners.
const BRAIN_SPREAD_HU: f32 = 9.1;

/// Grey value of brain below which the window begins at 0 HU: fat and air are black, and brain is dark.
const DARK_BRAIN: f32 = 0.2;

/// Largest width at which blood and brain differ enough in grey, HU.
const MAX_WIDTH_HU: f32 = 520.0;

/// Difference between brain and the lower quartile of fat outside of the skull, HU.
const BRAIN_TO_FAT_HU: f32 = 105.0;

/// Estimates the window of the picture; `None` where it is one that the models were trained on.
///
/// # Errors
/// The warning `bone_window`, where the window is too wide to distinguish blood from brain.
pub(super) fn estimate(scene: &Scene, head: &Enclosure) -> Result<Option<WindowLevel>, Warning> {
    let tissue = head.tissue;
    let spread = tissue.spread.max(1e-3);
    let by_spread = BRAIN_SPREAD_HU / spread;
    if is_bone_window(scene) {
        return Err(too_wide());
    }
    let stretched = (scene.black, scene.white) != (0.0, 1.0);
    let fat = fat(scene, head);
    let width = match (tissue.mode, fat) {
        (mode, _) if mode < DARK_BRAIN && spread < 0.06 => BRAIN_HU / mode,
        // Fat is visible, and its difference from brain is known.
        (_, Some(fat)) if spread < 0.036 => {
            (BRAIN_TO_FAT_HU / (tissue.mode - fat) * by_spread).sqrt()
        }
        (mode, _) if mode < 0.315 && spread < 0.05 => by_spread.clamp(150.0, 300.0),
        _ if stretched && scene.white < 0.75 => 100.0,
        _ => return Ok(None),
    };
    if width < 130.0 && !stretched {
        return Ok(None);
    }
    let low = if tissue.mode < DARK_BRAIN { 0.0 } else { BRAIN_HU - tissue.mode * width };
    window_of_picture(scene, low, width).map(Some)
}

/// The same for a slice whose skull is not closed, as on the vertex, the skull base and after a craniectomy, by the
/// grey values of its `tissue`. Only a window from 0 HU is recognized: fat cannot be distinguished from brain there.
pub(super) fn estimate_without_skull(
    scene: &Scene,
    tissue: Tissue,
) -> Result<Option<WindowLevel>, Warning> {
    // Darker tissue is not brain: on the vertex it is the edge of the scalp. The spread is larger than that of brain
    // inside a skull, as muscle is part of it.
    if !(0.1..DARK_BRAIN).contains(&tissue.mode) || tissue.spread >= 0.09 {
        return Ok(None);
    }
    window_of_picture(scene, 0.0, BRAIN_HU / tissue.mode).map(Some)
}

/// The window of the picture from that of the scene, whose black (`low`, HU) and white were stretched.
fn window_of_picture(scene: &Scene, low: f32, width: f32) -> Result<WindowLevel, Warning> {
    let per_grey = width / (scene.white - scene.black);
    let low = low - scene.black * per_grey;
    if per_grey > MAX_WIDTH_HU {
        return Err(too_wide());
    }
    Ok(WindowLevel { center_hu: low + per_grey / 2.0, width_hu: per_grey })
}

fn too_wide() -> Warning {
    Warning::unreadable(
        "bone_window",
        "The picture is in a bone window or one as wide, in which blood and brain have nearly the same grey. \
         Export it in a brain window (level 40, width 80 to 120).",
    )
}

/// Whether bone is mostly grey and brain uniform. Bone is separated from brain at a low grey value, as the edge of bone
/// is wide in such windows.
fn is_bone_window(scene: &Scene) -> bool {
    let found = enclosures(&scene.cells, &scene.cells.bits(|i| scene.cells.max[i] >= 0.6));
    let Some(head) = found.iter().find(|e| e.core.count() >= 40 && e.closure >= 0.6) else {
        return false;
    };
    // In a narrow window the noise of brain reaches that grey value.
    if head.noise(&scene.cells) > 0.08 {
        return false;
    }
    let (spread, white) = (head.tissue.spread, head.saturated);
    spread < 0.0105 && (white < 0.9 || scene.white < 0.9)
        || spread < 0.022 && white < 0.5
        || spread < 0.04 && white < 0.35
}

/// Grey value of the fat outside of the skull; `None` where too little is visible.
fn fat(scene: &Scene, head: &Enclosure) -> Option<f32> {
    let mut values = fat_values(scene, head);
    let enough = values.len() * 50 > head.wall.count() + head.inside.count();
    enough.then(|| super::cells::percentile(&mut values, 0.25))
}

/// Grey values of the cells outside of the skull that are smooth, darker than brain and not black.
fn fat_values(scene: &Scene, head: &Enclosure) -> Vec<f32> {
    let cells = &scene.cells;
    let outside = head.wall.enclosed().or(&head.bone.dilate()).complement();
    let tissue = head.tissue.mode;
    let fat = cells.bits(|i| {
        cells.min[i] > 0.03 && cells.mean[i] < tissue - 0.1 && cells.max[i] - cells.min[i] < 0.2
    });
    outside.and(&fat).values(|i| cells.mean[i])
}
