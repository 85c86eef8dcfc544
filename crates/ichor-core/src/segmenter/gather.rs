//! What the slices of a series say together.

use super::join::judge_alone;
use super::series::{SeriesSegmentation, SeriesSubtype};
use super::{Clock, Segmenter, SliceFinding, StageTimings};
use crate::assess::{Assessment, assess_series, volume_warning};
use crate::error::{Error, Result};
use crate::mask::{Mask, PackedMask};
use crate::preprocess::{SKULL_NOT_FOUND, Skull};
use crate::series::Series;
use crate::slice::{Doubt, Intensity, Warning};
use crate::volumetry::{Volumetry, measure};

impl Segmenter {
    /// Has the slices of a series inform each other ([`Segmenter::join`]) and measures across them.
    ///
    /// # Errors
    /// [`ichor_image::Error::Unprocessable`] for a series without slices.
    pub fn gather(
        &self,
        mut series: Series,
        mut found: Vec<(SliceFinding, PackedMask)>,
        clock: Clock<'_>,
    ) -> Result<SeriesSegmentation> {
        let start = clock();
        let assessments: Vec<&Assessment> = found.iter().map(|(f, _)| &f.assessment).collect();
        let assessment = assess_series(&assessments);
        if series.slices.iter().all(|slice| slice.intensity == Intensity::Hounsfield) {
            series.warnings.extend(assessment.warnings);
        }
        let lacks_skull = |finding: &SliceFinding| {
            finding.warnings.iter().any(|warning| warning.code == SKULL_NOT_FOUND)
        };
        if found.iter().all(|(finding, _)| lacks_skull(finding)) {
            series.warnings.push(Skull::nothing_searched());
        }
        let mut findings: Vec<&mut SliceFinding> = found.iter_mut().map(|(f, _)| f).collect();
        match series.is_one_head {
            true => self.join(&mut findings, series.gaps_mm().as_deref()),
            false => judge_alone(&mut findings),
        }
        let joining = clock() - start;
        let mut gathered = SeriesSegmentation::gather(series, found, clock)?;
        gathered.timings.postprocess += joining;
        Ok(gathered)
    }
}

impl SeriesSegmentation {
    /// Measures across slices what was found on each of them.
    ///
    /// # Errors
    /// [`ichor_image::Error::Unprocessable`] for a series without slices.
    pub fn gather(
        series: Series,
        mut found: Vec<(SliceFinding, PackedMask)>,
        clock: Clock<'_>,
    ) -> Result<Self> {
        let start = clock();
        for (finding, mask) in &mut found {
            finding.apply_doubts();
            if finding.lesions.is_empty() {
                *mask = Mask::empty(mask.width, mask.height).pack();
            }
        }
        let (mut slices, masks): (Vec<SliceFinding>, Vec<PackedMask>) = found.into_iter().unzip();
        let likeliest = (0..slices.len())
            .max_by(|&a, &b| {
                let probability = |index: usize| slices[index].probability.unwrap_or(0.0);
                probability(a).total_cmp(&probability(b))
            })
            .ok_or_else(|| Error::unprocessable("The series holds no slices."))?;
        let mut volume = measure(&series, &masks);
        volume.warnings.extend(volume.total_volume_ml.and_then(volume_warning));
        share_volume(&series, &masks, volume.total_volume_ml, &mut slices);
        let mut timings =
            slices.iter().fold(StageTimings::default(), |sum, slice| sum + slice.timings);
        timings.postprocess += clock() - start;
        let any = slices.iter().any(|slice| slice.detected == Some(true));
        let all = slices.iter().all(|slice| slice.detected.is_some());
        let mut gathered = Self {
            key_slice: volume.key_slice.unwrap_or(likeliest),
            detected: (any || all).then_some(any),
            gray_scale: slices[likeliest].gray_scale,
            probability: slices[likeliest].probability,
            subtypes: subtypes(&slices, volume.total_volume_ml),
            threshold: slices[likeliest].threshold,
            warnings: warnings(&series, &volume, &slices),
            timings,
            series,
            masks,
            slices,
            volume,
        };
        gathered.apply_doubts();
        Ok(gathered)
    }
}

/// Gives each region its part of the total, by area and the length its slice stands for. Parts of
/// a whole keep whatever correction the total was measured with.
fn share_volume(
    series: &Series,
    masks: &[PackedMask],
    total_ml: Option<f32>,
    slices: &mut [SliceFinding],
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

fn subtypes(slices: &[SliceFinding], total_ml: Option<f32>) -> Vec<SeriesSubtype> {
    // Slices that could not be interpreted have none.
    let count = slices.iter().map(|slice| slice.subtype_probabilities.len()).max().unwrap_or(0);
    let share = |slice: &SliceFinding, class: usize| {
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

/// Each kind of warning once; one of the slices says on how many it was given.
fn warnings(series: &Series, volume: &Volumetry, slices: &[SliceFinding]) -> Vec<Warning> {
    let mut gathered: Vec<Warning> = Vec::new();
    for warning in series.warnings.iter().chain(&volume.warnings) {
        if !gathered.contains(warning) {
            gathered.push(warning.clone());
        }
    }
    let mut counted: Vec<(&Warning, usize)> = Vec::new();
    for slice in slices {
        let mut seen: Vec<&str> = Vec::new();
        for warning in slice.warnings.iter().filter(|w| gathered.iter().all(|g| g.code != w.code)) {
            if seen.contains(&warning.code) {
                continue;
            }
            seen.push(warning.code);
            match counted.iter_mut().find(|(known, _)| known.code == warning.code) {
                Some((_, count)) => *count += 1,
                None => counted.push((warning, 1)),
            }
        }
    }
    let all = slices.len();
    gathered.extend(counted.into_iter().map(|(warning, count)| match count {
        _ if count == all => warning.clone(),
        _ => Warning {
            message: format!("On {count} of {all} slices: {}", warning.message),
            // The others were read, so that something can be said of the head.
            doubt: match warning.doubt {
                Some(Doubt::Unreadable) => Some(Doubt::Incomplete),
                doubt => doubt,
            },
            ..warning.clone()
        },
    }));
    gathered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::GrayScale;
    use crate::components::BoundingBox;
    use crate::mask::Mask;
    use crate::postprocess::{Lesion, Point};
    use crate::slice::{CtSlice, Intensity, Plane};

    fn finding(area_px: usize, probability: f32, types: [f32; 2]) -> (SliceFinding, PackedMask) {
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
        let finding = SliceFinding {
            lesions: if area_px > 0 { vec![lesion] } else { Vec::new() },
            detected: Some(area_px > 0),
            probability: Some(probability),
            probability_alone: Some(probability),
            subtype_probabilities: types.to_vec(),
            ..SliceFinding::sample(GrayScale::Hounsfield)
        };
        (finding, mask.pack())
    }

    /// Two slices of 100 mm² a pixel, 5 and 10 mm deep: half a millilitre and one a pixel.
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
        let found = vec![finding(4, 0.6, [0.9, 0.1]), finding(8, 0.8, [0.2, 0.2])];
        let found = SeriesSegmentation::gather(series(2), found, &|| 0.0).unwrap();
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
            let mut found = vec![finding(area_px, 0.6, [0.0; 2]), finding(7, 0.9, [0.0; 2])];
            found[1].0.warnings.push(unreadable());
            let found = SeriesSegmentation::gather(series(2), found, &|| 0.0).unwrap();
            assert_eq!((found.detected, found.key_slice), (detected, 0));
            assert_eq!((found.probability, found.volume.total_volume_ml), (Some(0.6), None));
            assert!(found.slices[1].lesions.is_empty() && found.slices[1].probability.is_none());
            let message = &found.warnings.last().unwrap().message;
            assert_eq!(message, "On 1 of 2 slices: Not made for it.");
        }
        let mut found = vec![finding(4, 0.6, [0.5; 2])];
        found[0].0.warnings.push(unreadable());
        let found = SeriesSegmentation::gather(series(1), found, &|| 0.0).unwrap();
        assert_eq!((found.detected, found.probability), (None, None));
        assert!(found.masks[0].is_empty() && found.subtypes.is_empty());
    }

    #[test]
    fn warnings_of_the_series_take_away_what_they_doubt() {
        let with = |warning: Warning, area_px: usize| {
            let series = Series { warnings: vec![warning], ..series(1) };
            let found = vec![finding(area_px, 0.6, [0.5; 2])];
            SeriesSegmentation::gather(series, found, &|| 0.0).unwrap()
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
        let found = vec![finding(0, 0.1, [0.0; 2]), finding(0, 0.3, [0.0; 2])];
        let found = SeriesSegmentation::gather(series(2), found, &|| 0.0).unwrap();
        assert_eq!((found.detected, found.key_slice), (Some(false), 1));
        assert!(SeriesSegmentation::gather(series(0), Vec::new(), &|| 0.0).is_err());
    }
}
