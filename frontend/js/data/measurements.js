// Masks, lesions and totals of one result at one threshold, computed from its probabilities.

import { connectLesions, pixelMm2 } from './lesions.js';
import { findRegions } from './regions.js';

// Longest time without a pause, so that a slider never waits for the other slices of a series.
const BUDGET_MS = 12;

/**
 * At the model's own threshold, null, the server's masks are used. A slice without a probability could not be read and
 * has no regions at any threshold.
 * @param {Study} study @param {Result} result @param {number | null} threshold @returns {Measurements}
 */
export function createMeasurements(study, result, threshold) {
  /** @type {(Region[] | undefined)[]} */
  const regions = [];
  /** @type {any} */
  let totals = null; // of the head, or a list with one per separate picture

  const computeRegions = (/** @type {number} */ index) => {
    const slice = study.slices[index];
    const sliceReport = result.slices[index];
    if (!slice || !sliceReport) return undefined;
    if (sliceReport.probability === null || !sliceReport.readout?.open) return [];
    if (threshold === null && (result.reports?.[index] ?? result.report)?.hemorrhage?.detected === null) return [];
    if (threshold === null) return sliceReport.mask ? findRegions(sliceReport.mask, slice.width, slice.height, 1) : [];
    if (!sliceReport.probabilities) return [];
    // Probabilities are stored as 0 to 255.
    const minValue = Math.max(1, Math.round(threshold * 255));
    return findRegions(sliceReport.probabilities, slice.width, slice.height, minValue, sliceReport.readout.min_lesion_px);
  };
  const regionsAt = (/** @type {number} */ index) => {
    if (regions[index] === undefined) regions[index] = computeRegions(index);
    return regions[index];
  };
  const measureTotals = (included = regions) => {
    const lesions = connectLesions(study.slices, included, (slice) => result.slices[slice].probabilities);
    const sumOf = (/** @type {'voxels' | 'areaMm2' | 'volumeMl'} */ key) => (lesions.some((lesion) => lesion[key] === null) ? null : lesions.reduce((sum, lesion) => sum + /** @type {number} */ (lesion[key]), 0));
    const areas = Array.from(study.slices, (slice, index) => (regions[index] ?? []).reduce((sum, { area }) => sum + area, 0));
    const hasKnownVolume = study.slices.every((slice) => pixelMm2(slice) !== null && slice.extentMm !== null);
    return {
      lesions,
      areas,
      voxels: sumOf('voxels') ?? 0,
      areaMm2: sumOf('areaMm2'),
      volumeMl: hasKnownVolume ? sumOf('volumeMl') : null,
      keySlice: findKeySlice(areas, result),
    };
  };

  return {
    threshold,
    /** Regions of one slice; undefined while it has no result. */
    regionsAt,
    /** Totals of the head, or of the separate picture `index`; null until computed. */
    totalsAt: (index) => (study.pictures ? totals?.[index] : totals) ?? null,
    /** Computes all slices, a few milliseconds at a time. */
    computeAll(onDone, isCancelled = () => false) {
      const work = () => {
        if (isCancelled()) return;
        const deadline = performance.now() + BUDGET_MS;
        for (let index = 0; index < study.slices.length; index += 1) {
          if (regions[index] === undefined) regionsAt(index);
          if (performance.now() > deadline && index + 1 < study.slices.length) return void setTimeout(work);
        }
        totals = study.pictures ? regions.map((own, index) => measureTotals(regions.map((_, other) => (other === index ? own : undefined)))) : measureTotals();
        onDone();
      };
      work();
    },
    /** Discards one slice, whose result was replaced. */
    invalidate(index) {
      regions[index] = undefined;
      totals = null;
    },
  };
}

/** The slice of the largest area; without any, the most probable one. @param {number[]} areas @param {Result} result */
function findKeySlice(areas, result) {
  const maxArea = Math.max(0, ...areas);
  if (maxArea > 0) return areas.indexOf(maxArea);
  const probabilities = Array.from(result.slices, (slice) => slice?.probability ?? 0);
  return Math.max(0, probabilities.indexOf(Math.max(0, ...probabilities)));
}
