//! The result of one input: always a series, of one slice or many.

use super::{SegmentRequest, SliceResult, StageTimings};
use crate::assess::{GrayScale, volume_warning};
use crate::error::{Error, Result};
use crate::mask::{Mask, PackedMask};
use crate::series::Series;
use crate::slice::{CtSlice, Doubt, Intensity, Warning};
use crate::volumetry::{Volumetry, measure};
use crate::window::WindowLevel;

/// The result of one input. Display and probability planes are not kept: at 512 slices of 512 px per side
/// they would take 1 GiB beside the samples (256 MiB at most) and the masks (16 MiB).
#[derive(Debug, Clone)]
pub struct Analysis {
    /// The slices as they were segmented.
    pub series: Series,
    /// The mask of each slice, in its geometry.
    pub masks: Vec<PackedMask>,
    /// The result of each slice.
    pub slices: Vec<SliceResult>,
    /// Volumes across the slices.
    pub volume: Volumetry,
    /// Index of the slice to look at first: the largest area, or without any lesion the highest probability.
    pub key_slice: usize,
    /// Whether any mask holds a lesion; `None` where that is unknown, for the reason in a warning.
    pub detected: Option<bool>,
    /// How the grey values were read.
    pub gray_scale: GrayScale,
    /// Highest probability of the slices. It ranks heads but is no probability of the head: each is of one
    /// slice, and the maximum grows with their number. `None` where no slice could be interpreted.
    pub probability: Option<f32>,
    /// Each type, in the order of the model's spec.
    pub subtypes: Vec<SeriesSubtype>,
    /// The threshold used.
    pub threshold: f32,
    /// Warnings of the series, its volumes and its slices, each kind once.
    pub warnings: Vec<Warning>,
    /// Each stage summed over the slices, which run in parallel, ms.
    pub timings: StageTimings,
    /// What was asked for.
    pub request: SegmentRequest,
    /// Whether the input held one slice, which is then reported as a slice and not as a series.
    pub is_single_slice: bool,
    /// The window that Hounsfield units are shown with.
    pub(super) window: Option<WindowLevel>,
    /// Warnings that were added after the analysis.
    pub(super) added_warnings: Vec<Warning>,
}

/// One hemorrhage type in a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesSubtype {
    /// Highest probability of the slices.
    pub probability: f32,
    /// The part of the total volume: each slice's volume is divided between the types in proportion to their
    /// probabilities on that slice. The model types slices, not pixels, so that this is an estimate; `None`
    /// where the total is.
    pub volume_ml: Option<f32>,
}

impl Analysis {
    /// The window that a slice is shown with; `None` for pictures, which come windowed.
    pub fn window_of(&self, slice: &CtSlice) -> Option<WindowLevel> {
        self.window.filter(|_| slice.intensity == Intensity::Hounsfield)
    }

    /// Adds warnings, and removes what they leave in doubt from the result.
    pub fn add_warnings(&mut self, warnings: impl IntoIterator<Item = Warning>) {
        let first_new = self.added_warnings.len();
        self.added_warnings.extend(warnings);
        let added = &self.added_warnings[first_new..];
        self.warnings.extend(added.iter().cloned());
        if let ([slice], true) = (&mut self.slices[..], self.is_single_slice) {
            slice.warnings.extend(added.iter().cloned());
            slice.apply_doubts();
        }
        self.apply_doubts();
    }

    /// The analysis of a series by the results of its slices.
    ///
    /// # Errors
    /// [`ichor_image::Error::Unprocessable`] for a series without slices.
    pub(super) fn new(
        series: Series,
        results: Vec<(SliceResult, PackedMask)>,
        request: SegmentRequest,
        is_single_slice: bool,
        window: Option<WindowLevel>,
    ) -> Result<Self> {
        let (slices, masks): (Vec<SliceResult>, Vec<PackedMask>) = results.into_iter().unzip();
        let timings = slices.iter().fold(StageTimings::default(), |sum, slice| sum + slice.timings);
        let mut analysis = Self {
            series,
            masks,
            slices,
            volume: Volumetry::default(),
            key_slice: 0,
            detected: None,
            gray_scale: GrayScale::Unreadable,
            probability: None,
            subtypes: Vec::new(),
            threshold: 0.0,
            warnings: Vec::new(),
            timings,
            request,
            is_single_slice,
            window,
            added_warnings: Vec::new(),
        };
        analysis.summarise()?;
        Ok(analysis)
    }

    /// Measures across the slices what is on each of them, and derives the values of the series.
    ///
    /// # Errors
    /// [`ichor_image::Error::Unprocessable`] for a series without slices.
    pub(super) fn summarise(&mut self) -> Result<()> {
        for (slice, mask) in self.slices.iter_mut().zip(&mut self.masks) {
            slice.apply_doubts();
            if slice.lesions.is_empty() && !mask.is_empty() {
                *mask = Mask::empty(mask.width, mask.height).pack();
            }
        }
        let probability = |index: usize| self.slices[index].probability.unwrap_or(0.0);
        let likeliest = (0..self.slices.len())
            .max_by(|&a, &b| probability(a).total_cmp(&probability(b)))
            .ok_or_else(|| Error::unprocessable("The series holds no slices."))?;
        let mut volume = measure(&self.series, &self.masks);
        volume.warnings.extend(volume.total_volume_ml.and_then(volume_warning));
        share_volume(&self.series, &self.masks, volume.total_volume_ml, &mut self.slices);
        let any = self.slices.iter().any(|slice| slice.detected == Some(true));
        let all_known = self.slices.iter().all(|slice| slice.detected.is_some());
        self.key_slice = volume.key_slice.unwrap_or(likeliest);
        self.detected = (any || all_known).then_some(any);
        let slice = &self.slices[likeliest];
        self.gray_scale = slice.gray_scale;
        self.probability = slice.probability;
        self.threshold = slice.threshold;
        self.subtypes = subtypes(&self.slices, volume.total_volume_ml);
        self.warnings = warnings(&self.series, &volume, &self.slices);
        self.volume = volume;
        self.warnings.extend(self.added_warnings.iter().cloned());
        self.apply_doubts();
        Ok(())
    }
}

/// Gives each region its part of the total, by area and the length its slice stands for. Parts of
/// a whole keep whatever correction the total was measured with.
fn share_volume(
    series: &Series,
    masks: &[PackedMask],
    total_ml: Option<f32>,
    slices: &mut [SliceResult],
) {
    let (Some(total), Some(extents)) = (total_ml, &series.extents_mm) else { return };
    let depth = |index: usize| {
        let [row, column] = series.slices[index].spacing_mm.unwrap_or([1.0; 2]);
        row * column * extents[index]
    };
    let whole: f32 = masks.iter().enumerate().map(|(i, m)| m.area_px() as f32 * depth(i)).sum();
    for (index, slice) in slices.iter_mut().enumerate() {
        for lesion in &mut slice.lesions {
            lesion.volume_ml = Some(total * lesion.area_px as f32 * depth(index) / whole);
        }
    }
}

fn subtypes(slices: &[SliceResult], total_ml: Option<f32>) -> Vec<SeriesSubtype> {
    // Slices that could not be interpreted have none.
    let count = slices.iter().map(|slice| slice.subtype_probabilities.len()).max().unwrap_or(0);
    let share = |slice: &SliceResult, class: usize| {
        let sum: f32 = slice.subtype_probabilities.iter().sum();
        let volume: f32 = slice.lesions.iter().filter_map(|lesion| lesion.volume_ml).sum();
        let of_class = slice.subtype_probabilities.get(class).copied().unwrap_or(0.0);
        if sum > 0.0 { volume * of_class / sum } else { 0.0 }
    };
    let subtype = |class: usize| SeriesSubtype {
        probability: slices
            .iter()
            .filter_map(|s| s.subtype_probabilities.get(class).copied())
            .fold(0.0, f32::max),
        volume_ml: total_ml
            .map(|_| slices.iter().fold(0.0, |sum, slice| sum + share(slice, class))),
    };
    (0..count).map(subtype).collect()
}

/// Each kind of warning once; a warning of some slices states on how many it was given.
fn warnings(series: &Series, volume: &Volumetry, slices: &[SliceResult]) -> Vec<Warning> {
    let mut unique: Vec<Warning> = Vec::new();
    for warning in series.warnings.iter().chain(&volume.warnings) {
        if !unique.contains(warning) {
            unique.push(warning.clone());
        }
    }
    let mut counted: Vec<(&Warning, usize)> = Vec::new();
    for slice in slices {
        for (place, warning) in slice.warnings.iter().enumerate() {
            let is_known = |known: &Warning| known.code == warning.code;
            if unique.iter().any(is_known) || slice.warnings[..place].iter().any(is_known) {
                continue;
            }
            match counted.iter_mut().find(|(known, _)| known.code == warning.code) {
                Some((_, count)) => *count += 1,
                None => counted.push((warning, 1)),
            }
        }
    }
    let all = slices.len();
    unique.extend(counted.into_iter().map(|(warning, count)| match count {
        _ if count == all => warning.clone(),
        _ => Warning {
            message: format!("On {count} of {all} slices: {}", warning.message),
            // The other slices were read, so that hemorrhage on them can be reported.
            doubt: match warning.doubt {
                Some(Doubt::Unreadable) => Some(Doubt::Incomplete),
                doubt => doubt,
            },
            ..warning.clone()
        },
    }));
    unique
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::GrayScale;
    use crate::components::BoundingBox;
    use crate::postprocess::{Lesion, Point};
    use crate::slice::Plane;

    fn slice_result(
        area_px: usize,
        probability: f32,
        types: [f32; 2],
    ) -> (SliceResult, PackedMask) {
        let mut mask = Mask::empty(10, 10);
        mask.pixels[..area_px].fill(true);
        let lesion = Lesion {
            id: 1,
            area_px,
            area_mm2: None,
            volume_ml: None,
            bbox: BoundingBox { x: 0, y: 0, width: 10, height: 1 },
            centroid: Point { x: 0.0, y: 0.0 },
            mean_probability: 0.9,
            contour: None,
        };
        let result = SliceResult {
            lesions: if area_px > 0 { vec![lesion] } else { Vec::new() },
            detected: Some(area_px > 0),
            probability: Some(probability),
            probability_alone: Some(probability),
            subtype_probabilities: types.to_vec(),
            ..SliceResult::sample(GrayScale::Hounsfield)
        };
        (result, mask.pack())
    }

    fn analysis(series: Series, results: Vec<(SliceResult, PackedMask)>) -> Result<Analysis> {
        let request = SegmentRequest::default();
        Analysis::new(series, results, request, false, None)
    }

    /// Slices of 100 mm² per pixel. The first is 5 mm deep, 0.5 mL per pixel; the others 10 mm, 1 mL per pixel.
    fn series(slices: usize) -> Series {
        let slice = CtSlice {
            spacing_mm: Some([10.0, 10.0]),
            ..CtSlice::bare(Plane::filled(10, 10, 0.0), Intensity::Hounsfield)
        };
        Series {
            slices: vec![slice; slices],
            sources: (0..slices).collect(),
            extents_mm: Some((0..slices).map(|i| if i == 0 { 5.0 } else { 10.0 }).collect()),
            tilt_degrees: None,
            grid: None,
            is_one_head: true,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn parts_add_up_to_the_total_by_region_and_by_type() {
        let found = vec![slice_result(4, 0.6, [0.9, 0.1]), slice_result(8, 0.8, [0.2, 0.2])];
        let found = analysis(series(2), found).unwrap();
        let total = found.volume.total_volume_ml.unwrap();
        let regions: f32 =
            found.slices.iter().flat_map(|s| &s.lesions).map(|l| l.volume_ml.unwrap()).sum();
        assert!((regions - total).abs() < 1e-4);
        // 4 px of 0.5 mL and 8 px of 1 mL: one part in five lies on the first slice.
        assert!((found.slices[0].lesions[0].volume_ml.unwrap() - total / 5.0).abs() < 1e-4);
        let types: Vec<f32> = found.subtypes.iter().map(|t| t.volume_ml.unwrap()).collect();
        assert!((types[0] - total * (0.2 * 0.9 + 0.8 * 0.5)).abs() < 1e-4, "{types:?}");
        assert!((types[0] + types[1] - total).abs() < 1e-4);
        assert_eq!((found.subtypes[0].probability, found.probability), (0.9, Some(0.8)));
    }

    #[test]
    fn what_was_not_read_is_never_called_free_of_blood() {
        let unreadable = || Warning::unreadable("modality_not_supported", "Not made for it.");
        for (area_px, detected) in [(4, Some(true)), (0, None)] {
            let mut found =
                vec![slice_result(area_px, 0.6, [0.0; 2]), slice_result(7, 0.9, [0.0; 2])];
            found[1].0.warnings.push(unreadable());
            let found = analysis(series(2), found).unwrap();
            assert_eq!((found.detected, found.key_slice), (detected, 0));
            assert_eq!((found.probability, found.volume.total_volume_ml), (Some(0.6), None));
            assert!(found.slices[1].lesions.is_empty() && found.slices[1].probability.is_none());
            let message = &found.warnings.last().unwrap().message;
            assert_eq!(message, "On 1 of 2 slices: Not made for it.");
        }
        let mut found = vec![slice_result(4, 0.6, [0.5; 2])];
        found[0].0.warnings.push(unreadable());
        let found = analysis(series(1), found).unwrap();
        assert_eq!((found.detected, found.probability), (None, None));
        assert!(found.masks[0].is_empty() && found.subtypes.is_empty());
    }

    #[test]
    fn warnings_of_the_series_take_away_what_they_doubt() {
        let with = |warning: Warning, area_px: usize| {
            let series = Series { warnings: vec![warning], ..series(1) };
            let found = vec![slice_result(area_px, 0.6, [0.5; 2])];
            analysis(series, found).unwrap()
        };
        let incomplete = || Warning::incomplete("missing", "A part is missing.");
        assert_eq!(with(incomplete(), 0).detected, None);
        let found = with(incomplete(), 4);
        assert_eq!((found.detected, found.volume.total_volume_ml), (Some(true), None));
        assert!(found.subtypes.iter().all(|subtype| subtype.volume_ml.is_none()));
        let found = with(Warning::unreadable("odd", "Not understood."), 4);
        assert_eq!((found.detected, found.probability), (None, None));
        assert!(found.masks[0].is_empty() && found.volume.lesions.is_empty());
        let found = with(Warning::unmeasurable("small", "Too small for a head."), 4);
        assert_eq!((found.detected, found.volume.total_volume_ml), (Some(true), None));
        assert!(found.volume.lesions.iter().all(|l| l.volume_ml.is_none() && l.abc2.is_none()));
        assert!(found.slices[0].lesions.iter().all(|lesion| lesion.volume_ml.is_none()));
    }

    #[test]
    fn without_lesions_the_likeliest_slice_is_the_key() {
        let found = vec![slice_result(0, 0.1, [0.0; 2]), slice_result(0, 0.3, [0.0; 2])];
        let found = analysis(series(2), found).unwrap();
        assert_eq!((found.detected, found.key_slice), (Some(false), 1));
        assert!(analysis(series(0), Vec::new()).is_err());
    }
}
