//! Slices in Hounsfield units: whether air, brain and bone have the values that they have on CT.

use super::bits::Extent;
use super::cells::{Cells, percentile};
use super::picture::{Scene, head_box};
use super::size::{skull_mm, slice_warning};
use super::structure::Foreground;
use super::{Assessment, GrayScale};
use crate::slice::{CtSlice, Plane, Warning};
use crate::window::WindowLevel;

/// Evidence of one slice for or against its values being Hounsfield units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// For: a skull with brain inside.
    Brain,
    /// For: bone, soft tissue and air as on the vertex and the skull base.
    Head,
    /// Against: a fault of the values.
    Fault(Fault),
    /// Neither: the slice shows only air, as above the vertex.
    Nothing,
}

/// Why values are not Hounsfield units of a head. Each has its warning in [`Fault::warning`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    TooHigh,
    TooLow,
    UnitRange,
    ByteRange,
    NoSkull,
    NoHead,
}

/// The window of the models, in which a head is searched.
const WINDOW: WindowLevel = WindowLevel { center_hu: 40.0, width_hu: 120.0 };
/// The window in which brain is searched on a shifted scale. It is wider, as the shift is 1000 or 1024.
const SHIFTED_WINDOW: WindowLevel = WindowLevel { center_hu: 40.0, width_hu: 200.0 };
/// Midway between the usual shifts of 1000 and 1024, HU.
const SHIFT_HU: f32 = 1012.0;
/// Range of the most frequent value of brain, HU, with and without contrast medium, edema or a large bleed.
const BRAIN_HU: [f32; 2] = [10.0, 54.0];
/// Largest plausible value, HU. Negative 16-bit samples that are read as unsigned lie above.
const MAX_HU: f32 = 31_000.0;

/// Assesses a slice in Hounsfield units by itself.
pub(super) fn assess_hounsfield(slice: &CtSlice, plane: &Plane) -> Assessment {
    let cells = Cells::new(plane, -1000.0);
    let max_hu = cells.max.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (evidence, extent) = if is_not_axial(slice) {
        return Assessment::unreadable(Warning::unreadable(
            "not_axial",
            "The slice is not axial by its orientation. Send the axial series of the head.",
        ));
    } else {
        evidence(&cells, max_hu)
    };
    let mut assessment = match evidence {
        Evidence::Fault(fault) => Assessment::unreadable(fault.warning()),
        _ => Assessment::new(GrayScale::Hounsfield),
    };
    if max_hu > MAX_HU {
        assessment.warnings.push(Warning::new(
            "implausible_values",
            format!(
                "Values up to {max_hu:.0} HU are impossible on CT. Signed samples were probably read as \
                 unsigned. Check Pixel Representation (0028,0103) of the DICOM file."
            ),
        ));
    }
    assessment.head = extent.map(|extent| head_box(&cells, extent));
    if evidence == Evidence::Brain {
        assessment.skull_mm = assessment.head.and_then(|head| skull_mm(slice, head));
        assessment.warnings.extend(assessment.skull_mm.and_then(slice_warning));
    }
    assessment.evidence = Some(evidence);
    assessment
}

/// Whether the slice is tilted from the axial plane by more than 45 degrees.
fn is_not_axial(slice: &CtSlice) -> bool {
    slice.placement.is_some_and(|placement| {
        let ([rx, ry, _], [cx, cy, _]) = (placement.row, placement.column);
        // The component of the slice's normal along the patient's axis.
        (rx * cy - ry * cx).abs() < std::f64::consts::FRAC_1_SQRT_2
    })
}

/// The evidence of a slice, and the place of the head where there is one. `max_hu` is the greatest sample.
fn evidence(cells: &Cells, max_hu: f32) -> (Evidence, Option<Extent>) {
    let min_hu = cells.min.iter().copied().fold(f32::INFINITY, f32::min);
    if cells.width < 16 || cells.height < 16 || max_hu <= min_hu {
        return (Evidence::Nothing, None);
    }
    if min_hu > -50.0 && max_hu < 50.0 && max_hu - min_hu < 25.0 {
        return (Evidence::Fault(Fault::UnitRange), None);
    }
    let scene = Scene::from_hounsfield(cells, WINDOW, 0.0);
    let brain = scene.head().filter(|head| {
        let hu = WINDOW.to_hu(head.tissue.mode);
        (BRAIN_HU[0]..=BRAIN_HU[1]).contains(&hu)
    });
    if brain.as_ref().is_some_and(|head| head.saturated < 0.4) {
        return (Evidence::Fault(Fault::NoSkull), None);
    }
    if let Some(head) = brain {
        return (Evidence::Brain, Some(head.extent));
    }
    for (shift, fault) in [(-SHIFT_HU, Fault::TooHigh), (SHIFT_HU, Fault::TooLow)] {
        if Scene::from_hounsfield(cells, SHIFTED_WINDOW, shift).head().is_some() {
            return (Evidence::Fault(fault), None);
        }
    }
    let soft = cells.share(|i| (0.0..100.0).contains(&cells.mean[i]) && cells.mean[i] != 0.0);
    let bone = cells.share(|i| cells.max[i] > 200.0);
    if soft > 0.05 && bone < 0.005 {
        return (Evidence::Fault(Fault::NoSkull), None);
    }
    if min_hu > -10.0 && (60.0..=256.0).contains(&max_hu) {
        let picture = cells.map(|value| value / 255.0);
        if Scene::new(&picture).is_some_and(|scene| scene.head().is_some()) {
            return (Evidence::Fault(Fault::ByteRange), None);
        }
    }
    let foreground = Foreground::new(&scene.cells, &scene.roughness, 1.0);
    if scene.is_slice_of_head(&foreground) {
        return (Evidence::Head, foreground.extent);
    }
    let mut means = cells.mean.clone();
    if soft + bone < 0.01 && percentile(&mut means, 0.98) < -200.0 && min_hu < -800.0 {
        return (Evidence::Nothing, None);
    }
    (Evidence::Fault(Fault::NoHead), None)
}

impl Fault {
    /// The warning that the slice or series is unreadable, with the way to mend it.
    pub(super) fn warning(self) -> Warning {
        match self {
            Self::TooHigh => Warning::unreadable(
                "hu_shifted",
                "All values lie about 1000 or 1024 above Hounsfield units: brain is near 1050 instead of 35. The \
                 rescale intercept was probably lost. Subtract 1024, or set the intercept to -1024.",
            ),
            Self::TooLow => Warning::unreadable(
                "hu_shifted",
                "All values lie about 1000 or 1024 below Hounsfield units: brain is near -990 instead of 35. The \
                 rescale intercept was probably applied twice. Add 1024, or set the intercept to 0.",
            ),
            Self::UnitRange => Warning::unreadable(
                "hu_scaled",
                "The values span less than 25 and are not Hounsfield units. They were probably scaled to [0, 1] or \
                 [-1, 1], or standardized. Send the values from before that step.",
            ),
            Self::ByteRange => Warning::unreadable(
                "hu_scaled",
                "The values are those of a windowed picture, 0 to 255, and not Hounsfield units. Send the values \
                 from before windowing, or the slices as PNG pictures.",
            ),
            Self::NoSkull => Warning::unreadable(
                "skull_missing",
                "The slice shows soft tissue but no bone. The skull was probably removed or cut off. Send the \
                 whole head.",
            ),
            Self::NoHead => Warning::unreadable(
                "head_not_recognized",
                "No head was recognized: there is no bone around soft tissue with the Hounsfield units of brain. \
                 Send an axial head CT with its rescale values.",
            ),
        }
    }
}

/// The fault of a series by the evidence of its slices; `None` where the values are Hounsfield units of a head.
pub(super) fn judge(evidence: &[Evidence]) -> Option<Fault> {
    let count = |wanted: Evidence| evidence.iter().filter(|&&e| e == wanted).count();
    let faults =
        [Fault::TooHigh, Fault::TooLow, Fault::UnitRange, Fault::ByteRange, Fault::NoSkull];
    let (number, fault) = faults
        .map(|fault| (count(Evidence::Fault(fault)), fault))
        .into_iter()
        .fold((0, Fault::NoHead), |best, next| if next.0 > best.0 { next } else { best });
    let (brain, head) = (count(Evidence::Brain), count(Evidence::Head));
    if number > brain && (brain > 0 || number * 4 > head) {
        return Some(fault);
    }
    (brain + head == 0).then_some(Fault::NoHead)
}
