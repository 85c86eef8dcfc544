//! What the slices of a series say together.

use super::series::{SeriesSegmentation, SeriesSubtype};
use super::{Clock, Segmenter, SliceFinding, StageTimings};
use crate::error::{Error, Result};
use crate::mask::{Mask, PackedMask};
use crate::series::Series;
use crate::slice::Warning;
use crate::volumetry::{Volumetry, measure};

impl Segmenter {
    /// Has the slices of a series inform each other ([`Segmenter::join`]) and measures across them.
    ///
    /// # Errors
    /// [`Error::Unprocessable`] for a series without slices.
    pub fn gather(
        &self,
        series: Series,
        mut found: Vec<(SliceFinding, PackedMask)>,
        clock: Clock<'_>,
    ) -> Result<SeriesSegmentation> {
        let start = clock();
        let mut findings: Vec<&mut SliceFinding> = found.iter_mut().map(|(f, _)| f).collect();
        self.join(&mut findings, series.gaps_mm().as_deref());
        for (_, mask) in found.iter_mut().filter(|(finding, _)| finding.lesions.is_empty()) {
            *mask = Mask::empty(mask.width, mask.height).pack();
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
    /// [`Error::Unprocessable`] for a series without slices.
    pub fn gather(
        series: Series,
        found: Vec<(SliceFinding, PackedMask)>,
        clock: Clock<'_>,
    ) -> Result<Self> {
        let start = clock();
        let (mut slices, masks): (Vec<SliceFinding>, Vec<PackedMask>) = found.into_iter().unzip();
        let likeliest = (0..slices.len())
            .max_by(|&a, &b| slices[a].probability.total_cmp(&slices[b].probability))
            .ok_or_else(|| Error::Unprocessable("The series holds no slices.".into()))?;
        let volume = measure(&series, &masks);
        share_volume(&series, &masks, volume.total_volume_ml, &mut slices);
        let mut timings =
            slices.iter().fold(StageTimings::default(), |sum, slice| sum + slice.timings);
        timings.postprocess += clock() - start;
        let suitable = slices.iter().all(|slice| slice.detected.is_some());
        let any = slices.iter().any(|slice| slice.detected == Some(true));
        Ok(Self {
            key_slice: volume.key_slice.unwrap_or(likeliest),
            detected: suitable.then_some(any),
            probability: slices[likeliest].probability,
            subtypes: subtypes(&slices, volume.total_volume_ml),
            threshold: slices[likeliest].threshold,
            warnings: warnings(&series, &volume, &slices),
            timings,
            series,
            masks,
            slices,
            volume,
        })
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
    let count = slices.first().map_or(0, |slice| slice.subtype_probabilities.len());
    let share = |slice: &SliceFinding, class: usize| {
        let sum: f32 = slice.subtype_probabilities.iter().sum();
        let volume: f32 = slice.lesions.iter().filter_map(|lesion| lesion.volume_ml).sum();
        if sum > 0.0 { volume * slice.subtype_probabilities[class] / sum } else { 0.0 }
    };
    let subtype = |class: usize| SeriesSubtype {
        probability: slices.iter().map(|s| s.subtype_probabilities[class]).fold(0.0, f32::max),
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
        _ => Warning::new(warning.code, format!("On {count} of {all} slices: {}", warning.message)),
    }));
    gathered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::BoundingBox;
    use crate::mask::Mask;
    use crate::postprocess::{Lesion, Point};
    use crate::segmenter::Readout;
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
            probability,
            probability_alone: probability,
            evidence: None,
            subtype_probabilities: types.to_vec(),
            threshold: 0.5,
            faint: None,
            readout: Readout { open: true, min_lesion_px: 0.0 },
            warnings: Vec::new(),
            timings: StageTimings::default(),
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
        assert_eq!((found.subtypes[0].probability, found.probability), (0.9, 0.8));
    }

    #[test]
    fn one_unsuitable_slice_leaves_the_finding_open() {
        let mut found = vec![finding(4, 0.6, [0.0; 2]), finding(0, 0.1, [0.0; 2])];
        found[1].0.detected = None;
        found[1].0.warnings.push(Warning::new("modality_not_supported", "Not made for it."));
        let found = SeriesSegmentation::gather(series(2), found, &|| 0.0).unwrap();
        assert_eq!((found.detected, found.key_slice), (None, 0));
        let message = &found.warnings.last().unwrap().message;
        assert_eq!(message, "On 1 of 2 slices: Not made for it.");
    }

    #[test]
    fn without_lesions_the_likeliest_slice_is_the_key() {
        let found = vec![finding(0, 0.1, [0.0; 2]), finding(0, 0.3, [0.0; 2])];
        let found = SeriesSegmentation::gather(series(2), found, &|| 0.0).unwrap();
        assert_eq!((found.detected, found.key_slice), (Some(false), 1));
        assert!(SeriesSegmentation::gather(series(0), Vec::new(), &|| 0.0).is_err());
    }
}
