//! The facts of an analysis that a reader reports: from them the paragraph, the patterns and the printed report are
//! written, so that none of them contradicts the others.

mod language;
mod paragraph;
mod patterns;
#[cfg(test)]
mod sample;
pub(crate) mod words;

pub use language::{Language, Translated};
pub(crate) use paragraph::headline;
pub use paragraph::report_text;
pub use patterns::{LesionIds, Pattern, Patterns, Source};
#[cfg(test)]
pub(crate) use sample::{lesion as sample_lesion, summary as sample};

use crate::model_spec::{ModelSpec, Verdict};
use crate::postprocess::Lesion;
use crate::segmenter::Analysis;
use crate::slice::Warning;
use crate::volumetry::VolumeLesion;
use ichor_core::lesion::{Density, Depth, LesionType, Location, Region, Side};

/// What is reported of one input.
#[derive(Debug, Clone)]
pub struct Summary<'a> {
    /// Name and version of the model.
    pub model: [&'a str; 2],
    /// Number of slices; `None` for a single slice, which is not a series.
    pub series_slices: Option<usize>,
    /// Whether a mask holds a lesion; `None` where that is unknown.
    pub detected: Option<bool>,
    /// Probability of hemorrhage, 0 to 1: of the slice, or the highest of the slices of a series.
    pub probability: Option<f32>,
    /// The probability in one of three words.
    pub verdict: Option<Verdict>,
    /// Volume of all lesions, mL.
    pub total_volume_ml: Option<f32>,
    /// Volume of the same lesions at a higher and at a lower threshold, mL.
    pub total_volume_interval_ml: Option<[f32; 2]>,
    /// Lesions of the series or of the slice, largest first.
    pub lesions: Vec<LesionSummary>,
    /// Warnings of the report.
    pub warnings: &'a [Warning],
}

/// What is reported of one lesion. A value that is unknown is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LesionSummary {
    /// 1 for the largest.
    pub id: usize,
    /// Its type; `None` where the model does not distinguish types of lesions.
    pub lesion_type: Option<TypeSummary>,
    /// Side of the patient.
    pub side: Option<Side>,
    /// Whether the image has no orientation, so that the side is that of the image and not surely that of the patient.
    pub has_unknown_sides: bool,
    /// Distance from the inner table, in words.
    pub depth: Option<Depth>,
    /// Part of the brain.
    pub region: Option<Region>,
    /// Volume, mL.
    pub volume_ml: Option<f32>,
    /// Area, mm², on a single slice.
    pub area_mm2: Option<f32>,
    /// Pixels on all slices.
    pub pixels: usize,
    /// Largest diameter, mm.
    pub largest_diameter_mm: Option<f32>,
    /// Thickness perpendicular to the inner table, mm; of extra-axial bleeds.
    pub thickness_mm: Option<f32>,
    /// Volume by ABC/2, mL.
    pub abc2_ml: Option<f32>,
    /// Hounsfield units.
    pub density: Option<Density>,
    /// First and last slice, from 0.
    pub slices: [usize; 2],
    /// The slice with its largest area, from 0.
    pub key_slice: usize,
}

/// The type of a lesion, as far as it is assessed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TypeSummary {
    /// Code of the most probable type with its probability, 0 to 1; `None` where that type is not assessed.
    pub best: Option<(&'static str, f32)>,
    /// Probability that the lesion lies outside the brain, 0 to 1; `None` where that is not assessed.
    pub extra_axial: Option<f32>,
}

impl<'a> Summary<'a> {
    /// The facts of an analysis, as the JSON report has them: of a slice where the input held one slice, of a series
    /// otherwise.
    pub fn from_analysis(spec: &'a ModelSpec, analysis: &'a Analysis) -> Self {
        let single = analysis.slices.first().filter(|_| analysis.is_single_slice);
        let (detected, probability) = match single {
            Some(slice) => (slice.detected, slice.probability),
            None => (analysis.detected, analysis.probability),
        };
        let bands = spec.verdicts;
        let mut lesions: Vec<LesionSummary> = match single {
            Some(slice) => slice.lesions.iter().map(LesionSummary::from).collect(),
            None => analysis.volume.lesions.iter().map(LesionSummary::from).collect(),
        };
        let has_unknown_sides =
            analysis.series.slices.iter().any(|slice| slice.placement.is_none());
        lesions.iter_mut().for_each(|lesion| lesion.has_unknown_sides = has_unknown_sides);
        Self {
            model: [&spec.name, &spec.version],
            series_slices: (!analysis.is_single_slice).then_some(analysis.slices.len()),
            detected,
            probability,
            verdict: bands.and_then(|bands| bands.reported_verdict(probability, detected)),
            total_volume_ml: single.map_or(analysis.volume.total_volume_ml, |_| None),
            total_volume_interval_ml: single
                .map_or(analysis.volume.total_volume_interval_ml, |_| None),
            lesions,
            warnings: single.map_or(&analysis.warnings, |slice| &slice.warnings),
        }
    }
}

impl From<&VolumeLesion> for LesionSummary {
    fn from(lesion: &VolumeLesion) -> Self {
        Self {
            id: lesion.id,
            lesion_type: lesion.lesion_type.as_ref().map(TypeSummary::from),
            volume_ml: lesion.volume_ml,
            pixels: lesion.voxels,
            largest_diameter_mm: lesion.largest_diameter_mm,
            abc2_ml: lesion.abc2.as_ref().map(|abc2| abc2.volume_ml),
            slices: [lesion.first_slice, lesion.last_slice],
            key_slice: lesion.key_slice,
            thickness_mm: lesion.thickness_mm,
            density: lesion.density,
            ..Self::at(lesion.location)
        }
    }
}

impl From<&Lesion> for LesionSummary {
    fn from(lesion: &Lesion) -> Self {
        Self {
            id: lesion.id,
            lesion_type: lesion.lesion_type.as_ref().map(TypeSummary::from),
            area_mm2: lesion.area_mm2,
            pixels: lesion.area_px,
            thickness_mm: lesion.thickness_mm,
            density: lesion.density,
            ..Self::at(lesion.location)
        }
    }
}

impl From<&LesionType> for TypeSummary {
    fn from(lesion_type: &LesionType) -> Self {
        Self {
            best: lesion_type.code.zip(lesion_type.probability),
            extra_axial: lesion_type.extra_axial,
        }
    }
}

impl LesionSummary {
    /// A lesion at a location, of which nothing else is known.
    fn at(location: Option<Location>) -> Self {
        Self {
            side: location.and_then(|location| location.side),
            depth: location.map(|location| location.depth),
            region: location.and_then(|location| location.region),
            ..Self::default()
        }
    }

    /// Whether it lies in a cerebral lobe or at its convexity.
    pub fn is_lobar(&self) -> bool {
        use Region::{Frontal, Occipital, Parietal, Temporal};
        self.region
            .is_some_and(|region| matches!(region, Frontal | Parietal | Temporal | Occipital))
    }

    /// Code of the type, where the model gives it and it is more probable than all others together.
    pub fn probable_type(&self) -> Option<&'static str> {
        let best = self.lesion_type.as_ref()?.best;
        best.filter(|(_, probability)| *probability >= 0.5).map(|(code, _)| code)
    }
}
