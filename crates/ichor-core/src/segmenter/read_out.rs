//! Logits of a slice to its result.

use super::defers_assessment;
use super::skull_mask::{max_cell_mean, restrict_to_mask};
use super::warnings::{slice_warnings, window_ignored};
use super::{
    MaskGate, Readout, SegmentRequest, SegmentedSlice, Segmenter, SliceResult, StageTimings,
};
use crate::assess::{Assessment, GrayScale};
use crate::engine::Logits;
use crate::geometry::{CropBox, Turn};
use crate::lesion::{GridLesions, LesionType, measure_lesions};
use crate::mask::Mask;
use crate::model_spec::sigmoid;
use crate::postprocess::{Lesion, LogitMap, Regions, min_lesion_px};
use crate::preprocess::{NetworkInput, Skull};
use crate::slice::{CtSlice, Intensity, Plane};

impl Segmenter {
    /// The result of the logits of [`Segmenter::logits`] on the network's own grid, as training measures it.
    /// Whether the slice can be interpreted at all is left out.
    pub fn read_out_on_grid(
        &self,
        mut prepared: NetworkInput,
        logits: Logits,
        gate: MaskGate,
    ) -> SegmentedSlice {
        let [_, _, height, width] = prepared.shape;
        let grid = Plane::filled(width, height, 0.0);
        prepared.crop = CropBox::whole(&grid);
        prepared.assessment = Assessment::new(prepared.assessment.gray_scale);
        prepared.skull = None;
        prepared.turn = Turn::NONE;
        let grid = CtSlice::bare(grid, Intensity::Display);
        self.read_out(&grid, prepared, logits, &SegmentRequest::default(), gate)
    }

    pub(super) fn read_out(
        &self,
        slice: &CtSlice,
        prepared: NetworkInput,
        mut logits: Logits,
        request: &SegmentRequest,
        gate: MaskGate,
    ) -> SegmentedSlice {
        let [_, _, grid_height, grid_width] = prepared.shape;
        let steps = &self.spec.postprocessing;
        let threshold = request.threshold.unwrap_or(steps.threshold);
        if let Some(within) = &prepared.within {
            let cell = self.spec.outputs.slice.as_ref().and_then(|slice| slice.strongest_cell);
            restrict_to_mask(&mut logits, within, cell);
        }
        let is_deferred = defers_assessment(slice, gate);
        let is_suitable = self.is_suitable(slice);
        let any = logits.slice.first().copied();
        let has_own_gate = any.is_some() && steps.slice_threshold.is_some();
        let open = match (any, steps.slice_threshold) {
            (Some(logit), Some(cut_off)) => sigmoid(logit) >= cut_off,
            _ => true,
        };
        let cell_px = prepared.crop.side as f64 / grid_width as f64;
        let found = prepared.within.as_ref().filter(|_| prepared.skull == Some(Skull::Closed));
        let skull_area_px = found.map(|within| within.area_px() as f64 * cell_px * cell_px);
        let highest = || logits.mask.iter().copied().fold(f32::MIN, f32::max);
        let any = any.unwrap_or_else(highest);
        let evidence = self.spec.series.as_ref().map(|chain| {
            any + chain.cell.weight * max_cell_mean(&logits.mask, grid_width, chain.cell.side_px)
        });
        let chain = self.spec.series.as_ref().filter(|_| gate == MaskGate::Deferred);
        let (width, height) = (slice.plane.width, slice.plane.height);
        // Back from the network's orientation to that of the file.
        let to_file = prepared.turn.inverse();
        let crop = to_file.crop(prepared.crop, prepared.turn.size([width, height]));
        let grid = [grid_width, grid_height];
        let cells = to_file.apply(logits.mask, grid);
        let map = LogitMap::new(cells, to_file.size(grid)[0], crop, [width, height]);
        let min_lesion_px = min_lesion_px(steps, crop, grid_width);
        let mut fallback_threshold = None;
        let mut area_interval_px = None;
        let (mask, lesions) = if open || chain.is_some() {
            let mut regions = Regions::from_map(&map, threshold, min_lesion_px);
            if let (Some(chain), None, true) = (chain, request.threshold, regions.mask.is_empty()) {
                regions = Regions::from_map(&map, chain.fallback_threshold, min_lesion_px);
                fallback_threshold = (!regions.mask.is_empty()).then_some(chain.fallback_threshold);
            }
            let mut lesions = regions.lesions(slice.spacing_mm, request.contours);
            if !lesions.is_empty() {
                let on_grid = regions.on_grid(crop, to_file.size(grid), prepared.turn);
                self.describe(&mut lesions, slice, &prepared, &regions, &on_grid);
                let threshold = fallback_threshold.unwrap_or(threshold);
                let interval = || regions.area_interval_px(&map, threshold, min_lesion_px);
                area_interval_px = slice.spacing_mm.map(|_| interval());
            }
            (regions.mask, lesions)
        } else {
            (Mask::empty(width, height), Vec::new())
        };
        let probability = self.spec.calibration.probability(any);
        let mut warnings = slice_warnings(slice, prepared.head_missing, is_suitable);
        if !is_deferred {
            warnings.extend(prepared.assessment.warnings.iter().cloned());
        }
        warnings.extend(prepared.skull.and_then(|skull| skull.warning(gate == MaskGate::PerSlice)));
        warnings.extend(window_ignored(slice, request.window));
        let gray_scale = match is_deferred {
            true => GrayScale::Hounsfield,
            false => prepared.assessment.gray_scale,
        };
        let mut segmented = SegmentedSlice {
            result: SliceResult {
                detected: Some(!lesions.is_empty()),
                gray_scale,
                assessment: prepared.assessment,
                lesions,
                probability: Some(probability),
                probability_alone: Some(probability),
                evidence,
                has_lesion_types: self.spec.lesion_types.is_some(),
                subtype_probabilities: logits.slice.iter().skip(1).map(|&l| sigmoid(l)).collect(),
                threshold,
                fallback_threshold,
                readout: Readout { open, min_lesion_px },
                probability_png: None,
                warnings,
                is_measurable: true,
                area_interval_px,
                skull_area_px,
                timings: StageTimings::default(),
            },
            mask,
            map,
            crop,
        };
        segmented.clear_mask_if_gated();
        // In a series with a chain the cut-off is that of the chain, which needs all slices.
        if has_own_gate && chain.is_none() {
            segmented.result.warn_if_undecided();
        }
        segmented
    }

    /// Sets what a reader reports of the lesions of a slice beside their size.
    fn describe(
        &self,
        lesions: &mut [Lesion],
        slice: &CtSlice,
        prepared: &NetworkInput,
        regions: &Regions,
        on_grid: &GridLesions,
    ) {
        let measured = measure_lesions(prepared, &self.spec, on_grid);
        for (lesion, measured) in lesions.iter_mut().zip(measured.iter().flatten()) {
            let types = self.spec.lesion_types.as_ref();
            lesion.lesion_type = types.map(|types| types.classify(&measured.features));
            lesion.on_slice = measured.location;
            lesion.location = measured.location.map(|of| of.location());
            // Between the ventricles and the cortex, the distance to the table is no thickness.
            let is_inside_brain = |of: &LesionType| of.extra_axial.is_some_and(|p| p < 0.5);
            let can_be_outside = !lesion.lesion_type.as_ref().is_some_and(is_inside_brain);
            let location = measured.location.filter(|_| can_be_outside);
            lesion.thickness_mm = location.and_then(|of| of.thickness_mm(slice.spacing_mm));
        }
        if slice.intensity == Intensity::Hounsfield {
            let samples = slice.plane.expand();
            let densities = regions.densities(&samples);
            lesions.iter_mut().zip(densities).for_each(|(lesion, of)| lesion.density = of);
        }
    }
}
