//! The result of one input: always a series, of one slice or many.

use super::{SegmentRequest, SliceResult, StageTimings};
use crate::assess::{GrayScale, volume_warning};
use crate::error::{Error, Result};
use crate::lesion::{DensitySums, HeadHeight, LesionType, LocatedPart, Location};
use crate::mask::{Mask, PackedMask};
use crate::postprocess::Lesion;
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
    /// Index of the slice to show first: the one with the largest area, or, without any lesion, with the highest
    /// probability.
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
    /// The parameters of the segmentation.
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
        let highest = (0..self.slices.len())
            .max_by(|&a, &b| probability(a).total_cmp(&probability(b)))
            .ok_or_else(|| Error::unprocessable("The series holds no slices."))?;
        let mut volume = measure(&self.series, &self.masks);
        volume.warnings.extend(volume.total_volume_ml.and_then(volume_warning));
        describe_lesions(&mut volume, &self.series, &self.slices);
        divide_volume(&self.series, &self.masks, volume.total_volume_ml, &mut self.slices);
        volume.total_volume_interval_ml =
            volume.total_volume_ml.and_then(|total| volume_interval_ml(total, &self.slices));
        let any = self.slices.iter().any(|slice| slice.detected == Some(true));
        let all_known = self.slices.iter().all(|slice| slice.detected.is_some());
        self.key_slice = volume.key_slice.unwrap_or(highest);
        self.detected = (any || all_known).then_some(any);
        let slice = &self.slices[highest];
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

/// Sets type, location, thickness and density of each lesion of the volume from those of its parts, each weighted by its
/// pixels.
fn describe_lesions(volume: &mut Volumetry, series: &Series, slices: &[SliceResult]) {
    if volume.lesions.is_empty() {
        return;
    }
    let areas = || slices.iter().map(|slice| slice.skull_area_px).collect::<Vec<_>>();
    let has_height = series.is_one_head && slices.len() > 1;
    let height = has_height.then(|| HeadHeight::of_series(series, &areas())).flatten();
    for lesion in &mut volume.lesions {
        // Iterated again for each value, which takes no memory.
        let parts = || {
            let part = |&[slice, region]: &[usize; 2]| {
                Some((slice, slices.get(slice)?.lesions.get(region)?))
            };
            lesion.parts.iter().filter_map(part)
        };
        let types =
            parts().filter_map(|(_, part)| Some((part.lesion_type.as_ref()?, part.area_px as f64)));
        lesion.lesion_type = LesionType::of_parts(types);
        let located = parts().filter_map(|(slice, part)| {
            let on_slice = part.on_slice.as_ref()?;
            Some(LocatedPart { on_slice, weight: part.area_px as f64, slice })
        });
        lesion.location = Location::of_parts(located, height.as_ref());
        lesion.thickness_mm =
            parts().filter_map(|(_, part)| part.thickness_mm).max_by(f32::total_cmp);
        let mut density = DensitySums::default();
        for (_, part) in parts() {
            if let Some(of_part) = part.density {
                density.add_part(of_part, part.area_px as f64);
            }
        }
        lesion.density = density.density();
    }
}

/// Divides the total volume between the regions in proportion to their area times the extent of their slice. Any
/// correction of the total then applies to the parts as well.
fn divide_volume(
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

/// The volume of all lesions at other odds, mL: that of each slice in proportion to its areas. `None` where an area is not
/// known.
fn volume_interval_ml(total: f32, slices: &[SliceResult]) -> Option<[f32; 2]> {
    let mut interval = [0.0_f32; 2];
    for slice in slices.iter().filter(|slice| !slice.lesions.is_empty()) {
        let areas = slice.area_interval_px?;
        let area: usize = slice.lesions.iter().map(|lesion| lesion.area_px).sum();
        let volume: f32 = slice.lesions.iter().filter_map(|lesion| lesion.volume_ml).sum();
        let at = |px: usize| volume * px as f32 / area as f32;
        interval = [interval[0] + at(areas[0]), interval[1] + at(areas[1])];
    }
    // The sums are rounded otherwise than the total.
    Some([interval[0].min(total), interval[1].max(total)])
}

fn subtypes(slices: &[SliceResult], total_ml: Option<f32>) -> Vec<SeriesSubtype> {
    // Slices that could not be interpreted have none.
    let count = slices.iter().map(|slice| slice.subtype_probabilities.len()).max().unwrap_or(0);
    let share = |slice: &SliceResult, class: usize| {
        let sum: f32 = slice.subtype_probabilities.iter().sum();
        let volume: f32 = slice.lesions.iter().filter_map(|lesion| lesion.volume_ml).sum();
        let of_class = slice.subtype_probabilities.get(class).copied().unwrap_or(0.0);
        if slice.has_lesion_types {
            // Without the inside of the skull there is no type, and the parts would not add up to the volume.
            if slice.lesions.iter().any(|lesion| lesion.lesion_type.is_none()) {
                return None;
            }
            let part = |lesion: &Lesion| {
                lesion.volume_ml.unwrap_or(0.0)
                    * lesion.lesion_type.as_ref().map_or(0.0, |of| of.all()[class])
            };
            return Some(slice.lesions.iter().map(part).sum());
        }
        Some(if sum > 0.0 { volume * of_class / sum } else { 0.0 })
    };
    let subtype = |class: usize| SeriesSubtype {
        probability: slices
            .iter()
            .filter_map(|s| s.subtype_probabilities.get(class).copied())
            .fold(0.0, f32::max),
        volume_ml: total_ml.and_then(|_| {
            slices.iter().try_fold(0.0, |sum, slice| Some(sum + share(slice, class)?))
        }),
    };
    (0..count).map(subtype).collect()
}

/// Each kind of warning once; a warning of some slices states on how many it was given.
fn warnings(series: &Series, volume: &Volumetry, slices: &[SliceResult]) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = Vec::new();
    for warning in series.warnings.iter().chain(&volume.warnings) {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
    let mut of_slices: Vec<(&Warning, usize)> = Vec::new();
    for slice in slices {
        for (place, warning) in slice.warnings.iter().enumerate() {
            let is_known = |known: &Warning| known.code == warning.code;
            if warnings.iter().any(is_known) || slice.warnings[..place].iter().any(is_known) {
                continue;
            }
            match of_slices.iter_mut().find(|(known, _)| known.code == warning.code) {
                Some((_, count)) => *count += 1,
                None => of_slices.push((warning, 1)),
            }
        }
    }
    let all = slices.len();
    warnings.extend(of_slices.into_iter().map(|(warning, count)| match count {
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
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::GrayScale;
    use crate::components::BoundingBox;
    use crate::postprocess::Point;
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
            lesion_type: None,
            location: None,
            thickness_mm: None,
            density: None,
            on_slice: None,
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

    fn analyse(series: Series, results: Vec<(SliceResult, PackedMask)>) -> Result<Analysis> {
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
        let results = vec![slice_result(4, 0.6, [0.9, 0.1]), slice_result(8, 0.8, [0.2, 0.2])];
        let analysis = analyse(series(2), results).unwrap();
        let total = analysis.volume.total_volume_ml.unwrap();
        let regions: f32 =
            analysis.slices.iter().flat_map(|s| &s.lesions).map(|l| l.volume_ml.unwrap()).sum();
        assert!((regions - total).abs() < 1e-4);
        // 4 px of 0.5 mL and 8 px of 1 mL: one part in five lies on the first slice.
        assert!((analysis.slices[0].lesions[0].volume_ml.unwrap() - total / 5.0).abs() < 1e-4);
        let types: Vec<f32> = analysis.subtypes.iter().map(|t| t.volume_ml.unwrap()).collect();
        assert!((types[0] - total * (0.2 * 0.9 + 0.8 * 0.5)).abs() < 1e-4, "{types:?}");
        assert!((types[0] + types[1] - total).abs() < 1e-4);
        assert_eq!((analysis.subtypes[0].probability, analysis.probability), (0.9, Some(0.8)));
    }

    #[test]
    fn lesions_of_the_volume_are_described_by_their_parts() {
        let mut results = vec![slice_result(4, 0.6, [0.0; 2]), slice_result(8, 0.8, [0.0; 2])];
        let density = |mean_hu| crate::lesion::Density { mean_hu, sd_hu: 0.0, above_60_hu: 0.5 };
        for ((result, _), (mean_hu, mm)) in results.iter_mut().zip([(40.0, 6.0), (70.0, 9.0)]) {
            result.lesions[0].density = Some(density(mean_hu));
            result.lesions[0].thickness_mm = Some(mm);
            result.area_interval_px = Some([2, 16]);
        }
        let mut analysis = analyse(series(2), results).unwrap();
        let lesion = &analysis.volume.lesions[0];
        assert_eq!((lesion.thickness_mm, lesion.location), (Some(9.0), None));
        // By pixels: 4 and 8.
        let of_whole = lesion.density.unwrap();
        assert!(
            (of_whole.mean_hu - 60.0).abs() < 1e-4 && (of_whole.above_60_hu - 0.5).abs() < 1e-6
        );
        // 0.5 and 1 mL per pixel.
        assert_eq!(analysis.volume.total_volume_interval_ml, Some([3.0, 24.0]));
        analysis.add_warnings([Warning::unmeasurable("small", "Too small for a head.")]);
        assert_eq!(analysis.volume.total_volume_interval_ml, None);
        assert!(analysis.volume.lesions[0].thickness_mm.is_none());
        assert!(analysis.volume.lesions[0].density.is_some());
    }

    /// A slice result whose types follow from its lesion.
    fn typed_result(area_px: usize, any: f32, code: &str) -> (SliceResult, PackedMask) {
        let (mut result, mask) = slice_result(area_px, any, [0.9, 0.9]);
        result.has_lesion_types = true;
        result.subtype_probabilities = vec![0.9; 5];
        for lesion in &mut result.lesions {
            lesion.lesion_type = Some(LesionType::sample(code, 0.8));
        }
        (result, mask)
    }

    #[test]
    fn types_of_slices_and_of_the_series_follow_from_the_lesions() {
        let results = vec![
            typed_result(4, 0.6, "IPH"),
            typed_result(8, 0.9, "IVH"),
            typed_result(0, 0.2, "EDH"),
        ];
        let mut analysis = analyse(series(3), results).unwrap();
        let close = |value: f32, expected: f32| (value - expected).abs() < 1e-5;
        // What the slice head says is replaced: 0.6 x 0.8, and nothing where nothing is outlined.
        assert!(close(analysis.slices[0].subtype_probabilities[3], 0.48));
        assert_eq!(analysis.slices[2].subtype_probabilities, [0.0; 5]);
        for slice in &analysis.slices {
            let any = slice.probability.unwrap();
            assert!(slice.subtype_probabilities.iter().all(|&of| of <= any));
        }
        assert!(close(analysis.subtypes[4].probability, 0.9 * 0.8));
        let total = analysis.volume.total_volume_ml.unwrap();
        let types: Vec<f32> = analysis.subtypes.iter().map(|t| t.volume_ml.unwrap()).collect();
        assert!((types.iter().sum::<f32>() - total).abs() < 1e-4);
        // 4 of 20 parts of the volume are IPH by 0.8 and IVH by 0.05, the others the reverse.
        assert!((types[3] - total * (0.2 * 0.8 + 0.8 * 0.05)).abs() < 1e-3, "{types:?}");
        let lesion = analysis.volume.lesions[0].lesion_type.clone().unwrap();
        // By pixels: 4 and 8.
        assert!(close(lesion.all()[4], (4.0 * 0.05 + 8.0 * 0.8) / 12.0));
        assert_eq!(lesion.code, Some("IVH"));
        let before = analysis.subtypes.clone();
        analysis.summarise().unwrap();
        assert_eq!(analysis.subtypes, before, "a second summary changes nothing");
    }

    #[test]
    fn a_lesion_of_unknown_type_leaves_the_types_of_its_slice_and_their_volumes_open() {
        let mut results = vec![typed_result(4, 0.6, "IPH"), typed_result(8, 0.9, "IVH")];
        results[1].0.lesions[0].lesion_type = None;
        let analysis = analyse(series(2), results).unwrap();
        assert!(analysis.slices[1].subtype_probabilities.is_empty());
        assert!(analysis.slices[0].subtype_probabilities[3] > 0.4);
        assert!(analysis.volume.total_volume_ml.is_some());
        assert!(analysis.subtypes.iter().all(|subtype| subtype.volume_ml.is_none()));
    }

    #[test]
    fn no_type_is_excluded_where_hemorrhage_is_not() {
        let (mut result, mask) = typed_result(0, 0.6, "IPH");
        result.warnings.push(Warning::undecided("nothing_outlined", "Look."));
        let analysis = analyse(series(1), vec![(result, mask)]).unwrap();
        assert_eq!(analysis.detected, None);
        assert!(analysis.slices[0].subtype_probabilities.is_empty());
    }

    #[test]
    fn slices_that_were_not_read_are_never_reported_free_of_hemorrhage() {
        let unreadable = || Warning::unreadable("modality_not_supported", "Not made for it.");
        for (area_px, detected) in [(4, Some(true)), (0, None)] {
            let mut results =
                vec![slice_result(area_px, 0.6, [0.0; 2]), slice_result(7, 0.9, [0.0; 2])];
            results[1].0.warnings.push(unreadable());
            let analysis = analyse(series(2), results).unwrap();
            assert_eq!((analysis.detected, analysis.key_slice), (detected, 0));
            assert_eq!((analysis.probability, analysis.volume.total_volume_ml), (Some(0.6), None));
            assert!(
                analysis.slices[1].lesions.is_empty() && analysis.slices[1].probability.is_none()
            );
            let message = &analysis.warnings.last().unwrap().message;
            assert_eq!(message, "On 1 of 2 slices: Not made for it.");
        }
        let mut results = vec![slice_result(4, 0.6, [0.5; 2])];
        results[0].0.warnings.push(unreadable());
        let analysis = analyse(series(1), results).unwrap();
        assert_eq!((analysis.detected, analysis.probability), (None, None));
        assert!(analysis.masks[0].is_empty() && analysis.subtypes.is_empty());
    }

    #[test]
    fn warnings_of_the_series_remove_what_they_leave_in_doubt() {
        let with = |warning: Warning, area_px: usize| {
            let series = Series { warnings: vec![warning], ..series(1) };
            let results = vec![slice_result(area_px, 0.6, [0.5; 2])];
            analyse(series, results).unwrap()
        };
        let incomplete = || Warning::incomplete("missing", "A part is missing.");
        assert_eq!(with(incomplete(), 0).detected, None);
        let analysis = with(incomplete(), 4);
        assert_eq!((analysis.detected, analysis.volume.total_volume_ml), (Some(true), None));
        assert!(analysis.subtypes.iter().all(|subtype| subtype.volume_ml.is_none()));
        let analysis = with(Warning::unreadable("odd", "Not understood."), 4);
        assert_eq!((analysis.detected, analysis.probability), (None, None));
        assert!(analysis.masks[0].is_empty() && analysis.volume.lesions.is_empty());
        let analysis = with(Warning::unmeasurable("small", "Too small for a head."), 4);
        assert_eq!((analysis.detected, analysis.volume.total_volume_ml), (Some(true), None));
        assert!(analysis.volume.lesions.iter().all(|l| l.volume_ml.is_none() && l.abc2.is_none()));
        assert!(analysis.slices[0].lesions.iter().all(|lesion| lesion.volume_ml.is_none()));
    }

    #[test]
    fn without_lesions_the_slice_of_highest_probability_is_the_key_slice() {
        let results = vec![slice_result(0, 0.1, [0.0; 2]), slice_result(0, 0.3, [0.0; 2])];
        let analysis = analyse(series(2), results).unwrap();
        assert_eq!((analysis.detected, analysis.key_slice), (Some(false), 1));
        assert!(analyse(series(0), Vec::new()).is_err());
    }
}
